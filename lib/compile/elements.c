// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <endian.h>
#include <errno.h>
#include <string.h>
#include "compile/elements.h"
#include "compile/row.h"

#define FULL_OF_5 3 /* fifths of a segment that may be taken */

__u32 pb_elements_segments(__u64 nr)
{
	const __u64 room = (__u64)PB_BUCKETS * PB_BUCKET_ELEMENTS * FULL_OF_5;

	if (nr > room * PB_SEGMENTS_MAX / 5)
		return 0;
	return nr ? (nr * 5 + room - 1) / room : 1;
}

/* ---- Addresses ----------------------------------------------------------------------------- */

static struct pb_address address_of(const struct pb_prefix *prefix)
{
	struct pb_address address;

	memcpy(&address, prefix->addr, sizeof(address));
	address.high = be64toh(address.high);
	address.low = prefix->family == 4 ? 0 : be64toh(address.low);
	return address;
}

static struct pb_address first_bits(struct pb_address address, __u32 len)
{
	address.high = pb_first_bits(address.high, len < 64 ? len : 64);
	address.low = len > 64 ? pb_first_bits(address.low, len - 64) : 0;
	return address;
}

static void prefix_of(__u8 family, struct pb_address address, __u32 len, struct pb_prefix *prefix)
{
	address.high = htobe64(address.high);
	address.low = htobe64(address.low);
	memset(prefix, 0, sizeof(*prefix));
	memcpy(prefix->addr, &address, sizeof(address));
	prefix->family = family;
	prefix->len = len;
}

/* The row of the elements with the first `len` bits. 1: opened; 0: the table is empty; -ENOMEM. */
static int open_row(const struct pb_table *table, struct pb_address address, __u32 len,
		    struct pb_row *row)
{
	void *segment;

	if (!table->nr_segments)
		return 0;
	memset(row, 0, sizeof(*row));
	address = first_bits(address, len);
	if (table->family == 4) {
		row->hash = pb_hash4(address.high >> 32, len, table->seed);
		row->key = PB_ELEMENT_WORD(address.high >> 32, len);
	} else {
		row->hash = pb_hash6(address, len, table->seed);
		row->key = PB_ELEMENT_WORD(pb_hash_word(row->hash), len);
		row->half[0] = htobe64(address.high);
		row->half[1] = htobe64(address.low);
	}
	segment = table->segment(table->context, pb_hash_segment(row->hash, table->nr_segments));
	if (!segment)
		return -ENOMEM;
	pb_row_segment(row, table->family, segment);
	return 1;
}

/* ---- Lengths ------------------------------------------------------------------------------- */

/* Lengths that are worth a look, those of one part a number. */
struct lengths {
	__u64 bits[4]; /* the longest first */
	__u32 base[4]; /* the length of bit 0 */
	__u32 part;
};

#define PARTS 4
#define LOAD(member) __atomic_load_n(&(member), __ATOMIC_ACQUIRE)

/* The segment whose cells are about this hash. */
static void *segment_of_cell(const struct pb_table *table, __u64 hash)
{
	return table->segment(table->context, pb_hash_segment(hash, table->nr_segments));
}

/* Is pb_lengths worth a look? `bits`: of struct pb_shorter; `first`: 16 bits of the address. */
static bool has_shorter(const __u32 *bits, __u32 first)
{
	return LOAD(bits[first / 32]) & 1U << first % 32;
}

static int lengths_begin4(const struct pb_table *table, __u32 address, struct lengths *lengths)
{
	__u64 hash = pb_hash_cell4(address, table->seed);
	const struct pb_segment4 *segment = segment_of_cell(table, hash);

	if (!segment)
		return -ENOMEM;
	*lengths = (struct lengths){
		.bits = { pb_lengths4(LOAD(segment->by20[pb_cell4_by_20(hash)]),
				      LOAD(segment->by24[pb_cell4_by_24(address, hash)])) },
		.base = { 0 },
	};
	if (has_shorter(table->shorter->of4, address >> 16))
		lengths->bits[0] |= LOAD(table->lengths->of4[address >> 16]);
	return 0;
}

static int lengths_begin6(const struct pb_table *table, __u64 high, struct lengths *lengths)
{
	const struct pb_lengths *all = table->lengths;
	__u64 by64 = pb_hash_cell6_by64(high, table->seed);
	__u64 by32 = pb_hash_cell6_by32(high, table->seed);
	const struct pb_segment6 *of64 = segment_of_cell(table, by64);
	const struct pb_segment6 *of32 = segment_of_cell(table, by32);

	if (!of64 || !of32)
		return -ENOMEM;
	*lengths = (struct lengths){
		.bits = { LOAD(of64->by64[by64 % PB_CELLS6_BY_64]),
			  LOAD(of32->by32[by32 % PB_CELLS6_BY_32]) },
		.base = { 65, 33, 1, 0 },
	};
	if (has_shorter(table->shorter->of6, high >> 48)) {
		lengths->bits[2] = LOAD(all->of6[high >> 48]);
		lengths->bits[3] = LOAD(all->all6);
	}
	return 0;
}

/* -ENOMEM. */
static int lengths_begin(const struct pb_table *table, struct pb_address address,
			 struct lengths *lengths)
{
	memset(lengths, 0, sizeof(*lengths));
	if (!table->nr_segments)
		return 0;
	return table->family == 4 ? lengths_begin4(table, address.high >> 32, lengths) :
				    lengths_begin6(table, address.high, lengths);
}

/* The longest that is left, of those up to `max`. */
static bool lengths_next(struct lengths *lengths, __u32 max, __u32 *len)
{
	while (lengths->part < PARTS) {
		__u64 *bits = &lengths->bits[lengths->part];
		__u32 bit;

		if (!*bits) {
			lengths->part++;
			continue;
		}
		bit = 63 - __builtin_clzll(*bits);
		*bits &= ~(1ULL << bit);
		*len = lengths->base[lengths->part] + bit;
		if (*len <= max)
			return true;
	}
	return false;
}

/* Only writers change them, and one at a time; what is set already is not written again. */
#define SET_BIT(member, bit)                                                      \
	do {                                                                      \
		if (!(LOAD(member) & 1ULL << (bit)))                              \
			__atomic_store_n(&(member), LOAD(member) | 1ULL << (bit), \
					 __ATOMIC_RELEASE);                       \
	} while (0)

#define SET_BIT_OF(words, bit) SET_BIT((words)[(bit) / 32], (bit) % 32)

/* The places by the first `bits` bits that a prefix is about. */
static __u32 nr_places(__u32 len, __u32 bits)
{
	return len < bits ? 1U << (bits - len) : 1;
}

static void note_short4(const struct pb_table *table, __u32 address, __u32 len)
{
	__u32 first = address >> 16, end = first + nr_places(len, 16);

	for (__u32 i = first; i < end; i++) {
		SET_BIT(table->lengths->of4[i], len);
		SET_BIT_OF(table->shorter->of4, i);
	}
}

/* Of 17 to 23 bits: in up to eight cells. */
static int note_middle4(const struct pb_table *table, __u32 address, __u32 len)
{
	for (__u32 i = 0; i < nr_places(len, 20); i++) {
		__u64 hash = pb_hash_cell4(address + (i << 12), table->seed);
		struct pb_segment4 *segment = segment_of_cell(table, hash);

		if (!segment)
			return -ENOMEM;
		SET_BIT(segment->by20[pb_cell4_by_20(hash)], len - 17);
	}
	return 0;
}

static int note_long4(const struct pb_table *table, __u32 address, __u32 len)
{
	__u64 hash = pb_hash_cell4(address, table->seed);
	struct pb_segment4 *segment = segment_of_cell(table, hash);

	if (!segment)
		return -ENOMEM;
	SET_BIT(segment->by24[pb_cell4_by_24(address, hash)], len == 24 ? 7 :
							      len <= 26 ? 0 :
									  len - 26);
	return 0;
}

static int note_length4(const struct pb_table *table, __u32 address, __u32 len)
{
	if (len >= 24)
		return note_long4(table, address, len);
	if (len > 16)
		return note_middle4(table, address, len);
	note_short4(table, address, len);
	return 0;
}

static void note_short6(const struct pb_table *table, __u64 high, __u32 len)
{
	__u32 first = high >> 48, end = first + nr_places(len, 16);

	for (__u32 i = first; i < end; i++) {
		if (len)
			SET_BIT(table->lengths->of6[i], len - 1);
		SET_BIT_OF(table->shorter->of6, i);
	}
	if (!len)
		SET_BIT(table->lengths->all6, 0);
}

static int note_long6(const struct pb_table *table, __u64 high, __u32 len)
{
	__u64 hash = len > 64 ? pb_hash_cell6_by64(high, table->seed) :
				pb_hash_cell6_by32(high, table->seed);
	struct pb_segment6 *segment = segment_of_cell(table, hash);

	if (!segment)
		return -ENOMEM;
	if (len > 64)
		SET_BIT(segment->by64[hash % PB_CELLS6_BY_64], len - 65);
	else
		SET_BIT(segment->by32[hash % PB_CELLS6_BY_32], len - 33);
	return 0;
}

static int note_length6(const struct pb_table *table, __u64 high, __u32 len)
{
	if (len > 32)
		return note_long6(table, high, len);
	note_short6(table, high, len);
	return 0;
}

/* -ENOMEM. */
static int note_length(const struct pb_table *table, struct pb_address address, __u32 len)
{
	return table->family == 4 ? note_length4(table, address.high >> 32, len) :
				    note_length6(table, address.high, len);
}

/* ---- Changing ------------------------------------------------------------------------------ */

int pb_elements_put(const struct pb_table *table, __u8 set, const struct pb_prefix *prefix,
		    __u64 expires, __u64 now, bool *added)
{
	struct pb_address address = address_of(prefix);
	struct pb_spot spot;
	struct pb_seen seen;
	struct pb_row row;
	__u32 place;
	int ret;

	if (set >= PB_SETS_MAX)
		return -EINVAL;
	ret = open_row(table, address, prefix->len, &row);
	if (ret <= 0)
		return ret ? ret : -ENOSPC;
	if (pb_row_find(&row, set, &spot)) {
		*added = !pb_spot_read(&spot, now, &seen);
		pb_spot_renew(&spot, expires);
		return 0;
	}
	if (!pb_row_find_free(&row, now, &spot, &place))
		return -ENOSPC;
	ret = note_length(table, address, prefix->len);
	if (ret)
		return ret;
	pb_row_overflow(&row, place);
	pb_spot_publish(&spot, &row, set, expires);
	*added = true;
	return 0;
}

int pb_elements_remove(const struct pb_table *table, __u8 set, const struct pb_prefix *prefix,
		       __u64 now, bool *removed)
{
	struct pb_spot spot;
	struct pb_seen seen;
	struct pb_row row;
	int ret = open_row(table, address_of(prefix), prefix->len, &row);

	if (ret < 0)
		return ret;
	*removed = false;
	if (!ret || !pb_row_find(&row, set, &spot))
		return 0;
	*removed = pb_spot_read(&spot, now, &seen);
	pb_spot_clear(&spot);
	return 0;
}

/* ---- Looking ------------------------------------------------------------------------------- */

int pb_elements_get(const struct pb_table *table, __u8 set, const struct pb_prefix *prefix,
		    __u64 now, __u64 *expires)
{
	struct pb_in_sets in;
	struct pb_row row;
	int ret;

	if (set >= PB_SETS_MAX)
		return 0;
	ret = open_row(table, address_of(prefix), prefix->len, &row);
	if (ret <= 0)
		return ret;
	pb_row_read(&row, 1ULL << set, now, &in);
	if (!in.sets)
		return 0;
	*expires = in.expires;
	return 1;
}

int pb_elements_look(const struct pb_table *table, __u64 sets, const struct pb_prefix *host,
		     __u64 now, struct pb_element *found, __u8 *set)
{
	struct pb_address address = address_of(host);
	struct lengths lengths;
	struct pb_in_sets in;
	struct pb_row row;
	__u32 len;
	int ret;

	ret = lengths_begin(table, address, &lengths);
	if (ret)
		return ret;
	while (lengths_next(&lengths, host->len, &len)) {
		ret = open_row(table, address, len, &row);
		if (ret <= 0)
			return ret;
		pb_row_read(&row, sets, now, &in);
		if (!in.sets)
			continue;
		prefix_of(table->family, first_bits(address, len), len, &found->prefix);
		found->expires = in.expires;
		*set = in.first;
		return 1;
	}
	return 0;
}

int pb_elements_sets(const struct pb_table *table, const struct pb_prefix *host, __u64 now,
		     __u64 *sets)
{
	struct pb_address address = address_of(host);
	struct lengths lengths;
	struct pb_in_sets in;
	struct pb_row row;
	__u64 all = 0;
	__u32 len;
	int ret = lengths_begin(table, address, &lengths);

	while (!ret && lengths_next(&lengths, host->len, &len)) {
		ret = open_row(table, address, len, &row);
		if (ret <= 0)
			break;
		ret = 0;
		pb_row_read(&row, ~all, now, &in);
		all |= in.sets;
	}
	if (ret < 0)
		return ret;
	*sets = all;
	return 0;
}

/* ---- All of them --------------------------------------------------------------------------- */

static void element_of(__u8 family, const struct pb_seen *seen, struct pb_element *element)
{
	struct pb_address address = { seen->word >> 32 << 32, 0 };

	if (family == 6)
		address = (struct pb_address){ be64toh(seen->half[0]), be64toh(seen->half[1]) };
	prefix_of(family, address, PB_ELEMENT_LEN(seen->word), &element->prefix);
	element->expires = seen->expires;
}

static int each_in_segment(const struct pb_table *table, void *segment, __u64 now,
			   pb_elements_function *function, void *context)
{
	struct pb_element element;
	struct pb_seen seen;
	struct pb_row row;
	int ret = 0;

	pb_row_segment(&row, table->family, segment);
	for (__u32 i = 0; !ret && i < PB_BUCKETS * PB_BUCKET_ELEMENTS; i++) {
		struct pb_spot spot =
			pb_row_spot(&row, i / PB_BUCKET_ELEMENTS, i % PB_BUCKET_ELEMENTS);

		if (!pb_spot_read(&spot, now, &seen))
			continue;
		element_of(table->family, &seen, &element);
		ret = function(context, PB_ELEMENT_OF_SET(seen.word), &element);
	}
	return ret;
}

int pb_elements_each(const struct pb_table *table, __u64 now, pb_elements_function *function,
		     void *context)
{
	int ret = 0;

	for (__u32 i = 0; !ret && i < table->nr_segments; i++) {
		void *segment = table->segment(table->context, i);

		if (!segment)
			return -ENOMEM;
		ret = each_in_segment(table, segment, now, function, context);
	}
	return ret;
}
