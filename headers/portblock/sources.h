/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Where the sources of rules lie, and what is said there: what the XDP program and the library both compute.
 * Pure C, no map, no helper. See struct pb_source_decision in abi.h.
 *
 * The tables of a slot do not change while packets are judged by it. So they are made such that each prefix lies at
 * a place of its own, and one look says whether it is there: a hash of what is looked for says a segment and a
 * step there; the step, which was sought until it fitted, makes different places of the hashes that share it.
 */
#ifndef PORTBLOCK_SOURCES_H
#define PORTBLOCK_SOURCES_H

#include <portblock/elements.h>

/* What is looked for: all that begins with bits of an address, or a prefix of that length. */
#define PB_SOURCE_BY_BITS(len) (0x100U | (len))
#define PB_SOURCE_BY_PREFIX(len) (len)

/* IPv4: an address in host order << 32, of which no bits are set beyond those that are looked for by. */
PB_INLINE __u64 pb_source_hash4(__u64 address, __u32 by, __u32 first, const __u64 seed[2])
{
	return pb_mix(address ^ ((__u64)first << 9 | by) ^ seed[1], seed[0]);
}

PB_INLINE __u64 pb_source_hash6(struct pb_address address, __u32 by, __u32 first,
				const __u64 seed[2])
{
	__u64 number = address.high ^ ((__u64)first << 9 | by) * PB_MIX_B;

	return pb_mix(pb_mix(number, seed[0]) ^ address.low, seed[1]);
}

/* The number of the step, and what place that makes of the hash. */
PB_INLINE __u32 pb_source_step(__u64 hash)
{
	return hash & (PB_SOURCE_STEPS - 1);
}

PB_INLINE __u32 pb_source_place(__u64 hash, __u32 step)
{
	return ((__u32)hash + step * (__u32)(hash >> 32)) >> 20;
}

/* Do the first `len` bits of two numbers not differ? 63 less `len`, for a length of 0 to 63. */
PB_INLINE int pb_source_same(__u64 a, __u64 b, __u32 less)
{
	return !((a ^ b) >> 1 >> less);
}

/* Is it a prefix, of at least `len` bits, that holds the address? */
PB_INLINE int pb_source_holds4(__u64 word, __u64 address, __u32 len)
{
	__u32 less = word & PB_SOURCE_LOW;

	return less <= 63 - len && pb_source_same(word, address, less);
}

/* Is it the one of exactly these `len` bits? */
PB_INLINE int pb_source_is4(__u64 word, __u64 bits, __u32 len)
{
	return !((word ^ (bits | (63 - len))) & (0xffffffff00000000ULL | PB_SOURCE_LOW));
}

/* Does it say the lengths of several, of the address's first 8, 16 or 24 bits? */
PB_INLINE int pb_source_several4(__u64 word, __u64 address, __u32 level)
{
	return (word & PB_SOURCE_LOW & ~PB_SOURCE_LENGTHS) == PB_SOURCE_SEVERAL(level / 8) &&
	       pb_source_same(word, address, 63 - level);
}

/* Do all but the last `less` bits of an IPv6 address not differ? */
PB_INLINE int pb_source_same6(const struct pb_source_entry6 *entry, struct pb_address address,
			      __u32 less)
{
	if (less > 64)
		return pb_source_same(entry->high, address.high, less - 65);
	return entry->high == address.high && (less == 64 || !((entry->low ^ address.low) >> less));
}

PB_INLINE int pb_source_holds6(const struct pb_source_entry6 *entry, struct pb_address address,
			       __u32 len)
{
	__u32 less = entry->word & PB_SOURCE_LOW;

	return less <= 128 - len && pb_source_same6(entry, address, less);
}

/* The first `len` bits, 0 to 128; without a branch, of which the verifier would go each way. */
PB_INLINE struct pb_address pb_source_first6(struct pb_address address, __u32 len)
{
	__u64 mask = ~0ULL << 1 << (~len & 63), beyond_high = -(__u64)((len >> 6 | len >> 7) & 1);

	address.high &= mask | beyond_high;
	address.low &= (mask & beyond_high) | -(__u64)(len >> 7 & 1);
	return address;
}

PB_INLINE int pb_source_is6(const struct pb_source_entry6 *entry, struct pb_address bits, __u32 len)
{
	return !((((__u32)entry->word & PB_SOURCE_LOW) ^ (128 - len)) | (entry->high ^ bits.high) |
		 (entry->low ^ bits.low));
}

/* Of the first 32 or 64 bits. */
PB_INLINE int pb_source_several6(const struct pb_source_entry6 *entry, struct pb_address address,
				 __u32 level)
{
	return (entry->word & PB_SOURCE_LOW & ~PB_SOURCE_LENGTHS) ==
		       PB_SOURCE_SEVERAL(level / 32) &&
	       !((entry->high ^ address.high) >> (64 - level));
}

#endif
