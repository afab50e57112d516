// SPDX-License-Identifier: GPL-2.0-only
/* Memory is given back, and nothing is lost by it: neither libraries, nor what is a copy of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include "fleet/curl-library.h"
#include "fleet/footprint.h"
#include "fleet/sign.h"

#define PAGES 4

/* KiB of a line of /proc/self/smaps_rollup; 0: it is not there. */
static unsigned long rollup(const char *name)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "re");
	char line[256];
	unsigned long kib = 0;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			kib = strtoul(line + strlen(name), NULL, 10);
	if (file)
		fclose(file);
	return kib;
}

static void hash(char id[FLEET_HASH_LEN])
{
	const char *const parts[] = { "web", "a\n", "text" };

	assert_int_equal(fleet_hash(parts, 3, id), 0);
}

/* libcurl, libcrypto and what they bring: they are called, left, and called again. */
static void test_libraries(void **state)
{
	const struct curl_library *curl;
	char before[FLEET_HASH_LEN], after[FLEET_HASH_LEN];
	struct pb_error error;
	unsigned long resident;
	CURL *easy;

	(void)state;
	assert_int_equal(fleet_curl_load(&curl, &error), 0);
	hash(before);
	resident = rollup("Rss:");
	fleet_give_back();
	if (resident)
		assert_true(rollup("Rss:") < resident);
	else
		print_message("# no smaps_rollup here\n");
	hash(after);
	assert_string_equal(after, before);
	for (int i = 0; i < 3; i++) {
		easy = curl->easy_init();
		assert_non_null(easy);
		assert_int_equal((curl->easy_setopt)(easy, CURLOPT_URL, "https://127.0.0.1:1/"), 0);
		curl->easy_cleanup(easy);
		fleet_give_back();
	}
}

static char *map(int fd)
{
	char *at = mmap(NULL, PAGES * sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_PRIVATE,
			fd, 0);

	assert_ptr_not_equal(at, MAP_FAILED);
	return at;
}

static void protect(char *at)
{
	assert_int_equal(mprotect(at, PAGES * sysconf(_SC_PAGESIZE), PROT_READ), 0);
}

/* As tables that the loader has relocated: written, and protected then. */
static void test_copies(void **state)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char path[] = "/tmp/pb-footprint.XXXXXX", *written, *read, *open;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	for (size_t i = 0; i < PAGES * page; i++)
		assert_int_equal(write(fd, "f", 1), 1);
	written = map(fd);
	open = map(fd);
	read = map(fd);
	written[2 * page] = 'w';
	open[page] = 'o';
	assert_int_equal(read[3 * page], 'f');
	protect(written);
	protect(read);
	fleet_give_back();
	assert_int_equal(written[2 * page], 'w');
	assert_int_equal(written[page], 'f');
	assert_int_equal(open[page], 'o');
	assert_int_equal(read[3 * page], 'f');
	munmap(written, PAGES * page);
	munmap(open, PAGES * page);
	munmap(read, PAGES * page);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_libraries),
		cmocka_unit_test(test_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
