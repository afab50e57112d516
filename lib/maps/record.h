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
	__u32 nr_ranges;		   /* in use */
	__u32 nr_prefixes;
};

/* What the rules need. */
size_t pb_records_ranges(const struct pb_rules *rules);
size_t pb_records_prefixes(const struct pb_rules *rules);

void pb_records_add(struct pb_records *records, const struct pb_rule *rule);

/* Makes the rule (zeroed before) of its record. False: memory ran out; the caller clears it. */
bool pb_records_get(const struct pb_records *records, __u32 id, struct pb_rule *rule);

#endif
