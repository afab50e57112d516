/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Is a packet beyond the rate of a rule? Its tokens are taken out of a bucket by compare-and-swap: tokens.h has the
 * argument.
 *
 * Kernels before 5.12 do not know that instruction, and refuse a program in which it is, even where it is never
 * reached. So for them the library makes a plain store of each (lib/attach/cmpxchg.c), in whose way it cannot come to
 * be lost; and what is between the load and the store is done under a lock, one of TOKEN_LOCKS, which the row or the
 * rule says. On other kernels that has gone before the program runs: pb_cmpxchg is a constant.
 */
#ifndef PB_BPF_RATES_H
#define PB_BPF_RATES_H

#include <portblock/sources.h>
#include "frame.h"

#define PB_TOKEN_LOAD(at) (*(volatile __u64 *)(at))
#define PB_TOKEN_SWAP(at, old, new) __sync_val_compare_and_swap(at, old, new)
#define PB_TOKEN_LOOP PB_NO_UNROLL
#define PB_TOKEN_UNROLL _Pragma("unroll")
#define PB_TOKEN_PLACE(place, any) masked(forgotten(place, any), PB_TOKEN_ROW - 1)
#define PB_TOKEN_OPAQUE(number) barrier_var(number)
#include <portblock/tokens.h>

/* Now, in ticks. The clock that is read costs 35 ns here, and the one that goes by the kernel's tick 5. */
PB_INLINE __u64 token_time(__u32 flags)
{
	__u64 now;

	if (PB_GIVEN(pb_coarse) && flags & PB_LIMIT_COARSE)
		now = bpf_ktime_get_coarse_ns();
	else
		now = bpf_ktime_get_ns();
	return now << PB_TICKS_SHIFT;
}

PB_INLINE __u64 token_weight(struct xdp_md *ctx, __u32 flags)
{
	if (!(flags & PB_LIMIT_BITS))
		return 1;
	return length_of_frame(ctx);
}

/* Where there is no compare-and-swap. NULL, which never is: the verifier is to be told. */
PB_INLINE struct token_lock *token_lock(__u32 number)
{
	__u32 key = number & (TOKEN_LOCKS - 1);

	return bpf_map_lookup_elem(&pb_token_locks, &key);
}

PB_INLINE void count_evicted(__u64 evicted)
{
	__u32 cpu = bpf_get_smp_processor_id();

	if (cpu >= PB_CPU_ROWS - 1)
		add_shared(&pb_rates.row[PB_CPU_ROWS - 1].evicted, evicted);
	else
		pb_rates.row[cpu].evicted += evicted;
}

/* The hash of a rule and a source of IPv4, in the upper half. */
PB_INLINE __u64 hash_of_source4(__u64 source, const struct pb_rule_limits *limits)
{
	const __u64 seed[2] = { pb_rates.seed[0], pb_rates.seed[1] };

	/* As pb_first_bits(), which has a branch for a length of 0: here there is none. */
	return pb_token_hash4(limits->secret4, source & ~0ULL << (-limits->len4 & 63), seed);
}

PB_INLINE __u64 hash_of_source6(struct pb_address source, const struct pb_rule_limits *limits)
{
	const __u64 seed[2] = { pb_rates.seed[0], pb_rates.seed[1] };

	return pb_token_hash6(limits->secret6, pb_source_first6(source, limits->len6), seed);
}

PB_INLINE __u64 token_hash(struct xdp_md *ctx, __u64 found, const struct pb_rule_limits *limits)
{
	union {
		__be32 words[4];
		__be64 halves[2];
	} address = {};
	struct pb_address source;

	copy_source(ctx, found, address.words); /* it could be read a moment ago */
	source.high = bpf_be64_to_cpu(address.halves[0]);
	source.low = bpf_be64_to_cpu(address.halves[1]);
	if (FOUND_FAMILY(found) == 4)
		return hash_of_source4(source.high, limits);
	return hash_of_source6(source, limits);
}

/* One attempt to give a bucket a place. A call, so that the verifier goes around these loops for one of all. */
__noinline int take_place(__u32 number, __u64 tag, __u64 now)
{
	struct pb_token_row *row = bpf_map_lookup_elem(&pb_tokens_each, &number);
	struct token_lock *lock = NULL;
	__u32 place = PB_TOKEN_NONE;
	__u64 evicted = 0;

	if (!row)
		return PB_TOKEN_NONE;
	if (!PB_GIVEN(pb_cmpxchg)) {
		lock = token_lock(number);
		if (!lock)
			return PB_TOKEN_NONE;
		bpf_spin_lock(&lock->lock);
		place = pb_token_find(row, tag);
	}
	if (place == PB_TOKEN_NONE)
		place = pb_token_take_once(row, tag, now, &evicted);
	if (!PB_GIVEN(pb_cmpxchg))
		bpf_spin_unlock(&lock->lock);
	if (evicted)
		count_evicted(evicted);
	return place;
}

/* The place of the bucket in a row, which is taken if there is none; PB_TOKEN_ROW or more: there is none. */
PB_INLINE __u32 find_place(__u32 number, __u64 tag)
{
	struct pb_token_row *row = bpf_map_lookup_elem(&pb_tokens_each, &number);
	__u32 place;
	__u64 now;

	if (!row)
		return PB_TOKEN_NONE;
	place = pb_token_find(row, tag);
	if (place != PB_TOKEN_NONE || pb_quiet)
		return place;
	now = bpf_ktime_get_ns() << PB_TICKS_SHIFT;
	place = PB_TOKEN_AGAIN;
	PB_NO_UNROLL
	for (int i = 0; place == PB_TOKEN_AGAIN && i < PB_TOKEN_TAKES; i++)
		place = take_place(number, tag, now);
	return place;
}

/* Where the bucket of a packet's source lies: row * PB_TOKEN_ROW + place; negative: it has got none. `key`: of pb_limits. */
__noinline int bucket_of_source(struct xdp_md *ctx, __u64 found, __u32 key)
{
	const struct pb_rule_limits *limits = bpf_map_lookup_elem(&pb_limits, &key);
	__u32 row, place;
	__u64 hash;

	if (!limits)
		return -1;
	hash = token_hash(ctx, found, limits);
	row = pb_token_row(hash, pb_token_rows);
	place = find_place(row, pb_token_tag(hash));
	return place < PB_TOKEN_ROW ? (int)(row * PB_TOKEN_ROW + place) : -1;
}

/* Where a bucket lies: the number of a rule, or of a source (bucket_of_source()) with this bit. */
#define BUCKET_OF_SOURCE (1U << 31)

PB_INLINE __u64 *bucket_at(__u32 at)
{
	__u32 number = at & BUCKET_OF_SOURCE ? (at & ~BUCKET_OF_SOURCE) / PB_TOKEN_ROW : at;
	struct pb_token_row *row;

	if (!(at & BUCKET_OF_SOURCE))
		return bpf_map_lookup_elem(&pb_tokens, &number);
	row = bpf_map_lookup_elem(&pb_tokens_each, &number);
	return row ? &row->bucket[masked(at, PB_TOKEN_ROW - 1)].full_at : NULL;
}

/* Some times more, after another CPU was faster. A call, as take_place(). */
#define TRIES_AT_ONCE (PB_TOKEN_TRIES / 3) /* there is one before */
__noinline int take_again(__u32 at, __u64 now, __u64 cost, __u64 burst)
{
	__u64 *full_at = bucket_at(at), seen;
	int over = PB_TOKEN_LOST;

	if (!full_at)
		return false;
	seen = PB_TOKEN_LOAD(full_at);
	PB_NO_UNROLL
	for (int i = 0; over == PB_TOKEN_LOST && i < TRIES_AT_ONCE; i++)
		over = pb_token_try(full_at, &seen, now, cost, burst);
	return over;
}

/*
 * Takes what a packet costs out of a bucket, which lies at `at`: pb_token_over(). `deep`: by one function, since the
 * stack has no room for another.
 */
PB_INLINE bool take_tokens(struct xdp_md *ctx, const struct pb_limit *limit, __u32 at, __u64 now,
			   bool deep)
{
	__u64 cost = pb_token_cost(limit, token_weight(ctx, limit->flags)), burst = limit->burst;
	__u64 *full_at = bucket_at(at), seen;
	struct token_lock *lock = NULL;
	int over;

	if (!full_at)
		return false;
	if (pb_quiet) /* leaves no trace */
		return cost > pb_token_left(PB_TOKEN_LOAD(full_at), now, burst);
	if (!PB_GIVEN(pb_cmpxchg)) {
		lock = token_lock(at & BUCKET_OF_SOURCE ? at / PB_TOKEN_ROW : at);
		if (!lock)
			return false;
		bpf_spin_lock(&lock->lock);
	}
	seen = PB_TOKEN_LOAD(full_at);
	over = deep ? pb_token_over(full_at, now, cost, burst) :
		      pb_token_try(full_at, &seen, now, cost, burst);
	if (!PB_GIVEN(pb_cmpxchg)) /* where nobody is faster */
		bpf_spin_unlock(&lock->lock);
	if (deep)
		return over;
	/* No loop, since the stack has no room for a counter. */
	if (over == PB_TOKEN_LOST)
		over = take_again(at, now, cost, burst);
	if (over == PB_TOKEN_LOST)
		over = take_again(at, now, cost, burst);
	if (over == PB_TOKEN_LOST)
		over = take_again(at, now, cost, burst);
	return over;
}

/* Takes what a packet costs out of the bucket of all sources. `key`: of pb_limits. A call, which few need. */
__noinline int take_of_total(struct xdp_md *ctx, __u32 key, __u64 now)
{
	const struct pb_rule_limits *limits = bpf_map_lookup_elem(&pb_limits, &key);

	return limits && take_tokens(ctx, &limits->total, key / PB_SLOTS, now, true);
}

/* Are all sources together over the total of a rule, if it has one? */
PB_INLINE bool is_total_over(struct xdp_md *ctx, const struct pb_rule_limits *limits, __u32 key,
			     __u64 now)
{
	return limits->total.mult && take_of_total(ctx, key, now);
}

/*
 * Is the packet beyond the rate of its rule? With `each` first of its source, so what is over there takes nothing
 * out of the bucket of all. `key`: of pb_limits; `at`: bucket_of_source(), with `each`. Who got no bucket is over: the
 * places were given to others, time and again. But one that only looks takes none, for a new one would be full.
 */
__noinline int is_over(struct xdp_md *ctx, __u32 key, int at)
{
	const struct pb_rule_limits *limits = bpf_map_lookup_elem(&pb_limits, &key);
	__u64 now;

	if (!limits)
		return false;
	now = token_time(limits->rate.flags);
	if (!limits->each)
		return take_tokens(ctx, &limits->rate, key / PB_SLOTS, now, false);
	if (at >= 0 ? take_tokens(ctx, &limits->rate, at | BUCKET_OF_SOURCE, now, false) :
		      !pb_quiet)
		return true;
	return is_total_over(ctx, limits, key, now);
}

/* The same of a decision. Two calls, since the stack has no room for what both take. */
PB_INLINE bool is_beyond(struct xdp_md *ctx, __u64 found, const struct pb_decision *decision,
			 __u32 slot)
{
	__u32 key = PB_ENTRY_NUMBER(decision->entry) * PB_SLOTS + slot;
	int at = 0;

	if (decision->flags & PB_DECISION_EACH)
		at = bucket_of_source(ctx, found, key);
	return is_over(ctx, key, at);
}

#endif
