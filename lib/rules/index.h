/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A hash of a set's rules by what makes them the same rule (pb_rule_same()). */
#ifndef PB_SET_INDEX_H
#define PB_SET_INDEX_H

#include <portblock/portblock.h>

/* Finds the same rule; makes the index if there is none, or does without when memory is short. */
struct pb_rule *pb_index_find(const struct pb_set *set, const struct pb_rule *rule);

/* Keep the index in step: call before the rule with that id is put into the set or taken out. */
void pb_index_add(struct pb_set *set, const struct pb_rule *rule, __u32 id);
void pb_index_del(struct pb_set *set, const struct pb_rule *rule);
void pb_index_drop(struct pb_set *set);

#endif
