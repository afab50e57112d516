// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <cmocka.h>
#include <stdlib.h>
#include "says.h"

#define S 1000000000ULL

static void test_right(void **state)
{
	static const struct {
		const char *text;
		__u64 seconds;
		const char *back;
	} cases[] = {
		{ "1s", 1, "1s" },
		{ "90s", 90, "1m30s" },
		{ "10m", 600, "10m" },
		{ "1h30m", 5400, "1h30m" },
		{ "2d", 172800, "2d" },
		{ "1d1h1m1s", 90061, "1d1h1m1s" },
		{ "0h5s", 5, "5s" },
		{ "1d1s", 86401, "1d1s" },
		{ "3650d", 315360000, "3650d" },
		{ "87600h", 315360000, "3650d" },
		{ "315360000s", 315360000, "3650d" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pb_error error = { "" };
		__u64 ns = 0;
		char *text;

		if (pb_duration_parse(cases[i].text, &ns, &error))
			fail_msg("%s: %s", cases[i].text, error.text);
		assert_true(ns == cases[i].seconds * S);
		text = pb_duration_text(ns);
		assert_string_equal(text, cases[i].back);
		free(text);
	}
}

static void test_wrong(void **state)
{
	static const struct wrong wrong[] = {
		{ "5", "\"5\" lacks a unit", "5s, 5m, 5h or 5d" },
		{ "1h30", "\"1h30\" lacks a unit", "30m" },
		{ "1y", "\"1y\" is not a duration", "units are s, m, h and d" },
		{ "1H", "\"1H\" is not a duration", "units are" },
		{ "5 m", "\"5 m\" is not a duration", NULL },
		{ "-3m", "\"-3m\" is not a duration", "without sign" },
		{ "+3m", "\"+3m\" is not a duration", NULL },
		{ "", "\"\" is not a duration", NULL },
		{ "h", "\"h\" is not a duration", NULL },
		{ "1.5h", "\"1.5h\" is not a duration", NULL },
		{ "01h", "\"01h\" is not a duration", "leading zeros" },
		{ "30m1h", "\"30m1h\": units go from large to small", NULL },
		{ "1h1h", "\"1h1h\": units go from large to small", NULL },
		{ "0s", "\"0s\" is too short", "at least 1s" },
		{ "0d0h", "\"0d0h\" is too short", NULL },
		{ "3651d", "\"3651d\" is too long", "at most 3650d" },
		{ "3650d1s", "\"3650d1s\" is too long", NULL },
		{ "99999999999999999999d", "is too long", NULL },
		{ "18446744073709551617s", "is too long", NULL },
		{ "forever", "\"forever\" is not a duration", NULL },
		{ NULL, NULL, NULL },
	};

	(void)state;
	for (const struct wrong *w = wrong; w->input; w++) {
		struct pb_error error = { "" };
		__u64 ns = 42;

		assert_says(w, pb_duration_parse(w->input, &ns, &error), -EINVAL, &error);
		assert_true(ns == 42);
	}
}

static void prints(__u64 ns, const char *wanted)
{
	char *text = pb_duration_text(ns);

	assert_string_equal(text, wanted);
	free(text);
}

/* Part of a second is a second: a rule that is still in force never shows 0s. */
static void test_text(void **state)
{
	(void)state;
	prints(0, "0s");
	prints(1, "1s");
	prints(S, "1s");
	prints(S + 1, "2s");
	prints(59 * S + 1, "1m");
	prints(UINT64_MAX, "213503d23h34m34s");
}

static void test_clock(void **state)
{
	__u64 first = pb_clock(), then = pb_clock();

	(void)state;
	assert_true(first > 0);
	assert_true(then >= first && then - first < 60 * S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
