// SPDX-License-Identifier: GPL-2.0-only
/*
 * Token buckets by a simulated clock, beside one that is written from the definition: it holds at most `burst`, gets
 * what the rate gives in the time since the packet before, and a packet that finds its cost there takes it.
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

#define SECOND (1000000000ULL << PB_TICKS_SHIFT)
#define YEAR (365 * 24 * 3600 * SECOND)

static __u64 state = 0x9e3779b97f4a7c15ULL;

static __u64 draw(__u64 below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static struct pb_over packets(__u64 amount, enum pb_rate_per per, __u64 burst)
{
	return (struct pb_over){ .rate = { .amount = amount, .burst = burst, .per = per } };
}

static struct pb_over bits(__u64 amount, __u64 burst)
{
	return (struct pb_over){ .rate = {
					 .amount = amount, .burst = burst, .unit = PB_RATE_BITS } };
}

/* ---- By the definition ----------------------------------------------------------------------- */

struct reference {
	long double tokens, burst, a_tick; /* units; a rate */
	__u64 last;
};

static struct reference reference_of(const struct pb_rate *rate, __u64 now)
{
	static const int seconds[] = { 1, 60, 3600 };

	return (struct reference){ .tokens = rate->burst,
				   .burst = rate->burst,
				   .a_tick =
					   (long double)rate->amount / seconds[rate->per] / SECOND,
				   .last = now };
}

static bool reference_over(struct reference *bucket, __u64 now, __u64 cost)
{
	bucket->tokens += (now - bucket->last) * bucket->a_tick;
	bucket->last = now;
	if (bucket->tokens > bucket->burst)
		bucket->tokens = bucket->burst;
	if (bucket->tokens < cost)
		return true;
	bucket->tokens -= cost;
	return false;
}

/* ---- Rates ------------------------------------------------------------------------------------ */

static const struct pb_over rates[] = {
	{ .rate = { 1, 1, PB_RATE_PACKETS, PB_RATE_HOUR, { 0 } } },
	{ .rate = { 6, 6, PB_RATE_PACKETS, PB_RATE_MINUTE, { 0 } } },
	{ .rate = { 7, 100, PB_RATE_PACKETS, PB_RATE_SECOND, { 0 } } },
	{ .rate = { 1000, 20, PB_RATE_PACKETS, PB_RATE_SECOND, { 0 } } },
	{ .rate = { 1000000, 1000, PB_RATE_PACKETS, PB_RATE_SECOND, { 0 } } },
	{ .rate = { 3333333, 1, PB_RATE_PACKETS, PB_RATE_SECOND, { 0 } } },
	{ .rate = { 64000, 64000, PB_RATE_BITS, PB_RATE_SECOND, { 0 } } },
	{ .rate = { 10000000, 1000000, PB_RATE_BITS, PB_RATE_SECOND, { 0 } } },
	{ .rate = { 10000000000, 100000000, PB_RATE_BITS, PB_RATE_SECOND, { 0 } } },
};
#define NR_RATES (sizeof(rates) / sizeof(rates[0]))

/* Random arrivals, from a tenth of the rate to thirty times it, in bursts and with pauses. */
static void arrivals(const struct pb_over *over, __u64 start)
{
	const struct pb_rule_limits limits = pb_limits_of(over);
	const struct pb_limit *limit = &limits.rate;
	struct reference reference = reference_of(&over->rate, start);
	bool heavy = over->rate.unit == PB_RATE_BITS;
	__u64 now = start, full_at = start, let_go = 0, wanted = 0, mean = 1500;

	for (int i = 0; i < 300000; i++) {
		__u64 weight = heavy ? 60 + draw(1455) : 1, cost = pb_token_cost(limit, weight);

		if (i % 1000 == 0)
			mean = 3 + draw(1000);
		now += draw(pb_token_cost(limit, heavy ? 800 : 1) * mean / 50 + 1);
		if (!pb_token_over(&full_at, now, cost, limit->burst))
			let_go += weight;
		if (!reference_over(&reference, now, heavy ? weight * 8 : 1))
			wanted += weight;
		assert_true(pb_token_after(full_at, now) <= (__s64)limit->burst);
	}
	assert_true(let_go * 1000 >= wanted * 999);
	assert_true(let_go * 999 <= wanted * 1000 + 999 * (heavy ? 1514 : 1));
}

static void test_exact(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < NR_RATES; i++) {
		arrivals(&rates[i], 0);
		arrivals(&rates[i], draw(~0ULL));
		/* The clock wraps around on the way. */
		arrivals(&rates[i], -(__u64)(pb_limits_of(&rates[i]).rate.burst * 3 / 2));
	}
}

/* Each rate, packet sizes as they are: cost by multiplication is what division says, to a thousandth. */
static void test_costs(void **unused)
{
	(void)unused;
	for (int i = 0; i < 200000; i++) {
		__u64 amount = 1 + (draw(~0ULL) >> (38 + draw(26)));
		enum pb_rate_per per = draw(PB_RATE_PER_MAX);
		struct pb_over over = packets(amount, per, 1 + draw(1000));
		struct pb_limit limit = pb_limits_of(&over).rate;
		static const __u64 seconds[] = { 1, 60, 3600 };
		long double exact = (long double)SECOND * seconds[per] / amount, cost;
		__u64 weight = 60 + draw(65536);

		cost = pb_token_cost(&limit, 1);
		assert_true(cost <= exact && exact - cost <= 1);
		assert_true(limit.burst == cost * over.rate.burst ||
			    limit.burst == PB_TOKEN_BURST_MAX);
		over = bits(amount, 8 * 65536);
		limit = pb_limits_of(&over).rate;
		exact = (long double)SECOND * 8 * weight / amount;
		cost = pb_token_cost(&limit, weight);
		assert_true(cost <= exact * 1.001L && cost + 1 >= exact * 0.999L);
		/* No packet of that length is too heavy to be computed. */
		assert_true((~0ULL >> 17) >= limit.mult);
	}
}

static void assert_near(long double is, long double wanted, long double part)
{
	if (is > wanted * (1 + part) || is < wanted * (1 - part))
		fail_msg("%Lf instead of %Lf", is, wanted);
}

/* What a packet costs is told in whole ticks, of which it has 160 or more; bytes more exactly than that. */
static void is_as_said(const struct pb_rate *rate, const struct pb_limit *limit)
{
	static const __u64 seconds[] = { 1, 60, 3600 };
	bool heavy = rate->unit == PB_RATE_BITS;
	long double unit = (long double)SECOND * seconds[rate->per] / rate->amount;
	__u64 cost = pb_token_cost(limit, heavy ? 1514 : 1);

	assert_true(limit->burst < YEAR && cost <= limit->burst);
	if (heavy) {
		assert_near(cost, unit * 1514 * 8, 0.001L);
		assert_near(limit->burst, unit * rate->burst, 0.001L);
	} else {
		assert_near(cost, unit, 1 / 160.0L);
		assert_true(limit->burst == cost * rate->burst);
	}
}

/* Of no rate that is accepted anything is cut off: neither of a burst nor of what a packet costs. */
static void test_as_said(void **unused)
{
	struct random random;

	(void)unused;
	random_begin(&random);
	for (int i = 0; i < 200000; i++) {
		struct pb_rule_limits limits;
		struct pb_over over;

		random_over(&random, &over);
		assert_int_equal(pb_over_check(&over, NULL), 0);
		limits = pb_limits_of(&over);
		is_as_said(&over.rate, &limits.rate);
		if (over.total.amount)
			is_as_said(&over.total, &limits.total);
	}
}

/* The most of each that there may be; test_rule has what is one more. */
static void test_most_said(void **unused)
{
	static const char *const texts[] = {
		"100m/s",
		"100m/s burst 3153599999999999",
		"6g/m burst 3153599999999999",
		"360g/h burst 3153599999999999",
		"1/s burst 31535999",
		"1/m burst 525599",
		"1/h burst 8759",
		"1/h burst 1",
		"99999999/s burst 1",
		"1bit/s",
		"1bit/s burst 31535999bit",
		"100gbit/s burst 3153599999999999999bit",
		"100gbit/s burst 12144bit",
		"1/h each source total 100m/s",
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct pb_rule_limits limits;
		struct pb_error error;
		struct pb_over over;

		if (pb_over_parse(texts[i], &over, &error))
			fail_msg("%s", error.text);
		limits = pb_limits_of(&over);
		is_as_said(&over.rate, &limits.rate);
		if (over.total.amount)
			is_as_said(&over.total, &limits.total);
	}
}

/* From N packets at once as many go as the burst; a packet comes back after its cost in time. */
static void test_burst(void **unused)
{
	(void)unused;
	for (int i = 0; i < 2000; i++) {
		__u64 burst = 1 + draw(300), now = draw(~0ULL), full_at = now, got = 0;
		struct pb_over over = packets(1 + draw(1000000), draw(PB_RATE_PER_MAX), burst);
		const struct pb_limit limit = pb_limits_of(&over).rate;
		__u64 cost = pb_token_cost(&limit, 1);

		for (__u64 n = 0; n < burst + 50; n++)
			got += !pb_token_over(&full_at, now, cost, limit.burst);
		assert_int_equal(got, burst);
		assert_int_equal(pb_token_left(full_at, now, limit.burst), 0);
		assert_true(pb_token_over(&full_at, now + cost - 1, cost, limit.burst));
		assert_false(pb_token_over(&full_at, now + cost, cost, limit.burst));
		assert_true(pb_token_over(&full_at, now + cost, cost, limit.burst));
	}
}

/* ---- Years, and clocks that step --------------------------------------------------------------- */

/* A packet an hour at one an hour, and a burst each month, for 60 years: all that is due, and not more. */
static void test_years(void **unused)
{
	struct pb_over over = packets(1, PB_RATE_HOUR, 24);
	const struct pb_limit limit = pb_limits_of(&over).rate;
	__u64 cost = pb_token_cost(&limit, 1), now = 12345, full_at = 0, got = 0;
	int hours = 60 * 365 * 24;

	(void)unused;
	for (int hour = 0; hour < hours; hour++, now += cost) {
		assert_false(pb_token_over(&full_at, now, cost, limit.burst));
		got++;
		if (hour % 720 == 719) {
			for (int i = 0; i < 100; i++)
				got += !pb_token_over(&full_at, now, cost, limit.burst);
			now += 23 * cost;
			hour += 23;
		}
	}
	/* assert_in_range() has another name in cmocka 2 */
	assert_true(got >= (__u64)hours - 24 && got <= (__u64)hours + 24);
}

/* Nobody has looked for that long: full again, or, where it seems to be ahead, after one burst. */
static void test_idle(void **unused)
{
	struct pb_over over = packets(10, PB_RATE_SECOND, 50);
	const struct pb_limit limit = pb_limits_of(&over).rate;
	__u64 cost = pb_token_cost(&limit, 1);

	(void)unused;
	for (__u64 years = 1; years < 72; years++) {
		__u64 start = draw(~0ULL), full_at = start, now = start + years * YEAR, got = 0;
		bool ahead = pb_token_after(full_at, now) > 0;

		for (int i = 0; i < 80; i++)
			got += !pb_token_over(&full_at, now, cost, limit.burst);
		assert_int_equal(got, ahead ? 0 : 50);
		now += limit.burst;
		for (int i = 0; i < 80; i++)
			got += !pb_token_over(&full_at, now, cost, limit.burst);
		assert_int_equal(got, ahead ? 50 : 100);
	}
}

/* The clock goes back, or another rule has left more debts than this one may have. */
static void test_steps(void **unused)
{
	struct pb_over over = packets(100, PB_RATE_SECOND, 200);
	const struct pb_limit limit = pb_limits_of(&over).rate;
	__u64 cost = pb_token_cost(&limit, 1);

	(void)unused;
	for (int i = 0; i < 10000; i++) {
		__u64 now = draw(~0ULL), full_at = now + draw(17 * YEAR), got = 0, end;

		/* Never more than burst at once, and the rate is back within burst and the slack. */
		for (int n = 0; n < 300; n++)
			got += !pb_token_over(&full_at, now, cost, limit.burst);
		assert_true(got <= 200);
		end = now + limit.burst + PB_TOKEN_SLACK;
		for (now += 1; pb_token_after(now, end) < 0; now += cost)
			got += !pb_token_over(&full_at, now, cost, limit.burst);
		assert_true(got <= 200 + (limit.burst + PB_TOKEN_SLACK) / cost);
		for (int n = 0; n < 10; n++, now += cost)
			assert_false(pb_token_over(&full_at, now, cost, limit.burst));
	}
}

/* Who read the clock before the one who stored full_at does not give back what that one took. */
static void test_late(void **unused)
{
	struct pb_over over = packets(1000, PB_RATE_SECOND, 1000);
	const struct pb_limit limit = pb_limits_of(&over).rate;
	__u64 cost = pb_token_cost(&limit, 1), now = 77 * SECOND, full_at = now + limit.burst;

	(void)unused;
	for (__u64 late = 0; late <= PB_TOKEN_SLACK; late += PB_TOKEN_SLACK / 1000) {
		assert_true(pb_token_over(&full_at, now - late, cost, limit.burst));
		assert_int_equal(full_at, now + limit.burst);
	}
	assert_true(pb_token_over(&full_at, now - 2 * PB_TOKEN_SLACK, cost, limit.burst));
	assert_int_equal(full_at, now - 2 * PB_TOKEN_SLACK + limit.burst);
}

/* ---- Limits ------------------------------------------------------------------------------------- */

static void test_limits(void **unused)
{
	struct pb_over over = packets(6, PB_RATE_MINUTE, 6);
	struct pb_rule_limits limits = pb_limits_of(&over);

	(void)unused;
	assert_int_equal(limits.rate.burst, 60 * SECOND);
	assert_int_equal(limits.rate.flags, PB_LIMIT_COARSE);
	assert_int_equal(limits.total.mult, 0);
	over = packets(10000, PB_RATE_SECOND, 100); /* 10 ms: between two ticks it may get full */
	assert_int_equal(pb_limits_of(&over).rate.flags, 0);
	/* Never more than one packet: a tick is late for each. */
	over = packets(2, PB_RATE_SECOND, 1);
	assert_int_equal(pb_limits_of(&over).rate.flags, 0);
	over = packets(60, PB_RATE_MINUTE, 1); /* a second: 1 % of it at most */
	assert_int_equal(pb_limits_of(&over).rate.flags, PB_LIMIT_COARSE);
	over = bits(8000000, 8000000);
	assert_int_equal(pb_limits_of(&over).rate.flags, PB_LIMIT_BITS | PB_LIMIT_COARSE);
	over = packets(6, PB_RATE_MINUTE, 6);
	over.total = (struct pb_rate){ .amount = 10000, .burst = 100 };
	assert_int_equal(pb_limits_of(&over).total.mult, 0); /* without `each` there is none */
	over.each = 1;
	limits = pb_limits_of(&over);
	assert_int_equal(pb_token_cost(&limits.total, 1), SECOND / 10000);
	assert_int_equal(limits.rate.flags, 0); /* one clock for both */
	over.rate.amount = 0;
	limits = pb_limits_of(&over);
	assert_int_equal(limits.rate.mult, 0);
}

/* ---- Buckets of sources -------------------------------------------------------------------------- */

static __u32 place_of(struct pb_token_row *row, __u64 tag, __u64 now, __u64 *evicted)
{
	__u32 place = pb_token_find(row, tag);

	return place == PB_TOKEN_NONE ? pb_token_take(row, tag, now, evicted) : place;
}

static void test_row(void **unused)
{
	struct pb_token_row row = { .bucket = { { 0 } } };
	__u64 now = 100 * SECOND, evicted = 0;

	(void)unused;
	for (__u32 i = 0; i < PB_TOKEN_ROW; i++) {
		assert_int_equal(place_of(&row, 101 + 2 * i, now, &evicted), i);
		row.bucket[i].full_at = now + (i == 5 ? 1 : 10 + i);
	}
	for (__u32 i = 0; i < PB_TOKEN_ROW; i++)
		assert_int_equal(place_of(&row, 101 + 2 * i, now, &evicted), i);
	assert_int_equal(evicted, 0);
	/* The fullest one goes, which is counted while it is not full, and the new one is. */
	assert_int_equal(place_of(&row, 1001, now, &evicted), 5);
	assert_int_equal(evicted, 1);
	assert_int_equal(pb_token_left(row.bucket[5].full_at, now, SECOND), SECOND);
	row.bucket[5].full_at = now + SECOND;
	assert_int_equal(place_of(&row, 1003, now + 10, &evicted), 0);
	assert_int_equal(evicted, 1);
	/* A place that was given back is free, but what lies there is another one's. */
	row.bucket[3].tag = 0;
	assert_int_equal(place_of(&row, 1005, now, &evicted), 3);
	assert_int_equal(evicted, 1);
	assert_int_equal(pb_token_left(row.bucket[3].full_at, now, SECOND), SECOND);
}

/* `key`: a rule, its family, and in the upper half its epoch. */
static __u64 hash_of(__u64 key, struct pb_address source, const __u64 seed[2])
{
	__u64 secret = pb_token_secret(key, key >> 32, seed);

	return key & PB_TOKEN_IPV4 ? pb_token_hash4(secret, source.high, seed) :
				     pb_token_hash6(secret, source, seed);
}

/* Both ways to find a place say the same, of duplicates the first one. */
static void test_find(void **unused)
{
	(void)unused;
	for (int i = 0; i < 100000; i++) {
		struct pb_token_row row;
		__u64 tag = draw(~0ULL) | 1;

		for (__u32 place = 0; place < PB_TOKEN_ROW; place++) {
			__u64 others[] = { tag, 0, tag ^ 1ULL << draw(64), draw(~0ULL) | 1 };

			row.bucket[place].tag = others[draw(4)];
		}
		assert_int_equal(pb_token_find_at_once(&row, tag), pb_token_find(&row, tag));
	}
}

/*
 * Whatever is known of two rules and families, no address makes up for it: what it would be where these were put
 * beside the address before a secret is mixed in. Each is another rule, epoch or family.
 */
static void test_made_up(void **unused)
{
	static const __u64 keys[] = { 1,
				      2,
				      3,
				      77,
				      1 | PB_TOKEN_IPV4,
				      2 | PB_TOKEN_IPV4,
				      77 | PB_TOKEN_IPV4,
				      1ULL << 32 | 1,
				      1ULL << 32 | 2 };
	const size_t nr = sizeof(keys) / sizeof(keys[0]);
	const __u64 seed[2] = { draw(~0ULL), draw(~0ULL) };

	(void)unused;
	for (size_t i = 0; i < nr * nr * 100; i++) {
		__u64 a = keys[i % nr], b = keys[i / nr % nr];
		__u64 between = (a << 32 | a >> 32) * PB_MIX_B ^ (b << 32 | b >> 32) * PB_MIX_B;
		struct pb_address one = { draw(~0ULL) >> 32 << 32, 0 };
		struct pb_address other = { one.high ^ between, 0 };

		assert_true(a == b || hash_of(a, one, seed) != hash_of(b, other, seed));
	}
}

/* Rows are filled alike, no two of some 100,000 sources have a tag, nor have families, rules, epochs. */
static void test_hash(void **unused)
{
	const __u64 seed[2] = { draw(~0ULL), draw(~0ULL) };
	static __u32 rows[1024];
	__u32 most = 0;

	(void)unused;
	for (__u32 i = 0; i < 102400; i++) {
		const struct pb_address source = { (__u64)(0xc0000000 + i) << 32, 0 };
		__u64 hash = hash_of(1 | PB_TOKEN_IPV4, source, seed);
		__u32 row = pb_token_row(hash, 1024);

		if (++rows[row] > most)
			most = rows[row];
		assert_int_not_equal(hash, hash_of(1, source, seed));
		assert_int_not_equal(hash, hash_of(2 | PB_TOKEN_IPV4, source, seed));
		assert_int_not_equal(hash, hash_of(1ULL << 32 | 1 | PB_TOKEN_IPV4, source, seed));
	}
	assert_true(most < 160); /* of 100; ten deviations are 200 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),	cmocka_unit_test(test_costs),
		cmocka_unit_test(test_burst),	cmocka_unit_test(test_years),
		cmocka_unit_test(test_idle),	cmocka_unit_test(test_steps),
		cmocka_unit_test(test_late),	cmocka_unit_test(test_limits),
		cmocka_unit_test(test_row),	cmocka_unit_test(test_hash),
		cmocka_unit_test(test_as_said), cmocka_unit_test(test_most_said),
		cmocka_unit_test(test_made_up), cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
