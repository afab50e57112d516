// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "compile/item.h"

bool pb_item_beats(const struct pb_item *a, __u32 len_a, const struct pb_item *b, __u32 len_b)
{
	__u32 rank_a = pb_item_rank(a, len_a), rank_b = pb_item_rank(b, len_b);

	return rank_a != rank_b ? rank_a > rank_b : a->id < b->id;
}

__u64 pb_item_until(const struct pb_item *item)
{
	__u64 expires = item->part->rule->expires;

	return expires ? expires : PB_FOREVER;
}

bool pb_item_within(const struct pb_item *item, const struct pb_until *until)
{
	return pb_item_until(item) <= until->at[pb_item_only_new(item)];
}

/* What ends it for any packet ends it for those of no connection, too. */
void pb_until_add(struct pb_until *until, const struct pb_item *item)
{
	if (item->part->condition != PB_NONE || pb_part_has_rate(item->part))
		return;
	for (int i = pb_item_only_new(item); i < 2; i++) {
		if (until->at[i] < pb_item_until(item))
			until->at[i] = pb_item_until(item);
	}
}
