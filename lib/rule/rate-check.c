// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The limits of rates, and what of `over` fits together. */
#include <stdio.h>
#include <string.h>
#include "rule/rate.h"
#include "util/error.h"
#include "util/escape.h"

/* A packet costs 160 ticks of 1/16 ns then, a byte 1.28: portblock/tokens.h. */
#define PACKETS_MAX 100000000ULL /* a second */
#define BITS_MAX 100000000000ULL
#define BURST_SECONDS (365ULL * 86400)
#define FRAME_BITS (1518 * 8ULL)	  /* the least that a burst lets through */
#define LARGEST_FRAME_BITS (65536 * 8ULL) /* as the kernel joins them */
#define NUMBER_LEN 32

static const unsigned int seconds[PB_RATE_PER_MAX] = {
	[PB_RATE_SECOND] = 1,
	[PB_RATE_MINUTE] = 60,
	[PB_RATE_HOUR] = 3600,
};

__u64 pb_rate_default_burst(const struct pb_rate *rate)
{
	if (rate->unit == PB_RATE_BITS && rate->amount < LARGEST_FRAME_BITS)
		return LARGEST_FRAME_BITS;
	return rate->amount;
}

int pb_rate_check(const char *text, const struct pb_rate *rate, struct pb_error *error)
{
	if (rate->unit == PB_RATE_BITS && rate->per != PB_RATE_SECOND)
		return pb_fail(error, EINVAL, "%s: bits are counted a second, as in 10mbit/s",
			       PB_Q(text));
	if (rate->unit == PB_RATE_BITS && rate->amount > BITS_MAX)
		return pb_fail(error, EINVAL, "%s is too fast: at most 100gbit/s", PB_Q(text));
	if (rate->unit == PB_RATE_PACKETS && rate->amount > PACKETS_MAX * seconds[rate->per])
		return pb_fail(error, EINVAL, "%s is too fast: at most 100000000/s", PB_Q(text));
	return 0;
}

int pb_burst_check(const char *text, const struct pb_rate *rate, __u64 burst,
		   struct pb_error *error)
{
	if (rate->unit == PB_RATE_BITS && burst < FRAME_BITS)
		return pb_fail(error, EINVAL,
			       "a burst of %s lets no full frame through: at least %llubit",
			       PB_Q(text), FRAME_BITS);
	if (burst / rate->amount >= BURST_SECONDS / seconds[rate->per])
		return pb_fail(error, EINVAL,
			       "a burst of %s takes more than a year to come back at this rate: "
			       "make it smaller, or the rate larger",
			       PB_Q(text));
	return 0;
}

/* ---- As a whole ------------------------------------------------------------------------------ */

static int no_over(const char *what, struct pb_error *error)
{
	return pb_fail(error, EINVAL,
		       "\"over\" %s: set it by pb_rule_set(), as in over 6/m each source", what);
}

static bool is_zero(const void *bytes, size_t size)
{
	for (const char *at = bytes; at < (const char *)bytes + size; at++)
		if (*at)
			return false;
	return true;
}

static int check_parts(const struct pb_rate *rate, struct pb_error *error)
{
	char number[NUMBER_LEN];
	int err;

	if (rate->unit >= PB_RATE_UNIT_MAX || rate->per >= PB_RATE_PER_MAX)
		return no_over("has a rate of an unknown unit or time", error);
	if (!is_zero(rate->reserved, sizeof(rate->reserved)))
		return no_over("has bytes set that mean nothing", error);
	if (!rate->burst)
		return no_over("has a burst of 0, which lets nothing through", error);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)rate->amount);
	err = pb_rate_check(number, rate, error);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)rate->burst);
	return err ?: pb_burst_check(number, rate, rate->burst, error);
}

static int check_each(const struct pb_over *over, struct pb_error *error)
{
	if (!over->each)
		return over->len4 || over->len6 ?
			       no_over("has lengths of sources, but no \"each\"", error) :
			       0;
	if (over->each > 1 || !over->len4 || over->len4 > 32 || !over->len6 || over->len6 > 128)
		return no_over(
			"has \"each\" of sources of IPv4 that are not of 1 to 32 bits, or of "
			"IPv6 not of 1 to 128",
			error);
	return 0;
}

static int check_total(const struct pb_over *over, struct pb_error *error)
{
	const struct pb_rate *total = &over->total;

	if (is_zero(total, sizeof(*total)))
		return 0;
	if (!over->each)
		return no_over("has \"total\", but no \"each\"", error);
	if (!total->amount)
		return no_over("has \"total\" without its rate", error);
	if (total->burst != pb_rate_default_burst(total))
		return no_over("has \"total\" with another burst than that of its rate", error);
	return check_parts(total, error);
}

int pb_over_check(const struct pb_over *over, struct pb_error *error)
{
	int err;

	if (is_zero(over, sizeof(*over)))
		return 0;
	if (!over->rate.amount)
		return no_over("has parts, but no rate", error);
	if (!is_zero(over->reserved, sizeof(over->reserved)))
		return no_over("has bytes set that mean nothing", error);
	err = check_parts(&over->rate, error);
	if (!err)
		err = check_each(over, error);
	return err ?: check_total(over, error);
}
