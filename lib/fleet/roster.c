// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fleet/error.h"
#include "fleet/roster.h"

#define NAMES 5 /* of those that lag are said */
#define SECOND 1000000000ULL

/* ---- Who there is ---------------------------------------------------------------------------- */

/* The place of that order, or where it would be. */
static size_t find(const struct fleet_roster *roster, const char *order)
{
	size_t low = 0, high = roster->nr;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(roster->list[middle].order, order) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct fleet_member *member_of(const struct fleet_roster *roster, const char *order)
{
	size_t at = find(roster, order);

	return at < roster->nr && !strcmp(roster->list[at].order, order) ? &roster->list[at] : NULL;
}

static int grow(struct fleet_roster *roster)
{
	size_t room = roster->room ? 2 * roster->room : 16;
	struct fleet_member *list = realloc(roster->list, room * sizeof(*list));

	if (!list)
		return -ENOMEM;
	roster->list = list;
	roster->room = room;
	return 0;
}

static struct fleet_member *add(struct fleet_roster *roster, const char *order, const char *host)
{
	char *name = strdup(host);
	size_t at = find(roster, order);
	struct fleet_member *member;

	if (!name || (roster->nr == roster->room && grow(roster))) {
		free(name);
		return NULL;
	}
	member = &roster->list[at];
	memmove(member + 1, member, (roster->nr++ - at) * sizeof(*member));
	*member = (struct fleet_member){ .host = name };
	strcpy(member->order, order);
	return member;
}

/* -ENOMEM, and the member is as it was. */
static int update(struct fleet_member *member, const struct fleet_host_ruleset *from)
{
	char *reason = from->reason ? strdup(from->reason) : NULL;

	if (from->reason && !reason)
		return -ENOMEM;
	free(member->reason);
	member->reason = reason;
	strcpy(member->id, from->id);
	member->in_force = from->in_force;
	member->state = from->state;
	member->failed = from->failed;
	member->here = true;
	return 0;
}

int fleet_roster_put(struct fleet_roster *roster, const char *ruleset, const char *id,
		     const struct fleet_host *host)
{
	const struct fleet_host_ruleset *from = fleet_host_find(host, ruleset);
	struct fleet_member *member;
	char order[FLEET_HASH_LEN];

	if (!from)
		return fleet_roster_gone(roster, id, host->host);
	if (fleet_order(host->host, id, order))
		return -ENOMEM;
	member = member_of(roster, order) ?: add(roster, order, host->host);
	return member ? update(member, from) : -ENOMEM;
}

int fleet_roster_gone(struct fleet_roster *roster, const char *id, const char *host)
{
	struct fleet_member *member;
	char order[FLEET_HASH_LEN];

	if (fleet_order(host, id, order))
		return -ENOMEM;
	member = member_of(roster, order);
	if (member)
		member->here = false;
	return 0;
}

void fleet_roster_forget(struct fleet_roster *roster)
{
	for (size_t i = 0; i < roster->nr; i++)
		roster->list[i].here = false;
}

void fleet_roster_free(struct fleet_roster *roster)
{
	for (size_t i = 0; i < roster->nr; i++) {
		free(roster->list[i].host);
		free(roster->list[i].reason);
	}
	free(roster->list);
	*roster = (struct fleet_roster){ 0 };
}

/* ---- A stage begins -------------------------------------------------------------------------- */

void fleet_roster_resume(struct fleet_roster *roster, const struct fleet_stage *stage)
{
	for (size_t i = 0; i < roster->nr; i++) {
		struct fleet_member *member = &roster->list[i];

		/* Who is gone and was waited for stays so: it took part in a stage before. */
		member->had = (member->had || member->here) &&
			      fleet_takes_part(stage, member->order);
	}
}

int fleet_roster_begin(struct fleet_roster *roster, const char *word, const char *before,
		       struct fleet_stage *stage)
{
	char(*orders)[FLEET_HASH_LEN] = calloc(roster->nr + 1, sizeof(*orders));
	size_t nr = 0;

	if (!orders)
		return -ENOMEM;
	for (size_t i = 0; i < roster->nr; i++)
		if (roster->list[i].here)
			strcpy(orders[nr++], roster->list[i].order);
	fleet_upto(word, (const void *)orders, nr, before, stage->upto);
	free(orders);
	fleet_roster_resume(roster, stage);
	stage->hosts = 0;
	for (size_t i = 0; i < roster->nr; i++)
		stage->hosts += roster->list[i].had;
	return 0;
}

/* ---- Who has it ------------------------------------------------------------------------------ */

static bool counts(const struct fleet_member *member, const struct fleet_stage *stage)
{
	return (member->here || member->had) && strcmp(member->order, stage->upto) <= 0;
}

static bool is_in_force(const struct fleet_member *member, const char *id)
{
	return member->here && member->state == FLEET_HOST_IN_FORCE && !strcmp(member->id, id);
}

/*
 * Of this revision, and not of one before, which it may report for long. A host that keeps a change of its own will not
 * have the revision, however long it is waited for: somebody has to decide.
 */
static bool has_failed(const struct fleet_member *member, const char *id, __s64 revision)
{
	bool failed = member->state == FLEET_HOST_FAILED ||
		      member->state == FLEET_HOST_NO_SIGNATURE ||
		      member->state == FLEET_HOST_DRIFTED;

	return member->here && (member->failed == revision || (failed && !strcmp(member->id, id)));
}

struct fleet_count fleet_roster_count(const struct fleet_roster *roster,
				      const struct fleet_stage *stage)
{
	struct fleet_count count = { 0 };

	for (size_t i = 0; i < roster->nr; i++) {
		if (!counts(&roster->list[i], stage))
			continue;
		count.hosts++;
		count.in_force += is_in_force(&roster->list[i], stage->id);
	}
	if (count.hosts < stage->hosts)
		count.hosts = stage->hosts;
	return count;
}

/* ---- Names ----------------------------------------------------------------------------------- */

/* A list that grows in `text` as far as there is room, and counts on. */
struct names {
	char *text;
	size_t room, len, nr;
};

static void name(struct names *names, const char *host, const char *state)
{
	if (names->nr++ < NAMES && names->len < names->room)
		names->len += snprintf(names->text + names->len, names->room - names->len,
				       "%s%s (%s)", names->len ? ", " : "", host, state);
}

static size_t end_names(struct names *names)
{
	if (names->nr > NAMES && names->len < names->room)
		snprintf(names->text + names->len, names->room - names->len, " and %zu more",
			 names->nr - NAMES);
	return names->nr;
}

static const char *state_of(const struct fleet_member *member)
{
	return member->here ? fleet_host_state_name(member->state) : "not seen";
}

/* With what hosts say of it themselves, if `why`. */
static void name_lagging(struct names *names, const struct fleet_member *member, const char *id,
			 bool why)
{
	const char *state = state_of(member);
	char text[256];

	if (member->here && strcmp(member->id, id))
		state = "not begun";
	if (!why || !member->here || !member->reason)
		name(names, member->host, state);
	else if (snprintf(text, sizeof(text), "%s: %s", state, member->reason) > 0)
		name(names, member->host, text);
}

static size_t lagging(const struct fleet_roster *roster, const struct fleet_stage *stage,
		      char *text, size_t room, bool why)
{
	struct names names = { .text = text, .room = room };
	struct fleet_count count = fleet_roster_count(roster, stage);
	size_t known = 0;

	*text = '\0';
	for (size_t i = 0; i < roster->nr; i++) {
		const struct fleet_member *member = &roster->list[i];

		if (!counts(member, stage))
			continue;
		known++;
		if (!is_in_force(member, stage->id))
			name_lagging(&names, member, stage->id, why);
	}
	for (; known < count.hosts; known++)
		name(&names, "one that took part before", "not seen");
	return end_names(&names);
}

size_t fleet_lagging(const struct fleet_roster *roster, const struct fleet_stage *stage, char *text,
		     size_t room)
{
	return lagging(roster, stage, text, room, false);
}

size_t fleet_not_back(const struct fleet_roster *roster, const struct fleet_stage *stage,
		      __s64 revision, char *text, size_t room)
{
	struct names names = { .text = text, .room = room };

	*text = '\0';
	for (size_t i = 0; i < roster->nr; i++) {
		const struct fleet_member *member = &roster->list[i];
		bool has_it = member->state == FLEET_HOST_IN_FORCE ||
			      member->state == FLEET_HOST_CONFIRMING;

		if (member->here &&
		    (member->in_force == revision || (has_it && !strcmp(member->id, stage->id))))
			name(&names, member->host, state_of(member));
	}
	return end_names(&names);
}

/* ---- What comes next ------------------------------------------------------------------------- */

static void say_failed(const struct fleet_member *member, struct pb_error *why)
{
	const char *state = fleet_host_state_name(member->state);

	if (member->state == FLEET_HOST_DRIFTED && member->reason)
		fleet_fail(why, 0, "%s: %s: %s", member->host, state, member->reason);
	else
		fleet_fail(why, 0, "%s: %s", member->host, member->reason ?: state);
}

static void say_silent(const struct fleet_roster *roster, const struct fleet_stage *stage,
		       struct pb_error *why)
{
	struct fleet_count count = fleet_roster_count(roster, stage);
	char names[700];

	lagging(roster, stage, names, sizeof(names), true);
	fleet_fail(why, 0, "%zu of %zu hosts have it not in force after %u seconds: %s",
		   count.hosts - count.in_force, count.hosts, stage->wait, names);
}

enum fleet_step fleet_decide(const struct fleet_roster *roster, const struct fleet_stage *stage,
			     __s64 revision, __u64 waited, struct pb_error *why)
{
	struct fleet_count count = fleet_roster_count(roster, stage);

	for (size_t i = 0; i < roster->nr; i++) {
		const struct fleet_member *member = &roster->list[i];

		if (!counts(member, stage) || !has_failed(member, stage->id, revision))
			continue;
		say_failed(member, why);
		return FLEET_STEP_STOP;
	}
	if (count.in_force == count.hosts)
		return stage->stage < stage->of ? FLEET_STEP_NEXT : FLEET_STEP_DONE;
	if (waited < stage->wait * SECOND)
		return FLEET_STEP_WAIT;
	say_silent(roster, stage, why);
	return FLEET_STEP_STOP;
}
