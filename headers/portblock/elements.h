/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Where an element lies: what the XDP program and the library both compute. Pure C, no map, no helper.
 *
 * An address is looked up once for each length of prefix that may hold it; which those are pb_lengths says,
 * by the first bits of the address. For each length the bits beyond it are masked off, and of what remains
 * and the length a hash is made, with a secret in it. The hash says the segment, the first bucket of the row
 * there and the step to the next one; for IPv6 it gives the 32 bits of the word, too, and the address beside
 * the word says whether it is the one.
 */
#ifndef PORTBLOCK_ELEMENTS_H
#define PORTBLOCK_ELEMENTS_H

#include <portblock/abi.h>

#ifndef PB_INLINE
#define PB_INLINE static inline __attribute__((always_inline))
#endif

/* 128 bits of an address as two numbers, the first bits in `high`; of IPv4 in the upper half of `high`. */
struct pb_address {
	__u64 high;
	__u64 low;
};

/* The first `len` bits, 0 to 64, of a number. */
PB_INLINE __u64 pb_first_bits(__u64 number, __u32 len)
{
	return len ? number >> (64 - len) << (64 - len) : 0;
}

/* Odd numbers whose bits look random: those of xxHash (64 bits). */
#define PB_MIX_A 0x9e3779b185ebca87ULL
#define PB_MIX_B 0xc2b2ae3d27d4eb4fULL

PB_INLINE __u64 pb_mix(__u64 number, __u64 secret)
{
	number = (number ^ secret) * PB_MIX_A;
	number ^= number >> 32;
	number *= secret | 1;
	return number ^ number >> 29;
}

/* The hash of a masked address and its length; `high`: the address in host order. */
PB_INLINE __u64 pb_hash4(__u32 address, __u32 len, const __u64 seed[2])
{
	return pb_mix(((__u64)address << 8 | len) ^ seed[1], seed[0]);
}

PB_INLINE __u64 pb_hash6(struct pb_address address, __u32 len, const __u64 seed[2])
{
	return pb_mix(pb_mix(address.high + len * PB_MIX_B, seed[0]) ^ address.low, seed[1]);
}

/* Which of `nr` segments. */
PB_INLINE __u32 pb_hash_segment(__u64 hash, __u32 nr)
{
	return (hash >> 32) * nr >> 32;
}

/* The bucket at a place of the row, 0 to PB_BUCKET_ROW - 1. The step is odd, so all are different. */
PB_INLINE __u32 pb_hash_bucket(__u64 hash, __u32 place)
{
	return ((__u32)hash + place * ((__u32)(hash >> 12) | 1)) & (PB_BUCKETS - 1);
}

/* The bits that stand for an IPv6 address in its word: others than those that say where it lies. */
PB_INLINE __u32 pb_hash_word(__u64 hash)
{
	return (hash * PB_MIX_B) >> 32;
}

/*
 * Where the lengths of the longer prefixes are: pb_hash_segment() of these says in which segment, the lower bits
 * in which cell.
 */
PB_INLINE __u64 pb_hash_cell4(__u32 address, const __u64 seed[2])
{
	return pb_mix(address >> 12, seed[1]);
}

/* With this hash; of an address of 24 bits, 16 of them are neighbours. */
PB_INLINE __u32 pb_cell4_by_24(__u32 address, __u64 hash)
{
	return ((__u32)hash << 4 | (address >> 8 & 15)) & (PB_CELLS4_BY_24 - 1);
}

PB_INLINE __u32 pb_cell4_by_20(__u64 hash)
{
	return hash >> 12 & (PB_CELLS4_BY_20 - 1);
}

/* By the first 32 bits, and by the first 64. */
PB_INLINE __u64 pb_hash_cell6_by32(__u64 high, const __u64 seed[2])
{
	return pb_mix(high >> 32, seed[0]);
}

PB_INLINE __u64 pb_hash_cell6_by64(__u64 high, const __u64 seed[2])
{
	return pb_mix(high, seed[1]);
}

/* All lengths from 17 on that are worth a look, bit 1 << length. */
PB_INLINE __u64 pb_lengths4(__u32 by20, __u32 by24)
{
	return (__u64)by20 << 17 | (__u64)(by24 & PB_CELL4_25_26) * 3 << 25 |
	       (__u64)(by24 & ~(PB_CELL4_25_26 | PB_CELL4_24)) << 26 | (__u64)(by24 >> 7) << 24;
}

#endif
