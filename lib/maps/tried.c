// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <unistd.h>
#include "maps/declared.h"
#include "maps/lock.h"
#include "maps/pins.h"
#include "maps/rebuild.h"
#include "maps/rights.h"
#include "maps/tried.h"
#include "rule/prefix.h"
#include "rules/saved.h"
#include "util/array.h"
#include "util/error.h"

/* ---- As they are ------------------------------------------------------------------------------- */

/*
 * The sets, as the rules see them that will be put into whichever slot is in force; and what nobody sees then is of no
 * slot.
 */
static void copy_sets(struct pb_maps *maps, const struct pb_maps *from,
		      const struct pb_sets_plan *plan)
{
	*maps->sets = *from->sets;
	for (int slot = 0; slot < PB_SLOTS; slot++)
		maps->sets->files[slot] = plan->files;
	for (int i = 0; i < PB_SETS_MAX; i++)
		if (plan->gone >> i & 1)
			maps->sets->record[i].flags |= PB_SET_FILE;
}

static int share(struct pb_maps *maps, const struct pb_maps *from, const struct pb_sets_plan *plan)
{
	static const enum pb_map shared[] = { PB_MAP_ELEMENTS4, PB_MAP_ELEMENTS6, PB_MAP_LENGTHS };

	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		int fd = dup(from->fd[shared[i]]);

		if (fd < 0)
			return -errno;
		close(maps->fd[shared[i]]);
		maps->fd[shared[i]] = fd;
	}
	copy_sets(maps, from, plan);
	return 0;
}

/* ---- As they would be -------------------------------------------------------------------------- */

struct trying {
	const struct pb_sets_trial *trial;
	const struct pb_set_prospect *of[PB_SETS_MAX]; /* NULL: it is only added to, or stays */
	struct pb_incoming *incoming;
	size_t nr;
};

static bool holds_host(const struct pb_sets_trial *trial, const struct pb_prefix *prefix)
{
	for (size_t i = 0; i < trial->nr_hosts; i++)
		if (pb_prefix_holds(prefix, &trial->hosts[i]))
			return true;
	return false;
}

static bool goes(const struct pb_set_prospect *prospect, const struct pb_prefix *prefix)
{
	for (size_t i = 0; prospect && i < prospect->nr_gone; i++)
		if (!pb_prefix_order(&prospect->gone[i], prefix))
			return true;
	return prospect && prospect->replaces;
}

static bool stays(const void *context, int set, const struct pb_element *element)
{
	const struct trying *trying = context;

	return holds_host(trying->trial, &element->prefix) &&
	       !goes(trying->of[set], &element->prefix);
}

/* Of a set, those of the elements that matter. */
static int add_incoming(struct trying *trying, int number, const struct pb_element *elements,
			size_t nr)
{
	struct pb_element *held = NULL, *grown;
	size_t nr_held = 0, room = 0;

	for (size_t i = 0; number >= 0 && i < nr; i++) {
		if (!holds_host(trying->trial, &elements[i].prefix))
			continue;
		grown = pb_grow(held, nr_held, &room, sizeof(*grown));
		if (!grown) {
			free(held);
			return -ENOMEM;
		}
		held = grown;
		held[nr_held++] = elements[i];
	}
	if (nr_held)
		trying->incoming[trying->nr++] = (struct pb_incoming){
			.number = number, .elements = held, .nr = nr_held, .longer = true
		};
	return 0;
}

/* A set that is not there is for others to complain of. */
static int try_set(struct trying *trying, const struct pb_sets *sets,
		   const struct pb_set_prospect *prospect, int to[PB_SETS_MAX])
{
	int number = pb_set_number(sets, 0, prospect->name);
	int other = prospect->other ? pb_set_number(sets, 0, prospect->other) : -ENOENT;

	if (number < 0)
		return 0;
	trying->of[number] = prospect;
	if (other >= 0) {
		to[number] = other;
		to[other] = number;
	}
	return add_incoming(trying, number, prospect->elements, prospect->nr);
}

static int try_all(struct trying *trying, const struct pb_sets *sets, int to[PB_SETS_MAX])
{
	const struct pb_sets_trial *trial = trying->trial;
	const struct pb_saved *saved = trial->saved;
	int ret = 0;

	for (size_t i = 0; !ret && saved && i < saved->nr; i++)
		ret = add_incoming(trying, pb_set_plain_number(sets, saved->sets[i].about.name),
				   saved->sets[i].list, saved->sets[i].about.elements);
	for (size_t i = 0; !ret && i < trial->nr; i++)
		ret = try_set(trying, sets, &trial->sets[i], to);
	return ret;
}

static int try_tables(struct pb_maps *maps, const struct pb_set_tables *tables,
		      struct trying *trying, struct pb_error *error)
{
	struct pb_rebuild rebuild;
	int ret;

	pb_rebuild_as_is(&rebuild, maps, tables, pb_clock(), error);
	rebuild.stays = stays;
	rebuild.context = trying;
	ret = try_all(trying, maps->sets, rebuild.to);
	if (ret)
		return pb_fail_memory(error);
	rebuild.incoming = trying->incoming;
	rebuild.nr_incoming = trying->nr;
	return pb_rebuild_replace(&rebuild);
}

/* Of the elements that are in the tables of `from`. */
static int try_sets(struct pb_maps *maps, const struct pb_maps *from,
		    const struct pb_sets_trial *trial, struct pb_error *error)
{
	size_t room = trial->nr + (trial->saved ? trial->saved->nr : 0);
	struct trying trying = { .trial = trial,
				 .incoming = calloc(room, sizeof(*trying.incoming)) };
	struct pb_set_tables *tables = NULL;
	int ret = trying.incoming ? pb_set_tables_open(from, &tables) : -ENOMEM;

	ret = ret ? pb_fail_tables(ret, error) : try_tables(maps, tables, &trying, error);
	pb_set_tables_free(tables);
	for (size_t i = 0; i < trying.nr; i++)
		free((void *)trying.incoming[i].elements);
	free(trying.incoming);
	return ret;
}

/* ---- Shared, or copied ---------------------------------------------------------------------- */

static bool says_something(const struct pb_sets_trial *trial)
{
	return trial && (trial->nr || (trial->saved && trial->saved->nr));
}

static int copy(struct pb_maps *maps, const struct pb_maps *from, const struct pb_sets_plan *plan,
		const struct pb_sets_trial *trial, struct pb_error *error)
{
	int ret;

	copy_sets(maps, from, plan);
	ret = pb_sets_carry_out(maps, from, plan, error);
	if (!ret && says_something(trial))
		ret = try_sets(maps, pb_sets_plan_rebuilds(plan) ? maps : from, trial, error);
	return ret;
}

static int share_or_copy(struct pb_maps *maps, const struct pb_maps *from,
			 const struct pb_rules *rules, const struct pb_sets_trial *trial,
			 struct pb_error *error)
{
	struct pb_sets_plan plan;
	int ret = pb_sets_plan(from, rules, true, &plan, error);

	if (ret)
		return ret;
	if (pb_sets_plan_must_rebuild(&plan) || says_something(trial))
		return copy(maps, from, &plan, trial, error);
	ret = share(maps, from, &plan);
	pb_sets_tell_numbers(&plan);
	return ret ? pb_fail_permission(error, -ret, "look at the sets of the ruleset") : 0;
}

int pb_sets_share(struct pb_maps *maps, const char *ruleset, const struct pb_rules *rules,
		  const struct pb_sets_trial *trial, struct pb_error *error)
{
	int lock = pb_lock(ruleset, PB_LOCK_ELEMENTS_READ, error), ret;
	struct pb_maps from;

	if (lock < 0)
		return lock;
	ret = pb_maps_open_unlocked(ruleset, &from, error);
	if (!ret) {
		ret = share_or_copy(maps, &from, rules, trial, error);
		pb_maps_close(&from);
	}
	if (!ret)
		return lock;
	pb_unlock(lock);
	return ret;
}
