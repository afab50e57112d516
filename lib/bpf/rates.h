/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rates: is a packet beyond what a rule, or its source, may have? How buckets work: <portblock/tokens.h>. */
#ifndef PB_BPF_RATES_H
#define PB_BPF_RATES_H

#include <portblock/tokens.h>
#include "frame.h"

/*
 * A kernel before 5.12 has no compare-and-swap: there the library puts a plain store in its place
 * (lib/attach/swap.c), and a lock stands around all that lies between the reading and the store. No helper may be
 * called meanwhile. All buckets share PB_LOCKS of them.
 */
PB_INLINE struct lock *lock_of(__u64 number)
{
	__u32 key = number % PB_LOCKS;

	return pb_no_swap ? bpf_map_lookup_elem(&pb_locks, &key) : NULL;
}

PB_INLINE void lock(struct lock *lock)
{
	if (pb_no_swap && lock)
		bpf_spin_lock(&lock->lock);
}

PB_INLINE void unlock(struct lock *lock)
{
	if (pb_no_swap && lock)
		bpf_spin_unlock(&lock->lock);
}

/* A tick of the coarse clock is as right where a bucket holds many; then it costs a tenth. */
PB_INLINE __u64 ticks_now(const struct pb_limit *limit)
{
	if (pb_coarse_clock && limit->flags & PB_LIMIT_COARSE)
		return pb_ticks(bpf_ktime_get_coarse_ns());
	return pb_ticks(bpf_ktime_get_ns());
}

PB_INLINE __u64 cost_of(struct xdp_md *ctx, const struct pb_limit *limit)
{
	return pb_token_cost(limit, limit->flags & PB_LIMIT_BITS ? packet_length(ctx) : 1);
}

/* Takes what a packet costs out of a bucket; true: it is over the rate. */
PB_INLINE bool take(struct xdp_md *ctx, __u64 *full_at, const struct pb_limit *limit, __u64 now,
		    __u32 number)
{
	__u64 cost = cost_of(ctx, limit), burst = limit->burst;
	struct lock *held = lock_of(number);
	bool over;

	lock(held);
	over = pb_tokens_take(full_at, now, burst, cost);
	unlock(held);
	return over;
}

PB_INLINE void count_evicted(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	__sync_fetch_and_add(&pb_rates.row[cpu < PB_CPU_ROWS ? cpu : PB_CPU_ROWS - 1].evicted, 1);
}

/* The bits of the source that a bucket is about, and of which family. */
PB_INLINE __u64 tag_of_source(struct xdp_md *ctx, __u64 found, const struct pb_rule_limits *limits,
			      __u64 rule)
{
	__u32 family = FOUND_FAMILY(found);
	__be32 source[4] = {};
	struct pb_address address = {};

	copy_source(ctx, found, source);
	address.high = (__u64)bpf_ntohl(source[0]) << 32 | bpf_ntohl(source[1]);
	address.low = (__u64)bpf_ntohl(source[2]) << 32 | bpf_ntohl(source[3]);
	address = pb_token_prefix(address, family == 6 ? limits->len6 : limits->len4);
	return pb_token_tag(rule, family, address, pb_rates.seed);
}

/* The place of a source's bucket, made if it is not there. */
PB_INLINE __u32 place_of(struct pb_token_row *row, __u64 tag, __u64 now, __u32 number)
{
	struct lock *held = lock_of(number);
	__u64 missing = 0;
	__u32 place;

	lock(held);
	place = pb_token_find(row, tag);
	if (place >= PB_TOKEN_ROW)
		place = pb_token_replace(row, tag, now, &missing);
	unlock(held);
	if (missing && place < PB_TOKEN_ROW)
		count_evicted();
	return place;
}

/* Where no place is to be had, other CPUs are making all of the row others': it is over then. */
PB_INLINE bool is_source_over(struct xdp_md *ctx, __u64 tag, const struct pb_rule_limits *limits,
			      __u64 now)
{
	__u32 number = tag & (pb_token_rows - 1), place;
	struct pb_token_row *row = bpf_map_lookup_elem(&pb_tokens_each, &number);

	if (!row)
		return false;
	place = place_of(row, tag, now, number);
	return place >= PB_TOKEN_ROW || take(ctx, &row->full_at[place], &limits->rate, now, number);
}

/*
 * Is the packet over the rate of a rule? Of a source first: what one sends too much is not to use up what all of them
 * may send together.
 */
__noinline int is_over(struct xdp_md *ctx, __u64 found, __u32 key)
{
	const struct pb_rule_limits *limits = bpf_map_lookup_elem(&pb_limits, &key);
	__u32 rule = key / PB_SLOTS;
	struct pb_tokens *tokens = bpf_map_lookup_elem(&pb_tokens, &rule);
	__u64 now;

	if (!limits || !tokens)
		return false;
	now = ticks_now(&limits->rate);
	if (!limits->each)
		return take(ctx, &tokens->full_at, &limits->rate, now, rule);
	if (is_source_over(ctx, tag_of_source(ctx, found, limits, tokens->refills << 16 | rule),
			   limits, now))
		return true;
	return limits->total.mult && take(ctx, &tokens->full_at, &limits->total, now, rule);
}

#endif
