/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A revision on its way to all hosts, stage by stage. It is carried by one process at a time (election.h); should
 * that die, any other goes on where the stage in etcd says. What comes next is decided in roster.c.
 */
#ifndef FLEET_ROLLOUT_H
#define FLEET_ROLLOUT_H

#include <signal.h>
#include "fleet/etcd.h"
#include "fleet/roster.h"

#define FLEET_STAGES_DEFAULT "1,10%,100%"
#define FLEET_WAIT_DEFAULT 60 /* seconds */

struct fleet_rollout;

/* What is to be pushed. All of it is the caller's. */
struct fleet_plan {
	struct fleet_revision *revision; /* complete but for `previous`, which is filled */
	char *const *stages;		 /* as fleet_stages_check() has them */
	size_t nr_stages;
	__u32 wait; /* seconds that a stage may take */
};

/*
 * Takes the election, and writes the revision with its first stage in one step. `etcd` and `conf` have to be there as
 * long as the rollout. -EBUSY: another process carries one of this ruleset, and it says who.
 */
int fleet_rollout_begin(struct fleet_etcd *etcd, const struct fleet_conf *conf,
			const struct fleet_plan *plan, struct fleet_rollout **rollout,
			struct pb_error *error);
/* Goes on with one whose process has died. -ENOENT: none is under way; -EBUSY as above. */
int fleet_rollout_resume(struct fleet_etcd *etcd, const struct fleet_conf *conf,
			 const char *ruleset, struct fleet_rollout **rollout,
			 struct pb_error *error);

/* What there is to say while it goes on. */
enum fleet_news {
	FLEET_NEWS_STAGE,   /* one has begun */
	FLEET_NEWS_HOSTS,   /* a host has said something */
	FLEET_NEWS_TROUBLE, /* `text`: etcd does not answer; it is tried again */
	FLEET_NEWS_STOPPED, /* `text`: why; hosts go back now */
};

struct fleet_progress {
	enum fleet_news news;
	const char *ruleset;
	__s64 revision;
	const struct fleet_stage *stage;
	struct fleet_count count;
	const char *lagging; /* who; "" */
	const char *text;
};
typedef void (*fleet_listener)(const struct fleet_progress *progress, void *context);

struct fleet_outcome {
	bool done; /* all hosts have it in force; else it was stopped */
	__s64 revision;
	__s64 back; /* of one that was stopped: what hosts go back to; 0: there is none */
	struct fleet_count count;
	struct pb_error why;  /* it was stopped */
	struct pb_error late; /* who has not gone back yet; "": all have */
};

/*
 * Goes on to the end. `interrupted` (may be NULL): once it is not 0, -EINTR, and the stage stays as it is. -ECANCELED:
 * another process has taken it over; others: etcd has not answered for as long as a stage may take.
 */
int fleet_rollout_run(struct fleet_rollout *rollout, fleet_listener listener, void *context,
		      const volatile sig_atomic_t *interrupted, struct fleet_outcome *outcome,
		      struct pb_error *error);

/* Lets go of it, at its end or not. NULL is none. */
void fleet_rollout_close(struct fleet_rollout *rollout);

#endif
