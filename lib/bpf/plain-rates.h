/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A plain frame to a port that one rule decides, which has a rate and asks for nothing else (PB_ENTRY_RATE): the flood
 * that the rate is for. It is judged where it was read. What is not done here, a place for a source that has none yet,
 * a look that leaves no trace, a kernel without compare-and-swap, is done by rates.h.
 */
#ifndef PB_BPF_PLAIN_RATES_H
#define PB_BPF_PLAIN_RATES_H

#include "judge.h"

#define OVER_UNKNOWN 2 /* neither over nor not: that takes more than is done here */

/* As token_hash(), of a plain frame. */
PB_INLINE __u64 plain_token_hash(struct xdp_md *ctx, __u32 rule,
				 const struct pb_rule_limits *limits)
{
	bool is4 = is_plain_ipv4(ctx);
	struct pb_address source = {};

	if (is4)
		source.high = (__u64)bpf_ntohl(plain_source4(ctx)) << 32;
	else
		plain_source6(ctx, &source);
	return hash_of_source(source, is4, rule, limits);
}

/*
 * As is_over(), of the source of a plain frame. The two cache lines of a row are asked for before the clock, so that
 * they come while that is read.
 */
PB_INLINE int is_plain_source_over(struct xdp_md *ctx, const struct pb_rule_limits *limits,
				   __u32 key)
{
	__u64 hash = plain_token_hash(ctx, key / PB_SLOTS, limits), now;
	__u32 number = pb_token_row(hash, pb_token_rows), place;
	struct pb_token_row *row = bpf_map_lookup_elem(&pb_tokens_each, &number);

	if (!row)
		return OVER_UNKNOWN;
	PB_TOKEN_LOAD(&row->bucket[0].tag);
	PB_TOKEN_LOAD(&row->bucket[PB_TOKEN_ROW / 2].tag);
	now = token_time(limits->rate.flags);
	place = pb_token_find(row, pb_token_tag(hash));
	if (place >= PB_TOKEN_ROW)
		return OVER_UNKNOWN;
	place = forgotten(place, hash);
	if (take_tokens(ctx, &limits->rate, &row->bucket[masked(place, PB_TOKEN_ROW - 1)].full_at,
			now, number))
		return true;
	return is_total_over(ctx, limits, key, now);
}

/*
 * What becomes of a plain frame whose entry has PB_ENTRY_RATE, as an entry. `key`: of its class in pb_decisions. One
 * call, for the stack of the function that has the frame is that of all others, too.
 */
static __noinline __u32 judge_plain_by_rate(struct xdp_md *ctx, __u64 key)
{
	const struct pb_decision *decision = decision_at(key / PB_SLOTS, key % PB_SLOTS);
	const struct pb_rule_limits *limits;
	__u32 rule, at;
	int over;

	if (!pb_cmpxchg || pb_quiet || !decision)
		return PB_ENTRY_INDIRECT;
	rule = PB_ENTRY_NUMBER(decision->entry);
	at = rule * PB_SLOTS + key % PB_SLOTS;
	limits = bpf_map_lookup_elem(&pb_limits, &at);
	if (!limits)
		return PB_ENTRY_INDIRECT;
	if (limits->each)
		over = is_plain_source_over(ctx, limits, at);
	else
		over = is_rule_over(ctx, &limits->rate, rule, token_time(limits->rate.flags));
	if (over == OVER_UNKNOWN)
		return PB_ENTRY_INDIRECT;
	return over ? decision->entry : pb_config.slots[key % PB_SLOTS].unmatched;
}

#endif
