// SPDX-License-Identifier: GPL-2.0-only
/* Options of a program that was built for an earlier library, and of one for a later one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>
#include "says.h"
#include "util/options.h"

struct known {
	size_t size;
	__u32 first;
	__u32 second;
};

struct later {
	struct known known;
	__u32 third;
	__u32 fourth;
};

static void test_same(void **state)
{
	const struct known options = { .size = sizeof(options), .first = 1, .second = 2 };
	struct known taken;

	(void)state;
	assert_int_equal(pb_options_take(&taken, sizeof(taken), &options, NULL), 0);
	assert_memory_equal(&taken, &options, sizeof(taken));
}

static void test_none(void **state)
{
	const struct known none = { .size = 0 };
	struct known taken = { .first = 3 };

	(void)state;
	assert_int_equal(pb_options_take(&taken, sizeof(taken), NULL, NULL), 0);
	assert_memory_equal(&taken, &none, sizeof(taken));
}

/* What stands behind an earlier program's options is something else of its own. */
static void test_earlier(void **state)
{
	const struct known options = { offsetof(struct known, second), 1, 2 };
	struct known taken = { .second = 3 };

	(void)state;
	assert_int_equal(pb_options_take(&taken, sizeof(taken), &options, NULL), 0);
	assert_int_equal(taken.first, 1);
	assert_int_equal(taken.second, 0);
}

static void test_later(void **state)
{
	const struct wrong wrong = { "fourth", "built for a later libportblock", "24 bytes" };
	struct later options = { .known = { sizeof(options), 1, 2 } };
	struct known taken;
	struct pb_error error;

	(void)state;
	assert_int_equal(pb_options_take(&taken, sizeof(taken), &options, NULL), 0);
	assert_int_equal(taken.second, 2);
	options.fourth = 1;
	memset(&taken, 0, sizeof(taken));
	if (sizeof(size_t) == 8)
		assert_says(&wrong, pb_options_take(&taken, sizeof(taken), &options, &error),
			    -E2BIG, &error);
	assert_int_equal(pb_options_take(&taken, sizeof(taken), &options, NULL), -E2BIG);
	assert_int_equal(taken.first, 0);
}

/* The program's own size decides how much is written, and stays. */
static void test_give(void **state)
{
	const struct known known = { .size = sizeof(known), .first = 1, .second = 2 };
	struct later asked = { .known.size = sizeof(asked), .third = 3, .fourth = 4 };
	struct known earlier = { .size = offsetof(struct known, second), .second = 9 };
	struct known without = { .first = 9 };
	const struct wrong wrong = { "no size", "begin with their size", NULL };
	struct pb_error error;

	(void)state;
	assert_int_equal(pb_options_give(&asked, &known, sizeof(known), NULL), 0);
	assert_int_equal(asked.known.size, sizeof(asked));
	assert_int_equal(asked.known.first, 1);
	assert_int_equal(asked.known.second, 2);
	assert_int_equal(asked.third, 0);
	assert_int_equal(asked.fourth, 0);
	assert_int_equal(pb_options_give(&earlier, &known, sizeof(known), NULL), 0);
	assert_int_equal(earlier.size, offsetof(struct known, second));
	assert_int_equal(earlier.first, 1);
	assert_int_equal(earlier.second, 9);
	assert_says(&wrong, pb_options_give(&without, &known, sizeof(known), &error), -EINVAL,
		    &error);
	assert_int_equal(without.first, 9);
}

/* Of each function that takes them, before anything else is looked at. */
static void test_no_size(void **state)
{
	const struct wrong wrong = { "no size", "begin with their size", NULL };
	const struct pb_ruleset_options limits = { .max_rules = 1 };
	const struct pb_load_options plain = { .mode = PB_MODE_SKB },
				     load = { .size = sizeof(load), .limits = &limits };
	const struct pb_monitor_filter filter = { .rate = 1 };
	const struct pb_prospect prospect = { .ruleset = "default" };
	const struct pb_connection connection = { .server_port = 22 };
	struct pb_monitor *monitor;
	struct pb_error error;
	struct pb_ruleset *any = (struct pb_ruleset *)&error;

	(void)state;
	assert_says(&wrong, pb_filter_load(NULL, 0, &plain, NULL, &error), -EINVAL, &error);
	assert_says(&wrong, pb_filter_load(NULL, 0, &load, NULL, &error), -EINVAL, &error);
	assert_says(&wrong, pb_monitor_open(any, &filter, NULL, NULL, &monitor, &error), -EINVAL,
		    &error);
	assert_says(&wrong, pb_connection_check(&connection, &prospect, &error), -EINVAL, &error);
}

/* Padding at the end would be taken for a member that is added there, and nobody zeroes it. */
static void test_no_padding(void **state)
{
#define ENDS_WITH(type, member) \
	(offsetof(type, member) + sizeof(((type *)0)->member) == sizeof(type))
	(void)state;
	assert_true(ENDS_WITH(struct pb_ruleset_options, reserved));
	assert_true(ENDS_WITH(struct pb_load_options, group));
	assert_true(ENDS_WITH(struct pb_monitor_filter, snaplen));
	assert_true(ENDS_WITH(struct pb_prospect, nr_sets));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),	   cmocka_unit_test(test_none),
		cmocka_unit_test(test_earlier),	   cmocka_unit_test(test_later),
		cmocka_unit_test(test_give),	   cmocka_unit_test(test_no_size),
		cmocka_unit_test(test_no_padding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
