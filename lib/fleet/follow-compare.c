// SPDX-License-Identifier: GPL-2.0-only
/* The rules in force beside those that are to be, and what follows from it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "fleet/before.h"
#include "fleet/file-rules.h"
#include "fleet/follow-parts.h"

/* ---- Rules beside rules --------------------------------------------------------------------- */

/*
 * Were the rules changed on the host, since the agent has seen them in force? Those of a revision that it has just
 * confirmed, and was killed, are none of the host's.
 */
static bool has_drifted(const struct attempt *attempt, const struct pb_rules *now)
{
	const struct fleet_follow *follow = attempt->follow;
	const struct fleet_memory *memory = &follow->memory;
	const char *folder = follow->conf->state, *local = follow->names->local;

	if (!*memory->id || !memory->boot || strcmp(memory->boot, fleet_boot()) ||
	    (__s64)pb_ruleset_generation(attempt->ruleset) == memory->generation)
		return false;
	return !fleet_rules_are_of(now, folder, local, FLEET_RULES_GOOD) &&
	       !fleet_rules_are_of(now, folder, local, FLEET_RULES_TRYING);
}

/* It stands where the push ends, so it says what is to be done. */
static void drift(struct fleet_follow *follow)
{
	struct pb_error reason;

	snprintf(
		reason.text, sizeof(reason.text),
		"the rules were changed on the host, which keeps them: there `fleet diff %s` shows "
		"how, and `apply %s/%s" FLEET_RULES_GOOD " -r %s` undoes it",
		follow->names->remote, follow->conf->state, follow->names->local,
		follow->names->local);
	fleet_follow_become(follow, FLEET_HOST_DRIFTED, reason.text);
}

/* The rules in force are others than those of the revision. What an agent before this one has begun goes back. */
static void differs(struct attempt *attempt, const struct pb_rules *rules,
		    const struct pb_rules *now)
{
	struct fleet_follow *follow = attempt->follow;

	if (pb_ruleset_pending(attempt->ruleset))
		fleet_follow_become(follow, FLEET_HOST_WAITING,
				    "a change that was made on the host waits to be confirmed");
	else if (!follow->conf->heal && has_drifted(attempt, now))
		drift(follow);
	else
		fleet_follow_try(attempt, rules, now);
}

static void same(struct attempt *attempt)
{
	struct fleet_follow *follow = attempt->follow;

	if (!pb_ruleset_pending(attempt->ruleset))
		fleet_follow_arrive(attempt);
	else if (strcmp(follow->memory.trying, attempt->revision->id))
		fleet_follow_become(
			follow, FLEET_HOST_WAITING,
			"the same change was made on the host, and waits to be confirmed");
	else if (fleet_follow_proof_ms(attempt))
		fleet_follow_prove(attempt); /* an agent before this one has begun it */
	else
		fleet_follow_become(follow, FLEET_HOST_WAITING,
				    "an agent was killed: the rules go back first");
}

static void compare(struct attempt *attempt, const struct pb_rules *rules)
{
	struct fleet_follow *follow = attempt->follow;
	struct pb_rules *now = NULL;
	struct pb_error error;

	if (pb_ruleset_read(attempt->ruleset, &now, &error)) {
		fleet_follow_become(follow, FLEET_HOST_WAITING, error.text);
		return;
	}
	follow->rules = pb_rules_nr(now);
	if (fleet_rules_same(rules, now))
		same(attempt);
	else
		differs(attempt, rules, now);
	pb_rules_free(now);
}

/* ---- What is to be -------------------------------------------------------------------------- */

static int check(struct attempt *attempt, struct pb_rules **rules, struct pb_error *error)
{
	const struct fleet_conf *conf = attempt->follow->conf;
	const struct fleet_revision *revision = attempt->revision;
	const char *local = attempt->follow->names->local;
	int err;

	if (attempt->back)
		return fleet_before_read(conf->state, local, rules, error);
	err = conf->trust.nr ? fleet_verify(revision->id, revision->signature, conf->trust.texts,
					    conf->trust.nr, error) :
			       0;

	if (!err && conf->trust.nr && fleet_follow_outdated(attempt->follow, revision, error))
		err = -ESTALE;
	return err   ?:
		       fleet_rules_read(revision, conf->state, attempt->follow->names->local, rules,
					error);
}

/* It is told once, as long as it is the same. */
static void wait_by_fault(struct attempt *attempt, const char *why)
{
	struct fleet_follow *follow = attempt->follow;

	if (follow->state != FLEET_HOST_WAITING || strcmp(follow->reason, why))
		fleet_say(attempt->calls->log, "ruleset %s: %s", follow->names->local, why);
	fleet_follow_become(follow, FLEET_HOST_WAITING, why);
}

/* Whoever it is that has pushed it; it is looked at again each time, and said once. */
static void refuse(struct attempt *attempt, enum fleet_host_state state, const struct pb_error *why)
{
	if (attempt->follow->state != state)
		fleet_say(attempt->calls->log, "ruleset %s: revision %lld: %s",
			  attempt->follow->names->local, (long long)attempt->revision->revision,
			  why->text);
	fleet_follow_become(attempt->follow, state, why->text);
}

/* The revision is another than that in force, or the rules are. */
static void approach(struct attempt *attempt)
{
	struct fleet_follow *follow = attempt->follow;
	struct pb_rules *rules = NULL;
	struct pb_error error;
	int err = check(attempt, &rules, &error);

	if (err == -ENOKEY || err == -EKEYREJECTED) {
		refuse(attempt, FLEET_HOST_NO_SIGNATURE, &error);
	} else if (err == -ESTALE) {
		refuse(attempt, FLEET_HOST_FAILED, &error);
	} else if (err == -EINVAL) {
		fleet_follow_fail(follow, attempt->revision, error.text, attempt->calls);
	} else if (err) {
		wait_by_fault(attempt, error.text);
	} else {
		compare(attempt, rules);
	}
	pb_rules_free(rules);
	fleet_file_remove(follow->conf->state, follow->names->local, FLEET_RULES_NEW);
}

/* ---- What is in force ----------------------------------------------------------------------- */

void fleet_follow_count_rules(struct attempt *attempt)
{
	struct pb_rules *now;

	if (!pb_ruleset_read(attempt->ruleset, &now, NULL)) {
		attempt->follow->rules = pb_rules_nr(now);
		pb_rules_free(now);
	}
}

/* The same revision, pushed again, has another number. */
static void renumber(struct attempt *attempt)
{
	struct fleet_memory *memory = &attempt->follow->memory;

	if (memory->in_force == attempt->revision->revision)
		return;
	memory->in_force = attempt->revision->revision;
	fleet_follow_remember(attempt->follow, attempt->calls);
}

static bool was_confirmed(const struct fleet_follow *follow, const struct fleet_revision *revision)
{
	const struct fleet_memory *memory = &follow->memory;

	return !strcmp(memory->id, revision->id) && memory->boot &&
	       !strcmp(memory->boot, fleet_boot());
}

/* Nothing has changed since it was confirmed? Two loads from memory say so. */
static bool is_in_force(const struct attempt *attempt)
{
	const struct fleet_follow *follow = attempt->follow;

	return was_confirmed(follow, attempt->revision) &&
	       (__s64)pb_ruleset_generation(attempt->ruleset) == follow->memory.generation &&
	       !pb_ruleset_pending(attempt->ruleset);
}

void fleet_follow_attend(struct attempt *attempt)
{
	struct fleet_follow *follow = attempt->follow;

	__u64 generation = pb_ruleset_generation(attempt->ruleset);

	if (follow->state == FLEET_HOST_DRIFTED && follow->drifted == generation)
		return; /* as it was seen before */
	follow->drifted = generation;
	if (is_in_force(attempt)) {
		if (follow->state != FLEET_HOST_IN_FORCE)
			fleet_follow_count_rules(attempt);
		fleet_follow_become(follow, FLEET_HOST_IN_FORCE, NULL);
		renumber(attempt);
		return;
	}
	approach(attempt);
	if (follow->state != FLEET_HOST_WAITING)
		fleet_follow_count_rules(attempt);
}
