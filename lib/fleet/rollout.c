// SPDX-License-Identifier: GPL-2.0-only
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fleet/election.h"
#include "fleet/error.h"
#include "fleet/keys.h"
#include "fleet/rollout.h"

#define SECOND 1000000000ULL
#define MS 1000000ULL
#define PAUSE 500    /* ms, before etcd is asked again that did not answer */
#define LOOK_UP 1000 /* ms, after which an interruption is seen at the latest */
/* etcd takes 1.5 MiB at once, unless it is told otherwise: so much fits with room to spare. */
#define AT_ONCE (1200 * 1024)
#define STEP 100 /* keys that are deleted at once: etcd does 128 things in a step */

struct fleet_rollout {
	struct fleet_etcd *etcd;
	const struct fleet_conf *conf;
	char ruleset[PB_NAME_LEN];
	char *ruleset_key, *stage_key, *good_key, *hosts_key;
	struct fleet_election election;
	struct fleet_revision *revision; /* `revision` in it is its number */
	struct fleet_stage *stage;
	__s64 stage_at; /* mod_revision of its key, as we have written or read it; 0: neither yet */
	struct fleet_roster roster;
	struct fleet_watch *watch; /* NULL: what the roster says may be old */
	__u64 began;		   /* when the stage did, by pb_clock() */
	__u64 answered;		   /* when etcd did last */
	fleet_listener listener;
	void *context;
	const volatile sig_atomic_t *interrupted;
};

/* ---- To have one, and to end it -------------------------------------------------------------- */

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

/* ---- What hosts say -------------------------------------------------------------------------- */

/* What cannot be read is as if the host were gone: `fleet status` says why. */
static int take_host(struct fleet_rollout *rollout, const struct fleet_kv *kv, bool deleted)
{
	const char *name = kv->key + strlen(rollout->hosts_key);
	struct fleet_host *host = NULL;
	int err;

	if (fleet_host_check(name, NULL))
		return 0;
	if (deleted || fleet_host_read(kv->value, kv->len, name, name, &host, NULL))
		return fleet_roster_gone(&rollout->roster, rollout->stage->id, name);
	err = fleet_roster_put(&rollout->roster, rollout->ruleset, rollout->stage->id, host);
	fleet_host_free(host);
	return err;
}

/* All of them; `revision`: of the store, as it was then. */
static int list_hosts(struct fleet_rollout *rollout, __s64 *revision, struct pb_error *error)
{
	struct fleet_kv *kvs;
	size_t nr;
	int err = fleet_etcd_list(rollout->etcd, rollout->hosts_key, 0, &kvs, &nr, revision, error);

	if (err)
		return err;
	fleet_roster_forget(&rollout->roster);
	for (size_t i = 0; !err && i < nr; i++)
		err = take_host(rollout, &kvs[i], false);
	fleet_kvs_free(kvs, nr);
	return err ? fleet_fail_memory(error) : 0;
}

static int open_watch(struct fleet_rollout *rollout, struct pb_error *error)
{
	__s64 revision;
	int err = list_hosts(rollout, &revision, error);

	if (!err)
		err = fleet_watch_open(rollout->etcd, rollout->hosts_key, revision + 1,
				       &rollout->watch, error);
	return err;
}

static void close_watch(struct fleet_rollout *rollout)
{
	fleet_watch_close(rollout->watch);
	rollout->watch = NULL;
}

/* ---- What there is to say -------------------------------------------------------------------- */

static void tell(const struct fleet_rollout *rollout, enum fleet_news news, const char *text)
{
	char lagging[512];
	struct fleet_progress progress = { .news = news,
					   .ruleset = rollout->ruleset,
					   .revision = rollout->revision->revision,
					   .stage = rollout->stage,
					   .lagging = lagging,
					   .text = text };

	if (!rollout->listener)
		return;
	progress.count = fleet_roster_count(&rollout->roster, rollout->stage);
	fleet_lagging(&rollout->roster, rollout->stage, lagging, sizeof(lagging));
	rollout->listener(&progress, rollout->context);
}

static bool is_interrupted(const struct fleet_rollout *rollout)
{
	return rollout->interrupted && *rollout->interrupted;
}

static int say_interrupted(const struct fleet_rollout *rollout, struct pb_error *error)
{
	return fleet_fail(
		error, EINTR,
		"interrupted at stage %u of %u, where hosts stay: `fleet push --resume %s` goes on, and a "
		"push of another revision begins anew",
		rollout->stage->stage, rollout->stage->of, rollout->ruleset);
}

/*
 * After something failed with etcd: 0, and a pause, where it is worth another try. Hosts could not say anything
 * either, so that time is not the stage's.
 */
static int be_patient(struct fleet_rollout *rollout, int err, struct pb_error *error)
{
	__u64 now = pb_clock();

	if (is_interrupted(rollout))
		return say_interrupted(rollout, error);
	if (err == -ENOMEM || err == -EACCES || err == -EBUSY || err == -ECANCELED ||
	    now - rollout->answered > rollout->stage->wait * SECOND)
		return err;
	tell(rollout, FLEET_NEWS_TROUBLE, error->text);
	poll(NULL, 0, PAUSE);
	rollout->began += pb_clock() - now;
	return 0;
}

/* ---- Writing --------------------------------------------------------------------------------- */

/*
 * Only while the election is ours, and revision (`number` 0: it is being pushed) and stage are as we know them: a process
 * that slept may hold the election again after another had brought the rollout to its end.
 */
static int guard(const struct fleet_rollout *rollout, struct fleet_txn *txn)
{
	__s64 number = rollout->revision->revision;
	int err = fleet_txn_compare(txn, rollout->election.key, FLEET_CREATE_REVISION,
				    rollout->election.held);

	if (!err && number)
		err = fleet_txn_compare(txn, rollout->ruleset_key, FLEET_MOD_REVISION, number);
	if (!err && rollout->stage_at)
		err = fleet_txn_compare(txn, rollout->stage_key, FLEET_MOD_REVISION,
					rollout->stage_at);
	return err;
}

/* What a change writes beside the stage. NULL: nothing. */
struct write {
	const char *key;
	const char *value;
};

static struct fleet_txn *new_txn(const struct fleet_rollout *rollout, const struct write *writes,
				 size_t nr)
{
	struct fleet_txn *txn = fleet_txn_new();
	int err = txn ? guard(rollout, txn) : -ENOMEM;

	for (size_t i = 0; !err && i < nr; i++)
		err = fleet_txn_put(txn, writes[i].key, writes[i].value, 0);
	if (!err)
		return txn;
	fleet_txn_free(txn);
	return NULL;
}

/* Has the last of the writes been done, though nobody told us? 1: yes, by that revision. */
static int was_written(struct fleet_rollout *rollout, const struct write *write, __s64 *revision,
		       struct pb_error *error)
{
	struct fleet_kv *kv;
	int err = fleet_etcd_get(rollout->etcd, write->key, 0, &kv, NULL, error);
	bool same = !err && kv && !strcmp(kv->value, write->value);

	if (same)
		*revision = kv->mod_revision;
	if (!err)
		fleet_kvs_free(kv, kv ? 1 : 0);
	return err ?: same;
}

static int try_write(struct fleet_rollout *rollout, const struct write *writes, size_t nr,
		     __s64 *revision, struct pb_error *error)
{
	struct fleet_txn *txn = new_txn(rollout, writes, nr);
	bool succeeded = false;
	int err, written;

	if (!txn)
		return fleet_fail_memory(error);
	err = fleet_etcd_commit(rollout->etcd, txn, &succeeded, revision, error);
	fleet_txn_free(txn);
	if (!err && succeeded)
		return 0;
	written = was_written(rollout, &writes[nr - 1], revision, err ? NULL : error);
	if (written > 0)
		return 0;
	if (err || written < 0)
		return err ?: written;
	return fleet_fail(error, ECANCELED,
			  "the rollout of %s was taken over, or its revision was changed by others",
			  rollout->ruleset);
}

/* All of them in one step. What etcd refuses for good is refused at once; else it is tried while the stage may last. */
static int write_all(struct fleet_rollout *rollout, const struct write *writes, size_t nr,
		     __s64 *revision, struct pb_error *error)
{
	int err, last;

	while ((err = try_write(rollout, writes, nr, revision, error))) {
		if (err == -E2BIG)
			return err;
		last = be_patient(rollout, err, error);
		if (last)
			return last;
		err = fleet_election_keep(&rollout->election, error);
		if (err == -EBUSY)
			return err;
	}
	rollout->answered = pb_clock();
	return 0;
}

/* ---- Stages ---------------------------------------------------------------------------------- */

static int write_stage(struct fleet_rollout *rollout, const struct write *more, size_t nr,
		       __s64 *revision, struct pb_error *error)
{
	struct write writes[3] = { 0 };
	char *text = fleet_stage_text(rollout->stage);
	int err;

	if (!text)
		return fleet_fail_memory(error);
	for (size_t i = 0; i < nr; i++)
		writes[i] = more[i];
	/* The last, by which it is seen whether all were. */
	writes[nr] = (struct write){ rollout->stage_key, text };
	err = write_all(rollout, writes, nr + 1, revision, error);
	if (!err)
		rollout->stage_at = *revision;
	free(text);
	return err;
}

static int begin_stage(struct fleet_rollout *rollout, const char *before)
{
	struct fleet_stage *stage = rollout->stage;

	rollout->began = pb_clock();
	return fleet_roster_begin(&rollout->roster, stage->stages[stage->stage - 1], before, stage);
}

static int next_stage(struct fleet_rollout *rollout, struct pb_error *error)
{
	__s64 revision;
	int err;

	rollout->stage->stage++;
	if (begin_stage(rollout, rollout->stage->upto))
		return fleet_fail_memory(error);
	err = write_stage(rollout, NULL, 0, &revision, error);
	if (!err)
		tell(rollout, FLEET_NEWS_STAGE, NULL);
	return err;
}

/* ---- Too long a history ---------------------------------------------------------------------- */

/* That of the number. */
static bool is_number(const struct fleet_kv *kv, const char *prefix, __s64 number)
{
	return number && strtoll(kv->key + strlen(prefix), NULL, 10) == number;
}

/* At most STEP of them are deleted, in one step: from *at on, which goes on. */
static int delete_some(struct fleet_rollout *rollout, const char *prefix,
		       const struct fleet_kv *kvs, size_t nr, size_t *at, struct pb_error *error)
{
	struct fleet_txn *txn = fleet_txn_new();
	size_t end = nr - *at < STEP ? nr : *at + STEP;
	bool succeeded = false;
	int err = txn ? guard(rollout, txn) : -ENOMEM;

	for (; !err && *at < end; ++*at)
		if (!is_number(&kvs[*at], prefix, rollout->stage->back) &&
		    !is_number(&kvs[*at], prefix, rollout->revision->revision))
			err = fleet_txn_delete(txn, kvs[*at].key);
	if (err)
		fleet_fail_memory(error);
	else
		err = fleet_etcd_commit(rollout->etcd, txn, &succeeded, NULL, error);
	if (!err && !succeeded)
		err = -ECANCELED;
	fleet_txn_free(txn);
	return err;
}

/* The oldest go. What does not work now, the next push does: it is no part of this one. */
static void prune(struct fleet_rollout *rollout)
{
	char *prefix = fleet_history_key(rollout->conf, rollout->ruleset);
	struct fleet_kv *kvs = NULL;
	struct pb_error error;
	size_t nr = 0, at = 0;
	int err = prefix ? fleet_etcd_keys(rollout->etcd, prefix, &kvs, &nr, &error) : -ENOMEM;

	while (!err && nr > FLEET_HISTORY_MAX && at < nr - FLEET_HISTORY_MAX)
		err = delete_some(rollout, prefix, kvs, nr - FLEET_HISTORY_MAX, &at, &error);
	fleet_kvs_free(kvs, nr);
	free(prefix);
}

/* ---- The end ---------------------------------------------------------------------------------- */

/* The text of the revision as a copy of it has it, in the history or not. */
static char *copy_text(const struct fleet_rollout *rollout, bool history)
{
	struct fleet_revision copy = *rollout->revision;

	copy.state = history ? rollout->stage->state : FLEET_RUNNING;
	copy.reason = history ? rollout->stage->reason : NULL;
	return fleet_revision_text(&copy);
}

/*
 * The end of a rollout: the stage, the history and, where it is done, what is good from now on, in one step; or, where
 * that is more than etcd takes at once, the history first.
 */
static int write_end(struct fleet_rollout *rollout, struct pb_error *error)
{
	char *key =
		fleet_key_numbered(rollout->conf, rollout->ruleset, rollout->revision->revision);
	char *history = copy_text(rollout, true), *good = copy_text(rollout, false);
	bool done = rollout->stage->state == FLEET_DONE;
	struct write writes[2] = { { key, history }, { rollout->good_key, good } };
	bool apart = done && history && good && strlen(history) + strlen(good) > AT_ONCE;
	__s64 revision;
	int err = key && history && good ? 0 : fleet_fail_memory(error);

	if (!err && apart)
		err = write_all(rollout, writes, 1, &revision, error);
	if (!err)
		err = write_stage(rollout, apart ? &writes[1] : writes, apart || !done ? 1 : 2,
				  &revision, error);
	if (!err)
		prune(rollout);
	free(key);
	free(history);
	free(good);
	return err;
}

/* ---- Beginning ------------------------------------------------------------------------------- */

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

static int write_first(struct fleet_rollout *rollout, struct pb_error *error)
{
	char *text = fleet_revision_text(rollout->revision);
	struct write write = { rollout->ruleset_key, text };
	__s64 revision;
	int err = text ? 0 : fleet_fail_memory(error);

	if (!err)
		err = write_stage(rollout, &write, 1, &revision, error);
	if (!err)
		rollout->revision->revision = revision;
	free(text);
	return err;
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
		err = open_watch(rollout, error);
	if (!err && begin_stage(rollout, ""))
		err = fleet_fail_memory(error);
	return err ?: write_first(rollout, error);
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

/* ---- Going on with another's ----------------------------------------------------------------- */

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
		err = open_watch(rollout, error);
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

/* ---- To its end ------------------------------------------------------------------------------ */

static int take_changes(struct fleet_rollout *rollout, int timeout, struct pb_error *error)
{
	struct fleet_change *changes;
	size_t nr;
	int err = fleet_watch_next(rollout->watch, timeout, &changes, &nr, error);

	if (err)
		return err;
	for (size_t i = 0; !err && i < nr; i++)
		err = take_host(rollout, &changes[i].kv, changes[i].deleted);
	fleet_changes_free(changes, nr);
	if (nr && !err)
		tell(rollout, FLEET_NEWS_HOSTS, NULL);
	return err ? fleet_fail_memory(error) : 0;
}

static int lesser(int a, int b)
{
	return a < b ? a : b;
}

/* Until hosts have said something, or it is time for something else. A stream that has ended is opened anew. */
static int look(struct fleet_rollout *rollout, int timeout, struct pb_error *error)
{
	int err = fleet_election_keep(&rollout->election, error);

	if (!err && !rollout->watch)
		err = open_watch(rollout, error);
	if (err)
		return be_patient(rollout, err, error);
	timeout = lesser(lesser(timeout, LOOK_UP), fleet_election_due(&rollout->election));
	err = take_changes(rollout, timeout, error);
	if (err)
		close_watch(rollout);
	else
		rollout->answered = pb_clock();
	if (is_interrupted(rollout))
		return say_interrupted(rollout, error);
	return err == -ENOMEM ? err : 0;
}

static int left_of(const struct fleet_rollout *rollout, __u64 since)
{
	__u64 passed = pb_clock() - since, wait = rollout->stage->wait * SECOND;

	return passed < wait ? (int)lesser((wait - passed) / MS + 1, LOOK_UP) : 0;
}

/* Until something is to be done. What was seen before a stream ended decides nothing. */
static int await_step(struct fleet_rollout *rollout, enum fleet_step *step, struct pb_error *why,
		      struct pb_error *error)
{
	int err = 0;

	for (;;) {
		if (rollout->watch)
			*step = fleet_decide(&rollout->roster, rollout->stage,
					     rollout->revision->revision,
					     pb_clock() - rollout->began, why);
		else
			*step = FLEET_STEP_WAIT;
		if (*step != FLEET_STEP_WAIT)
			return 0;
		err = look(rollout, left_of(rollout, rollout->began), error);
		if (err)
			return err;
	}
}

static int finish(struct fleet_rollout *rollout, struct fleet_outcome *outcome,
		  struct pb_error *error)
{
	rollout->stage->state = FLEET_DONE;
	outcome->done = true;
	return write_end(rollout, error);
}

/* Hosts are back when they say so; those that say nothing are named, and not waited for longer than for a stage. */
static int await_back(struct fleet_rollout *rollout, struct fleet_outcome *outcome,
		      struct pb_error *error)
{
	__u64 began = pb_clock();
	size_t nr;
	int err = 0;

	while (!err) {
		nr = fleet_not_back(&rollout->roster, rollout->stage, rollout->revision->revision,
				    outcome->late.text, sizeof(outcome->late.text));
		if ((!nr && rollout->watch) || !left_of(rollout, began))
			return 0;
		err = look(rollout, left_of(rollout, began), error);
	}
	return err;
}

static int stop(struct fleet_rollout *rollout, struct fleet_outcome *outcome,
		struct pb_error *error)
{
	int err;

	free(rollout->stage->reason);
	rollout->stage->reason = strdup(outcome->why.text);
	rollout->stage->state = FLEET_STOPPED;
	if (!rollout->stage->reason)
		return fleet_fail_memory(error);
	err = write_end(rollout, error);
	if (err)
		return err;
	tell(rollout, FLEET_NEWS_STOPPED, outcome->why.text);
	return await_back(rollout, outcome, error);
}

static int run(struct fleet_rollout *rollout, struct fleet_outcome *outcome, struct pb_error *error)
{
	enum fleet_step step;
	int err;

	do {
		err = await_step(rollout, &step, &outcome->why, error);
		if (!err && step == FLEET_STEP_NEXT)
			err = next_stage(rollout, error);
	} while (!err && step == FLEET_STEP_NEXT);
	if (err)
		return err;
	outcome->count = fleet_roster_count(&rollout->roster, rollout->stage);
	return step == FLEET_STEP_DONE ? finish(rollout, outcome, error) :
					 stop(rollout, outcome, error);
}

int fleet_rollout_run(struct fleet_rollout *rollout, fleet_listener listener, void *context,
		      const volatile sig_atomic_t *interrupted, struct fleet_outcome *outcome,
		      struct pb_error *error)
{
	struct fleet_outcome made = { .revision = rollout->revision->revision,
				      .back = rollout->stage->back };
	int err;

	rollout->listener = listener;
	rollout->context = context;
	rollout->interrupted = interrupted;
	tell(rollout, FLEET_NEWS_STAGE, NULL);
	err = run(rollout, &made, error);
	if (!err)
		*outcome = made;
	return err;
}
