/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Sources: the groups of rules that have the same, and what meets over a port. */
#ifndef PB_SOURCES_H
#define PB_SOURCES_H

#include "compile/parts.h"
#include "compile/tables.h"

/* An element of a region's list: the group, and the length of its longest `from` there. */
#define PB_REGION(group, len) ((__u32)(group) << 8 | (len))
#define PB_REGION_EXCEPT 255 /* instead of a length: the group does not match there */
#define PB_REGION_GROUP(element) ((element) >> 8)
#define PB_REGION_LEN(element) ((element)&255)

struct pb_sources {
	struct pb_lists groups;		  /* their prefixes as numbers */
	const struct pb_rule_part **part; /* [group]: one of its rules' */
	struct pb_lists mixes;		  /* of groups; mix 0 is empty */
	struct pb_lists *regions; /* [mix]: PB_REGION() of the groups whose state differs from
				      * that in region 0 */
	struct pb_source *entries;
	size_t nr_entries;
	size_t room_entries;
};

int pb_sources_init(struct pb_sources *sources, size_t max_groups);
/* The group of a part. */
int pb_sources_group(struct pb_sources *sources, const struct pb_rule_part *part, __u32 *group);
/* The mix of these groups, which are sorted. A new one gets its regions and entries. */
int pb_sources_mix(struct pb_sources *sources, const __u32 *groups, size_t nr, size_t limit,
		   __u32 *mix, struct pb_error *error);
void pb_sources_free(struct pb_sources *sources);

#endif
