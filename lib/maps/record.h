/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Rules as they were written, to and from records. Pure: no system call. */
#ifndef PB_RECORD_H
#define PB_RECORD_H

#include "maps/maps.h"

/* Where the records of one slot are. All that is added must be known to fit. */
struct pb_records {
	__u32 slot;
	struct pb_rule_record *rules;	   /* as pb_rules */
	struct pb_range_entry *ranges;	   /* as pb_ranges */
	struct pb_prefix_record *prefixes; /* of this slot alone */
	const struct pb_set_record *sets;  /* PB_SETS_MAX of them; NULL: there are no sets */
	__u32 nr_ranges;		   /* in use */
	__u32 nr_prefixes;
};

/* What the rules need. */
size_t pb_records_ranges(const struct pb_rules *rules);
size_t pb_records_prefixes(const struct pb_rules *rules);

/*
 * The sets that each rule names, as bits, in the order of `rules`; the caller frees. -ENOENT: there is
 * no such set, or are none (`sets` is NULL).
 */
int pb_records_conditions(const struct pb_rules *rules, const struct pb_set_record *sets,
			  const char *ruleset, struct pb_set_condition **conditions,
			  struct pb_error *error);

/*
 * Makes up sets (PB_SETS_MAX, zeroed before) of those that the rules name. -ENOSPC: a ruleset cannot
 * have so many.
 */
int pb_records_make_sets(const struct pb_rules *rules, struct pb_set_record *sets,
			 struct pb_error *error);

/* `sets`: those that the rule names. */
void pb_records_add(struct pb_records *records, const struct pb_rule *rule,
		    const struct pb_set_condition *sets);

/* What a record has of its own, all else 0: the whole of a rule without sources and with no more ranges than it holds. */
void pb_record_plain(struct pb_rule_record *record, const struct pb_rule *rule, __u32 id);

/* Makes the rule (zeroed before) of its record. False: memory ran out; the caller clears it. */
bool pb_records_get(const struct pb_records *records, __u32 id, struct pb_rule *rule);

#endif
