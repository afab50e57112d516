// SPDX-License-Identifier: GPL-2.0-only
/*
 * The prefixes of mixes in tables for look-up, against a naive judge: a list of them, compared bit by bit. What
 * the XDP program does with the tables is here in user space, by the functions that it shares (sources.h);
 * net:sources-judge asks the program itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "compile/lookup.h"
#include "random.h"
#include "rule/prefix.h"

#define MIXES 20    /* more than have blocks in the place of short prefixes */
#define SOURCES 200 /* of a mix */
#define WORLDS 60
#define HOSTS 500
#define NONE (-1)

static const __u64 seed[2] = { 0x0123456789abcdef, 0xfedcba9876543210 };

struct world {
	struct random random;
	struct pb_source source[MIXES * SOURCES];
	struct pb_decision decision[MIXES + 1];
	struct pb_tables tables;
	struct pb_lookup lookup;
};

/* ---- Looking, as lib/bpf/sources.h does ---------------------------------------------------- */

static int answer_of(const struct pb_source_decision *mix, __u64 word)
{
	__u32 answer = PB_SOURCE_ANSWER(word) - mix->first;

	return answer < mix->answers ? (int)answer : NONE;
}

static __u64 word4(const struct pb_lookup *lookup, const struct pb_source_decision *mix,
		   __u64 address, __u32 by)
{
	__u64 hash = pb_source_hash4(address, by, mix->first, seed);
	const struct pb_source_segment4 *segment =
		&lookup->segment4[pb_hash_segment(hash, mix->segments4)];

	return segment->word[pb_source_place(hash, segment->step[pb_source_step(hash)])];
}

static int by_lengths4(const struct pb_lookup *lookup, const struct pb_source_decision *mix,
		       __u64 address, __u32 lengths, __u32 longest)
{
	for (; lengths; lengths >>= 1, longest--) {
		__u64 bits = pb_first_bits(address, longest), word;

		if (!(lengths & 1))
			continue;
		word = word4(lookup, mix, bits, PB_SOURCE_BY_PREFIX(longest));
		if (answer_of(mix, word) >= 0 && pb_source_is4(word, bits, longest))
			return answer_of(mix, word);
	}
	return NONE;
}

static int find4(const struct pb_lookup *lookup, const struct pb_source_decision *mix,
		 __u64 address)
{
	for (__u32 level = 24; level > 0; level -= 8) {
		__u64 word;
		int answer;

		if (!(mix->levels & PB_LEVEL4(level)))
			continue;
		word = word4(lookup, mix, pb_first_bits(address, level), PB_SOURCE_BY_BITS(level));
		answer = answer_of(mix, word);
		if (answer < 0)
			continue;
		if (pb_source_holds4(word, address, level))
			return answer;
		if (!pb_source_several4(word, address, level))
			continue;
		answer = by_lengths4(lookup, mix, address, word & PB_SOURCE_LENGTHS, level + 8);
		if (answer >= 0)
			return answer;
	}
	return by_lengths4(lookup, mix, address, mix->lengths4, 7);
}

static const struct pb_source_entry6 *entry6(const struct pb_lookup *lookup,
					     const struct pb_source_decision *mix,
					     struct pb_address address, __u32 by)
{
	__u64 hash = pb_source_hash6(address, by, mix->first, seed);
	const struct pb_source_segment6 *segment =
		&lookup->segment6[pb_hash_segment(hash, mix->segments6)];

	return &segment->entry[pb_source_place(hash, segment->step[pb_source_step(hash)])];
}

static int by_lengths6(const struct pb_lookup *lookup, const struct pb_source_decision *mix,
		       struct pb_address address, __u64 lengths, __u32 longest)
{
	for (; lengths; lengths >>= 1, longest--) {
		const struct pb_address bits = pb_source_first6(address, longest);
		const struct pb_source_entry6 *entry;

		if (!(lengths & 1))
			continue;
		entry = entry6(lookup, mix, bits, PB_SOURCE_BY_PREFIX(longest));
		if (answer_of(mix, entry->word) >= 0 && pb_source_is6(entry, bits, longest))
			return answer_of(mix, entry->word);
	}
	return NONE;
}

static int find6(const struct pb_lookup *lookup, const struct pb_source_decision *mix,
		 struct pb_address address)
{
	for (__u32 level = 64; level > 0; level -= 32) {
		const struct pb_address bits = { pb_first_bits(address.high, level), 0 };
		const struct pb_source_entry6 *entry;
		int answer;

		if (!(mix->levels & PB_LEVEL6(level)))
			continue;
		entry = entry6(lookup, mix, bits, PB_SOURCE_BY_BITS(level));
		answer = answer_of(mix, entry->word);
		if (answer < 0)
			continue;
		if (pb_source_holds6(entry, address, level))
			return answer;
		if (!pb_source_several6(entry, address, level))
			continue;
		answer = by_lengths6(lookup, mix, address, entry->low, level == 64 ? 128 : 63);
		if (answer < 0 && entry->word & 1)
			answer = by_lengths6(lookup, mix, address, 1, 64);
		if (answer >= 0)
			return answer;
	}
	return by_lengths6(lookup, mix, address, mix->lengths6, 31);
}

static struct pb_source_decision mix_at(const struct world *world, __u32 number)
{
	struct pb_source_decision mix;

	memcpy(&mix, &world->decision[number + 1], sizeof(mix));
	return mix;
}

/* The answer, 0 where no prefix holds the host. */
static int find(const struct world *world, __u32 number, const struct pb_prefix *host)
{
	const struct pb_source_decision mix = mix_at(world, number);
	struct pb_address address;
	int answer;

	memcpy(&address, host->addr, sizeof(address));
	address.high = be64toh(address.high);
	address.low = be64toh(address.low);
	if (host->family == 4)
		answer = find4(&world->lookup, &mix, address.high >> 32 << 32);
	else
		answer = find6(&world->lookup, &mix, address);
	return answer < 0 ? 0 : answer;
}

/* ---- The judge ----------------------------------------------------------------------------- */

static int judge(const struct world *world, __u32 mix, const struct pb_prefix *host)
{
	const struct pb_source *best = NULL;

	for (size_t i = 0; i < world->tables.nr_sources; i++) {
		const struct pb_source *source = &world->source[i];
		bool holds = source->mix == mix && source->prefix.family == host->family;

		for (int bit = 0; holds && bit < source->prefix.len; bit++) {
			int mask = 128 >> (bit & 7);

			holds = !((source->prefix.addr[bit / 8] ^ host->addr[bit / 8]) & mask);
		}
		if (holds && (!best || source->prefix.len > best->prefix.len))
			best = source;
	}
	return best ? (int)best->offset : 0;
}

/* ---- Worlds -------------------------------------------------------------------------------- */

static void cut(struct pb_prefix *prefix)
{
	for (int bit = prefix->len; bit < 128; bit++)
		prefix->addr[bit / 8] &= ~(128 >> (bit & 7));
}

/* Few bits differ, so that many hold others (of IPv6, around the first 64), and now and then any address. */
static struct pb_prefix random_host(struct random *random, __u8 family)
{
	struct pb_prefix host = { .family = family, .len = family == 4 ? 32 : 128 };
	bool any = !random_below(random, 6);

	for (int i = 0; i < host.len / 8; i++)
		if (any)
			host.addr[i] = random_below(random, 256);
		else if ((i % 7 < 2 || family == 4) && !random_below(random, 3))
			host.addr[i] = 1 << random_below(random, 8);
	return host;
}

static struct pb_prefix random_prefix(struct random *random, __u8 family)
{
	struct pb_prefix prefix = random_host(random, family);

	if (random_below(random, 4))
		prefix.len = random_below(random, prefix.len + 1);
	cut(&prefix);
	return prefix;
}

static int compare(const void *left, const void *right)
{
	const struct pb_source *a = left, *b = right;

	return a->mix != b->mix ? a->mix - b->mix : pb_prefix_order(&a->prefix, &b->prefix);
}

/* Of sources that are equal one is left. */
static size_t sort(struct pb_source *source, size_t nr)
{
	size_t kept = 0;

	qsort(source, nr, sizeof(*source), compare);
	for (size_t i = 0; i < nr; i++)
		if (!kept || compare(&source[kept - 1], &source[i]))
			source[kept++] = source[i];
	return kept;
}

static void random_world(struct world *world)
{
	struct random *random = &world->random;
	__u32 per_mix = 1 + random_below(random, random_below(random, 2) ? 12 : SOURCES);
	size_t nr = 0;

	for (__u32 mix = 0; mix < MIXES; mix++) {
		__u32 family = random_below(random, 3);

		for (__u32 i = 0; i < per_mix; i++) {
			__u8 of = family ? family * 2 + 2 : random_below(random, 2) ? 4 : 6;

			world->source[nr++] = (struct pb_source){
				.prefix = random_prefix(random, of),
				.mix = mix,
				.offset = random_below(random, 9),
			};
		}
		world->decision[mix + 1] = (struct pb_decision){ .flags = PB_DECISION_SOURCES,
								 .mix = mix,
								 .next = 1000 + mix };
	}
	world->tables = (struct pb_tables){ .sources = world->source,
					    .nr_sources = sort(world->source, nr),
					    .decisions = world->decision,
					    .nr_decisions = MIXES + 1 };
}

static void check_host(const struct world *world, const struct pb_prefix *host)
{
	for (__u32 mix = 0; mix < MIXES; mix++) {
		int found = find(world, mix, host), right = judge(world, mix, host);

		if (found == right)
			continue;
		print_message("# mix %u, a host of IPv%u: %d, and not %d\n", mix, host->family,
			      found, right);
		assert_int_equal(found, right);
	}
}

/* Hosts at the borders of the prefixes: the first, the last, those next to it. */
static struct pb_prefix host_near(struct world *world)
{
	struct random *random = &world->random;
	struct pb_prefix host;

	if (!random_below(random, 4))
		return random_host(random, random_below(random, 2) ? 4 : 6);
	host = world->source[random_below(random, world->tables.nr_sources)].prefix;
	for (int bit = host.len; bit < (host.family == 4 ? 32 : 128); bit++)
		if (random_below(random, 2))
			host.addr[bit / 8] |= 128 >> (bit & 7);
	if (host.len && random_below(random, 2))
		host.addr[(host.len - 1) / 8] ^= 128 >> ((host.len - 1) & 7);
	host.len = host.family == 4 ? 32 : 128;
	return host;
}

static void random_mixes(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	__u64 number = random_seed();

	(void)state;
	assert_non_null(world);
	print_message("# PB_SEED=%llu\n", (unsigned long long)number);
	random_init(&world->random, number);
	for (int i = 0; i < WORLDS; i++) {
		random_world(world);
		assert_int_equal(pb_lookup_make(&world->tables, 8, seed, &world->lookup), 0);
		for (int j = 0; j < HOSTS; j++) {
			struct pb_prefix host = host_near(world);

			check_host(world, &host);
		}
		for (__u32 mix = 0; mix < MIXES; mix++) {
			assert_int_equal(mix_at(world, mix).next, 1000 + mix);
			assert_int_equal(world->decision[mix + 1].flags, PB_DECISION_SOURCES);
		}
		pb_lookup_free(&world->lookup);
	}
	free(world);
}

/* ---- By hand ------------------------------------------------------------------------------- */

/* One prefix of each length, each within the one before, and hosts that all but the longest hold. */
static void each_length(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	(void)state;
	assert_non_null(world);
	for (int family = 4; family <= 6; family += 2) {
		int bits = family == 4 ? 32 : 128;
		struct pb_prefix host = { .family = family, .len = bits };

		memset(host.addr, 0xa5, bits / 8);
		world->decision[1] = (struct pb_decision){ .flags = PB_DECISION_SOURCES };
		world->tables = (struct pb_tables){ .sources = world->source,
						    .nr_sources = bits + 1,
						    .decisions = world->decision,
						    .nr_decisions = 2 };
		for (int len = 0; len <= bits; len++) {
			world->source[len] = (struct pb_source){ .prefix = host, .offset = len };
			world->source[len].prefix.len = len;
			cut(&world->source[len].prefix);
		}
		assert_int_equal(sort(world->source, bits + 1), bits + 1);
		assert_int_equal(pb_lookup_make(&world->tables, 1, seed, &world->lookup), 0);
		assert_int_equal(find(world, 0, &host), bits);
		for (int bit = 0; bit < bits; bit++) {
			host.addr[bit / 8] ^= 128 >> (bit & 7);
			assert_int_equal(find(world, 0, &host), bit);
			host.addr[bit / 8] ^= 128 >> (bit & 7);
		}
		pb_lookup_free(&world->lookup);
	}
	free(world);
}

/* Decisions that ask for no source stay, and without prefixes there is no segment. */
static void without_sources(void **state)
{
	struct pb_decision decision[3] = { [1] = { .entry = PB_ENTRY(7, 0, 0), .rank = 9, .mix = 3 },
					   [2] = { .flags = PB_DECISION_SOURCES, .next = 5 } };
	const struct pb_decision before = decision[1];
	struct pb_tables tables = { .decisions = decision, .nr_decisions = 3 };
	struct pb_source_decision mix;
	struct pb_lookup lookup;

	(void)state;
	assert_int_equal(pb_lookup_make(&tables, 0, seed, &lookup), 0);
	assert_memory_equal(&decision[1], &before, sizeof(before));
	assert_int_equal(lookup.nr4 + lookup.nr6, 0);
	memcpy(&mix, &decision[2], sizeof(mix));
	assert_int_equal(mix.answers, 0);
	assert_int_equal(mix.levels, 0);
	assert_int_equal(mix.next, 5);
	pb_lookup_free(&lookup);
}

/* ---- Large --------------------------------------------------------------------------------- */

/* So many hosts, `alike` in each network of 24 or 64 bits: the most places that prefixes can take is by two. */
static void fits(__u8 family, __u32 nr, __u32 alike)
{
	struct pb_decision decision[2] = { [1] = { .flags = PB_DECISION_SOURCES } };
	struct pb_tables tables = { .nr_sources = nr, .decisions = decision, .nr_decisions = 2 };
	__u32 max = pb_lookup_segments_max(nr);
	struct pb_lookup lookup;
	struct pb_source *source = calloc(nr, sizeof(*source));

	assert_non_null(source);
	tables.sources = source;
	for (__u32 i = 0; i < nr; i++) {
		__u32 network = htobe32(i / alike << 8);

		source[i].prefix.family = family;
		source[i].prefix.len = family == 4 ? 32 : 128;
		source[i].offset = i;
		memcpy(source[i].prefix.addr, &network, sizeof(network));
		source[i].prefix.addr[family == 4 ? 3 : 15] = i % alike;
	}
	assert_int_equal(pb_lookup_make(&tables, max, seed, &lookup), 0);
	assert_true(lookup.nr4 + lookup.nr6 <= max);
	pb_lookup_free(&lookup);
	/* With too few segments nothing is made. */
	decision[1] = (struct pb_decision){ .flags = PB_DECISION_SOURCES, .mix = 0, .next = 4 };
	assert_int_equal(pb_lookup_make(&tables, 0, seed, &lookup), -ENOSPC);
	assert_int_equal(decision[1].next, 4);
	free(source);
}

static void as_many_as_allowed(void **state)
{
	(void)state;
	for (__u32 alike = 1; alike <= 3; alike++) {
		fits(4, PB_SOURCES_LIMIT, alike);
		fits(6, PB_SOURCES_LIMIT, alike);
	}
	for (__u32 nr = 1; nr < 9000; nr += nr / 3 + 1)
		fits(4, nr, 2);
}

/* Mixes whose short prefixes are many blocks, each of which has something else, too. */
static void blocks_fit(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	size_t nr = 0;

	(void)state;
	assert_non_null(world);
	for (__u32 mix = 0; mix < MIXES; mix++) {
		world->decision[mix + 1] =
			(struct pb_decision){ .flags = PB_DECISION_SOURCES, .mix = mix };
		for (__u32 i = 0; i < 130; i++) {
			struct pb_source *source = &world->source[nr++];

			*source = (struct pb_source){ .mix = mix, .offset = i };
			source->prefix.family = 4;
			source->prefix.len = i < 2 ? i : 12;
			source->prefix.addr[0] = i < 2 ? 0 : 2 * i - 4;
		}
	}
	world->tables = (struct pb_tables){ .sources = world->source,
					    .nr_sources = sort(world->source, nr),
					    .decisions = world->decision,
					    .nr_decisions = MIXES + 1 };
	assert_int_equal(world->tables.nr_sources, nr);
	assert_int_equal(pb_lookup_make(&world->tables, pb_lookup_segments_max(nr), seed,
					&world->lookup),
			 0);
	for (__u32 i = 0; i < 256; i++) {
		struct pb_prefix host = { .family = 4, .len = 32, .addr = { i, 1, 1, 1 } };

		check_host(world, &host);
		host.addr[1] = 255;
		check_host(world, &host);
	}
	pb_lookup_free(&world->lookup);
	free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_mixes),	   cmocka_unit_test(each_length),
		cmocka_unit_test(without_sources), cmocka_unit_test(as_many_as_allowed),
		cmocka_unit_test(blocks_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
