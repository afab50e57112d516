// SPDX-License-Identifier: GPL-2.0-only
/* Times of the wall clock as text, against the C library's. */
#define _TIME_BITS 64 /* that has them after 2038 on machines of 32 bits, too */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "util/calendar.h"
#include "says.h"

static void is_as_libc_says(long long seconds)
{
	char wanted[64], text[PB_TIME_TEXT];
	time_t time = seconds;
	long long back = -1;
	struct tm tm;

	assert_non_null(gmtime_r(&time, &tm));
	assert_true(strftime(wanted, sizeof(wanted), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
	pb_time_text(seconds, text);
	assert_string_equal(text, wanted);
	assert_int_equal(pb_time_parse(text, &back, NULL), 0);
	assert_int_equal(back, seconds);
}

/* Each day of 500 years, at some second of it, and the ends of small numbers */
static void test_days(void **state)
{
	static const long long ends[] = { 0,	      951782400,  /* 2000-02-29 */
					  2147483647,		  /* 2038 */
					  2147483648, 4102444800, /* 2100, no leap year */
					  4294967295,		  /* 2106 */
					  4294967296, 253402300799 };

	(void)state;
	for (long long day = 0; day < 182622; day++)
		is_as_libc_says(day * 86400 + day * 7919 % 86400);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		is_as_libc_says(ends[i]);
}

static void test_far(void **state)
{
	char text[PB_TIME_TEXT];

	(void)state;
	pb_time_text(253402300800, text);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
}

static void test_zones(void **state)
{
	static const struct {
		const char *text, *same;
	} times[] = {
		{ "2026-11-29T10:12:03+01:00", "2026-11-29T09:12:03Z" },
		{ "2026-11-29T05:42:03-03:30", "2026-11-29T09:12:03Z" },
		{ "2026-11-29T09:12:03+00:00", "2026-11-29T09:12:03Z" },
		{ "2027-01-01T00:30:00+02:00", "2026-12-31T22:30:00Z" },
		{ "2028-02-29T23:30:00-01:00", "2028-03-01T00:30:00Z" },
	};
	long long one, other;

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		assert_int_equal(pb_time_parse(times[i].text, &one, NULL), 0);
		assert_int_equal(pb_time_parse(times[i].same, &other, NULL), 0);
		assert_int_equal(one, other);
	}
}

static void test_wrong(void **state)
{
	static const char *const words[] = {
		"",
		"now",
		"1795943523",
		"2026-11-29",
		"2026-11-29T09:12:03", /* where? */
		"2026-11-29 09:12:03Z",
		"2026-11-29T09:12Z",
		"2026-11-29T09:12:03.5Z",
		"2026-11-29T09:12:03z",
		"2026-11-29T09:12:03ZZ",
		"2026-11-29T09:12:03Z+01:00",
		"2026-11-29T09:12:03+1:00",
		"2026-11-29T09:12:03+0100",
		"2026-11-29T09:12:03+24:00",
		"2026-11-29T09:12:03+01:60",
		"2026-13-29T09:12:03Z",
		"2026-00-29T09:12:03Z",
		"2026-11-31T09:12:03Z",
		"2026-11-00T09:12:03Z",
		"2026-02-29T09:12:03Z", /* no leap year, */
		"2100-02-29T09:12:03Z", /* nor this one */
		"2026-11-29T24:12:03Z",
		"2026-11-29T09:60:03Z",
		"2026-11-29T09:12:60Z",
		"26-11-29T09:12:03Z",
		"12026-11-29T09:12:03Z",
		"1969-12-31T23:59:59Z",
		"1970-01-01T00:30:00+01:00",
		"-026-11-29T09:12:03Z",
		"2026-1129T09:12:03Z",
	};
	struct pb_error error;
	long long seconds = 7;
	char quoted[64];

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const struct wrong wrong = { words[i], quoted,
					     "2026-11-29T09:12:03Z, which is UTC" };

		snprintf(quoted, sizeof(quoted), "\"%s\" is no time", words[i]);
		assert_says(&wrong, pb_time_parse(words[i], &seconds, &error), -EINVAL, &error);
		assert_int_equal(seconds, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_far),
		cmocka_unit_test(test_zones),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}
