// SPDX-License-Identifier: GPL-2.0-only
/* One change: published, proven, and then confirmed or taken back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fleet/before.h"
#include "fleet/file-rules.h"
#include "fleet/follow-parts.h"

/* An agent that is killed again and again while the same revision waits to be confirmed gives it up. */
#define ATTEMPTS_MAX 3

/* ---- It has come to its end ----------------------------------------------------------------- */

static void write_good(const struct fleet_follow *follow, const struct fleet_revision *revision,
		       const struct fleet_calls *calls)
{
	char path[FLEET_PATH_MAX];
	struct pb_error error;

	if (fleet_file_write(follow->conf->state, follow->names->local, FLEET_RULES_GOOD,
			     revision->file, true, path, &error))
		fleet_say(calls->log, "ruleset %s: %s", follow->names->local, error.text);
}

static void now_in_force(struct fleet_follow *follow, const struct fleet_revision *revision,
			 const struct pb_ruleset *ruleset, const struct fleet_calls *calls)
{
	struct fleet_memory *memory = &follow->memory;

	fleet_follow_become(follow, FLEET_HOST_IN_FORCE, NULL);
	strcpy(memory->id, revision->id);
	memory->in_force = revision->revision;
	strcpy(memory->remote, follow->names->remote);
	memory->generation = (__s64)pb_ruleset_generation(ruleset);
	free(memory->boot);
	memory->boot = strdup(fleet_boot());
	*memory->trying = '\0';
	memory->attempts = 0;
	write_good(follow, revision, calls);
	fleet_follow_remember(follow, calls);
	fleet_say(calls->log, "ruleset %s: revision %lld is in force", follow->names->local,
		  (long long)revision->revision);
}

/* Nothing here is the fleet's any more. */
static void now_as_before(struct attempt *attempt)
{
	struct fleet_follow *follow = attempt->follow;
	struct fleet_memory *memory = &follow->memory;

	fleet_follow_become(follow, FLEET_HOST_WAITING, FLEET_NO_REVISION);
	*memory->id = *memory->trying = '\0';
	memory->in_force = memory->attempts = 0;
	write_good(follow, attempt->revision, attempt->calls);
	fleet_follow_remember(follow, attempt->calls);
	fleet_follow_forget_before(follow);
	fleet_say(attempt->calls->log, "ruleset %s: the rules from before the fleet's are in force",
		  follow->names->local);
}

void fleet_follow_arrive(struct attempt *attempt)
{
	if (attempt->back)
		now_as_before(attempt);
	else
		now_in_force(attempt->follow, attempt->revision, attempt->ruleset, attempt->calls);
}

/* ---- On its way ----------------------------------------------------------------------------- */

long long fleet_follow_proof_ms(const struct attempt *attempt)
{
	__u64 left = pb_ruleset_pending(attempt->ruleset);
	__u64 confirm = attempt->follow->conf->confirm;

	if (left <= confirm / 4)
		return 0;
	left -= confirm / 4;
	return (long long)((left < confirm / 2 ? left : confirm / 2) / 1000000);
}

/* The change that waits to be confirmed; 0: none does. One that goes while we look is none. */
static __u64 waiting_generation(const struct pb_ruleset *ruleset)
{
	__u64 generation = pb_ruleset_generation(ruleset);

	return pb_ruleset_pending(ruleset) ? generation : 0;
}

/* Somebody at the host may do so as well, or `fleet follow --once` beside the agent. */
static int confirm(struct pb_ruleset *ruleset, __u64 generation, struct pb_error *error)
{
	int err = pb_ruleset_confirm(ruleset, error);

	return err == -ENOENT && generation && pb_ruleset_generation(ruleset) == generation ? 0 :
											      err;
}

void fleet_follow_prove(struct attempt *attempt)
{
	struct fleet_follow *follow = attempt->follow;
	__u64 generation = waiting_generation(attempt->ruleset);
	const struct fleet_meanwhile meanwhile = { attempt->calls->meanwhile,
						   attempt->calls->context };
	struct pb_error error, back;
	int err = fleet_probe(follow->conf, follow->keys[FLEET_KEY_STAGE],
			      fleet_follow_proof_ms(attempt), &meanwhile, &error);
	bool proven = !err;

	if (proven)
		err = confirm(attempt->ruleset, generation, &error);
	if (!err) {
		fleet_follow_arrive(attempt);
		return;
	}
	/* Where this fails, the kernel's clock has done it, or will. */
	if (pb_ruleset_rollback(attempt->ruleset, &back) && pb_ruleset_pending(attempt->ruleset))
		fleet_say(attempt->calls->log, "ruleset %s: %s", follow->names->local, back.text);
	attempt->taken_back = true;
	if (!proven) {
		fleet_follow_fail(follow, attempt->revision, error.text, attempt->calls);
		return;
	}
	/* That is not the revision's fault: again, as if the agent had been killed. */
	fleet_follow_become(follow, FLEET_HOST_WAITING, error.text);
	fleet_say(attempt->calls->log,
		  "ruleset %s: revision %lld is taken back, since it cannot be confirmed: %s",
		  follow->names->local, (long long)attempt->revision->revision, error.text);
}

/* ---- Beginning ------------------------------------------------------------------------------ */

/*
 * Before the first that is not known to be good. What was kept stays where the rules are the fleet's already; those that
 * the agent had put in force when it was killed are, too.
 */
static void keep_before(struct attempt *attempt, const struct pb_rules *now)
{
	struct fleet_follow *follow = attempt->follow;
	struct pb_error error;

	if (attempt->back || follow->good || *follow->wrong[FLEET_KEY_GOOD].text)
		return;
	if (follow->before &&
	    (*follow->memory.id || fleet_rules_are_of(now, follow->conf->state,
						      follow->names->local, FLEET_RULES_TRYING)))
		return;
	follow->before = !fleet_before_keep(follow->conf->state, follow->names->local, now, &error);
	if (!follow->before)
		fleet_say(attempt->calls->log, "ruleset %s: %s", follow->names->local, error.text);
}

static int publish(struct attempt *attempt, const struct pb_rules *rules, struct pb_error *error)
{
	struct pb_ruleset *ruleset = attempt->ruleset;
	struct pb_rules *now = NULL;
	int err = pb_ruleset_begin(ruleset, &now, error);

	if (err)
		return err;
	err = pb_rules_replace(now, rules, error);
	if (!err)
		return pb_ruleset_commit(ruleset, now, attempt->follow->conf->confirm, error);
	pb_ruleset_abort(ruleset, now);
	return err;
}

/* The attempt is on the disk before it is in the kernel, since the agent may not live to see its end. */
void fleet_follow_try(struct attempt *attempt, const struct pb_rules *rules,
		      const struct pb_rules *now)
{
	struct fleet_follow *follow = attempt->follow;
	struct fleet_memory *memory = &follow->memory;
	struct pb_error error;
	int err;

	if (strcmp(memory->trying, attempt->revision->id))
		memory->attempts = 0;
	if (memory->attempts >= ATTEMPTS_MAX) {
		fleet_follow_fail(
			follow, attempt->revision,
			"each time that it waited to be confirmed, the agent was killed, or could not do so",
			attempt->calls);
		return;
	}
	keep_before(attempt, now);
	fleet_follow_become(follow, FLEET_HOST_CONFIRMING, NULL);
	attempt->calls->announce(attempt->calls->context);
	fleet_file_rename(follow->conf->state, follow->names->local, FLEET_RULES_NEW,
			  FLEET_RULES_TRYING);
	strcpy(memory->trying, attempt->revision->id);
	memory->attempts++;
	fleet_follow_remember(follow, attempt->calls);
	err = publish(attempt, rules, &error);
	if (!err)
		fleet_follow_prove(attempt);
	else if (err == -ENOSPC || err == -EINVAL)
		fleet_follow_fail(follow, attempt->revision, error.text, attempt->calls);
	else
		fleet_follow_become(follow, FLEET_HOST_WAITING, error.text);
	/* One that was not published is none. */
	if (err && *memory->trying) {
		memory->attempts--;
		fleet_follow_remember(follow, attempt->calls);
	}
}
