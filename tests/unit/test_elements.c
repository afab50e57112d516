// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables of elements against a naive judge, on random operations; each rule of where an element lies; and
 * what a reader sees meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <portblock/elements.h>
#include "naive.h"
#include "random.h"

#define ALL (~0ULL)

/* ---- Random operations --------------------------------------------------------------------- */

#define WORLDS 24
#define STEPS 15000
#define PREFIXES 48
#define CROWD 29000 /* of the 32768 of a segment */

struct world {
	struct random random;
	struct memory memory;
	struct naive naive;
	struct pb_prefix prefixes[PREFIXES];
	__u32 nr_prefixes;
	__u32 nr_sets;
	size_t crowd; /* elements that are not the judge's: all begin with CROWD_BYTE */
	size_t crowd_seen;
	__u64 now;
	size_t full; /* puts that found no room */
};

#define CROWD_BYTE 0xc0

static bool chance(struct world *world, __u32 percent)
{
	return random_below(&world->random, 100) < percent;
}

static void flip(struct pb_prefix *prefix, __u32 bit)
{
	prefix->addr[bit / 8] ^= 0x80 >> bit % 8;
}

static __u32 bits_of(const struct world *world)
{
	return world->memory.table.family == 4 ? 32 : 128;
}

/* Prefixes of all lengths, which differ in few bits: many hold others. */
static void random_prefixes(struct world *world)
{
	__u32 positions[6], bits = bits_of(world);

	for (int i = 0; i < 6; i++)
		positions[i] = 8 + random_below(&world->random, bits - 8);
	for (__u32 i = 0; i < world->nr_prefixes; i++) {
		struct pb_prefix *prefix = &world->prefixes[i];

		*prefix = prefix_of(bits == 32 ? "10.1.2.3/0" : "0a01:203:4:5:6:7:8:9/0");
		prefix->family = world->memory.table.family;
		prefix->len = random_below(&world->random, bits + 1);
		for (int j = 0; j < 6; j++)
			if (chance(world, 40))
				flip(prefix, positions[j]);
		for (__u32 bit = prefix->len; bit < bits; bit++)
			prefix->addr[bit / 8] &= ~(0x80 >> bit % 8);
	}
}

static void fill_crowd(struct world *world, size_t nr)
{
	struct pb_prefix prefix = { .family = world->memory.table.family, .len = bits_of(world) };
	bool added;

	prefix.addr[0] = CROWD_BYTE;
	for (size_t i = 0; i < nr; i++) {
		prefix.addr[1] = i >> 8;
		prefix.addr[2] = i;
		if (!pb_elements_put(&world->memory.table, 0, &prefix, 0, world->now, &added))
			world->crowd++;
	}
}

/* Some in many sets, some in a table that is nearly full. */
static void world_init(struct world *world, __u64 seed, __u32 number)
{
	memset(world, 0, sizeof(*world));
	random_init(&world->random, seed + number);
	memory_init(&world->memory, number & 1 ? 6 : 4, number & 2 ? 1 : 3, seed + number);
	world->nr_prefixes = number & 4 ? 10 : PREFIXES;
	world->nr_sets = number & 4 ? PB_SETS_MAX : 1 + random_below(&world->random, 6);
	world->now = 1000;
	random_prefixes(world);
	if ((number & 10) == 10)
		fill_crowd(world, CROWD);
}

static const struct pb_prefix *any_prefix(struct world *world)
{
	return &world->prefixes[random_below(&world->random, world->nr_prefixes)];
}

/* Sometimes it is over already. */
static __u64 any_time(struct world *world)
{
	return chance(world, 40) ? 0 : world->now + random_below(&world->random, 400);
}

static void step_put(struct world *world, __u8 set, const struct pb_prefix *prefix)
{
	bool there = naive_get(&world->naive, set, prefix, world->now), added = there;
	__u64 expires = any_time(world);
	int ret = pb_elements_put(&world->memory.table, set, prefix, expires, world->now, &added);

	if (ret == -ENOSPC) {
		/* What is there can be renewed always; a row is full of what counts. */
		assert_false(there);
		assert_true(world->crowd + naive_nr(&world->naive, world->now) >=
			    PB_BUCKET_ROW * PB_BUCKET_ELEMENTS);
		world->full++;
		return;
	}
	assert_int_equal(ret, 0);
	assert_int_equal(added, naive_put(&world->naive, set, prefix, expires, world->now));
}

static void step_change(struct world *world)
{
	__u8 set = random_below(&world->random, world->nr_sets);
	const struct pb_prefix *prefix = any_prefix(world);
	bool removed;

	if (chance(world, 10))
		world->now += random_below(&world->random, 50);
	if (chance(world, 65)) {
		step_put(world, set, prefix);
		return;
	}
	assert_int_equal(
		pb_elements_remove(&world->memory.table, set, prefix, world->now, &removed), 0);
	assert_int_equal(removed, naive_remove(&world->naive, set, prefix, world->now));
}

/* In a prefix, or nearly so; now and then no host but a prefix itself. */
static struct pb_prefix any_host(struct world *world)
{
	struct pb_prefix host = *any_prefix(world);
	__u32 len = host.len, bits = bits_of(world);

	if (chance(world, 95))
		host.len = bits;
	for (__u32 bit = len; bit < host.len; bit++)
		if (chance(world, 50))
			flip(&host, bit);
	if (host.len && chance(world, 30))
		flip(&host, random_below(&world->random, host.len));
	if (host.addr[0] == CROWD_BYTE)
		host.addr[0] = 0x0a;
	return host;
}

static __u64 any_sets(struct world *world)
{
	__u64 sets = 1ULL << random_below(&world->random, PB_SETS_MAX);

	for (int i = 0; i < 20; i++)
		sets |= 1ULL << random_below(&world->random, PB_SETS_MAX);
	return chance(world, 50) ? ALL : sets;
}

static void is_same(const struct pb_element *element, const struct naive_element *wanted)
{
	assert_int_equal(element->prefix.len, wanted->len);
	assert_true(element->expires == wanted->expires);
	for (__u32 bit = 0; bit < 128; bit++)
		assert_int_equal(!!(element->prefix.addr[bit / 8] & 0x80 >> bit % 8),
				 wanted->bits[bit]);
}

static void step_look(struct world *world)
{
	struct pb_prefix host = any_host(world);
	__u64 asked = any_sets(world), sets;
	const struct naive_element *wanted = naive_look(&world->naive, asked, &host, world->now);
	struct pb_element element;
	__u8 set;

	assert_int_equal(pb_elements_look(&world->memory.table, asked, &host, world->now, &element,
					  &set),
			 !!wanted);
	if (wanted) {
		assert_int_equal(set, wanted->set);
		is_same(&element, wanted);
		assert_int_equal(element.prefix.family, host.family);
	}
	assert_int_equal(pb_elements_sets(&world->memory.table, &host, world->now, &sets), 0);
	assert_true(sets == naive_sets(&world->naive, &host, world->now));
}

static void step_get(struct world *world)
{
	__u8 set = random_below(&world->random, world->nr_sets);
	const struct pb_prefix *prefix = any_prefix(world);
	const struct naive_element *wanted = naive_get(&world->naive, set, prefix, world->now);
	__u64 expires;

	assert_int_equal(pb_elements_get(&world->memory.table, set, prefix, world->now, &expires),
			 !!wanted);
	if (wanted)
		assert_true(expires == wanted->expires);
}

static int see(void *context, __u8 set, const struct pb_element *element)
{
	struct world *world = context;

	if (element->prefix.addr[0] == CROWD_BYTE)
		world->crowd_seen++;
	else
		assert_true(naive_see(&world->naive, set, element, world->now));
	return 0;
}

static void all_are_there(struct world *world)
{
	size_t seen = 0;

	world->crowd_seen = 0;
	naive_unsee(&world->naive);
	assert_int_equal(pb_elements_each(&world->memory.table, world->now, see, world), 0);
	for (size_t i = 0; i < world->naive.nr; i++)
		seen += world->naive.element[i].seen;
	assert_int_equal(seen, naive_nr(&world->naive, world->now));
	assert_int_equal(world->crowd_seen, world->crowd);
}

static void test_random(void **state)
{
	static struct world world;
	__u64 seed = random_seed();
	size_t full = 0;

	(void)state;
	print_message("PB_SEED=%llu\n", (unsigned long long)seed);
	for (__u32 number = 0; number < WORLDS; number++) {
		world_init(&world, seed, number);
		for (int i = 0; i < STEPS; i++) {
			step_change(&world);
			step_look(&world);
			step_get(&world);
			if (i % 1000 == 999)
				all_are_there(&world);
		}
		full += world.full;
		memory_free(&world.memory);
	}
	assert_true(full > 0);
}

/* ---- Where an element lies ----------------------------------------------------------------- */

#define PREFIX "2001:db8::/32"

static struct memory memory;

static int begin(void **state)
{
	(void)state;
	memory_init(&memory, 6, 1, 1);
	return 0;
}

static int end(void **state)
{
	(void)state;
	memory_free(&memory);
	return 0;
}

static void puts_it(__u8 set, const char *text, __u64 expires, __u64 now, bool is_new)
{
	struct pb_prefix prefix = prefix_of(text);
	bool added = !is_new;

	assert_int_equal(pb_elements_put(&memory.table, set, &prefix, expires, now, &added), 0);
	assert_int_equal(added, is_new);
}

static void removes(__u8 set, const char *text, __u64 now, bool was_there)
{
	struct pb_prefix prefix = prefix_of(text);
	bool removed = !was_there;

	assert_int_equal(pb_elements_remove(&memory.table, set, &prefix, now, &removed), 0);
	assert_int_equal(removed, was_there);
}

static __u64 hash_of(const char *text)
{
	struct pb_prefix prefix = prefix_of(text);
	struct pb_address address = { 0, 0 };

	for (int i = 0; i < 8; i++) {
		address.high = address.high << 8 | prefix.addr[i];
		address.low = address.low << 8 | prefix.addr[8 + i];
	}
	return pb_hash6(address, prefix.len, memory.seed);
}

/* A word of the row of PREFIX, and the time beside it */
static __u64 word(__u32 place, __u32 i)
{
	const struct pb_segment6 *segment = memory.segments[0];

	return segment->word[pb_hash_bucket(hash_of(PREFIX), place)][i];
}

static __u64 ends(__u32 place, __u32 i)
{
	const struct pb_segment6 *segment = memory.segments[0];

	return segment->ends[pb_hash_bucket(hash_of(PREFIX), place)][i];
}

static int count(void *context, __u8 set, const struct pb_element *element)
{
	(void)set;
	(void)element;
	++*(size_t *)context;
	return 0;
}

static size_t nr_at(__u64 now)
{
	size_t nr = 0;

	assert_int_equal(pb_elements_each(&memory.table, now, count, &nr), 0);
	return nr;
}

/* The sets that hold a host */
static __u64 sets_of(const char *text, __u64 now)
{
	struct pb_prefix host = prefix_of(text);
	__u64 sets;

	assert_int_equal(pb_elements_sets(&memory.table, &host, now, &sets), 0);
	return sets;
}

static void test_overflow(void **state)
{
	(void)state;
	for (__u8 set = 0; set < 8; set++)
		puts_it(set, PREFIX, 0, 1, true);
	assert_int_equal(word(0, 7) & PB_ELEMENT_OVERFLOWN, 0);
	assert_int_equal(word(1, 0), 0);
	puts_it(8, PREFIX, 0, 1, true);
	assert_int_equal(word(0, 7) & PB_ELEMENT_OVERFLOWN, PB_ELEMENT_OVERFLOWN);
	assert_int_equal(word(1, 0) & PB_ELEMENT_SET, 8);
	for (__u32 i = 0; i < 7; i++)
		assert_int_equal(word(0, i) & PB_ELEMENT_OVERFLOWN, 0);

	/* The flag stays: a reader must find what is behind. */
	removes(7, PREFIX, 1, true);
	assert_int_equal(word(0, 7), PB_ELEMENT_OVERFLOWN);
	assert_true(sets_of("2001:db8::1/128", 1) == 0x17f);
	puts_it(9, PREFIX, 5, 1, true);
	assert_int_equal(word(0, 7) & 0xffff, PB_ELEMENT_OVERFLOWN | PB_ELEMENT_EXPIRES | 9);
	puts_it(9, PREFIX, 0, 1, false);
	assert_int_equal(word(0, 7) & PB_ELEMENT_OVERFLOWN, PB_ELEMENT_OVERFLOWN);
	puts_it(10, PREFIX, 0, 5, true);
	assert_int_equal(word(1, 1) & PB_ELEMENT_SET, 10);
	assert_true(sets_of("2001:db8::1/128", 5) == 0x77f);
}

/* One behind a place that is free now is renewed, and not put a second time. */
static void test_one_of_each(void **state)
{
	(void)state;
	for (__u8 set = 0; set < 20; set++)
		puts_it(set, PREFIX, 0, 1, true);
	removes(3, PREFIX, 1, true);
	removes(9, PREFIX, 1, true);
	puts_it(19, PREFIX, 0, 1, false);
	assert_int_equal(nr_at(1), 18);
	assert_int_equal(word(0, 3), 0);
	removes(3, PREFIX, 1, false);
	puts_it(9, PREFIX, 0, 1, true);
	assert_int_equal(word(0, 3) & PB_ELEMENT_SET, 9);
}

static void test_expired(void **state)
{
	(void)state;
	puts_it(1, PREFIX, 100, 1, true);
	puts_it(2, PREFIX, 0, 99, true);
	assert_int_equal(word(0, 0) & PB_ELEMENT_SET, 1);
	assert_int_equal(word(0, 1) & PB_ELEMENT_SET, 2);
	assert_int_equal(nr_at(99), 2);
	assert_true(sets_of("2001:db8::1/128", 99) == 6);
	assert_int_equal(nr_at(100), 1);
	assert_true(sets_of("2001:db8::1/128", 100) == 4);

	/* Its place is given away. */
	puts_it(3, PREFIX, 300, 100, true);
	assert_int_equal(word(0, 0) & PB_ELEMENT_SET, 3);
	assert_int_equal(word(0, 2), 0);
	assert_true(sets_of("2001:db8::1/128", 200) == 0xc);

	/* One that has ended is no more to be removed, but leaves its place; one renewed is new. */
	removes(3, PREFIX, 300, false);
	assert_int_equal(word(0, 0), 0);
	puts_it(4, PREFIX, 400, 300, true);
	puts_it(4, PREFIX, 500, 400, true);
	assert_int_equal(word(0, 0) & PB_ELEMENT_SET, 4);
	assert_int_equal(nr_at(400), 2);
}

static void test_renewal(void **state)
{
	struct pb_prefix prefix = prefix_of(PREFIX);
	__u64 first, expires = 1;

	(void)state;
	puts_it(1, PREFIX, 0, 1, true);
	first = word(0, 0);
	puts_it(1, PREFIX, 0, 1, false);
	assert_true(word(0, 0) == first);
	puts_it(1, PREFIX, 100, 1, false);
	assert_true(word(0, 0) == (first | PB_ELEMENT_EXPIRES));
	assert_int_equal(ends(0, 0), 100);
	puts_it(1, PREFIX, 50, 1, false);
	assert_int_equal(ends(0, 0), 50);
	assert_int_equal(pb_elements_get(&memory.table, 1, &prefix, 49, &expires), 1);
	assert_int_equal(expires, 50);
	expires = 1;
	assert_int_equal(pb_elements_get(&memory.table, 1, &prefix, 50, &expires), 0);
	assert_int_equal(expires, 1);
	puts_it(1, PREFIX, 0, 49, false);
	assert_int_equal(pb_elements_get(&memory.table, 1, &prefix, ~0ULL - 1, &expires), 1);
	assert_int_equal(expires, 0);
	puts_it(1, PREFIX, 60, 50, false);
	assert_int_equal(nr_at(60), 0);
	assert_int_equal(word(0, 1), 0);
}

/* Another prefix whose row begins where that of PREFIX goes on */
static void neighbour(char text[64])
{
	for (int i = 0;; i++) {
		snprintf(text, 64, "2001:db9::%x/128", i);
		if (pb_hash_bucket(hash_of(text), 0) ==
		    pb_hash_bucket(hash_of(PREFIX), PB_BUCKET_ROW - 1))
			return;
	}
}

/* As many sets as can have one prefix. */
#define ROW (PB_BUCKET_ROW * PB_BUCKET_ELEMENTS)
#define IN_ROW ((1ULL << (ROW - 1) << 1) - 1)

static void test_full_row(void **state)
{
	struct pb_prefix prefix = prefix_of(PREFIX);
	bool added = true;
	struct image *before;
	char other[64];

	(void)state;
	neighbour(other);
	puts_it(0, other, 50, 1, true);
	for (__u8 set = 0; set < ROW - 1; set++)
		puts_it(set, PREFIX, 0, 1, true);
	before = memory_copy(&memory);
	assert_int_equal(pb_elements_put(&memory.table, ROW - 1, &prefix, 0, 49, &added), -ENOSPC);
	assert_true(memory_is(&memory, before));
	assert_true(added);
	image_free(before);
	assert_true(sets_of("2001:db8::1/128", 49) == IN_ROW >> 1);
	puts_it(ROW - 2, PREFIX, 0, 49, false);
	puts_it(ROW - 1, PREFIX, 0, 50, true);
	assert_true(sets_of("2001:db8::1/128", 50) == IN_ROW);
	assert_int_equal(nr_at(50), ROW);
}

/* As the last word of the address: 50,000 for the room of 32,768. */
static struct pb_prefix numbered(__u32 number)
{
	struct pb_prefix prefix = prefix_of("2001:db8::/128");

	memcpy(&prefix.addr[12], &number, sizeof(number));
	return prefix;
}

#define MORE 50000
static bool in[MORE];

static size_t fill(void)
{
	size_t nr = 0;
	bool added;

	for (__u32 i = 0; i < MORE; i++) {
		struct pb_prefix prefix = numbered(i);
		int ret = pb_elements_put(&memory.table, i % 64, &prefix, 0, 1, &added);

		assert_true(!ret || (ret == -ENOSPC && !in[i]));
		in[i] = !ret;
		nr += in[i];
	}
	return nr;
}

/* Looks at all, and removes each third. */
static size_t thin_out(void)
{
	size_t nr = 0;
	bool removed;

	for (__u32 i = 0; i < MORE; i++) {
		struct pb_prefix prefix = numbered(i);
		__u64 sets;

		assert_int_equal(pb_elements_sets(&memory.table, &prefix, 1, &sets), 0);
		assert_true(sets == (in[i] ? 1ULL << i % 64 : 0));
		if (i % 3 == 0) {
			assert_int_equal(
				pb_elements_remove(&memory.table, i % 64, &prefix, 1, &removed), 0);
			assert_int_equal(removed, in[i]);
			in[i] = false;
		}
		nr += in[i];
	}
	return nr;
}

/* What there is no room for leaves nothing, not even its length. */
static void leaves_nothing(void)
{
	struct image *before = memory_copy(&memory);
	struct pb_prefix prefix = prefix_of(PREFIX);
	size_t full = 0;
	bool added;

	for (prefix.len = 32; prefix.len < 97; prefix.len++) {
		if (!pb_elements_put(&memory.table, 1, &prefix, 0, 1, &added)) {
			image_free(before);
			before = memory_copy(&memory);
			continue;
		}
		assert_true(memory_is(&memory, before));
		full++;
	}
	assert_true(full > 10);
	image_free(before);
}

static void test_full_table(void **state)
{
	size_t nr;

	(void)state;
	memset(in, 0, sizeof(in));
	for (int turn = 0; turn < 2; turn++) {
		nr = fill();
		assert_true(nr > PB_BUCKETS * PB_BUCKET_ELEMENTS * 9 / 10);
		assert_int_equal(nr_at(1), nr);
		nr = thin_out();
		assert_int_equal(nr_at(1), nr);
	}
	fill();
	leaves_nothing();
}

/* A million hosts, one after the other, find room in a table that is made for them. */
static void test_made_for_them(void **state)
{
	static struct memory large;
	const __u32 million = 1000000;
	struct pb_prefix prefix = prefix_of("10.0.0.0/32");
	size_t refused = 0;
	bool added;

	(void)state;
	memory_init(&large, 4, pb_elements_segments(million), random_seed());
	for (__u32 i = 0; i < million; i++) {
		prefix.addr[1] = i >> 16;
		prefix.addr[2] = i >> 8;
		prefix.addr[3] = i;
		refused += pb_elements_put(&large.table, i % 64, &prefix, 0, 1, &added) != 0;
	}
	memory_free(&large);
	assert_int_equal(refused, 0);
}

/* The part of the hash in the word is not the address. */
static void test_address(void **state)
{
	struct pb_prefix prefix = prefix_of("2001:db8::1/128");
	struct pb_segment6 *segment;
	__u64 expires;

	(void)state;
	puts_it(1, "2001:db8::1/128", 0, 1, true);
	segment = memory.segments[0];
	for (int i = 0; i < 16; i++) {
		__u8 *byte = &segment->addr[pb_hash_bucket(hash_of("2001:db8::1/128"), 0)][0][i];

		assert_int_equal(pb_elements_get(&memory.table, 1, &prefix, 1, &expires), 1);
		*byte ^= 1;
		assert_int_equal(pb_elements_get(&memory.table, 1, &prefix, 1, &expires), 0);
		removes(1, "2001:db8::1/128", 1, false);
		*byte ^= 1;
	}
}

/* ---- What else is promised ----------------------------------------------------------------- */

static void test_shortest(void **state)
{
	struct pb_prefix host = prefix_of("::/128");
	struct pb_element element;
	__u8 set;

	(void)state;
	puts_it(5, "::/0", 0, 1, true);
	assert_int_equal(pb_elements_look(&memory.table, ALL, &host, 1, &element, &set), 1);
	assert_int_equal(element.prefix.len, 0);
	assert_int_equal(set, 5);
	puts_it(6, "::/128", 0, 1, true);
	assert_int_equal(pb_elements_look(&memory.table, ALL, &host, 1, &element, &set), 1);
	assert_int_equal(element.prefix.len, 128);
	assert_int_equal(set, 6);
	assert_int_equal(pb_elements_look(&memory.table, 1 << 5, &host, 1, &element, &set), 1);
	assert_int_equal(element.prefix.len, 0);
	assert_true(sets_of("ff00::/128", 1) == 1 << 5);
	set = 7;
	assert_int_equal(pb_elements_look(&memory.table, 1 << 4, &host, 1, &element, &set), 0);
	assert_int_equal(set, 7);
}

static void test_segments(void **state)
{
	(void)state;
	assert_int_equal(pb_elements_segments(0), 1);
	assert_int_equal(pb_elements_segments(1), 1);
	assert_int_equal(pb_elements_segments(19660), 1);
	assert_int_equal(pb_elements_segments(19661), 2);
	assert_int_equal(pb_elements_segments(PB_SET_LIMIT), 214);
	assert_int_equal(pb_elements_segments(5033164), PB_SEGMENTS_MAX);
	assert_int_equal(pb_elements_segments(5033165), 0);
	assert_int_equal(pb_elements_segments(~0ULL), 0);
}

static void test_segment_once(void **state)
{
	struct pb_prefix prefix = prefix_of(PREFIX);
	__u64 expires;

	(void)state;
	puts_it(1, PREFIX, 0, 1, true);
	assert_int_equal(memory.asked, 1);
	removes(1, PREFIX, 1, true);
	assert_int_equal(memory.asked, 2);
	assert_int_equal(pb_elements_get(&memory.table, 1, &prefix, 1, &expires), 0);
	assert_int_equal(memory.asked, 3);
	/* No length is worth a look there: the segments of two cells say so. */
	assert_true(sets_of("4001:db8::1/128", 1) == 0);
	assert_int_equal(memory.asked, 5);
}

static void test_no_segment(void **state)
{
	struct pb_prefix prefix = prefix_of(PREFIX);
	struct pb_element element;
	__u64 sets = 7, expires;
	size_t nr = 0;
	bool flag;
	__u8 set;

	(void)state;
	puts_it(1, PREFIX, 0, 1, true);
	memory.refuse = true;
	assert_int_equal(pb_elements_put(&memory.table, 1, &prefix, 0, 1, &flag), -ENOMEM);
	assert_int_equal(pb_elements_remove(&memory.table, 1, &prefix, 1, &flag), -ENOMEM);
	assert_int_equal(pb_elements_get(&memory.table, 1, &prefix, 1, &expires), -ENOMEM);
	assert_int_equal(pb_elements_look(&memory.table, ALL, &prefix, 1, &element, &set), -ENOMEM);
	assert_int_equal(pb_elements_sets(&memory.table, &prefix, 1, &sets), -ENOMEM);
	assert_int_equal(sets, 7);
	assert_int_equal(pb_elements_each(&memory.table, 1, count, &nr), -ENOMEM);
	memory.refuse = false;
	assert_int_equal(nr_at(1), 1);
}

static void test_empty(void **state)
{
	struct pb_prefix prefix = prefix_of(PREFIX);
	struct pb_element element;
	__u64 expires;
	bool flag = true;
	__u8 set;

	(void)state;
	assert_int_equal(pb_elements_put(&memory.table, 64, &prefix, 0, 1, &flag), -EINVAL);
	memory.table.nr_segments = 0;
	assert_int_equal(pb_elements_put(&memory.table, 1, &prefix, 0, 1, &flag), -ENOSPC);
	assert_int_equal(pb_elements_remove(&memory.table, 1, &prefix, 1, &flag), 0);
	assert_false(flag);
	assert_int_equal(pb_elements_get(&memory.table, 1, &prefix, 1, &expires), 0);
	assert_int_equal(pb_elements_look(&memory.table, ALL, &prefix, 1, &element, &set), 0);
	assert_true(sets_of("2001:db8::1/128", 1) == 0);
	assert_int_equal(nr_at(1), 0);
	assert_int_equal(memory.asked, 0);
}

static int remove_it(void *context, __u8 set, const struct pb_element *element)
{
	bool removed;

	(void)context;
	assert_int_equal(pb_elements_remove(&memory.table, set, &element->prefix, 1, &removed), 0);
	assert_true(removed);
	return set == 20 ? 12 : 0;
}

static void test_each_ends(void **state)
{
	(void)state;
	for (__u8 set = 0; set < 30; set++)
		puts_it(set, PREFIX, 0, 1, true);
	assert_int_equal(pb_elements_each(&memory.table, 1, remove_it, NULL), 12);
	assert_true(nr_at(1) < 30);
	assert_true(sets_of("2001:db8::1/128", 1) < 1ULL << 30);
	assert_false(sets_of("2001:db8::1/128", 1) & 1ULL << 20);
}

/* ---- A reader meanwhile -------------------------------------------------------------------- */

#define TURNS 300000

struct meanwhile {
	bool done;
	struct pb_prefix always; /* in set 1, now renewed, now without a time */
	struct pb_prefix never;	 /* was in until its end, before all began */
	__u32 turn;		 /* in each it is put back once */
	size_t looks;
	size_t missed;
	size_t imagined;
};

static void *reader(void *context)
{
	struct meanwhile *meanwhile = context;
	__u64 sets;
	__u32 turn;

	while (!__atomic_load_n(&meanwhile->done, __ATOMIC_ACQUIRE)) {
		if (pb_elements_sets(&memory.table, &meanwhile->always, 100, &sets) ||
		    !(sets & 1 << 1))
			meanwhile->missed++;
		turn = __atomic_load_n(&meanwhile->turn, __ATOMIC_SEQ_CST);
		if ((pb_elements_sets(&memory.table, &meanwhile->never, 100, &sets) || sets) &&
		    turn == __atomic_load_n(&meanwhile->turn, __ATOMIC_SEQ_CST))
			meanwhile->imagined++;
		__atomic_store_n(&meanwhile->looks, meanwhile->looks + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/*
 * One that has ended is put back into its place (as of a time when it had not), and the place given to
 * another that has a later end. Who mixes up the two takes the old one for one that counts. (A look that goes on
 * until it is put back once more may do so: in earnest, what is put back counts.)
 */
static void write_turn(struct meanwhile *meanwhile, __u32 i)
{
	const struct pb_prefix *never = &meanwhile->never, *always = &meanwhile->always;
	__u64 expires = i % 3 ? 1000 + i : 0;
	bool flag;

	__atomic_store_n(&meanwhile->turn, i, __ATOMIC_SEQ_CST);
	assert_int_equal(pb_elements_put(&memory.table, 2, never, 50, 10, &flag), 0);
	assert_int_equal(pb_elements_put(&memory.table, 3, always, 1000, 100, &flag), 0);
	assert_true(flag);
	assert_int_equal(pb_elements_put(&memory.table, 1, always, expires, 100, &flag), 0);
	assert_false(flag);
	assert_int_equal(pb_elements_remove(&memory.table, 3, always, 100, &flag), 0);
}

/* Two prefixes whose rows begin in the same bucket: what one leaves the other takes. */
static void test_meanwhile(void **state)
{
	struct meanwhile meanwhile = { .always = prefix_of("2001:db8::1/128") };
	pthread_t thread;
	char text[64];

	(void)state;
	for (int i = 0;; i++) {
		snprintf(text, sizeof(text), "2001:db9::%x/128", i);
		if (pb_hash_bucket(hash_of(text), 0) ==
		    pb_hash_bucket(hash_of("2001:db8::1/128"), 0))
			break;
	}
	meanwhile.never = prefix_of(text);
	puts_it(1, "2001:db8::1/128", 0, 1, true);
	assert_int_equal(pthread_create(&thread, NULL, reader, &meanwhile), 0);
	while (!__atomic_load_n(&meanwhile.looks, __ATOMIC_ACQUIRE))
		sched_yield();
	for (__u32 i = 0; i < TURNS; i++)
		write_turn(&meanwhile, i);
	__atomic_store_n(&meanwhile.done, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	assert_int_equal(meanwhile.missed, 0);
	assert_int_equal(meanwhile.imagined, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test_setup_teardown(test_overflow, begin, end),
		cmocka_unit_test_setup_teardown(test_one_of_each, begin, end),
		cmocka_unit_test_setup_teardown(test_expired, begin, end),
		cmocka_unit_test_setup_teardown(test_renewal, begin, end),
		cmocka_unit_test_setup_teardown(test_full_row, begin, end),
		cmocka_unit_test_setup_teardown(test_full_table, begin, end),
		cmocka_unit_test(test_made_for_them),
		cmocka_unit_test_setup_teardown(test_address, begin, end),
		cmocka_unit_test_setup_teardown(test_shortest, begin, end),
		cmocka_unit_test(test_segments),
		cmocka_unit_test_setup_teardown(test_segment_once, begin, end),
		cmocka_unit_test_setup_teardown(test_no_segment, begin, end),
		cmocka_unit_test_setup_teardown(test_empty, begin, end),
		cmocka_unit_test_setup_teardown(test_each_ends, begin, end),
		cmocka_unit_test_setup_teardown(test_meanwhile, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
