/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A plain frame to a port of which the sets of one decision say all (PB_ENTRY_SETS): the flood of those who are
 * banned. It is judged where it was read. As sets.h, but it ends as soon as the condition's answer is known.
 */
#ifndef PB_BPF_PLAIN_SETS_H
#define PB_BPF_PLAIN_SETS_H

#include "judge.h"

/* Sets of which one says already whether the condition holds. */
PB_INLINE __u64 enough_sets(const struct pb_set_condition *condition)
{
	return condition->except ?: condition->from;
}

/*
 * What a quick look needs to know, in few registers: the address, and of the tables those of IPv4. It has no
 * stack to speak of, for this is the first of many frames.
 */
#define QUICK(address, tables)                                              \
	((__u64)(address) << 32 | (__u64)PB_TABLES_SEGMENTS4(tables) << 1 | \
	 PB_TABLES_GENERATION(tables))
#define QUICK_ADDRESS(quick) ((__u32)((quick) >> 32))
#define QUICK_TABLES(quick) PB_TABLES((quick)&1, (quick) >> 1 & 0x1ff, 0)

/*
 * So many lengths are looked for here; where one address may be held by prefixes of more, the long way goes on. (The
 * verifier goes around a loop as often as it may, and on each way through it.)
 */
#define QUICK_LENGTHS 4
#define QUICK_NOT \
	(1ULL << 63) /* beside the bits of lengths, 0 to 32: a quick look does not say all */

/*
 * The sets that hold the first `len` bits for good, by the first bucket of its row; QUICK_NOT where one holds them for
 * a time, several do, or the row goes on.
 */
PB_INLINE __u64 quick_sets_of_prefix4(__u64 quick, __u32 len, __u64 *lengths)
{
	const volatile __u64 *seeds = pb_sets.seed;
	const __u64 seed[2] = { seeds[0], seeds[1] };
	__u32 address = QUICK_ADDRESS(quick) & (0xffffffff00000000ULL >> (len & 63));
	__u64 hash = pb_hash4(address, len, seed), key = PB_ELEMENT_WORD(address, len);
	const struct pb_segment4 *segment = segment4_of(hash, QUICK_TABLES(quick));
	struct in_bucket in;
	__u64 sets = 0;

	if (!segment)
		return 0;
	in = in_bucket(segment->word[bucket_of(hash, 0)], key);
	if (has_key(in.sum, key) && !(in.sum & PB_ELEMENT_EXPIRES))
		sets = set_of_word(in.sum);
	else if (unlikely(in.sum))
		*lengths |= QUICK_NOT;
	if (unlikely(in.last & PB_ELEMENT_OVERFLOWN))
		*lengths |= QUICK_NOT;
	return sets;
}

/* As sets_of_frequent4(). */
PB_INLINE __u64 sets_of_frequent6(__u64 high, __u64 low, __u32 len, __u64 tables)
{
	const struct pb_address address = { high, low };
	const __u64 seed[2] = { pb_sets.seed[0], pb_sets.seed[1] };
	__u64 hash = pb_hash6(address, len, seed), sets;
	__u64 key = PB_ELEMENT_WORD(pb_hash_word(hash), len);
	const struct pb_segment6 *segment = segment6_of(hash, tables);
	bool goes_on;

	if (!segment)
		return 0;
	sets = sets_in_bucket6(segment, bucket_of(hash, 0), key, address, &goes_on);
	return unlikely(goes_on) ? sets_of_prefix6(high, low, len, tables) : sets;
}

/* What a packet comes to, where the sets of one decision say whether that decides; else the policy does. */
PB_INLINE __u32 entry_by_sets(const struct pb_decision *decision, bool decides, __u32 slot)
{
	return decides ? decision->entry : pb_config.slots[slot & 1].unmatched;
}

/* Do these sets settle it, whatever others hold the source? */
PB_INLINE bool are_enough(__u64 key, __u64 sets)
{
	const struct pb_decision *decision = sets ? decision_at(key / PB_SLOTS, key % PB_SLOTS) :
						    NULL;

	return decision && sets & enough_sets(condition_at(key % PB_SLOTS, decision->mix));
}

/*
 * Of a table of more than one segment no cache near the processor holds all. There a host is looked for before the
 * lengths are: one that is banned is known by a single line of memory. In a smaller one the bits of lengths are near,
 * and say for less that there is no host.
 */
#define HOSTS_FIRST(quick) (PB_TABLES_SEGMENTS4(QUICK_TABLES(quick)) > 1)

/*
 * The lengths that are still to be looked for, and QUICK_NOT of `lengths`. What a bucket says of others is nothing to a
 * host whose length has no bit: that is stored before the element is.
 */
PB_INLINE __u64 more_lengths(__u64 quick, __u64 lengths)
{
	__u64 all = lengths_of_ipv4(QUICK_ADDRESS(quick), QUICK_TABLES(quick));

	if (!HOSTS_FIRST(quick))
		return all;
	return all & BIT(32) ? lengths | (all & ~BIT(32)) : all;
}

/*
 * Of a packet of IPv4 whose entry has PB_ENTRY_SETS, without a call, for a return costs more than a look where
 * returns are guarded. PB_ENTRY_INDIRECT: that would not do.
 */
PB_INLINE __u32 judge_plain4(struct xdp_md *ctx, __u32 key)
{
	const volatile struct pb_sets *all = &pb_sets;
	__u64 tables = all->tables, quick = QUICK(bpf_ntohl(plain_source4(ctx)), tables);
	__u64 sets = 0, lengths = 0;
	const struct pb_set_condition *condition;
	const struct pb_decision *decision;

	barrier_var(quick); /* else clang keeps on the stack what it is made of */
	if (HOSTS_FIRST(quick))
		sets = quick_sets_of_prefix4(quick, 32, &lengths);
	barrier_var(quick);
	if (PB_TABLES_SEGMENTS4(QUICK_TABLES(quick)) && !are_enough(key, sets))
		lengths = more_lengths(quick, lengths);
	barrier_var(quick);
	PB_NO_UNROLL
	for (__u32 i = 0; lengths & ~QUICK_NOT && i < QUICK_LENGTHS; i++) {
		__u64 bit = lengths & -lengths;

		lengths ^= bit;
		sets |= quick_sets_of_prefix4(quick, place_of_bit(bit), &lengths);
		barrier_var(lengths);
		barrier_var(quick);
	}
	decision = decision_at(key / PB_SLOTS, key % PB_SLOTS);
	if (!decision)
		return PB_ENTRY_INDIRECT;
	condition = condition_at(key % PB_SLOTS, decision->mix);
	if (lengths && !(sets & enough_sets(condition))) /* a length, too */
		return PB_ENTRY_INDIRECT;
	return entry_by_sets(decision, are_sets_right(condition, sets), key % PB_SLOTS);
}

/*
 * Of IPv6, which takes a call. Lists are made of hosts and of networks of 64 bits; where others are worth a look,
 * and these do not settle it, PB_ENTRY_INDIRECT.
 */
static __noinline int judge_plain6(struct xdp_md *ctx, __u32 key)
{
	const struct pb_decision *decision = decision_at(key / PB_SLOTS, key % PB_SLOTS);
	const volatile struct pb_sets *all = &pb_sets;
	const struct pb_set_condition *condition;
	struct lengths6 lengths = {};
	struct pb_address source;
	__u64 tables = all->tables, sets = 0;

	if (!decision || !plain_source6(ctx, &source))
		return PB_ENTRY_INDIRECT;
	condition = condition_at(key % PB_SLOTS, decision->mix);
	if (PB_TABLES_SEGMENTS6(tables) && !lengths_of_ipv6(source.high, tables, &lengths))
		return PB_ENTRY_INDIRECT;
	if (lengths.from65 & BIT(128 - 65))
		sets = sets_of_frequent6(source.high, source.low, 128, tables);
	if (lengths.from33 & BIT(64 - 33) && !(sets & enough_sets(condition)))
		sets |= sets_of_frequent6(source.high, 0, 64, tables);
	if (!(sets & enough_sets(condition)) &&
	    (lengths.from65 & ~BIT(128 - 65) || lengths.from33 & ~BIT(64 - 33) || lengths.from0))
		return PB_ENTRY_INDIRECT;
	return entry_by_sets(decision, are_sets_right(condition, sets), key % PB_SLOTS);
}

/* A plain frame whose entry has PB_ENTRY_SETS. `key`: of its class in pb_decisions. */
PB_INLINE __u32 judge_plain_by_sets(struct xdp_md *ctx, __u32 key)
{
	return is_plain_ipv4(ctx) ? judge_plain4(ctx, key) : judge_plain6(ctx, key);
}

#endif
