/* SPDX-License-Identifier: GPL-2.0-only */
/* A rollout while it goes on, and what its parts, rollout*.c, offer each other; see rollout.h for what others may ask. */
#ifndef FLEET_ROLLOUT_PARTS_H
#define FLEET_ROLLOUT_PARTS_H

#include "fleet/election.h"
#include "fleet/rollout.h"

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

/* rollout-wait.c: what hosts say, and to go on waiting */

/* Reads what all hosts say now, and watches what they say from then on. */
int fleet_rollout_open_watch(struct fleet_rollout *rollout, struct pb_error *error);
/* Until hosts have said something, or `timeout` (ms) has passed, or it is time for something else. */
int fleet_rollout_look(struct fleet_rollout *rollout, int timeout, struct pb_error *error);
/* What a stage that began at `since` has left (ms), but no more than fleet_rollout_look() waits at once. */
int fleet_rollout_left(const struct fleet_rollout *rollout, __u64 since);
/*
 * After something failed with etcd: 0, and a pause, where it is worth another try. Hosts could not say anything
 * either, so that time is not the stage's.
 */
int fleet_rollout_be_patient(struct fleet_rollout *rollout, int err, struct pb_error *error);
/* `text`: see enum fleet_news. */
void fleet_rollout_tell(const struct fleet_rollout *rollout, enum fleet_news news,
			const char *text);

/* rollout-write.c: what the rollout writes, which is tried again while the stage may last */

/* Who takes part in the stage, which begins now; `before`: `upto` of that before. -ENOMEM. Writes nothing yet. */
int fleet_rollout_begin_stage(struct fleet_rollout *rollout, const char *before);
/* The revision and its first stage in one step. */
int fleet_rollout_write_first(struct fleet_rollout *rollout, struct pb_error *error);
int fleet_rollout_next_stage(struct fleet_rollout *rollout, struct pb_error *error);
/*
 * The end of a rollout: the stage, the history and, where it is done, what is good from now on, in one step; or, where
 * that is more than etcd takes at once, the history first.
 */
int fleet_rollout_write_end(struct fleet_rollout *rollout, struct pb_error *error);

#endif
