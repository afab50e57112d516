/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* One range of the ports of a part of a rule. */
#ifndef PB_ITEM_H
#define PB_ITEM_H

#include <portblock/portblock.h>
#include "compile/parts.h"
#include "compile/tree.h"

#define PB_FOREVER (~0ULL)

struct pb_item {
	const struct pb_rule_part *part;
	__u32 id;
	__u32 rank; /* without the prefixes of `from` */
	__u32 group;
	__u32 next_first; /* another item that begins at the same port */
	__u32 next_last;  /* another item that ends at the same port */
	__u16 first;
	__u16 last;
};

/* Its rank when it matches by a `from` of this length. */
static inline __u32 pb_item_rank(const struct pb_item *item, __u32 len)
{
	return item->rank + ((__u32)len << PB_RANK_LEN_SHIFT);
}

static inline bool pb_item_only_new(const struct pb_item *item)
{
	return item->part->rule->only_new;
}

/* Does `a` come before `b` over the same port, with these lengths of `from`? */
bool pb_item_beats(const struct pb_item *a, __u32 len_a, const struct pb_item *b, __u32 len_b);
/* How long an item holds, and whether that is no longer than `until`. */
__u64 pb_item_until(const struct pb_item *item);
bool pb_item_within(const struct pb_item *item, const struct pb_until *until);
/* Nothing is added by an item that asks which sets hold the source, or has a rate: it may let any packet go. */
void pb_until_add(struct pb_until *until, const struct pb_item *item);

#endif
