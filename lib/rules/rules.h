/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What struct pb_rules is: programs know of it by portblock.h alone, and cannot look into it. */
#ifndef PB_RULES_H
#define PB_RULES_H

#include <portblock/portblock.h>

/*
 * Zeroed, it is as pb_rules_new() makes it. `rule` may be filled by hand (with ids, sorted) before
 * the first call.
 */
struct pb_rules {
	struct pb_settings settings;
	struct pb_rule *rule;
	size_t nr;
	size_t room;	      /* allocated */
	__u32 next_id;	      /* where the search for a free id goes on; 0 as 1 */
	__u32 max_rules;      /* ids go from 1 to this; 0 as PB_RULES_LIMIT */
	__u64 generation;     /* of the ruleset this was read from; 0: none */
	const __u32 *retired; /* ids to give out only where there are no others, sorted; not owned */
	size_t nr_retired;
	struct pb_set **sets; /* by name: rules/sets.h */
	size_t nr_sets;
	size_t room_sets;
	const struct pb_saved *saved; /* elements that come with them; not owned. NULL: none */
	struct pb_index *index;	      /* of pb_rules_find_same(): made when first needed */
};

/* The answers that they allow a second and CPU, 0: none; and the settings of a generation. */
__u32 pb_settings_answers(const struct pb_settings *settings);
struct pb_settings pb_settings_of_slot(const struct pb_slot *slot);

/* Frees what it owns and zeroes it. */
void pb_rules_clear(struct pb_rules *rules);

/* The highest id that one may have. */
__u32 pb_rules_max(const struct pb_rules *rules);
/* -ENOSPC: `nr` rules, which may be more than are in `rules` yet, have all of the ids. */
int pb_rules_no_id(const struct pb_rules *rules, size_t nr, struct pb_error *error);

/* Moves a rule to where it is to be, as one that is new. */
void pb_rules_put(struct pb_rule *place, struct pb_rule *rule, __u32 id);
/* Takes over what the same rule may differ in, and clears `rule`. */
enum pb_added pb_rules_change(struct pb_rule *old, struct pb_rule *rule);

#endif
