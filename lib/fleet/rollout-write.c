// SPDX-License-Identifier: GPL-2.0-only
/* What a rollout writes: its stages and its end, each in one step that is guarded. */
#include <stdlib.h>
#include <string.h>
#include "fleet/error.h"
#include "fleet/keys.h"
#include "fleet/rollout-parts.h"

/* etcd takes 1.5 MiB at once, unless it is told otherwise: so much fits with room to spare. */
#define AT_ONCE (1200 * 1024)
#define STEP 100 /* keys that are deleted at once: etcd does 128 things in a step */

/* ---- A step --------------------------------------------------------------------------------- */

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
		last = fleet_rollout_be_patient(rollout, err, error);
		if (last)
			return last;
		err = fleet_election_keep(&rollout->election, error);
		if (err == -EBUSY)
			return err;
	}
	rollout->answered = pb_clock();
	return 0;
}

/* ---- Stages --------------------------------------------------------------------------------- */

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

int fleet_rollout_begin_stage(struct fleet_rollout *rollout, const char *before)
{
	struct fleet_stage *stage = rollout->stage;

	rollout->began = pb_clock();
	return fleet_roster_begin(&rollout->roster, stage->stages[stage->stage - 1], before, stage);
}

int fleet_rollout_write_first(struct fleet_rollout *rollout, struct pb_error *error)
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

int fleet_rollout_next_stage(struct fleet_rollout *rollout, struct pb_error *error)
{
	__s64 revision;
	int err;

	rollout->stage->stage++;
	if (fleet_rollout_begin_stage(rollout, rollout->stage->upto))
		return fleet_fail_memory(error);
	err = write_stage(rollout, NULL, 0, &revision, error);
	if (!err)
		fleet_rollout_tell(rollout, FLEET_NEWS_STAGE, NULL);
	return err;
}

/* ---- Too long a history --------------------------------------------------------------------- */

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

/* ---- The end -------------------------------------------------------------------------------- */

/* The text of the revision as a copy of it has it, in the history or not. */
static char *copy_text(const struct fleet_rollout *rollout, bool history)
{
	struct fleet_revision copy = *rollout->revision;

	copy.state = history ? rollout->stage->state : FLEET_RUNNING;
	copy.reason = history ? rollout->stage->reason : NULL;
	return fleet_revision_text(&copy);
}

int fleet_rollout_write_end(struct fleet_rollout *rollout, struct pb_error *error)
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
