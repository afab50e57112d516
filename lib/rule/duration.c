// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Durations. */
#include <string.h>
#include "rule/duration.h"
#include "util/error.h"
#include "util/escape.h"
#include "util/text.h"

#define NS 1000000000ULL
#define SECONDS_MAX (3650UL * 86400)

static const struct {
	char letter;
	unsigned int seconds;
} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
#define NR_UNITS (sizeof(units) / sizeof(units[0]))

static int bad_unit(const char *text, const char *number, size_t len, struct pb_error *error)
{
	int n = len;

	if (!number[len])
		return pb_fail(error, EINVAL, "%s lacks a unit: write %.*ss, %.*sm, %.*sh or %.*sd",
			       PB_Q(text), n, number, n, number, n, number, n, number);
	if (strchr("dhms", number[len]))
		return pb_fail(error, EINVAL,
			       "%s: units go from large to small, each once, as in 1h30m",
			       PB_Q(text));
	return pb_fail(error, EINVAL, "%s is not a duration: units are s, m, h and d, as in 1h30m",
		       PB_Q(text));
}

static int too_long(const char *text, struct pb_error *error)
{
	return pb_fail(error, EINVAL, "%s is too long: at most 3650d", PB_Q(text));
}

/* Reads `30m` at `at`, which moves on; only units from `unit` on may come. */
static int parse_part(const char *text, const char **at, size_t *unit, unsigned long *seconds,
		      struct pb_error *error)
{
	size_t len = strspn(*at, "0123456789"), u = *unit;
	unsigned long number;
	int err = pb_number_parse(*at, len, SECONDS_MAX, &number);

	if (err == -ERANGE)
		return too_long(text, error);
	if (err)
		return pb_fail(error, EINVAL,
			       "%s is not a duration: write numbers without sign or leading zeros, "
			       "each with a unit, as in 90s, 10m, 1h30m or 2d",
			       PB_Q(text));
	while (u < NR_UNITS && units[u].letter != (*at)[len])
		u++;
	if (u == NR_UNITS)
		return bad_unit(text, *at, len, error);
	if (number > (SECONDS_MAX - *seconds) / units[u].seconds)
		return too_long(text, error);
	*seconds += number * units[u].seconds;
	*unit = u + 1;
	*at += len + 1;
	return 0;
}

int pb_duration_parse(const char *text, __u64 *ns, struct pb_error *error)
{
	unsigned long seconds = 0;
	const char *at = text;
	size_t unit = 0;
	int err;

	do {
		err = parse_part(text, &at, &unit, &seconds, error);
		if (err)
			return err;
	} while (*at);
	if (!seconds)
		return pb_fail(error, EINVAL, "%s is too short: at least 1s", PB_Q(text));
	*ns = seconds * NS;
	return 0;
}

int pb_timeout_parse(const char *text, __u64 *ns, struct pb_error *error)
{
	unsigned long seconds;
	int err = pb_number_parse(text, strlen(text), SECONDS_MAX, &seconds);

	if (err == -ERANGE)
		return too_long(text, error);
	if (err)
		return pb_duration_parse(text, ns, error);
	*ns = seconds * NS;
	return 0;
}

__u64 pb_duration_seconds(__u64 ns)
{
	return ns / NS + !!(ns % NS);
}

void pb_duration_print(FILE *out, __u64 ns)
{
	unsigned long long left = pb_duration_seconds(ns);

	if (!left)
		fputs("0s", out);
	for (size_t u = 0; u < NR_UNITS; u++) {
		if (left / units[u].seconds)
			fprintf(out, "%llu%c", left / units[u].seconds, units[u].letter);
		left %= units[u].seconds;
	}
}

char *pb_duration_text(__u64 ns)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	pb_duration_print(out, ns);
	return pb_stream_take(out, &text);
}
