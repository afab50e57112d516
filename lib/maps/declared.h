/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The sets that are declared: which of them a generation of the rules sees, and what becomes of them as rules
 * change.
 *
 * A set whose elements a file has is part of a generation. It gets a number of its own for each list of elements,
 * and pb_sets.files says which numbers are a slot's. So the rules in force and those that are to come may have a set of
 * one name each, with other elements; who asks for which is in the conditions of the rules, and one store of
 * pb_config.active exchanges rules and elements together. Numbers that no slot has any more are nobody's: the next
 * change takes them, with their elements.
 */
#ifndef PB_MAPS_DECLARED_H
#define PB_MAPS_DECLARED_H

#include "maps/maps.h"
#include "rules/sets.h"

/* The number of a set, as the slot sees it; -ENOENT. */
int pb_set_number(const struct pb_sets *sets, __u32 slot, const char *name);
/* Of the set of that name which is no file's, whether a slot sees it or not; -ENOENT. */
int pb_set_plain_number(const struct pb_sets *sets, const char *name);
/* Does the slot see the set with that number? Not those of other generations, nor what they hide. */
bool pb_set_is_seen(const struct pb_sets *sets, __u32 slot, int number);
/* The set as it is said to others, without its elements. */
void pb_set_get(const struct pb_sets *sets, int number, struct pb_set *set);

/* A number that is free; -ENOSPC. */
int pb_set_free_number(const struct pb_sets *sets);
/* Makes a set where there is none, by one store, the last: before it nobody sees the set. */
void pb_set_record_write(struct pb_set_record *record, const char *name, __u64 timeout, __u32 max);

/* What is to become of the sets by rules that are to come. */
struct pb_sets_plan {
	struct pb_set_record record[PB_SETS_MAX];  /* as those rules see them; the others are "" */
	struct pb_declared *declared[PB_SETS_MAX]; /* by whom; NULL: by nobody, they were there */
	__u64 files; /* bit 1 << number: of the rules' own, by a file */
	__u64 fresh; /* of these, those whose elements are to be put */
	__u64 made;  /* others that are to be made */
	__u64 gone;  /* nobody's, with their elements */
	bool reused; /* some number of `gone` has a new set */
	struct pb_set_record before[PB_SETS_MAX];
};

/*
 * Plans the sets that `rules` declare, beside those that are there and stay. The lock of the ruleset is held, and
 * nothing is pending; or nobody has the ruleset yet. The plan is good for as long as `rules` are. `sweep`: numbers
 * that are nobody's are taken. -ENOSPC: too many sets, or one has more elements than its max.
 */
int pb_sets_plan(const struct pb_maps *maps, const struct pb_rules *rules, bool sweep,
		 struct pb_sets_plan *plan, struct pb_error *error);

/* Does it change the elements' tables, or must it? Then their lock is to be held. */
static inline bool pb_sets_plan_rebuilds(const struct pb_sets_plan *plan)
{
	return plan->fresh || plan->gone;
}
static inline bool pb_sets_plan_must_rebuild(const struct pb_sets_plan *plan)
{
	return plan->fresh || plan->reused;
}

/*
 * Makes it so, in `maps`, of the elements that are in the tables of `from` (mostly the same): packets are judged as
 * before, until a slot is published that was written with `plan->record` and `plan->files`. On failure only numbers
 * that are nobody's may have come.
 */
int pb_sets_carry_out(const struct pb_maps *maps, const struct pb_maps *from,
		      const struct pb_sets_plan *plan, struct pb_error *error);
/* Takes back what others would see of it. */
void pb_sets_undo(const struct pb_maps *maps, const struct pb_sets_plan *plan);

/*
 * Takes numbers that are nobody's, with their elements, unless a change is pending. The locks of the ruleset and of its
 * elements are held; tables that are open are those of before.
 */
int pb_sets_sweep(const struct pb_maps *maps, struct pb_error *error);

/* Declares those that a slot sees in `rules`. */
int pb_sets_read(const struct pb_maps *maps, __u32 slot, struct pb_rules *rules,
		 struct pb_error *error);

/* The rules know the numbers of their sets then: they are planned once. Part of carrying it out. */
void pb_sets_tell_numbers(const struct pb_sets_plan *plan);

#endif
