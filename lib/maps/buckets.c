// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "maps/buckets.h"

/*
 * A bucket is full from a time that has gone by, as 0 has (tokens.h says what is after 18 years). One store, which a
 * packet's compare-and-swap sees or comes before: nothing of it is lost but that packet's tokens.
 */
static void refill(__u64 *full_at)
{
	__atomic_store_n(full_at, 0, __ATOMIC_RELAXED);
}

void pb_buckets_refill_rule(const struct pb_maps *maps, __u32 id)
{
	refill(&maps->tokens[id]);
}

static void refill_row(struct pb_token_row *row)
{
	for (int i = 0; i < PB_TOKEN_ROW; i++)
		if (__atomic_load_n(&row->bucket[i].full_at, __ATOMIC_RELAXED))
			refill(&row->bucket[i].full_at);
}

void pb_buckets_refill(const struct pb_maps *maps)
{
	__u32 rows = pb_token_rows(maps->config->max_buckets);

	for (__u32 id = 0; id <= maps->config->max_rules; id++)
		refill(&maps->tokens[id]);
	for (__u32 row = 0; row < rows; row++)
		refill_row(&maps->tokens_each[row]);
}
