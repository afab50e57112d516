// SPDX-License-Identifier: GPL-2.0-only
/*
 * The corpora of the fuzzers of text (tests/fuzz): each input is taken or refused as its name says
 * ("ok-", "no-"; "any-": that is for the machine to say, which may not know a service), and holds to
 * what tests/fuzz/readers.h asks of all.
 */
#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../fuzz/readers.h"
#include "../fuzz/replay.h"

static void test_rule_text(void **state)
{
	(void)state;
	replay("corpus-rule_text", check_rule_text);
}

static void test_file(void **state)
{
	(void)state;
	replay("corpus-file", check_file);
}

static void test_json(void **state)
{
	(void)state;
	replay("corpus-json", check_json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule_text),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
