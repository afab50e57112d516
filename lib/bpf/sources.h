/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which of the sources in rules holds that of a packet: the answer of the longest prefix of a mix. The tables of a slot
 * stay as they are while it is read, so there is one look at a place for each level. See doc/sets.md, "In rules".
 */
#ifndef PB_BPF_SOURCES_H
#define PB_BPF_SOURCES_H

#include <portblock/sources.h>
#include "frame.h"

#define NO_ANSWER (-1)
#define LENGTHS_AT_ONCE4 3
#define LENGTHS_AT_ONCE6 8

PB_INLINE const struct pb_source_decision *source_decision_at(__u32 key)
{
	return bpf_map_lookup_elem(&pb_decisions, &key);
}

PB_INLINE void *source_segment_of(void *segments, __u64 hash, __u32 nr, __u32 slot)
{
	return inner_entry(segments, pb_hash_segment(hash, nr) * PB_SLOTS + slot);
}

/* Where in the segment: the step is read at the hash's number, and the place follows. */
PB_INLINE __u64 source_place(const __u16 step[PB_SOURCE_STEPS], __u64 hash)
{
	return masked(pb_source_place(hash, step[masked(hash, PB_SOURCE_STEPS - 1)]),
		      PB_SOURCE_PLACES - 1);
}

/* The answer that a word has, if it is one of this mix. */
PB_INLINE int answer_of(const struct pb_source_decision *mix, __u64 word)
{
	__u32 answer = PB_SOURCE_ANSWER(word) - mix->first;

	return answer < mix->answers ? (int)answer : NO_ANSWER;
}

/* ---- IPv4: addresses are in the upper half ------------------------------------------------- */

/* What lies at the place of what is looked for. */
PB_INLINE __u64 source_word4(const struct pb_source_decision *mix, __u32 slot, __u64 address,
			     __u32 by)
{
	const __u64 seed[2] = { pb_sets.seed[0], pb_sets.seed[1] };
	__u64 hash = pb_source_hash4(address, by, mix->first, seed);
	const struct pb_source_segment4 *segment =
		source_segment_of(&pb_sources4, hash, mix->segments4, slot);

	return segment ? segment->word[source_place(segment->step, hash)] : 0;
}

#define MORE_LENGTHS (-2) /* no answer by these, and there are others */

/*
 * By the first of lengths: bit i is `longest` - i. `key`: of the mix in pb_decisions. No more in one loop: the verifier
 * goes around it as often as it may.
 */
__noinline int answer_by_some4(__u64 address, __u32 lengths, __u32 longest, __u32 key)
{
	const struct pb_source_decision *mix = source_decision_at(key);

	if (!mix)
		return NO_ANSWER;
	PB_NO_UNROLL
	for (int i = 0; lengths && i < LENGTHS_AT_ONCE4; i++, lengths &= lengths - 1) {
		__u32 len = (longest - place_of_bit(lengths & -lengths)) & 63;
		__u64 bits = pb_first_bits(address, len), word;
		int answer;

		word = source_word4(mix, key & 1, bits, PB_SOURCE_BY_PREFIX(len));
		answer = pb_source_is4(word, bits, len) ? answer_of(mix, word) : NO_ANSWER;
		if (answer >= 0)
			return answer;
	}
	return lengths ? MORE_LENGTHS : NO_ANSWER;
}

/* By those after the first. */
__noinline int answer_by_others4(__u64 address, __u32 lengths, __u32 longest, __u32 key)
{
	int answer = MORE_LENGTHS;

	PB_NO_UNROLL
	for (int i = 0; answer == MORE_LENGTHS && i < 9 / LENGTHS_AT_ONCE4; i++) {
		_Pragma("unroll") for (int j = 0; j < LENGTHS_AT_ONCE4; j++) lengths &= lengths - 1;
		answer = answer_by_some4(address, lengths, longest, key);
	}
	return answer;
}

/* By lengths, up to nine of them. */
PB_INLINE int answer_by_lengths4(__u64 address, __u32 lengths, __u32 longest, __u32 key)
{
	int answer = answer_by_some4(address, lengths, longest, key);

	return answer == MORE_LENGTHS ? answer_by_others4(address, lengths, longest, key) : answer;
}

PB_INLINE int answer_at_level4(const struct pb_source_decision *mix, __u64 address, __u32 level,
			       __u32 key)
{
	__u64 word =
		source_word4(mix, key & 1, pb_first_bits(address, level), PB_SOURCE_BY_BITS(level));

	/* What lies there of others differs in these bits, so this is foreseen where the next would not be. */
	if (!pb_source_same(word, address, 63 - level))
		return NO_ANSWER;
	if (pb_source_holds4(word, address, level))
		return answer_of(mix, word);
	if (pb_source_several4(word, address, level) && answer_of(mix, word) >= 0)
		return answer_by_lengths4(address, word & PB_SOURCE_LENGTHS, level + 8, key);
	return NO_ANSWER;
}

/* By prefixes shorter than 24 bits. */
PB_INLINE int answer_of_networks4(const struct pb_source_decision *mix, __u32 key, __u64 address)
{
	int answer = NO_ANSWER;

	if (mix->levels & PB_LEVEL4(16))
		answer = answer_at_level4(mix, address, 16, key);
	if (answer < 0 && mix->levels & PB_LEVEL4(8))
		answer = answer_at_level4(mix, address, 8, key);
	if (answer < 0 && mix->lengths4)
		answer = answer_by_lengths4(address, mix->lengths4, 7, key);
	return answer;
}

PB_INLINE int answer_of_ipv4(const struct pb_source_decision *mix, __u32 key, __u64 address)
{
	int answer = NO_ANSWER;

	if (mix->levels & PB_LEVEL4(24))
		answer = answer_at_level4(mix, address, 24, key);
	return answer < 0 ? answer_of_networks4(mix, key, address) : answer;
}

/* ---- IPv6 ---------------------------------------------------------------------------------- */

PB_INLINE const struct pb_source_entry6 *
source_entry6(const struct pb_source_decision *mix, __u32 slot, struct pb_address address, __u32 by)
{
	const __u64 seed[2] = { pb_sets.seed[0], pb_sets.seed[1] };
	__u64 hash = pb_source_hash6(address, by, mix->first, seed);
	const struct pb_source_segment6 *segment =
		source_segment_of(&pb_sources6, hash, mix->segments6, slot);

	return segment ? &segment->entry[source_place(segment->step, hash)] : NULL;
}

/* The answer of the prefix of that length. */
PB_INLINE int answer_by_length6(const struct pb_source_decision *mix, __u32 slot, __u64 high,
				__u64 low, __u32 len)
{
	const struct pb_address address = { high, low };
	const struct pb_address bits = pb_source_first6(address, len);
	const struct pb_source_entry6 *entry =
		source_entry6(mix, slot, bits, PB_SOURCE_BY_PREFIX(len));

	return entry && pb_source_is6(entry, bits, len) ? answer_of(mix, entry->word) : NO_ANSWER;
}

/* By the first of lengths: bit i is `longest` - i. */
__noinline int answer_by_some6(__u64 high, __u64 low, __u64 lengths, __u32 longest, __u32 key)
{
	const struct pb_source_decision *mix = source_decision_at(key);

	if (!mix)
		return NO_ANSWER;
	PB_NO_UNROLL
	for (int i = 0; lengths && i < LENGTHS_AT_ONCE6; i++, lengths &= lengths - 1) {
		__u32 len = (longest - place_of_bit(lengths & -lengths)) & 0xff;
		int answer = answer_by_length6(mix, key & 1, high, low, len);

		if (answer >= 0)
			return answer;
	}
	return lengths ? MORE_LENGTHS : NO_ANSWER;
}

/* By those after the first. */
__noinline int answer_by_others6(__u64 high, __u64 low, __u64 lengths, __u32 longest, __u32 key)
{
	int answer = MORE_LENGTHS;

	PB_NO_UNROLL
	for (int i = 0; answer == MORE_LENGTHS && i < 64 / LENGTHS_AT_ONCE6 - 1; i++) {
		_Pragma("unroll") for (int j = 0; j < LENGTHS_AT_ONCE6; j++) lengths &= lengths - 1;
		answer = answer_by_some6(high, low, lengths, longest, key);
	}
	return answer;
}

/* By lengths, up to 64 of them. */
PB_INLINE int answer_by_lengths6(__u64 high, __u64 low, __u64 lengths, __u32 longest, __u32 key)
{
	int answer = answer_by_some6(high, low, lengths, longest, key);

	return answer == MORE_LENGTHS ? answer_by_others6(high, low, lengths, longest, key) :
					answer;
}

PB_INLINE int answer_at_level6(const struct pb_source_decision *mix, __u64 high, __u64 low,
			       __u32 level, __u32 key)
{
	const struct pb_address address = { high, low };
	const struct pb_address bits = { pb_first_bits(high, level), 0 };
	const struct pb_source_entry6 *entry =
		source_entry6(mix, key & 1, bits, PB_SOURCE_BY_BITS(level));
	int answer;

	if (!entry || (entry->high ^ high) >> (64 - level))
		return NO_ANSWER;
	answer = answer_of(mix, entry->word);
	if (answer < 0 || pb_source_holds6(entry, address, level))
		return answer;
	if (!pb_source_several6(entry, address, level))
		return NO_ANSWER;
	answer = answer_by_lengths6(high, low, entry->low, 2 * level - (level < 64), key);
	if (answer < 0 && entry->word & 1)
		answer = answer_by_lengths6(high, low, 1, level, key);
	return answer;
}

PB_INLINE int answer_of_ipv6(const struct pb_source_decision *mix, __u32 key, __u64 high, __u64 low)
{
	int answer = NO_ANSWER;

	if (mix->levels & PB_LEVEL6(64))
		answer = answer_at_level6(mix, high, low, 64, key);
	if (answer < 0 && mix->levels & PB_LEVEL6(32))
		answer = answer_at_level6(mix, high, low, 32, key);
	if (answer < 0 && mix->lengths6)
		answer = answer_by_lengths6(high, low, mix->lengths6, 31, key);
	return answer;
}

/* ---- Both ---------------------------------------------------------------------------------- */

/* The answer of a mix for the source of a packet; 0 where no prefix holds it. */
PB_INLINE __u32 answer_of_source(struct xdp_md *ctx, __u64 found,
				 const struct pb_source_decision *mix, __u32 key)
{
	union {
		__be32 words[4];
		__be64 halves[2];
	} address = {};
	int answer;

	if (!copy_source(ctx, found, address.words))
		return 0;
	if (FOUND_FAMILY(found) == 4)
		answer = answer_of_ipv4(mix, key, (__u64)bpf_ntohl(address.words[0]) << 32);
	else
		answer = answer_of_ipv6(mix, key, bpf_be64_to_cpu(address.halves[0]),
					bpf_be64_to_cpu(address.halves[1]));
	return answer < 0 ? 0 : answer;
}

#endif
