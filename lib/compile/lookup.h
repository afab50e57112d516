/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The prefixes of mixes in tables for look-up, as abi.h has them ("struct pb_source_decision"). */
#ifndef PB_LOOKUP_H
#define PB_LOOKUP_H

#include <portblock/sources.h>
#include "compile/tables.h"

struct pb_lookup {
	struct pb_source_segment4 *segment4;
	__u32 nr4; /* 0: there is no prefix of that family */
	struct pb_source_segment6 *segment6;
	__u32 nr6;
};

/* No ruleset with so many prefixes needs more segments, in a family and slot. */
__u32 pb_lookup_segments_max(__u32 max_sources);

/*
 * Makes them of the prefixes in `tables`, which are in order of mix and prefix, and gives the decisions that ask
 * for a source the form of struct pb_source_decision; entries of ports that ask for nothing else say so. `max` segments a family at most. The caller frees with
 * pb_lookup_free(). -ENOMEM, -ENOSPC: no message; the tables are as they were.
 */
int pb_lookup_make(struct pb_tables *tables, __u32 max, const __u64 seed[2],
		   struct pb_lookup *lookup);
void pb_lookup_free(struct pb_lookup *lookup);

#endif
