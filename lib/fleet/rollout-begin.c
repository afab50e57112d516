// SPDX-License-Identifier: GPL-2.0-only
/* A rollout that begins, or goes on where another process has died. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fleet/error.h"
#include "fleet/keys.h"
#include "fleet/rollout-parts.h"

/* ---- To have one, and to let go of it ------------------------------------------------------- */

void fleet_rollout_close(struct fleet_rollout *rollout)
{
	if (!rollout)
		return;
	fleet_watch_close(rollout->watch);
	fleet_election_leave(&rollout->election);
	fleet_roster_free(&rollout->roster);
	fleet_revision_free(rollout->revision);
	fleet_stage_free(rollout->stage);
	free(rollout->ruleset_key);
	free(rollout->stage_key);
	free(rollout->good_key);
	free(rollout->hosts_key);
	free(rollout);
}

static struct fleet_rollout *new_rollout(struct fleet_etcd *etcd, const struct fleet_conf *conf,
					 const char *ruleset)
{
	struct fleet_rollout *made = calloc(1, sizeof(*made));

	if (!made)
		return NULL;
	made->etcd = etcd;
	made->conf = conf;
	made->answered = pb_clock();
	snprintf(made->ruleset, sizeof(made->ruleset), "%s", ruleset);
	made->ruleset_key = fleet_key(conf, FLEET_RULESETS, ruleset);
	made->stage_key = fleet_key(conf, FLEET_STAGES, ruleset);
	made->good_key = fleet_key(conf, FLEET_GOOD, ruleset);
	made->hosts_key = fleet_key(conf, FLEET_HOSTS, "");
	if (made->ruleset_key && made->stage_key && made->good_key && made->hosts_key)
		return made;
	fleet_rollout_close(made);
	return NULL;
}

/* A revision under a key: NULL where there is none. Its number is filled in. */
static int read_revision(struct fleet_rollout *rollout, const char *key,
			 struct fleet_revision **revision, struct pb_error *error)
{
	struct fleet_revision *read = NULL;
	struct fleet_kv *kv;
	int err = fleet_etcd_get(rollout->etcd, key, 0, &kv, NULL, error);

	if (!err && kv)
		err = fleet_revision_read(kv->value, kv->len, rollout->ruleset,
					  fleet_key_short(rollout->conf, key), &read, error);
	if (read && !read->revision)
		read->revision = kv->mod_revision;
	if (!err)
		*revision = read;
	fleet_kvs_free(kv, kv ? 1 : 0);
	return err;
}

static int take_election(struct fleet_rollout *rollout, struct pb_error *error)
{
	struct fleet_carrier carrier = { .host = rollout->conf->host,
					 .pid = getpid(),
					 .stages = rollout->stage->stages,
					 .nr_stages = rollout->stage->nr_stages,
					 .wait = rollout->stage->wait };
	char *key = fleet_key(rollout->conf, FLEET_ROLLOUTS, rollout->ruleset);
	int err = -ENOMEM;

	strcpy(carrier.id, rollout->stage->id);
	if (key)
		err = fleet_election_take(rollout->etcd, key, &carrier, &rollout->election, error);
	else
		fleet_fail_memory(error);
	free(key);
	return err;
}

/* ---- Beginning ------------------------------------------------------------------------------ */

static int copy_words(char *const *words, size_t nr, struct fleet_stage *stage)
{
	stage->stages = calloc(nr + 1, sizeof(*stage->stages));
	if (!stage->stages)
		return -ENOMEM;
	for (; stage->nr_stages < nr; stage->nr_stages++) {
		stage->stages[stage->nr_stages] = strdup(words[stage->nr_stages]);
		if (!stage->stages[stage->nr_stages])
			return -ENOMEM;
	}
	return 0;
}

/* The revision is copied by its own text, which also checks that others can read it. */
static int take_plan(struct fleet_rollout *rollout, const struct fleet_plan *plan,
		     struct pb_error *error)
{
	char *text = fleet_revision_text(plan->revision);
	int err = text ? fleet_revision_read(text, strlen(text), rollout->ruleset, "the revision",
					     &rollout->revision, error) :
			 fleet_fail_memory(error);

	free(text);
	if (err)
		return err;
	rollout->stage = calloc(1, sizeof(*rollout->stage));
	if (!rollout->stage || copy_words(plan->stages, plan->nr_stages, rollout->stage))
		return fleet_fail_memory(error);
	strcpy(rollout->stage->id, plan->revision->id);
	rollout->stage->stage = 1;
	rollout->stage->of = plan->nr_stages;
	rollout->stage->wait = plan->wait;
	return 0;
}

/* What hosts are to go back to. */
static int find_good(struct fleet_rollout *rollout, struct pb_error *error)
{
	struct fleet_revision *good;
	int err = read_revision(rollout, rollout->good_key, &good, error);

	if (err)
		return err;
	rollout->stage->back = good ? good->revision : 0;
	rollout->revision->previous = rollout->stage->back;
	fleet_revision_free(good);
	return 0;
}

static int begin(struct fleet_rollout *rollout, const struct fleet_plan *plan,
		 struct pb_error *error)
{
	int err = take_plan(rollout, plan, error);

	if (!err)
		err = take_election(rollout, error);
	if (!err)
		err = find_good(rollout, error);
	if (!err)
		err = fleet_rollout_open_watch(rollout, error);
	if (!err && fleet_rollout_begin_stage(rollout, ""))
		err = fleet_fail_memory(error);
	return err ?: fleet_rollout_write_first(rollout, error);
}

int fleet_rollout_begin(struct fleet_etcd *etcd, const struct fleet_conf *conf,
			const struct fleet_plan *plan, struct fleet_rollout **rollout,
			struct pb_error *error)
{
	struct fleet_rollout *made = new_rollout(etcd, conf, plan->revision->ruleset);
	int err = made ? begin(made, plan, error) : fleet_fail_memory(error);

	if (!err) {
		plan->revision->previous = made->revision->previous;
		*rollout = made;
	} else {
		fleet_rollout_close(made);
	}
	return err;
}

/* ---- Going on with another's ---------------------------------------------------------------- */

static int read_stage(struct fleet_rollout *rollout, struct pb_error *error)
{
	struct fleet_kv *kv;
	int err = fleet_etcd_get(rollout->etcd, rollout->stage_key, 0, &kv, NULL, error);

	if (err)
		return err;
	fleet_stage_free(rollout->stage);
	rollout->stage = NULL;
	if (kv)
		err = fleet_stage_read(kv->value, kv->len,
				       fleet_key_short(rollout->conf, rollout->stage_key),
				       &rollout->stage, error);
	else
		err = fleet_fail(error, ENOENT, "nothing was ever pushed for ruleset '%s'",
				 rollout->ruleset);
	rollout->stage_at = kv ? kv->mod_revision : 0;
	fleet_kvs_free(kv, kv ? 1 : 0);
	return err;
}

/* A stage that says not how it was to go on goes on to all. */
static int fill_stage(struct fleet_rollout *rollout, struct pb_error *error)
{
	struct fleet_stage *stage = rollout->stage;
	char *all[FLEET_STAGES_MAX];

	for (size_t i = 0; i < FLEET_STAGES_MAX; i++)
		all[i] = (char *)"100%";
	if (!stage->nr_stages && copy_words(all, stage->of, stage))
		return fleet_fail_memory(error);
	if (!stage->wait)
		stage->wait = FLEET_WAIT_DEFAULT;
	return 0;
}

static int check_running(const struct fleet_rollout *rollout, struct pb_error *error)
{
	const struct fleet_stage *stage = rollout->stage;

	if (stage->state == FLEET_RUNNING)
		return 0;
	return fleet_fail(
		error, ENOENT,
		"there is nothing to go on with: the last rollout of ruleset '%s' was %s%s%s",
		rollout->ruleset, fleet_stage_state_name(stage->state), stage->reason ? ": " : "",
		stage->reason ?: "");
}

static int check_revision(const struct fleet_rollout *rollout, struct pb_error *error)
{
	if (rollout->revision && !strcmp(rollout->revision->id, rollout->stage->id))
		return 0;
	return fleet_fail(error, EINVAL, "%s is not the revision that %s is about: push anew",
			  fleet_key_short(rollout->conf, rollout->ruleset_key),
			  fleet_key_short(rollout->conf, rollout->stage_key));
}

/* The stage is read again once nobody else may write it. */
static int resume(struct fleet_rollout *rollout, struct pb_error *error)
{
	int err = read_stage(rollout, error);

	if (!err)
		err = check_running(rollout, error);
	if (!err)
		err = take_election(rollout, error);
	if (!err)
		err = read_stage(rollout, error);
	if (!err)
		err = check_running(rollout, error);
	if (!err)
		err = read_revision(rollout, rollout->ruleset_key, &rollout->revision, error);
	if (!err)
		err = check_revision(rollout, error);
	if (!err)
		err = fill_stage(rollout, error);
	if (!err)
		err = fleet_rollout_open_watch(rollout, error);
	if (!err)
		fleet_roster_resume(&rollout->roster, rollout->stage);
	rollout->began = pb_clock();
	return err;
}

int fleet_rollout_resume(struct fleet_etcd *etcd, const struct fleet_conf *conf,
			 const char *ruleset, struct fleet_rollout **rollout,
			 struct pb_error *error)
{
	struct fleet_rollout *made = new_rollout(etcd, conf, ruleset);
	int err = made ? resume(made, error) : fleet_fail_memory(error);

	if (!err)
		*rollout = made;
	else
		fleet_rollout_close(made);
	return err;
}
