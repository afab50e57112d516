// SPDX-License-Identifier: GPL-2.0-only
/*
 * Token buckets by a simulated clock, against a judge that knows no ticks and no differences of times: a bucket
 * of so many tokens, in exact fractions, filled as the definition says. Time goes on for years, wraps around, stands still
 * and goes back; and rates of all sizes are offered all kinds of traffic.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <portblock/tokens.h>
#include "compile/limits.h"
#include "random.h"
#include "rule/rate.h"

#define SECOND 1000000000ULL
#define YEAR (365 * 86400 * SECOND)

static struct pb_rule_limits limits_of(const char *text)
{
	struct pb_over over = { 0 };
	struct pb_error error;

	if (pb_over_parse(text, &over, &error))
		fail_msg("%s: %s", text, error.text);
	return pb_limits_of(&over);
}

static bool take(__u64 *full_at, const struct pb_limit *limit, __u64 ns, __u64 bytes)
{
	return pb_tokens_take(full_at, pb_ticks(ns), limit->burst, pb_token_cost(limit, bytes));
}

/* ---- One bucket -------------------------------------------------------------------------------- */

static void test_burst(void **state)
{
	const struct pb_rule_limits limits = limits_of("6/m burst 10");
	__u64 full_at = 0, now = 5 * YEAR;

	(void)state;
	for (int i = 0; i < 30; i++)
		assert_int_equal(take(&full_at, &limits.rate, now, 60), i >= 10);
	/* One comes back every ten seconds, and not a moment before. */
	assert_true(take(&full_at, &limits.rate, now + 10 * SECOND - 1, 60));
	assert_false(take(&full_at, &limits.rate, now + 10 * SECOND, 60));
	assert_true(take(&full_at, &limits.rate, now + 10 * SECOND, 60));
	/* No more than the bucket holds, however long nobody comes. */
	now += YEAR;
	for (int i = 0; i < 30; i++)
		assert_int_equal(take(&full_at, &limits.rate, now, 60), i >= 10);
}

static void test_bits(void **state)
{
	const struct pb_rule_limits limits = limits_of("8mbit/s burst 80kbit");
	__u64 full_at = 0, now = SECOND;

	(void)state;
	for (int i = 0; i < 20; i++) /* 10,000 bytes */
		assert_int_equal(take(&full_at, &limits.rate, now, 1000), i >= 10);
	assert_true(take(&full_at, &limits.rate, now + 999999, 1000));
	assert_false(take(&full_at, &limits.rate, now + 1000000, 1000)); /* 1,000 bytes a ms */
	/* A large frame waits where a small one goes. */
	assert_true(take(&full_at, &limits.rate, now + 1100000, 1500));
	assert_false(take(&full_at, &limits.rate, now + 1100000, 100));
}

/* What no packet can have left is an empty bucket, which fills from now on. */
static void test_impossible(void **state)
{
	const struct pb_rule_limits limits = limits_of("10/s");
	static const __u64 nows[] = { SECOND, 18 * YEAR, 19 * YEAR, 37 * YEAR };

	(void)state;
	for (size_t i = 0; i < sizeof(nows) / sizeof(nows[0]); i++) {
		__u64 now = nows[i],
		      full_at = pb_ticks(now) + limits.rate.burst + PB_TICKS_STRAY + 1000;

		assert_true(take(&full_at, &limits.rate, now, 60));
		assert_true(take(&full_at, &limits.rate, now + SECOND / 10 - 1, 60));
		assert_false(take(&full_at, &limits.rate, now + SECOND / 10, 60));
	}
}

/* The clock goes back by less than a burst: nothing comes back that was not paid for. */
static void test_step_back(void **state)
{
	const struct pb_rule_limits limits = limits_of("10/s");
	__u64 full_at = 0, now = 100 * SECOND, went = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		went += !take(&full_at, &limits.rate, now - (i % 7) * SECOND / 10, 60);
	assert_int_equal(went, 10);
}

/* ---- Against the definition -------------------------------------------------------------------- */

__extension__ typedef unsigned __int128 wide;

/* Tokens in units of 1 / `amount` of what comes in a nanosecond: whole numbers. */
struct judge {
	const struct pb_rate *rate;
	wide tokens, most, a_packet, a_byte;
	__u64 at;
};

static const __u64 periods[] = { SECOND, 60 * SECOND, 3600 * SECOND };

static struct judge judge_of(const struct pb_rate *rate, __u64 now)
{
	wide period = periods[rate->per];
	struct judge judge = { .rate = rate, .at = now };

	/* A nanosecond brings `amount`; a packet takes `period`, a bit likewise. */
	judge.a_packet = period;
	judge.a_byte = 8 * period;
	judge.most = judge.tokens = rate->burst * period;
	return judge;
}

static void fill(struct judge *judge, __u64 now)
{
	judge->tokens += (wide)(now - judge->at) * judge->rate->amount;
	if (judge->tokens > judge->most)
		judge->tokens = judge->most;
	judge->at = now;
}

static bool judge_over(struct judge *judge, __u64 now, __u64 bytes)
{
	wide cost = judge->rate->unit == PB_RATE_BITS ? judge->a_byte * bytes : judge->a_packet;

	fill(judge, now);
	if (judge->tokens < cost)
		return true;
	judge->tokens -= cost;
	return false;
}

static struct pb_rate any_rate(struct random *random)
{
	static const char *const texts[] = { "1/h",
					     "1/m burst 1",
					     "6/m",
					     "100/h burst 3",
					     "10/s burst 1",
					     "333/s",
					     "1000000/s",
					     "100000000/s burst 5",
					     "7777777/s burst 70",
					     "9600bit/s burst 20kbit",
					     "1mbit/s",
					     "100gbit/s" };
	struct pb_rate rate;
	struct pb_over over;

	assert_int_equal(
		pb_over_parse(texts[random_below(random, sizeof(texts) / sizeof(texts[0]))], &over,
			      NULL),
		0);
	rate = over.rate;
	return rate;
}

/* From one to many packets in the time that one costs, and pauses in which the bucket fills, or years. */
static __u64 any_pause(struct random *random, const struct pb_rate *rate)
{
	__u64 one = periods[rate->per] / rate->amount + 1;

	if (rate->unit == PB_RATE_BITS)
		one = one * 8 * 500 + 1;
	switch (random_below(random, 8)) {
	case 0:
		return 0;
	case 1:
		return random_below(random, 1 + (one < 1000000 ? one * 10 : 1000000));
	case 2:
		return random_below(random, 100) ? one : YEAR;
	default:
		return one / (1 + random_below(random, 10));
	}
}

/* What went, by both: never more than by the definition, but for the fraction of a tick; nearly as much. */
static void test_definition(void **state)
{
	struct random random;

	(void)state;
	random_init(&random, random_seed());
	for (int world = 0; world < 300; world++) {
		struct pb_over over = { .rate = any_rate(&random) };
		const struct pb_rule_limits limits = pb_limits_of(&over);
		/* Anywhere, where ticks wrap around too. */
		__u64 now = random_below(&random, 80) * YEAR, full_at = pb_ticks(now);
		struct judge judge = judge_of(&over.rate, now);
		__u64 went = 0, should = 0;

		for (int i = 0; i < 20000; i++) {
			__u64 bytes = 60 + random_below(&random, 1459),
			      pause = any_pause(&random, &over.rate);

			if (now > ~0ULL - YEAR)
				break;
			now += pause;
			went += !take(&full_at, &limits.rate, now, bytes);
			should += !judge_over(&judge, now, bytes);
		}
		if (went > should + should / 100 + 1 || should > went + went / 100 + 1)
			fail_msg("%llu of %llu a %s went, %llu should", (unsigned long long)went,
				 (unsigned long long)over.rate.amount,
				 pb_rate_per_name(over.rate.per), (unsigned long long)should);
	}
}

/* ---- Of sources --------------------------------------------------------------------------------- */

static const __u64 seed[2] = { 0x0123456789abcdef, 0xfedcba9876543210 };

static __u64 tag_of(__u32 address)
{
	return pb_token_tag(7, 4, (struct pb_address){ (__u64)address << 32, 0 }, seed);
}

static void test_find(void **state)
{
	struct pb_token_row row = { 0 };

	(void)state;
	for (__u32 i = 0; i < PB_TOKEN_ROW; i++) {
		row.tag[i] = 100 + i;
		assert_int_equal(pb_token_find(&row, 100 + i), i);
	}
	assert_int_equal(pb_token_find(&row, 99), PB_TOKEN_ROW);
	row.tag[6] = row.tag[2]; /* the first one */
	assert_int_equal(pb_token_find(&row, 102), 2);
	row.tag[0] = 1ULL << 63;
	assert_int_equal(pb_token_find(&row, 1ULL << 63), 0);
}

/* A free place first, then the bucket that misses least; that it missed something is told. */
static void test_replace(void **state)
{
	struct pb_token_row row = { 0 };
	__u64 now = pb_ticks(YEAR), missing;
	__u32 least;

	(void)state;
	for (__u32 i = 0; i < PB_TOKEN_ROW; i++) {
		__u32 place = pb_token_replace(&row, tag_of(i), now, &missing);

		assert_true(place < PB_TOKEN_ROW);
		assert_int_equal(missing, 0);
		assert_int_equal(row.tag[place], tag_of(i));
		row.full_at[place] = now + 800 + 80 * ((i + 3) % PB_TOKEN_ROW);
	}
	/* That of source 5 misses least now. */
	least = pb_token_find(&row, tag_of(5));
	assert_int_equal(pb_token_replace(&row, tag_of(100), now, &missing), least);
	assert_int_equal(missing, 800);
	assert_int_equal(pb_token_find(&row, tag_of(5)), PB_TOKEN_ROW);
	/* Full ones go, and nobody misses them. */
	assert_true(pb_token_replace(&row, tag_of(101), now + 100000, &missing) < PB_TOKEN_ROW);
	assert_int_equal(missing, 0);
}

/* Another took it: no place is lent, and nothing has changed. */
static void test_taken(void **state)
{
	struct pb_token_row row = { 0 }, before;
	__u64 missing;

	(void)state;
	for (__u32 i = 0; i < PB_TOKEN_ROW; i++)
		row.tag[i] = PB_TAG_TAKEN;
	before = row;
	assert_int_equal(pb_token_replace(&row, tag_of(1), 1000, &missing), PB_TOKEN_ROW);
	assert_memory_equal(&row, &before, sizeof(row));
}

/* Sources of a rule, of other rules, of both families and of other lengths are told apart; a refill forgets. */
static void test_tags(void **state)
{
	struct pb_address a = { 0x20010db800000001, 0x1 }, b = { 0x20010db800000001, 0x2 };

	(void)state;
	assert_int_equal(tag_of(1), tag_of(1));
	assert_int_not_equal(tag_of(1), tag_of(2));
	assert_int_not_equal(pb_token_tag(1, 6, a, seed), pb_token_tag(2, 6, a, seed));
	assert_int_not_equal(pb_token_tag(1, 6, a, seed), pb_token_tag(1 << 16 | 1, 6, a, seed));
	assert_int_not_equal(pb_token_tag(1, 6, a, seed), pb_token_tag(1, 6, b, seed));
	assert_int_equal(pb_token_tag(1, 6, pb_token_prefix(a, 64), seed),
			 pb_token_tag(1, 6, pb_token_prefix(b, 64), seed));
	a = pb_token_prefix((struct pb_address){ ~0ULL, ~0ULL }, 65);
	assert_true(a.high == ~0ULL && a.low == 1ULL << 63);
	a = pb_token_prefix((struct pb_address){ ~0ULL, ~0ULL }, 1);
	assert_true(a.high == 1ULL << 63 && a.low == 0);
}

/* Drawn tags lie in all rows evenly, also of addresses that follow each other. */
static void test_spread(void **state)
{
	__u32 in_row[256] = { 0 };

	(void)state;
	for (__u32 i = 0; i < 256 * 64; i++)
		in_row[tag_of(0xc0000200 + i) & 255]++;
	for (int i = 0; i < 256; i++)
		if (in_row[i] < 24 || in_row[i] > 128)
			fail_msg("%u of 64 lie in row %d", in_row[i], i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst),	   cmocka_unit_test(test_bits),
		cmocka_unit_test(test_impossible), cmocka_unit_test(test_step_back),
		cmocka_unit_test(test_definition), cmocka_unit_test(test_find),
		cmocka_unit_test(test_replace),	   cmocka_unit_test(test_taken),
		cmocka_unit_test(test_tags),	   cmocka_unit_test(test_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
