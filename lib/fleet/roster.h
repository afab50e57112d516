/* SPDX-License-Identifier: GPL-2.0-only */
/* The hosts that follow a ruleset, as a rollout sees them, and what follows of it: no word is said to etcd here. */
#ifndef FLEET_ROSTER_H
#define FLEET_ROSTER_H

#include "fleet/order.h"

struct fleet_member {
	char *host;
	char order[FLEET_HASH_LEN];
	bool here; /* its record is there: it has been heard of within its lease */
	bool had;  /* it took part when the stage began, and is waited for even when it is gone */
	/* As struct fleet_host_ruleset has them. */
	char id[FLEET_HASH_LEN];
	__s64 in_force;
	enum fleet_host_state state;
	__s64 failed;
	char *reason;
};

/* Sorted by order. Zeroed, it is empty. */
struct fleet_roster {
	struct fleet_member *list;
	size_t nr;
	size_t room;
};

/*
 * Takes in what a host says of itself: `id` is that of the revision whose order it is; a host that does not follow
 * the ruleset is as gone. -ENOMEM.
 */
int fleet_roster_put(struct fleet_roster *roster, const char *ruleset, const char *id,
		     const struct fleet_host *host);
/* Its lease has ended. -ENOMEM. */
int fleet_roster_gone(struct fleet_roster *roster, const char *id, const char *host);
/* All of them, until they are put again. */
void fleet_roster_forget(struct fleet_roster *roster);
void fleet_roster_free(struct fleet_roster *roster);

/*
 * Works out `upto` of the stage after `before` ("": the first) by its word, and `hosts`; and has those who take
 * part be waited for. -ENOMEM.
 */
int fleet_roster_begin(struct fleet_roster *roster, const char *word, const char *before,
		       struct fleet_stage *stage);
/* The same of a stage that another process began. */
void fleet_roster_resume(struct fleet_roster *roster, const struct fleet_stage *stage);

enum fleet_step {
	FLEET_STEP_WAIT,
	FLEET_STEP_NEXT, /* all of the stage have it */
	FLEET_STEP_DONE, /* and it was the last one */
	FLEET_STEP_STOP, /* one has failed, or time is up */
};

/* So many take part, and so many of them have it in force. */
struct fleet_count {
	size_t hosts;
	size_t in_force;
};
struct fleet_count fleet_roster_count(const struct fleet_roster *roster,
				      const struct fleet_stage *stage);

/* What comes next, `waited` ns after the stage began. `why`: of FLEET_STEP_STOP. */
enum fleet_step fleet_decide(const struct fleet_roster *roster, const struct fleet_stage *stage,
			     __s64 revision, __u64 waited, struct pb_error *why);

/* Who takes part and has it not: "a (confirming), b (not seen) and 7 more"; returns how many. */
size_t fleet_lagging(const struct fleet_roster *roster, const struct fleet_stage *stage, char *text,
		     size_t room);
/* Of a stage that was stopped: those that have the revision still, likewise. */
size_t fleet_not_back(const struct fleet_roster *roster, const struct fleet_stage *stage,
		      __s64 revision, char *text, size_t room);

#endif
