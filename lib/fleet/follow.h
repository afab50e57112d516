/* SPDX-License-Identifier: GPL-2.0-only */
/* One ruleset that this host follows: which revision it is to have, and how it gets it. */
#ifndef FLEET_FOLLOW_H
#define FLEET_FOLLOW_H

#include "fleet/conf.h"
#include "fleet/log.h"
#include "fleet/memory.h"
#include "fleet/probe.h"

/* Keys of etcd, each of which has a value of its own of each ruleset. */
enum fleet_key { FLEET_KEY_RULESET, FLEET_KEY_STAGE, FLEET_KEY_GOOD, FLEET_KEYS };

struct fleet_follow {
	const struct fleet_conf *conf;
	const struct fleet_ruleset *names;
	const char *conflict;	/* it is not followed, and why; NULL: it is */
	const char *remark;	/* of what is wrong with its group; NULL or "": nothing */
	char *keys[FLEET_KEYS]; /* whole: "/xdp-portblock/stages/web" */
	/* What stands there; NULL: nothing, or nothing that is right. */
	struct fleet_revision *wanted; /* its `revision` is that of the key */
	struct fleet_revision *good;
	struct fleet_stage *stage;
	/* What was not right, "" if all is, and at which revision. */
	struct pb_error wrong[FLEET_KEYS];
	__s64 wrong_at[FLEET_KEYS];
	struct fleet_memory memory;
	bool before; /* what this host had before is kept: see before.h */
	/* What came of it, for the host's record. */
	__s64 target; /* the number of the revision that it is to have; 0: none */
	char target_id[FLEET_HASH_LEN];
	enum fleet_host_state state;
	char reason[FLEET_NOTE_MAX + 1];
	__u32 rules;
	__u64 drifted;	 /* the generation that was looked at last */
	long long again; /* not before this moment (ms): what failed though it may work later */
};

/* Called before a change is made: state and target are those that the fleet is to see meanwhile. */
typedef void fleet_announce_function(void *context);
struct fleet_calls {
	fleet_announce_function *announce;
	void (*meanwhile)(void *context); /* while a change is proved: see probe.h */
	void *context;
	const struct fleet_log *log;
};

/* `names` and `conf` have to be there as long. As fleet_memory_read(). */
int fleet_follow_begin(struct fleet_follow *follow, const struct fleet_conf *conf,
		       const struct fleet_ruleset *names);
void fleet_follow_end(struct fleet_follow *follow);

/* Takes what stands under one of the keys; `value` NULL: nothing. */
void fleet_follow_take(struct fleet_follow *follow, enum fleet_key key, const char *value,
		       size_t len, __s64 revision);

/* The revision that a host with that name is to have; NULL: none that is known. Pure. */
const struct fleet_revision *fleet_follow_target(const struct fleet_follow *follow,
						 const char *host);

/*
 * Is it older than what this host may go back to? `error` says than which, -ESTALE. Only of a revision whose signature
 * is right. Pure.
 */
bool fleet_follow_outdated(const struct fleet_follow *follow, const struct fleet_revision *revision,
			   struct pb_error *error);
/* The revision in force is the good one, and signed: none that is older is taken from now on. Returns whether that is new. */
bool fleet_follow_settle(struct fleet_follow *follow);

/*
 * Does what is to be done now: nothing, or a change that is confirmed or taken back when this returns. Returns whether a
 * change was taken back, after which old connections may hang.
 */
bool fleet_follow_act(struct fleet_follow *follow, const struct fleet_calls *calls);

#endif
