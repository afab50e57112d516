/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of following, follow*.c, offer each other; see follow.h for what others may ask. */
#ifndef FLEET_FOLLOW_PARTS_H
#define FLEET_FOLLOW_PARTS_H

#include "fleet/follow.h"

/* The files of the revision in force, which is for the boot unit, too, and of that which was tried last. */
#define FLEET_RULES_GOOD ".rules"
#define FLEET_RULES_TRYING ".trying"
/* What a host says that has none. */
#define FLEET_NO_REVISION "no revision is there for this host yet"

/* What one attempt goes by. */
struct attempt {
	struct fleet_follow *follow;
	const struct fleet_revision *revision;
	struct pb_ruleset *ruleset;
	const struct fleet_calls *calls;
	bool back; /* the revision is what was there before any */
	bool taken_back;
};

/* follow-state.c: what came of it, for the fleet, for the log and on the disk */

void fleet_follow_become(struct fleet_follow *follow, enum fleet_host_state state,
			 const char *reason);
/* Writes the memory. */
void fleet_follow_remember(struct fleet_follow *follow, const struct fleet_calls *calls);
void fleet_follow_forget_before(struct fleet_follow *follow);
/* The revision has failed, for good: it is not tried again. */
void fleet_follow_fail(struct fleet_follow *follow, const struct fleet_revision *revision,
		       const char *reason, const struct fleet_calls *calls);

/* follow-attempt.c: one change, to its end */

/* Makes it: when this returns it is confirmed, taken back, or was none. `now`: the rules in force. */
void fleet_follow_try(struct attempt *attempt, const struct pb_rules *rules,
		      const struct pb_rules *now);
/* Time for the proof (ms): half of that to confirm; 0: less than a quarter of it would be left then. */
long long fleet_follow_proof_ms(const struct attempt *attempt);
/* From a change that was published on. */
void fleet_follow_prove(struct attempt *attempt);
/* The rules of the revision are in force, and confirmed. */
void fleet_follow_arrive(struct attempt *attempt);

/* follow-compare.c: the rules in force beside those that are to be */

/* Does what follows from both; the ruleset of the attempt is open. */
void fleet_follow_attend(struct attempt *attempt);
void fleet_follow_count_rules(struct attempt *attempt);

#endif
