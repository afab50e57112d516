/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Token buckets: what the XDP program does for each packet that comes to a rate, and what the library, the
 * tests and the model check do likewise. Pure C, no map, no helper, no clock: the time comes from the caller.
 *
 * A bucket is one number, `full_at`: when it will be full, in ticks of 1/16 ns (struct pb_limit). This is the
 * virtual scheduling algorithm of ITU-T I.371, annex A, whose "theoretical arrival time" it is. A packet puts it
 * off by what the packet costs, and is over the rate if it were more than `burst` ahead of now then: so a full bucket
 * lets a burst go, and after that as many as come back with time. Nothing has to be done while no packet comes.
 *
 * Times are compared by their difference, so it does not matter that ticks wrap around (every 36 years). A packet's
 * time may be older than that of another which was let go since: then the bucket is a little further ahead than `burst`,
 * and is left so. One that is more than a second further ahead was left by another limit, or by a time half a wrap ago:
 * it is empty then, which is written down, so that it fills from now on.
 *
 * Several CPUs change a bucket at once, by compare-and-swap. Who loses looks again at what is there, and each loss
 * means that another packet was let go, or that an impossible time was put right. After PB_TAKE_TRIES losses a packet
 * counts as over: that many others went in the meantime. So no packet is let go that is not paid for.
 */
#ifndef PORTBLOCK_TOKENS_H
#define PORTBLOCK_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <portblock/elements.h>

#define PB_TAKE_TRIES 16
#define PB_TICKS_STRAY \
	(1000000000ULL << PB_TICKS_SHIFT) /* so much older a packet's time never is */

/* A full barrier, as BPF has it (Linux 5.12); what was there before. */
#define PB_COMPARE_AND_SWAP(word, was, now) __sync_val_compare_and_swap(word, was, now)
#define PB_READ_ONCE(word) (*(const volatile __u64 *)&(word))

/* A time of CLOCK_MONOTONIC, ns, in ticks. */
PB_INLINE __u64 pb_ticks(__u64 ns)
{
	return ns << PB_TICKS_SHIFT;
}

/* What a packet of so many bytes costs, in ticks. */
PB_INLINE __u64 pb_token_cost(const struct pb_limit *limit, __u64 bytes)
{
	__u64 weight = limit->flags & PB_LIMIT_BITS ? bytes : 1;

	return weight * limit->mult >> limit->shift;
}

/*
 * How far a bucket is from full, in ticks: 0 to `burst`, and beyond where time went back. Without branches, as
 * are the look-ups below: the verifier would follow each.
 */
PB_INLINE __u64 pb_token_missing(__u64 full_at, __u64 now)
{
	__s64 ahead = full_at - now;

	return ahead & ~(ahead >> 63);
}

/* What a bucket becomes by a packet; `over`: the packet is over the rate. */
PB_INLINE __u64 pb_token_next(__u64 full_at, __u64 now, __u64 burst, __u64 cost, bool *over)
{
	__u64 missing = pb_token_missing(full_at, now);

	*over = missing + cost > burst;
	if (missing > burst + PB_TICKS_STRAY)
		return now + burst;
	return *over ? full_at : now + missing + cost;
}

/* Takes what a packet costs out of a bucket, if it is there; else true: it is over the rate. */
PB_INLINE bool pb_tokens_take(__u64 *full_at, __u64 now, __u64 burst, __u64 cost)
{
	bool over;

	for (int i = 0; i < PB_TAKE_TRIES; i++) {
		__u64 was = PB_READ_ONCE(*full_at);
		__u64 next = pb_token_next(was, now, burst, cost, &over);

		if (next == was || PB_COMPARE_AND_SWAP(full_at, was, next) == was)
			return over;
	}
	return true;
}

/* ---- Of sources ------------------------------------------------------------------------------ */

/*
 * The hash of a rule and a prefix of sources, which nobody can aim at without the seed. `rule`: its id and how often
 * its buckets were refilled, by which those from before are others'. Its lower bits say the row, all of it is the tag.
 * Two of them that share 64 bits would share a bucket.
 */
PB_INLINE __u64 pb_token_tag(__u64 rule, __u32 family, struct pb_address prefix,
			     const __u64 seed[2])
{
	__u64 hash = pb_mix(pb_mix(prefix.high ^ rule * PB_MIX_B, seed[0]) ^ prefix.low ^ family,
			    seed[1]);

	return hash < PB_TAG_FIRST ? PB_TAG_FIRST : hash;
}

/* The first `len` bits of an address; of IPv4 in the upper half of `high`. */
PB_INLINE struct pb_address pb_token_prefix(struct pb_address address, __u32 len)
{
	if (len < 64)
		return (struct pb_address){ pb_first_bits(address.high, len), 0 };
	return (struct pb_address){ address.high, pb_first_bits(address.low, len - 64) };
}

/* How many bits of eight are set. */
PB_INLINE __u32 pb_bits_of_8(__u32 bits)
{
	bits -= bits >> 1 & 0x55;
	bits = (bits & 0x33) + (bits >> 2 & 0x33);
	return (bits + (bits >> 4)) & 15;
}

/* Its place in the row, the first one; PB_TOKEN_ROW: it has none. */
PB_INLINE __u32 pb_token_find(const struct pb_token_row *row, __u64 tag)
{
	__u32 found = 0;

	for (__u32 i = 0; i < PB_TOKEN_ROW; i++) {
		__u64 other = PB_READ_ONCE(row->tag[i]) ^ tag;

		found |= (__u32)(~(other | -other) >> 63) << i;
	}
	return pb_bits_of_8(((found & -found) - 1) & 0xff);
}

/* The place whose bucket misses least, and how much, to 8 ticks: a free one misses nothing. */
PB_INLINE __u32 pb_token_fullest(const struct pb_token_row *row, __u64 now, __u64 *missing)
{
	__s64 least = 0;

	for (__u32 i = 0; i < PB_TOKEN_ROW; i++) {
		__s64 misses = (pb_token_missing(PB_READ_ONCE(row->full_at[i]), now) & ~7ULL) | i;

		least = i ? least + ((misses - least) & (misses - least) >> 63) : misses;
	}
	*missing = least & ~7ULL;
	return least & 7;
}

/*
 * Takes a place for a bucket that has none. Its tag is PB_TAG_TAKEN until the bucket is full, so nobody finds it
 * with another's level. PB_TOKEN_ROW: another took this place first, or its own bucket was taken from it again. Two CPUs that take places for one bucket at once both look afterwards, and each tag is written
 * before its writer looks; so whoever has the higher place sees the lower one, or was done before that was written,
 * and then everybody who comes later finds the lower one first. What it costs is that a bucket lets one packet a CPU
 * go beyond its burst when it is new.
 */
PB_INLINE __u32 pb_token_replace(struct pb_token_row *row, __u64 tag, __u64 now, __u64 *missing)
{
	__u32 place = pb_token_fullest(row, now, missing), first;
	__u64 was = PB_READ_ONCE(row->tag[place]);

	if (was == PB_TAG_TAKEN || PB_COMPARE_AND_SWAP(&row->tag[place], was, PB_TAG_TAKEN) != was)
		return PB_TOKEN_ROW;
	row->full_at[place] = now;
	PB_COMPARE_AND_SWAP(&row->tag[place], PB_TAG_TAKEN, tag);
	first = pb_token_find(row, tag);
	if (first < place)
		PB_COMPARE_AND_SWAP(&row->tag[place], tag, PB_TAG_FREE);
	return first;
}

#endif
