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

#define INPUT_MAX 65536

typedef const char *check_function(const void *data, size_t size, bool *taken);

static char top[PATH_MAX];
static char folder[] = "/tmp/pb-readers.XXXXXX";

static bool replay_input(const char *path, const char *name, check_function *check)
{
	static char data[INPUT_MAX];
	FILE *file = fopen(path, "rb");
	const char *wrong;
	bool taken;
	size_t size;

	assert_non_null(file);
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	wrong = check(data, size, &taken);
	if (!wrong && strncmp(name, taken ? "no-" : "ok-", 3) == 0)
		wrong = "taken or refused, not as its name says";
	if (wrong)
		print_error("%s: %s\n", path, wrong);
	return !wrong;
}

static void replay(const char *corpus, check_function *check)
{
	char path[PATH_MAX + NAME_MAX + 64];
	const struct dirent *entry;
	size_t nr = 0, right = 0;
	DIR *inputs;

	snprintf(path, sizeof(path), "%s/tests/fuzz/%s", top, corpus);
	inputs = opendir(path);
	assert_non_null(inputs);
	while ((entry = readdir(inputs))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/tests/fuzz/%s/%s", top, corpus, entry->d_name);
		right += replay_input(path, entry->d_name, check);
		nr++;
	}
	closedir(inputs);
	assert_true(nr >= 20);
	assert_int_equal(right, nr);
}

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

static int enter_folder(void **state)
{
	(void)state;
	if (!realpath(getenv("TOP") ?: ".", top) || !mkdtemp(folder) || chdir(folder))
		return -1;
	fill_folder();
	return 0;
}

static int leave_folder(void **state)
{
	const struct dirent *entry;
	DIR *all = opendir(".");

	(void)state;
	if (!all)
		return -1;
	while ((entry = readdir(all)))
		unlink(entry->d_name);
	closedir(all);
	return chdir(top) || rmdir(folder);
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
