// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <portblock/tokens.h>
#include "compile/limits.h"

#define TICKS_A_SECOND (1000000000ULL << PB_TICKS_SHIFT)

/*
 * The kernel's tick is 10 ms at most, 4 mostly, and the coarse clock is late by up to that. What it lets through in the
 * long run is the same, as long as a bucket does not get full between two ticks; what it delays is to be little of the
 * burst, 2 % of it with ticks of 4 ms, or of the time that each packet takes.
 */
#define COARSE_BURST (TICKS_A_SECOND / 5)
#define COARSE_COST TICKS_A_SECOND

/* A frame of several buffers is that long at most. */
#define WEIGHT_BITS 17

/* How long a unit of weight takes, as a fraction: ticks of `amount` units. */
static __u64 ticks_of_amount(const struct pb_rate *rate)
{
	static const __u64 seconds[PB_RATE_PER_MAX] = { 1, 60, 3600 };
	__u64 ticks = TICKS_A_SECOND * seconds[rate->per];

	return rate->unit == PB_RATE_BITS ? ticks * 8 : ticks;
}

/*
 * mult / 2^shift is ticks / amount, to 20 bits or more: as many as there is room for, where the heaviest packet's
 * cost is to be computed in 64.
 */
static void set_cost(struct pb_limit *limit, __u64 ticks, __u64 amount, __u32 weight_bits)
{
	while (ticks >> 62 == 0 && (ticks << 1) / amount >> (63 - weight_bits) == 0 &&
	       limit->shift < 63) {
		ticks <<= 1;
		limit->shift++;
	}
	limit->mult = ticks / amount;
	if (!limit->mult)
		limit->mult = 1;
}

/* What `amount` of units or bits cost, or as much as a bucket can hold. */
static __u64 ticks_of_burst(const struct pb_rate *rate)
{
	long double ticks = (long double)ticks_of_amount(rate) / rate->amount * rate->burst;

	if (rate->unit == PB_RATE_BITS)
		ticks /= 8;
	return ticks < PB_TOKEN_BURST_MAX ? (__u64)ticks : PB_TOKEN_BURST_MAX;
}

static struct pb_limit limit_of(const struct pb_rate *rate)
{
	bool bits = rate->unit == PB_RATE_BITS;
	struct pb_limit limit = { .flags = bits ? PB_LIMIT_BITS : 0 };

	set_cost(&limit, ticks_of_amount(rate), rate->amount, bits ? WEIGHT_BITS : 0);
	/* Of packets, by what each costs: so many go at once, and not one less by rounding. */
	if (!bits && rate->burst < PB_TOKEN_BURST_MAX / (pb_token_cost(&limit, 1) + 1))
		limit.burst = rate->burst * pb_token_cost(&limit, 1);
	else
		limit.burst = ticks_of_burst(rate);
	return limit;
}

/* Beyond what a packet of 1,500 bytes costs. */
static bool is_coarse(const struct pb_limit *limit)
{
	__u64 cost = pb_token_cost(limit, limit->flags & PB_LIMIT_BITS ? 1500 : 1);

	return cost >= COARSE_COST || limit->burst >= COARSE_BURST + cost;
}

struct pb_rule_limits pb_limits_of(const struct pb_over *over)
{
	struct pb_rule_limits limits = { .each = over->each,
					 .len4 = over->len4,
					 .len6 = over->len6 };
	bool total = over->each && over->total.amount, coarse;

	if (!over->rate.amount)
		return (struct pb_rule_limits){ .each = 0 };
	limits.rate = limit_of(&over->rate);
	if (total)
		limits.total = limit_of(&over->total);
	/* The clock is read once for both. */
	coarse = is_coarse(&limits.rate) && (!total || is_coarse(&limits.total));
	if (coarse)
		limits.rate.flags |= PB_LIMIT_COARSE;
	return limits;
}
