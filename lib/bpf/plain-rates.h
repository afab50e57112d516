/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A plain frame to a port that the rate of one rule decides (PB_ENTRY_RATE): the flood that the rate is for. It is
 * judged where it was read. What is not done here, a place for a source that has none yet, a second try where another
 * CPU was faster, a look that leaves no trace, a kernel without compare-and-swap, is done by rates.h.
 */
#ifndef PB_BPF_PLAIN_RATES_H
#define PB_BPF_PLAIN_RATES_H

#include "judge.h"

#define OVER_UNKNOWN PB_TOKEN_LOST /* neither over nor not: that takes more than is done here */

/* As take_tokens(), once. */
PB_INLINE int try_tokens(const struct pb_limit *limit, __u64 *full_at, __u64 length, __u64 now)
{
	__u64 cost = pb_token_cost(limit, limit->flags & PB_LIMIT_BITS ? length : 1), seen;

	seen = PB_TOKEN_LOAD(full_at);
	return pb_token_try(full_at, &seen, now, cost, limit->burst);
}

PB_INLINE __u64 plain_token_hash(struct xdp_md *ctx, const struct pb_rule_limits *limits)
{
	struct pb_address source;

	if (is_plain_ipv4(ctx))
		return hash_of_source4((__u64)bpf_ntohl(plain_source4(ctx)) << 32, limits);
	return plain_source6(ctx, &source) ? hash_of_source6(source, limits) : 0;
}

/*
 * As is_over(), of the source of a plain frame. The two cache lines of a row are asked for before the clock, so that
 * they come while that is read. A call, for the stack of the function that has the frame is that of all others, too.
 */
static __noinline int is_plain_source_over(struct xdp_md *ctx, __u64 length, __u32 key,
					   const struct pb_rule_limits *limits)
{
	struct pb_token_row *row;
	__u32 number, place;
	__u64 hash, now;
	int over;

	hash = plain_token_hash(ctx, limits);
	number = pb_token_row(hash, pb_token_rows);
	row = bpf_map_lookup_elem(&pb_tokens_each, &number);
	if (!row)
		return OVER_UNKNOWN;
	PB_TOKEN_LOAD(&row->bucket[0].tag);
	PB_TOKEN_LOAD(&row->bucket[PB_TOKEN_ROW / 2].tag);
	now = token_time(limits->rate.flags);
	place = pb_token_find_at_once(row, pb_token_tag(hash));
	if (place >= PB_TOKEN_ROW)
		return OVER_UNKNOWN;
	place = forgotten(place, hash);
	over = try_tokens(&limits->rate, &row->bucket[masked(place, PB_TOKEN_ROW - 1)].full_at,
			  length, now);
	return over ? over : is_total_over(ctx, limits, key, now);
}

/* The same of a rule's own bucket. */
PB_INLINE int is_plain_rule_over(const struct pb_rule_limits *limits, __u64 length, __u32 key)
{
	__u64 now = token_time(limits->rate.flags), *full_at;
	__u32 rule = key / PB_SLOTS;

	full_at = bpf_map_lookup_elem(&pb_tokens, &rule);
	return full_at ? try_tokens(&limits->rate, full_at, length, now) : OVER_UNKNOWN;
}

/* What becomes of a plain frame whose entry has PB_ENTRY_RATE, as an entry. `key`: of its rule in pb_limits. */
PB_INLINE __u32 judge_plain_by_rate(struct xdp_md *ctx, __u64 length, __u32 key)
{
	const struct pb_rule_limits *limits;
	int over;

	if (!PB_GIVEN(pb_cmpxchg) || pb_quiet)
		return PB_ENTRY_INDIRECT;
	limits = bpf_map_lookup_elem(&pb_limits, &key);
	if (!limits)
		return PB_ENTRY_INDIRECT;
	if (limits->each)
		over = is_plain_source_over(ctx, length, key, limits);
	else
		over = is_plain_rule_over(limits, length, key);
	if (over == OVER_UNKNOWN)
		return PB_ENTRY_INDIRECT;
	return over ? limits->entry : pb_config.slots[key % PB_SLOTS].unmatched;
}

#endif
