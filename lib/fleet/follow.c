// SPDX-License-Identifier: GPL-2.0-only
/* Which revision this host is to have, by what etcd has, and whether there is something to be done about it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fleet/before.h"
#include "fleet/error.h"
#include "fleet/follow-parts.h"
#include "fleet/http.h"
#include "fleet/order.h"

static const char *const folders[FLEET_KEYS] = {
	[FLEET_KEY_RULESET] = "rulesets",
	[FLEET_KEY_STAGE] = "stages",
	[FLEET_KEY_GOOD] = "good",
};

int fleet_follow_begin(struct fleet_follow *follow, const struct fleet_conf *conf,
		       const struct fleet_ruleset *names)
{
	*follow = (struct fleet_follow){ .conf = conf, .names = names };
	follow->state = FLEET_HOST_WAITING;
	for (int key = 0; key < FLEET_KEYS; key++)
		if (asprintf(&follow->keys[key], "%s%s/%s", conf->prefix, folders[key],
			     names->remote) < 0) {
			follow->keys[key] = NULL;
			return -ENOMEM;
		}
	follow->before = fleet_before_is_there(conf->state, names->local);
	strcpy(follow->memory.local, names->local);
	return fleet_memory_read(conf->state, &follow->memory);
}

void fleet_follow_end(struct fleet_follow *follow)
{
	for (int key = 0; key < FLEET_KEYS; key++)
		free(follow->keys[key]);
	fleet_revision_free(follow->wanted);
	fleet_revision_free(follow->good);
	fleet_stage_free(follow->stage);
	fleet_memory_clear(&follow->memory);
}

/* ---- What etcd has -------------------------------------------------------------------------- */

static int take_revision(struct fleet_follow *follow, enum fleet_key key, const char *value,
			 size_t len, struct fleet_revision **to)
{
	fleet_revision_free(*to);
	*to = NULL;
	return value ? fleet_revision_read(value, len, follow->names->remote, follow->keys[key], to,
					   &follow->wrong[key]) :
		       0;
}

void fleet_follow_take(struct fleet_follow *follow, enum fleet_key key, const char *value,
		       size_t len, __s64 revision)
{
	int err = 0;

	*follow->wrong[key].text = '\0';
	follow->wrong_at[key] = revision;
	follow->again = 0;
	if (key == FLEET_KEY_STAGE) {
		fleet_stage_free(follow->stage);
		follow->stage = NULL;
		if (value)
			err = fleet_stage_read(value, len, follow->keys[key], &follow->stage,
					       &follow->wrong[key]);
	} else if (key == FLEET_KEY_GOOD) {
		err = take_revision(follow, key, value, len, &follow->good);
	} else {
		err = take_revision(follow, key, value, len, &follow->wanted);
		if (follow->wanted)
			follow->wanted->revision = revision;
	}
	if (!err)
		*follow->wrong[key].text = '\0';
}

/* Of a stage of another revision nothing follows: what belongs together was not all seen yet. */
static bool takes_part(const struct fleet_follow *follow, const char *host)
{
	const struct fleet_stage *stage = follow->stage;
	char order[FLEET_HASH_LEN];

	if (!follow->wanted || !stage || strcmp(stage->id, follow->wanted->id))
		return false;
	if (stage->state == FLEET_DONE)
		return true;
	return stage->state == FLEET_RUNNING && !fleet_order(host, stage->id, order) &&
	       fleet_takes_part(stage, order);
}

const struct fleet_revision *fleet_follow_target(const struct fleet_follow *follow,
						 const char *host)
{
	return takes_part(follow, host) ? follow->wanted : follow->good;
}

/* One that was stopped before any was good: the way back is to what the host had before. NULL: there is none. */
static struct fleet_revision *what_was(const struct fleet_follow *follow)
{
	const struct fleet_stage *stage = follow->stage;

	if (!follow->before || follow->good || *follow->wrong[FLEET_KEY_GOOD].text || !stage ||
	    stage->state != FLEET_STOPPED || !follow->wanted ||
	    strcmp(stage->id, follow->wanted->id))
		return NULL;
	return fleet_before_revision(follow->conf->state, follow->names->local,
				     follow->names->remote);
}

/* ---- Deciding ------------------------------------------------------------------------------- */

/* Once it is known everywhere to be good, there is no way behind it. */
static void settle(struct attempt *attempt)
{
	if (attempt->follow->state == FLEET_HOST_IN_FORCE && fleet_follow_settle(attempt->follow))
		fleet_follow_remember(attempt->follow, attempt->calls);
}

/* What was wrong in etcd, and what has failed before, stays to be seen until there is something newer. */
static bool stands_in_the_way(struct fleet_follow *follow, const struct fleet_revision *target)
{
	const struct fleet_memory *memory = &follow->memory;

	if (target && target == follow->wanted && !strcmp(target->id, memory->failed_id)) {
		fleet_follow_become(follow, FLEET_HOST_FAILED, memory->reason);
		return true;
	}
	if (target)
		return false;
	fleet_follow_become(follow, FLEET_HOST_WAITING, FLEET_NO_REVISION);
	return true;
}

/* The first that is not right in etcd; its key is said in it. */
static void complain(struct fleet_follow *follow)
{
	for (int key = 0; key < FLEET_KEYS; key++)
		if (*follow->wrong[key].text) {
			fleet_follow_become(follow, FLEET_HOST_FAILED, follow->wrong[key].text);
			return;
		}
}

/* The caller frees `before`, which is what is to be had if there is no revision to be had. */
static void aim(struct attempt *attempt, struct fleet_revision **before)
{
	struct fleet_follow *follow = attempt->follow;

	attempt->revision = fleet_follow_target(follow, follow->conf->host);
	follow->target = attempt->revision ? attempt->revision->revision : 0;
	strcpy(follow->target_id, attempt->revision ? attempt->revision->id : "");
	/* From now on that is what hosts go back to. */
	if (follow->before && follow->good)
		fleet_follow_forget_before(follow);
	*before = attempt->revision ? NULL : what_was(follow);
	attempt->back = *before;
	if (attempt->back)
		attempt->revision = *before;
}

/* Nothing changes; how many rules are in force is told all the same. */
static void stand_still(struct attempt *attempt)
{
	fleet_follow_become(attempt->follow, FLEET_HOST_FAILED, attempt->follow->conflict);
	if (pb_ruleset_open(attempt->follow->names->local, &attempt->ruleset, NULL))
		return;
	fleet_follow_count_rules(attempt);
	pb_ruleset_close(attempt->ruleset);
}

static void open_and_attend(struct attempt *attempt)
{
	struct fleet_follow *follow = attempt->follow;
	struct pb_error error;

	if (pb_ruleset_open(follow->names->local, &attempt->ruleset, &error)) {
		fleet_follow_become(follow, FLEET_HOST_WAITING, error.text);
		return;
	}
	fleet_follow_attend(attempt);
	settle(attempt);
	pb_ruleset_close(attempt->ruleset);
}

bool fleet_follow_act(struct fleet_follow *follow, const struct fleet_calls *calls)
{
	struct attempt attempt = { .follow = follow, .calls = calls };
	struct fleet_revision *before;

	aim(&attempt, &before);
	if (follow->conflict) {
		stand_still(&attempt);
	} else if (fleet_now_ms() >= follow->again) {
		if (!stands_in_the_way(follow, attempt.revision))
			open_and_attend(&attempt);
		complain(follow);
	}
	fleet_revision_free(before);
	return attempt.taken_back;
}
