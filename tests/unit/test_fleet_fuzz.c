// SPDX-License-Identifier: GPL-2.0-only
/* The corpus of the fuzzer of what comes from etcd (tests/fuzz/fleet.h), as test_readers.c has those of the others. */
#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../fuzz/fleet.h"
#include "../fuzz/replay.h"

static void test_fleet(void **state)
{
	(void)state;
	replay("corpus-fleet", check_fleet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fleet),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
