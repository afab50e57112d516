// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include "rule/rate.h"
#include "util/error.h"
#include "util/escape.h"
#include "util/text.h"

#define LEN4_DEFAULT 32
#define LEN6_DEFAULT 64

static const char *const pers[PB_RATE_PER_MAX] = {
	[PB_RATE_SECOND] = "s",
	[PB_RATE_MINUTE] = "m",
	[PB_RATE_HOUR] = "h",
};

static const struct {
	char letter;
	__u64 factor;
} prefixes[] = { { 'g', 1000000000 }, { 'm', 1000000 }, { 'k', 1000 } };
#define NR_PREFIXES (sizeof(prefixes) / sizeof(prefixes[0]))

const char *pb_rate_unit_name(__u8 unit)
{
	return unit == PB_RATE_BITS ? "bits" : "packets";
}

const char *pb_rate_per_name(__u8 per)
{
	return per < PB_RATE_PER_MAX ? pers[per] : "?";
}

/* ---- From text ------------------------------------------------------------------------------- */

#define RATES "6/m, 100/s or 10mbit/s"

static int bad_rate(const char *text, const char *why, struct pb_error *error)
{
	return pb_fail(error, EINVAL,
		       "%s %s: write a number of packets a second, minute or hour, or of "
		       "bits a second, as in " RATES,
		       PB_Q(text), why);
}

/* JSON and the canonical text write numbers out, so they may need 64 bits. -EINVAL; -ERANGE: more than `max`. */
static int parse_number(const char *text, size_t len, __u64 max, __u64 *number)
{
	__u64 read = 0;

	if (!len || (len > 1 && text[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		__u64 digit = text[i] - '0';

		if (digit > max || read > (max - digit) / 10)
			return -ERANGE;
		read = read * 10 + digit;
	}
	*number = read;
	return 0;
}

/* "10", "10k", "10mbit", of which `len` characters count. -EINVAL: none; -ERANGE: too large, or `*amount` is 0. */
static int parse_amount(const char *text, size_t len, __u64 *amount, __u8 *unit)
{
	size_t digits = strspn(text, "0123456789");
	__u64 factor = 1, number;
	int ret;

	*unit = PB_RATE_PACKETS;
	if (len > digits + 3 && !strncmp(text + len - 3, "bit", 3)) {
		*unit = PB_RATE_BITS;
		len -= 3;
	} else if (len == digits + 3 && !strncmp(text + digits, "bit", 3)) {
		*unit = PB_RATE_BITS;
		len = digits;
	}
	for (size_t i = 0; i < NR_PREFIXES && len == digits + 1; i++)
		if (text[digits] == prefixes[i].letter)
			factor = prefixes[i].factor;
	if (digits > len || len - digits != (factor > 1))
		return -EINVAL;
	ret = parse_number(text, digits, ~0ULL / factor, &number);
	if (ret == -ERANGE)
		*amount = ~0ULL;
	if (ret)
		return ret;
	*amount = number * factor;
	return number ? 0 : -ERANGE;
}

static int find_per(const char *text)
{
	for (int i = 0; i < PB_RATE_PER_MAX; i++)
		if (!strcmp(text, pers[i]))
			return i;
	return -EINVAL;
}

int pb_rate_parse(const char *text, struct pb_rate *rate, struct pb_error *error)
{
	const char *slash = strchr(text, '/');
	struct pb_rate read = { 0 };
	int ret, per;

	if (!slash)
		return bad_rate(text, "says not in what time", error);
	per = find_per(slash + 1);
	if (per < 0)
		return bad_rate(text, "has no such time", error);
	read.per = per;
	ret = parse_amount(text, slash - text, &read.amount, &read.unit);
	if (ret == -ERANGE && read.amount)
		return bad_rate(text, "is beyond what can be counted", error);
	if (ret == -ERANGE)
		return bad_rate(text,
				"would let nothing through, which is the rule without \"over\"",
				error);
	if (ret)
		return bad_rate(text, "is no rate", error);
	ret = pb_rate_check(text, &read, error);
	if (ret)
		return ret;
	read.burst = pb_rate_default_burst(&read);
	*rate = read;
	return 0;
}

int pb_burst_parse(const char *text, struct pb_rate *rate, struct pb_error *error)
{
	bool bits = rate->unit == PB_RATE_BITS;
	const char *example = bits ? "1mbit" : "10";
	__u64 burst;
	__u8 unit;
	int ret = parse_amount(text, strlen(text), &burst, &unit);

	if (ret == -ERANGE && !burst)
		return pb_fail(error, EINVAL,
			       "a burst of %s lets nothing through: write how many may come at "
			       "once, as in burst %s",
			       PB_Q(text), example);
	if (ret == -ERANGE)
		return pb_fail(error, EINVAL,
			       "a burst of %s is beyond what can be counted: make it smaller",
			       PB_Q(text));
	if (ret)
		return pb_fail(error, EINVAL,
			       "%s is no burst: write how many %s may come at once, as in burst %s",
			       PB_Q(text), pb_rate_unit_name(rate->unit), example);
	if (unit != rate->unit)
		return pb_fail(error, EINVAL,
			       "the burst %s counts %s and the rate %s: write as in burst %s",
			       PB_Q(text), pb_rate_unit_name(unit), pb_rate_unit_name(rate->unit),
			       example);
	ret = pb_burst_check(text, rate, burst, error);
	if (!ret)
		rate->burst = burst;
	return ret;
}

/* A length of `len` digits, 1 to `max`. */
static int parse_len(const char *text, const char *number, size_t len, unsigned long max,
		     __u8 *value, struct pb_error *error)
{
	unsigned long read;

	if (pb_number_parse(number, len, max, &read) || !read)
		return pb_fail(error, EINVAL,
			       "%s: a prefix of IPv%s sources has 1 to %lu bits, as in each "
			       "source/24,64",
			       PB_Q(text), max == 32 ? "4" : "6", max);
	*value = read;
	return 0;
}

static int parse_lens(const char *text, const char *lens, struct pb_over *over,
		      struct pb_error *error)
{
	size_t len = strcspn(lens, ",");
	int ret = parse_len(text, lens, len, 32, &over->len4, error);

	if (!ret && lens[len])
		ret = parse_len(text, lens + len + 1, strlen(lens + len + 1), 128, &over->len6,
				error);
	return ret;
}

int pb_each_parse(const char *text, struct pb_over *over, struct pb_error *error)
{
	static const char source[] = "source";
	struct pb_over read = *over;
	size_t len = sizeof(source) - 1;
	int ret = 0;

	if (strncmp(text, source, len) || (text[len] && text[len] != '/'))
		return pb_fail(error, EINVAL,
			       "each %s: only sources can have a bucket each: write \"each "
			       "source\", or \"each source/24,64\" for prefixes of them",
			       PB_Q(text));
	read.each = true;
	read.len4 = LEN4_DEFAULT;
	read.len6 = LEN6_DEFAULT;
	if (text[len])
		ret = parse_lens(text, text + len + 1, &read, error);
	if (!ret)
		*over = read;
	return ret;
}

/* ---- To text --------------------------------------------------------------------------------- */

/* Of bits the largest prefix that loses nothing; packets are written out. */
static void print_amount(FILE *out, __u64 amount, __u8 unit)
{
	size_t i = 0;

	if (unit != PB_RATE_BITS) {
		fprintf(out, "%llu", (unsigned long long)amount);
		return;
	}
	while (i < NR_PREFIXES && amount % prefixes[i].factor)
		i++;
	if (i < NR_PREFIXES)
		fprintf(out, "%llu%cbit", (unsigned long long)(amount / prefixes[i].factor),
			prefixes[i].letter);
	else
		fprintf(out, "%llubit", (unsigned long long)amount);
}

void pb_rate_print(FILE *out, const struct pb_rate *rate)
{
	print_amount(out, rate->amount, rate->unit);
	fprintf(out, "/%s", pb_rate_per_name(rate->per));
}

void pb_burst_print(FILE *out, const struct pb_rate *rate)
{
	print_amount(out, rate->burst, rate->unit);
}

bool pb_burst_is_given(const struct pb_rate *rate)
{
	return rate->amount && rate->burst != pb_rate_default_burst(rate);
}

void pb_each_print(FILE *out, const struct pb_over *over)
{
	fputs("source", out);
	if (over->len4 != LEN4_DEFAULT || over->len6 != LEN6_DEFAULT)
		fprintf(out, "/%u,%u", over->len4, over->len6);
}

/* ---- All of it --------------------------------------------------------------------------------- */

/* The text form has no word for it, so it is what it is without one. */
static int check_total_burst(const char *text, const struct pb_rate *total, struct pb_error *error)
{
	struct pb_rate read = *total;
	int ret = pb_burst_parse(text, &read, error);

	if (!ret && read.burst != total->burst)
		return pb_fail(
			error, EINVAL,
			"%s is not the burst of the total, which is always that of its rate, "
			"%llu: leave it out",
			PB_Q(text), (unsigned long long)total->burst);
	return ret;
}

static int parse_pair(const char *word, const char *text, struct pb_over *over,
		      struct pb_error *error)
{
	if (!strcmp(word, "burst") && over->total.amount)
		return check_total_burst(text, &over->total, error);
	if (!strcmp(word, "burst"))
		return pb_burst_parse(text, &over->rate, error);
	if (!strcmp(word, "each"))
		return pb_each_parse(text, over, error);
	return pb_rate_parse(text, &over->total, error);
}

int pb_over_parse(const char *text, struct pb_over *over, struct pb_error *error)
{
	char *copy = strdup(text), *rest = copy, *word;
	struct pb_over read = { 0 };
	int ret;

	if (!copy)
		return pb_fail_memory(error);
	ret = pb_rate_parse(strsep(&rest, " "), &read.rate, error);
	while (!ret && (word = strsep(&rest, " ")))
		ret = parse_pair(word, strsep(&rest, " ") ?: "", &read, error);
	free(copy);
	if (!ret)
		*over = read;
	return ret;
}
