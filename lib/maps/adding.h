/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* One rule into the slot in force, whatever else is there: for pb_ruleset_add_alone(), see adding.c. */
#ifndef PB_ADDING_H
#define PB_ADDING_H

#include "maps/maps.h"

/*
 * Adds a rule to the slot in force, under the lock of a change. 1: it is in force, and `id` its id; 0: this rule goes the
 * long way, by the other slot, and nothing was changed. On failure all is as it was.
 */
int pb_adding_put(const struct pb_maps *maps, const struct pb_rule *rule, __u32 *id,
		  struct pb_error *error);

/*
 * Is the rule of this record, whose id is that of pb_slot.adding, there? Whoever added it was killed, or is at it. By
 * what packets are judged by, read by system calls: by descriptors for reading alone, too. Of a record that is a copy
 * (arrays.h) a newer one is made then. -errno.
 */
int pb_adding_holds(const struct pb_maps *maps, __u32 slot, struct pb_rule_record *record);

#endif
