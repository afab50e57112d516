/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Elements of all sets of a ruleset at once: as they are, and brought back. */
#ifndef PB_MAPS_RESTORED_H
#define PB_MAPS_RESTORED_H

#include "maps/ruleset.h"
#include "rules/saved.h"

/* all-sets.c: all sets and their elements at one moment, by name. The caller frees. */
int pb_sets_read_all(struct pb_ruleset *ruleset, struct pb_saved **saved, struct pb_error *error);

/*
 * all-sets.c: adds elements to sets that are there, all in one step or none; of an element that is there the later end
 * holds. -ENOSPC. The first one is for who holds the lock of the rules, and takes that of the elements; the second one
 * for a ruleset that nobody else can see yet.
 */
int pb_sets_merge(struct pb_ruleset *ruleset, const struct pb_saved *saved, struct pb_error *error);
int pb_sets_merge_unseen(struct pb_ruleset *ruleset, const struct pb_saved *saved,
			 struct pb_error *error);

/*
 * Takes back what merging has changed, and the sets that were made for it; `before` is what there was. What cannot be
 * taken back stays, and so does a set into which somebody has put elements meanwhile.
 */
void pb_sets_unmerge(struct pb_ruleset *ruleset, const struct pb_saved *saved,
		     const struct pb_saved *before);

#endif
