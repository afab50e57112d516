/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The sets that are declared, without their elements; and as rules come with them. */
#ifndef PB_MAPS_DECLARED_H
#define PB_MAPS_DECLARED_H

#include "maps/maps.h"

/* The number of a set; -ENOENT. And a number that is free; -ENOSPC. */
int pb_set_number(const struct pb_sets *sets, const char *name);
int pb_set_free_number(const struct pb_sets *sets);

/* Makes a set where there is none, by one store, the last: before it nobody sees the set. */
void pb_set_record_write(struct pb_set_record *record, const char *name, __u64 timeout, __u32 max);

/*
 * Makes the sets that `rules` declare, and gives those that are there their timeout and max. `before` gets the
 * names and limits as they were, for pb_sets_undo(). Nobody else changes these meanwhile: the lock of the
 * ruleset is held, or nobody has it yet. -ENOSPC: too many sets, or one has more elements than its max.
 */
int pb_sets_declare(const struct pb_maps *maps, const struct pb_rules *rules,
		    struct pb_set_record before[PB_SETS_MAX], struct pb_error *error);
void pb_sets_undo(const struct pb_maps *maps, const struct pb_set_record before[PB_SETS_MAX]);

/* Declares those that are there in `rules`. */
int pb_sets_read(const struct pb_maps *maps, struct pb_rules *rules, struct pb_error *error);

/*
 * Gives a ruleset that nobody uses the sets of another one, elements included, which are shared: so whoever tries
 * rules out has them. Returns a lock that holds them as they are, for the caller to release, or -errno.
 */
int pb_sets_share(struct pb_maps *maps, const char *ruleset, struct pb_error *error);

#endif
