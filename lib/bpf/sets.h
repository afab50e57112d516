/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which sets hold the source of a packet: one look for all sets. See doc/sets.md.
 *
 * No lock: elements come and go while this reads. What makes that right stands beside their writer, in
 * lib/compile/row.c; of it this keeps two rules. What says where the tables are is read once a look. And
 * where more than the word says whether an element counts, the word is read again when that was read: a place
 * that was given to another element meanwhile is seen by it.
 *
 * On processors that load in another order than the program says (arm64), the second rule takes that what lies
 * beside a word is loaded after it, and the word again after that: is_in() has each address depend on what was
 * loaded before, by behind(). All else depends so by itself: pb_sets.tables says the key of a segment and which of
 * pb_sets.shorter, the map of maps has the address of the segment. The bits of lengths, the words and the marks of
 * full buckets are loaded in any order, which does no harm: one that is late says that an element is not there yet,
 * as when the look began.
 */
#ifndef PB_BPF_SETS_H
#define PB_BPF_SETS_H

#include <portblock/elements.h>
#include <portblock/sources.h>
#include "frame.h"

PB_INLINE const struct pb_lengths *lengths_of(__u64 tables)
{
	return inner_entry(&pb_lengths, PB_TABLES_GENERATION(tables));
}

PB_INLINE void *segment_of(void *elements, __u64 tables, __u32 number)
{
	return inner_entry(elements, PB_TABLES_GENERATION(tables) * PB_SEGMENTS_MAX + number);
}

/* Eight times, each with its own branch: the processor learns that nearly none is taken. */
#define EACH_PLACE(place) \
	_Pragma("unroll") for (__u32 place = 0; place < PB_BUCKET_ELEMENTS; place++)

PB_INLINE bool has_key(__u64 word, __u64 key)
{
	return !((word ^ key) >> 24);
}

PB_INLINE __u64 set_of_word(__u64 word)
{
	return 1ULL << (word & (PB_SETS_MAX - 1));
}

/* `after`: behind() of what this load comes after. */
PB_INLINE __u64 load_after(const volatile __u64 *at, __u64 after)
{
	return *(const volatile __u64 *)((const volatile void *)at + after);
}

/* Did the word say the same element all the while? Flags may change: it may get a time, its bucket overflow. */
PB_INLINE bool is_word(const volatile __u64 *at, __u64 word, __u64 after)
{
	return !((load_after(at, after) ^ word) & (PB_ELEMENT_KEY | PB_ELEMENT_SET));
}

/* What lies beside a word: when the element ends, and, of IPv6, the address (else NULL). */
struct beside {
	const volatile __u64 *ends;
	const volatile __u64 *addr;
};

/*
 * Is the element of this word, which has the key of the address, the one that is looked for, and does it count?
 * Only where what lies beside the word was asked is the word read again. (behind() comes before the comparisons: clang
 * is not to take what is equal to a number in the place of it.)
 */
PB_INLINE bool is_in(const volatile __u64 *at, __u64 word, struct beside beside,
		     struct pb_address address)
{
	bool ends = word & PB_ELEMENT_EXPIRES;
	__u64 first = behind(word), last = 0;

	if (beside.addr) {
		__u64 high = load_after(&beside.addr[0], first);
		__u64 low = load_after(&beside.addr[1], first);

		last = behind(high ^ low);
		if (bpf_be64_to_cpu(high) != address.high || bpf_be64_to_cpu(low) != address.low)
			return false;
	}
	if (ends) {
		__u64 until = load_after(beside.ends, first);

		last += behind(until);
		/* For is_past() there is no room on the stack. */
		if (bpf_ktime_get_boot_ns() >= until)
			return false;
	}
	return (!beside.addr && !ends) || is_word(at, word, last);
}

/*
 * What the words of a bucket say, without a branch, which would go another way with each source. `sum`: of the words
 * that have the key, each with all of its bits. So it is the word where one has it, and 0 where none has. Of several
 * it has another key: that, times one to seven, would have to be 0 in 40 bits, and so the key a multiple of 1 << 38,
 * but its lowest byte is not 0.
 */
struct in_bucket {
	__u64 sum;
	__u64 last; /* the last word */
};

PB_INLINE struct in_bucket in_bucket(const volatile __u64 *words, __u64 key)
{
	struct in_bucket in = {};

	EACH_PLACE(place)
	{
		__u64 word = words[place], mask = (word ^ key) >> 24;

		barrier_var(mask); /* else clang makes a branch of it */
		mask = (__s64)(mask - 1) >> 63;
		in.sum += word & mask;
		barrier_var(in.sum); /* one after the other: it takes few registers */
		in.last = word;
	}
	return in;
}

/* No more than one has the key, and the row does not go on. */
PB_INLINE bool says_all(struct in_bucket in, __u64 key)
{
	return !(in.last & PB_ELEMENT_OVERFLOWN) && (!in.sum || has_key(in.sum, key));
}

/* The sets that hold the prefix by an element in this bucket. */
PB_INLINE __u64 sets_in_bucket4(const struct pb_segment4 *segment, __u32 number, __u64 key,
				bool *goes_on)
{
	const volatile __u64 *bucket = segment->word[number];
	const struct pb_address none = {};
	__u64 sets = 0, word;

	EACH_PLACE(place)
	{
		const struct beside beside = { &segment->ends[number][place], NULL };

		word = bucket[place];
		if (unlikely(has_key(word, key)) && is_in(&bucket[place], word, beside, none))
			sets |= set_of_word(word);
	}
	*goes_on = word & PB_ELEMENT_OVERFLOWN; /* the last one says it */
	return sets;
}

PB_INLINE __u64 sets_in_bucket6(const struct pb_segment6 *segment, __u32 number, __u64 key,
				struct pb_address address, bool *goes_on)
{
	const volatile __u64 *bucket = segment->word[number];
	__u64 sets = 0, word;

	EACH_PLACE(place)
	{
		const struct beside beside = { &segment->ends[number][place],
					       (void *)segment->addr[number][place] };

		word = bucket[place];
		if (unlikely(has_key(word, key)) && is_in(&bucket[place], word, beside, address))
			sets |= set_of_word(word);
	}
	*goes_on = word & PB_ELEMENT_OVERFLOWN;
	return sets;
}

/* The segment in which an element or a cell with this hash lies. */
PB_INLINE const struct pb_segment4 *segment4_of(__u64 hash, __u64 tables)
{
	return segment_of(&pb_elements4, tables,
			  pb_hash_segment(hash, PB_TABLES_SEGMENTS4(tables)));
}

PB_INLINE const struct pb_segment6 *segment6_of(__u64 hash, __u64 tables)
{
	return segment_of(&pb_elements6, tables,
			  pb_hash_segment(hash, PB_TABLES_SEGMENTS6(tables)));
}

/* The bucket at a place of the row. */
PB_INLINE __u32 bucket_of(__u64 hash, __u32 place)
{
	return masked(pb_hash_bucket(hash, place), PB_BUCKETS - 1);
}

/* Does the row go on behind the bucket at this place? That is never taken back, so it does not matter when it is read. */
PB_INLINE bool goes_on_behind(const volatile __u64 *bucket)
{
	return bucket[PB_BUCKET_ELEMENTS - 1] & PB_ELEMENT_OVERFLOWN;
}

/*
 * The sets that hold exactly this prefix, by a bucket behind the first of its row, where the one before it goes on. A
 * call, so that the verifier goes through a bucket once and not as often as a row has any.
 */
__noinline __u64 sets_of_bucket4(__u32 address, __u32 len, __u64 tables, __u32 place)
{
	const __u64 seed[2] = { pb_sets.seed[0], pb_sets.seed[1] };
	__u64 hash = pb_hash4(address, len, seed), key = PB_ELEMENT_WORD(address, len);
	const struct pb_segment4 *segment = segment4_of(hash, tables);
	bool goes_on;

	if (!segment || !goes_on_behind(segment->word[bucket_of(hash, place - 1)]))
		return 0;
	return sets_in_bucket4(segment, bucket_of(hash, place), key, &goes_on);
}

/* The same by all of its row, of which the first bucket nearly always says all. */
__noinline __u64 sets_of_prefix4(__u32 address, __u32 len, __u64 tables)
{
	const __u64 seed[2] = { pb_sets.seed[0], pb_sets.seed[1] };
	__u64 hash = pb_hash4(address, len, seed), key = PB_ELEMENT_WORD(address, len), sets;
	const struct pb_segment4 *segment = segment4_of(hash, tables);
	bool goes_on;

	if (!segment)
		return 0;
	sets = sets_in_bucket4(segment, bucket_of(hash, 0), key, &goes_on);
	if (!goes_on)
		return sets;
	PB_NO_UNROLL
	for (__u32 place = 1; place < PB_BUCKET_ROW; place++)
		sets |= sets_of_bucket4(address, len, tables, place);
	return sets;
}

/* By one function, since the stack has no room for two. */
__noinline __u64 sets_of_prefix6(__u64 high, __u64 low, __u32 len, __u64 tables)
{
	const struct pb_address address = { high, low };
	const __u64 seed[2] = { pb_sets.seed[0], pb_sets.seed[1] };
	__u64 hash = pb_hash6(address, len, seed), sets = 0;
	__u64 key = PB_ELEMENT_WORD(pb_hash_word(hash), len);
	const struct pb_segment6 *segment = segment6_of(hash, tables);
	bool goes_on = segment;

	PB_NO_UNROLL
	for (__u32 place = 0; goes_on && place < PB_BUCKET_ROW; place++) {
		barrier_var(segment); /* else clang keeps eight addresses in it, on the stack */
		sets |= sets_in_bucket6(segment, bucket_of(hash, place), key, address, &goes_on);
	}
	return sets;
}

/* The lowest bit of eight that is set, of which there is one: De Bruijn's sequence of three bits. */
PB_INLINE __u32 lowest_of_8(__u32 bits)
{
	return 0x56374210U >> ((bits & -bits) * 0x17 >> 3 & 0x1c) & 7;
}

/* By de Bruijn's sequence. Not static: who looks at a program knows it by the size of its constants, which are named. */
const __u8 pb_places[64] = {
	0,  1,	2,  53, 3,  7,	54, 27, 4,  38, 41, 8,	34, 55, 48, 28, 62, 5,	39, 46, 44, 42,
	22, 9,	24, 35, 59, 56, 49, 18, 29, 11, 63, 52, 6,  26, 37, 40, 33, 47, 61, 45, 43, 21,
	23, 58, 17, 10, 51, 25, 36, 32, 60, 20, 57, 16, 50, 31, 19, 15, 30, 14, 13, 12,
};

/* The place, 0 to 63, of the only bit that is set. BPF has no instruction for it. */
PB_INLINE __u32 place_of_bit(__u64 bit)
{
	return pb_places[masked(bit * 0x022fdd63cc95386dULL >> 58, 63)];
}

/* Is a prefix about that is so short that it is in pb_lengths? `bits`: of struct pb_shorter; `first`: 16 bits. */
PB_INLINE bool has_shorter(const volatile __u32 *bits, __u32 first)
{
	return bits[masked(first >> 5, 2047)] >> (first & 31) & 1;
}

PB_INLINE const struct pb_shorter *shorter_of(__u64 tables)
{
	return &pb_sets.shorter[PB_TABLES_GENERATION(tables)];
}

PB_INLINE __u64 shorter_of_ipv4(__u32 address, __u64 tables)
{
	const struct pb_lengths *lengths = lengths_of(tables);

	return lengths ? lengths->of4[masked(address >> 16, 0xffff)] : 0;
}

/* Lengths that may hold it, a bit each. */
PB_INLINE __u64 lengths_of_ipv4(__u32 address, __u64 tables)
{
	const volatile __u64 *seeds = pb_sets.seed;
	const __u64 seed[2] = { seeds[0], seeds[1] };
	__u64 hash = pb_hash_cell4(address, seed), all = 0;
	const struct pb_segment4 *segment = segment4_of(hash, tables);

	if (segment)
		all = pb_lengths4(
			segment->by20[masked(pb_cell4_by_20(hash), PB_CELLS4_BY_20 - 1)],
			segment->by24[masked(pb_cell4_by_24(address, hash), PB_CELLS4_BY_24 - 1)]);
	if (has_shorter(shorter_of(tables)->of4, address >> 16))
		all |= shorter_of_ipv4(address, tables);
	return all;
}

/*
 * The sets that hold a prefix of a length of which there are many. The first bucket of its row nearly always says
 * all; it is looked at here, since a call costs more than that where returns are guarded.
 */
PB_INLINE __u64 sets_of_frequent4(__u32 address, __u32 len, __u64 tables)
{
	const __u64 seed[2] = { pb_sets.seed[0], pb_sets.seed[1] };
	__u64 hash = pb_hash4(address, len, seed), key = PB_ELEMENT_WORD(address, len);
	const struct pb_segment4 *segment = segment4_of(hash, tables);
	struct in_bucket in;

	if (!segment)
		return 0;
	in = in_bucket(segment->word[bucket_of(hash, 0)], key);
	if (unlikely(!says_all(in, key) || in.sum & PB_ELEMENT_EXPIRES))
		return sets_of_prefix4(address, len, tables);
	return in.sum ? set_of_word(in.sum) : 0;
}

/* By eight lengths from `first` on. */
PB_INLINE __u64 sets_by_lengths4(__u32 address, __u32 first, __u32 bits, __u64 tables)
{
	__u64 sets = 0;

	PB_NO_UNROLL
	for (int i = 0; bits && i < 8; i++, bits &= bits - 1) {
		__u32 len = first + lowest_of_8(bits);

		sets |= sets_of_prefix4(pb_first_bits((__u64)address << 32, len & 63) >> 32, len,
					tables);
	}
	return sets;
}

#define BIT(len) (1ULL << (len))

/* Lists are made of hosts most of all. */
PB_INLINE __u64 sets_of_ipv4(__u32 address, __u64 tables)
{
	__u64 sets = 0, all;

	if (!PB_TABLES_SEGMENTS4(tables))
		return 0;
	all = lengths_of_ipv4(address, tables);
	if (all & BIT(32))
		sets |= sets_of_frequent4(address, 32, tables);
	all &= ~BIT(32);
	PB_NO_UNROLL
	for (__u32 first = 0; all && first <= 24; first += 8, all >>= 8)
		sets |= sets_by_lengths4(address, first, all & 0xff, tables);
	return sets;
}

/* By eight lengths from `first` on. A call, so that the verifier goes around this loop for one of all. */
__noinline __u64 sets_by_eight6(__u64 high, __u64 low, __u32 first, __u32 bits, __u64 tables)
{
	__u64 sets = 0;

	PB_NO_UNROLL
	for (int i = 0; bits && i < 8; i++, bits &= bits - 1) {
		__u32 len = (first + lowest_of_8(bits)) & 0xff;
		const struct pb_address address = { high, low };
		const struct pb_address only = pb_source_first6(address, len);

		sets |= sets_of_prefix6(only.high, only.low, len, tables);
	}
	return sets;
}

/* By lengths from `first` on, up to 64 of them. */
PB_INLINE __u64 sets_by_lengths6(__u64 high, __u64 low, __u32 first, __u64 all, __u64 tables)
{
	__u64 sets = 0;

	PB_NO_UNROLL
	for (__u32 end = first + 64; all && first < end; first += 8, all >>= 8)
		if (all & 0xff)
			sets |= sets_by_eight6(high, low, first, all & 0xff, tables);
	return sets;
}

/* Lengths that may hold it, a bit each; of the two longer ranges bit 0 is length 65 and 33. */
struct lengths6 {
	__u64 from65;
	__u64 from33;
	__u64 from0;
};

PB_INLINE __u64 shorter_of_ipv6(__u64 high, __u64 tables)
{
	const struct pb_lengths *lengths = lengths_of(tables);

	if (!lengths)
		return 0;
	return (__u64)lengths->of6[masked(high >> 48, 0xffff)] << 1 | (lengths->all6 & 1);
}

PB_INLINE bool lengths_of_ipv6(__u64 high, __u64 tables, struct lengths6 *all)
{
	const __u64 seed[2] = { pb_sets.seed[0], pb_sets.seed[1] };
	__u64 by64 = pb_hash_cell6_by64(high, seed), by32 = pb_hash_cell6_by32(high, seed);
	const struct pb_segment6 *of64 = segment6_of(by64, tables);
	const struct pb_segment6 *of32 = segment6_of(by32, tables);

	if (!of64 || !of32)
		return false;
	all->from65 = of64->by64[masked(by64, PB_CELLS6_BY_64 - 1)];
	all->from33 = of32->by32[masked(by32, PB_CELLS6_BY_32 - 1)];
	all->from0 = has_shorter(shorter_of(tables)->of6, high >> 48) ?
			     shorter_of_ipv6(high, tables) :
			     0;
	return true;
}

PB_INLINE __u64 sets_of_ipv6(__u64 high, __u64 low, __u64 tables)
{
	struct lengths6 all;

	if (!PB_TABLES_SEGMENTS6(tables) || !lengths_of_ipv6(high, tables, &all))
		return 0;
	return sets_by_lengths6(high, low, 65, all.from65, tables) |
	       sets_by_lengths6(high, low, 33, all.from33, tables) |
	       sets_by_lengths6(high, low, 0, all.from0, tables);
}

/* The sets that hold the source, a bit each. */
__noinline __u64 sets_of_source(struct xdp_md *ctx, __u64 found)
{
	const volatile struct pb_sets *sets = &pb_sets;
	__u64 tables = sets->tables;
	union {
		__be32 words[4];
		__be64 halves[2];
	} address = {};

	if (!tables || !copy_source(ctx, found, address.words))
		return 0;
	if (FOUND_FAMILY(found) == 4)
		return sets_of_ipv4(bpf_ntohl(address.words[0]), tables);
	return sets_of_ipv6(bpf_be64_to_cpu(address.halves[0]), bpf_be64_to_cpu(address.halves[1]),
			    tables);
}

PB_INLINE const struct pb_set_condition *condition_at(__u32 slot, __u32 number)
{
	return &pb_sets.conditions[slot & 1][masked(number, PB_SET_CONDITIONS - 1)];
}

/* Does the condition of a decision hold for a source that these sets hold? */
PB_INLINE bool are_sets_right(const struct pb_set_condition *condition, __u64 sets)
{
	return (!condition->from || sets & condition->from) && !(sets & condition->except);
}

#endif
