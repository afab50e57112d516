// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fleet/before.h"
#include "fleet/error.h"
#include "fleet/file-rules.h"
#include "fleet/follow.h"
#include "fleet/http.h"
#include "fleet/order.h"

/* An agent that is killed again and again while the same revision waits to be confirmed gives it up. */
#define ATTEMPTS_MAX 3
#define AGAIN_MS 60000
/* The files of the revision in force, which is for the boot unit, too, and of that which was tried last. */
#define GOOD ".rules"
#define TRYING ".trying"
#define NO_REVISION "no revision is there for this host yet"

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

/* ---- What etcd has ------------------------------------------------------------------------- */

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

/* ---- What came of it ----------------------------------------------------------------------- */

static void become(struct fleet_follow *follow, enum fleet_host_state state, const char *reason)
{
	follow->state = state;
	snprintf(follow->reason, sizeof(follow->reason), "%s", reason ?: "");
}

static void say(const struct fleet_calls *calls, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void say(const struct fleet_calls *calls, const char *format, ...)
{
	struct pb_error line;
	va_list args;

	va_start(args, format);
	vsnprintf(line.text, sizeof(line.text), format, args);
	va_end(args);
	calls->say(line.text, calls->context);
}

static void remember(struct fleet_follow *follow, const struct fleet_calls *calls)
{
	struct pb_error error;

	if (fleet_memory_write(follow->conf->state, &follow->memory, &error))
		say(calls, "ruleset %s: %s", follow->names->local, error.text);
}

static void forget_before(struct fleet_follow *follow)
{
	fleet_before_forget(follow->conf->state, follow->names->local);
	follow->before = false;
}

/* For good: this revision is not tried again. */
static void fail(struct fleet_follow *follow, const struct fleet_revision *revision,
		 const char *reason, const struct fleet_calls *calls)
{
	struct fleet_memory *memory = &follow->memory;

	become(follow, FLEET_HOST_FAILED, reason);
	if (revision == follow->wanted || revision == follow->good)
		say(calls, "ruleset %s: revision %lld failed: %s", follow->names->local,
		    (long long)revision->revision, reason);
	else
		say(calls, "ruleset %s: the way back failed: %s", follow->names->local, reason);
	*memory->trying = '\0';
	memory->attempts = 0;
	if (revision != follow->wanted) {
		/* There is nothing else to go back to: later again. */
		follow->again = fleet_now_ms() + AGAIN_MS;
	} else {
		strcpy(memory->failed_id, revision->id);
		memory->failed = revision->revision;
		free(memory->reason);
		memory->reason = strdup(reason);
		/* The rules are the host's own, and may change until the next is tried. */
		if (!*memory->id)
			forget_before(follow);
	}
	remember(follow, calls);
}

static void write_good(const struct fleet_follow *follow, const struct fleet_revision *revision,
		       const struct fleet_calls *calls)
{
	char path[FLEET_PATH_MAX];
	struct pb_error error;

	if (fleet_file_write(follow->conf->state, follow->names->local, GOOD, revision->file, true,
			     path, &error))
		say(calls, "ruleset %s: %s", follow->names->local, error.text);
}

static void now_in_force(struct fleet_follow *follow, const struct fleet_revision *revision,
			 const struct pb_ruleset *ruleset, const struct fleet_calls *calls)
{
	struct fleet_memory *memory = &follow->memory;

	become(follow, FLEET_HOST_IN_FORCE, NULL);
	strcpy(memory->id, revision->id);
	memory->in_force = revision->revision;
	strcpy(memory->remote, follow->names->remote);
	memory->generation = (__s64)pb_ruleset_generation(ruleset);
	free(memory->boot);
	memory->boot = strdup(fleet_boot());
	*memory->trying = '\0';
	memory->attempts = 0;
	write_good(follow, revision, calls);
	remember(follow, calls);
	say(calls, "ruleset %s: revision %lld is in force", follow->names->local,
	    (long long)revision->revision);
}

/* ---- What is older ------------------------------------------------------------------------- */

/*
 * A signature holds for ever, so whoever owns etcd may put an old revision back that was signed once. It is known by its
 * time, which is part of what was signed. A host with `trust` takes none that is older than the newest that it had in
 * force while that was the good one: that had come to its end everywhere, so no way back leads behind it but a new
 * revision.
 *
 * Why not the newest that was in force at all? A revision that is stopped has to go back to the good one, which is
 * older, and which this host may never have had: it was away then, or is new. What does that leave to whoever owns
 * etcd? While a rollout goes on, or if he never lets the host know of its end, he may bring it back to what is not older
 * than the good one before. He can have that with any rule: by keeping the new revision from the host to begin with,
 * and telling the fleet that it has it. What he cannot have any more, once a revision has been seen to be good, is
 * the state before it: not by `rulesets/`, `stages/` or `good/`, each of which leads through here, nor by a restart,
 * since it is on the disk, nor by a time that he makes up, since only what is signed counts. To say that a revision is
 * good before it is brings him only that hosts do not go back from it.
 */
bool fleet_follow_outdated(const struct fleet_follow *follow, const struct fleet_revision *revision,
			   struct pb_error *error)
{
	const struct fleet_memory *memory = &follow->memory;

	/* Nothing that is signed later would be taken behind it, and whoever owns etcd could bring it back for ever. */
	if (fleet_time_is_ahead(revision->time)) {
		fleet_fail(error, ESTALE,
			   "it was signed at %s, which is more than a day from now: the clock of "
			   "who pushed it is wrong, or that of this host",
			   revision->time);
		return true;
	}
	if (!*memory->settled || fleet_time_compare(revision->time, memory->settled) >= 0)
		return false;
	fleet_fail(
		error, ESTALE,
		"it is older than revision %lld, which this host had: it was signed at %s, and that "
		"one at %s; to go back, sign it anew (`fleet rollback --sign`)",
		(long long)memory->settled_revision, revision->time, memory->settled);
	return true;
}

bool fleet_follow_settle(struct fleet_follow *follow)
{
	struct fleet_memory *memory = &follow->memory;
	const struct fleet_revision *good = follow->good;
	const struct fleet_list *trust = &follow->conf->trust;

	if (!good || strcmp(good->id, memory->id) || !trust->nr ||
	    (*memory->settled && fleet_time_compare(good->time, memory->settled) <= 0) ||
	    fleet_verify(good->id, good->signature, trust->texts, trust->nr, NULL))
		return false;
	strcpy(memory->settled, good->time);
	memory->settled_revision = good->revision;
	return true;
}

/* ---- A change ------------------------------------------------------------------------------ */

/* What one attempt goes by. */
struct attempt {
	struct fleet_follow *follow;
	const struct fleet_revision *revision;
	struct pb_ruleset *ruleset;
	const struct fleet_calls *calls;
	bool back; /* the revision is what was there before any */
	bool taken_back;
};

/* Nothing here is the fleet's any more. */
static void now_as_before(struct attempt *attempt)
{
	struct fleet_follow *follow = attempt->follow;
	struct fleet_memory *memory = &follow->memory;

	become(follow, FLEET_HOST_WAITING, NO_REVISION);
	*memory->id = *memory->trying = '\0';
	memory->in_force = memory->attempts = 0;
	write_good(follow, attempt->revision, attempt->calls);
	remember(follow, attempt->calls);
	forget_before(follow);
	say(attempt->calls, "ruleset %s: the rules from before the fleet's are in force",
	    follow->names->local);
}

static void arrive(struct attempt *attempt)
{
	if (attempt->back)
		now_as_before(attempt);
	else
		now_in_force(attempt->follow, attempt->revision, attempt->ruleset, attempt->calls);
}

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
	    (*follow->memory.id ||
	     fleet_rules_are_of(now, follow->conf->state, follow->names->local, TRYING)))
		return;
	follow->before = !fleet_before_keep(follow->conf->state, follow->names->local, now, &error);
	if (!follow->before)
		say(attempt->calls, "ruleset %s: %s", follow->names->local, error.text);
}

/* Half of the time to confirm is for the proof; 0: less than a quarter of it would be left then. */
static long long proof_ms(const struct attempt *attempt)
{
	__u64 left = pb_ruleset_pending(attempt->ruleset);
	__u64 confirm = attempt->follow->conf->confirm;

	if (left <= confirm / 4)
		return 0;
	left -= confirm / 4;
	return (long long)((left < confirm / 2 ? left : confirm / 2) / 1000000);
}

static void prove(struct attempt *attempt)
{
	struct fleet_follow *follow = attempt->follow;
	const struct fleet_meanwhile meanwhile = { attempt->calls->meanwhile,
						   attempt->calls->context };
	struct pb_error error, back;
	int err = fleet_probe(follow->conf, follow->keys[FLEET_KEY_STAGE], proof_ms(attempt),
			      &meanwhile, &error);
	bool proven = !err;

	if (proven)
		err = pb_ruleset_confirm(attempt->ruleset, &error);
	if (!err) {
		arrive(attempt);
		return;
	}
	/* Where this fails, the kernel's clock has done it, or will. */
	if (pb_ruleset_rollback(attempt->ruleset, &back) && pb_ruleset_pending(attempt->ruleset))
		say(attempt->calls, "ruleset %s: %s", follow->names->local, back.text);
	attempt->taken_back = true;
	if (!proven) {
		fail(follow, attempt->revision, error.text, attempt->calls);
		return;
	}
	/* That is not the revision's fault: again, as if the agent had been killed. */
	become(follow, FLEET_HOST_WAITING, error.text);
	say(attempt->calls,
	    "ruleset %s: revision %lld is taken back, since it cannot be confirmed: %s",
	    follow->names->local, (long long)attempt->revision->revision, error.text);
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
static void try(struct attempt *attempt, const struct pb_rules *rules, const struct pb_rules *now)
{
	struct fleet_follow *follow = attempt->follow;
	struct fleet_memory *memory = &follow->memory;
	struct pb_error error;
	int err;

	if (strcmp(memory->trying, attempt->revision->id))
		memory->attempts = 0;
	if (memory->attempts >= ATTEMPTS_MAX) {
		fail(follow, attempt->revision,
		     "each time that it waited to be confirmed, the agent was killed, or could not do so",
		     attempt->calls);
		return;
	}
	keep_before(attempt, now);
	become(follow, FLEET_HOST_CONFIRMING, NULL);
	attempt->calls->announce(attempt->calls->context);
	fleet_file_rename(follow->conf->state, follow->names->local, FLEET_RULES_NEW, TRYING);
	strcpy(memory->trying, attempt->revision->id);
	memory->attempts++;
	remember(follow, attempt->calls);
	err = publish(attempt, rules, &error);
	if (!err)
		prove(attempt);
	else if (err == -ENOSPC || err == -EINVAL)
		fail(follow, attempt->revision, error.text, attempt->calls);
	else
		become(follow, FLEET_HOST_WAITING, error.text);
	/* One that was not published is none. */
	if (err && *memory->trying) {
		memory->attempts--;
		remember(follow, attempt->calls);
	}
}

/* ---- Deciding ------------------------------------------------------------------------------ */

static bool was_confirmed(const struct fleet_follow *follow, const struct fleet_revision *revision)
{
	const struct fleet_memory *memory = &follow->memory;

	return !strcmp(memory->id, revision->id) && memory->boot &&
	       !strcmp(memory->boot, fleet_boot());
}

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
	return !fleet_rules_are_of(now, folder, local, GOOD) &&
	       !fleet_rules_are_of(now, folder, local, TRYING);
}

/* It stands where the push ends, so it says what is to be done. */
static void drift(struct fleet_follow *follow)
{
	struct pb_error reason;

	snprintf(
		reason.text, sizeof(reason.text),
		"the rules were changed on the host, which keeps them: there `fleet diff %s` shows "
		"how, and `apply %s/%s" GOOD " -r %s` undoes it",
		follow->names->remote, follow->conf->state, follow->names->local,
		follow->names->local);
	become(follow, FLEET_HOST_DRIFTED, reason.text);
}

/* The rules in force are others than those of the revision. What an agent before this one has begun goes back. */
static void differs(struct attempt *attempt, const struct pb_rules *rules,
		    const struct pb_rules *now)
{
	struct fleet_follow *follow = attempt->follow;

	if (pb_ruleset_pending(attempt->ruleset))
		become(follow, FLEET_HOST_WAITING,
		       "a change that was made on the host waits to be confirmed");
	else if (!follow->conf->heal && has_drifted(attempt, now))
		drift(follow);
	else
		try(attempt, rules, now);
}

static void same(struct attempt *attempt)
{
	struct fleet_follow *follow = attempt->follow;

	if (!pb_ruleset_pending(attempt->ruleset))
		arrive(attempt);
	else if (strcmp(follow->memory.trying, attempt->revision->id))
		become(follow, FLEET_HOST_WAITING,
		       "the same change was made on the host, and waits to be confirmed");
	else if (proof_ms(attempt))
		prove(attempt); /* an agent before this one has begun it */
	else
		become(follow, FLEET_HOST_WAITING, "an agent was killed: the rules go back first");
}

static void compare(struct attempt *attempt, const struct pb_rules *rules)
{
	struct fleet_follow *follow = attempt->follow;
	struct pb_rules *now = NULL;
	struct pb_error error;

	if (pb_ruleset_read(attempt->ruleset, &now, &error)) {
		become(follow, FLEET_HOST_WAITING, error.text);
		return;
	}
	follow->rules = pb_rules_nr(now);
	if (fleet_rules_same(rules, now))
		same(attempt);
	else
		differs(attempt, rules, now);
	pb_rules_free(now);
}

static void count_rules(struct attempt *attempt)
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
	remember(attempt->follow, attempt->calls);
}

/* Nothing has changed since it was confirmed? Two loads from memory say so. */
static bool is_in_force(const struct attempt *attempt)
{
	const struct fleet_follow *follow = attempt->follow;

	return was_confirmed(follow, attempt->revision) &&
	       (__s64)pb_ruleset_generation(attempt->ruleset) == follow->memory.generation &&
	       !pb_ruleset_pending(attempt->ruleset);
}

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
		say(attempt->calls, "ruleset %s: %s", follow->names->local, why);
	become(follow, FLEET_HOST_WAITING, why);
}

/* Whoever it is that has pushed it; it is looked at again each time, and said once. */
static void refuse(struct attempt *attempt, enum fleet_host_state state, const struct pb_error *why)
{
	if (attempt->follow->state != state)
		say(attempt->calls, "ruleset %s: revision %lld: %s", attempt->follow->names->local,
		    (long long)attempt->revision->revision, why->text);
	become(attempt->follow, state, why->text);
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
		fail(follow, attempt->revision, error.text, attempt->calls);
	} else if (err) {
		wait_by_fault(attempt, error.text);
	} else {
		compare(attempt, rules);
	}
	pb_rules_free(rules);
	fleet_file_remove(follow->conf->state, follow->names->local, FLEET_RULES_NEW);
}

static void attend(struct attempt *attempt)
{
	struct fleet_follow *follow = attempt->follow;

	__u64 generation = pb_ruleset_generation(attempt->ruleset);

	if (follow->state == FLEET_HOST_DRIFTED && follow->drifted == generation)
		return; /* as it was seen before */
	follow->drifted = generation;
	if (is_in_force(attempt)) {
		if (follow->state != FLEET_HOST_IN_FORCE)
			count_rules(attempt);
		become(follow, FLEET_HOST_IN_FORCE, NULL);
		renumber(attempt);
		return;
	}
	approach(attempt);
	if (follow->state != FLEET_HOST_WAITING)
		count_rules(attempt);
}

/* Once it is known everywhere to be good, there is no way behind it. */
static void settle(struct attempt *attempt)
{
	if (attempt->follow->state == FLEET_HOST_IN_FORCE && fleet_follow_settle(attempt->follow))
		remember(attempt->follow, attempt->calls);
}

/* What was wrong in etcd, and what has failed before, stays to be seen until there is something newer. */
static bool stands_in_the_way(struct fleet_follow *follow, const struct fleet_revision *target)
{
	const struct fleet_memory *memory = &follow->memory;

	if (target && target == follow->wanted && !strcmp(target->id, memory->failed_id)) {
		become(follow, FLEET_HOST_FAILED, memory->reason);
		return true;
	}
	if (target)
		return false;
	become(follow, FLEET_HOST_WAITING, NO_REVISION);
	return true;
}

/* The first that is not right in etcd; its key is said in it. */
static void complain(struct fleet_follow *follow)
{
	for (int key = 0; key < FLEET_KEYS; key++)
		if (*follow->wrong[key].text) {
			become(follow, FLEET_HOST_FAILED, follow->wrong[key].text);
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
		forget_before(follow);
	*before = attempt->revision ? NULL : what_was(follow);
	attempt->back = *before;
	if (attempt->back)
		attempt->revision = *before;
}

/* Nothing changes; how many rules are in force is told all the same. */
static void stand_still(struct attempt *attempt)
{
	become(attempt->follow, FLEET_HOST_FAILED, attempt->follow->conflict);
	if (pb_ruleset_open(attempt->follow->names->local, &attempt->ruleset, NULL))
		return;
	count_rules(attempt);
	pb_ruleset_close(attempt->ruleset);
}

static void open_and_attend(struct attempt *attempt)
{
	struct fleet_follow *follow = attempt->follow;
	struct pb_error error;

	if (pb_ruleset_open(follow->names->local, &attempt->ruleset, &error)) {
		become(follow, FLEET_HOST_WAITING, error.text);
		return;
	}
	attend(attempt);
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
