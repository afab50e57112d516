// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "compile/limits.h"

/* Bits of a fraction of a tick that a packet, or a byte, costs: as many as fit with the slowest rate. */
#define PACKET_SHIFT 16
#define BYTE_SHIFT 9

/*
 * A tick of the coarse clock is 1 to 10 ms. A bucket that holds more than so many ticks beyond one packet is never
 * full between two of them, so not one token is lost, and what is let go at once is little of its burst.
 */
#define COARSE_NS 20000000ULL

static const __u64 periods[PB_RATE_PER_MAX] = {
	[PB_RATE_SECOND] = 1000000000ULL,
	[PB_RATE_MINUTE] = 60 * 1000000000ULL,
	[PB_RATE_HOUR] = 3600 * 1000000000ULL,
};

/* The largest frame, whose cost a burst must have beside those ticks. */
#define FRAME_MAX 65536

static struct pb_limit limit_of(const struct pb_rate *rate)
{
	bool bits = rate->unit == PB_RATE_BITS;
	__u64 period = periods[rate->per % PB_RATE_PER_MAX] << PB_TICKS_SHIFT;
	struct pb_limit limit = { .shift = bits ? BYTE_SHIFT : PACKET_SHIFT,
				  .flags = bits ? PB_LIMIT_BITS : 0 };
	__u64 weight = bits ? FRAME_MAX : 1, one;

	if (!rate->amount)
		return (struct pb_limit){ 0 };
	limit.mult = ((bits ? 8 * period : period) << limit.shift) / rate->amount;
	one = limit.mult >> limit.shift;
	/* Of packets, that of so many to the tick: their cost is rounded down. */
	limit.burst = bits ? (__u64)((double)(rate->burst / 8) * (double)limit.mult /
				     (double)(1U << limit.shift)) :
			     rate->burst * one;
	if (limit.burst >= one * weight + (COARSE_NS << PB_TICKS_SHIFT))
		limit.flags |= PB_LIMIT_COARSE;
	return limit;
}

struct pb_rule_limits pb_limits_of(const struct pb_over *over)
{
	struct pb_rule_limits limits = {
		.rate = limit_of(&over->rate),
		.total = limit_of(&over->total),
		.each = over->each,
		.len4 = over->len4,
		.len6 = over->len6,
	};

	/* They share a look at the clock. */
	if (limits.total.mult && !(limits.total.flags & PB_LIMIT_COARSE))
		limits.rate.flags &= ~PB_LIMIT_COARSE;
	return limits;
}
