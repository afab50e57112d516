// SPDX-License-Identifier: GPL-2.0-only
/* Elements of sets as they are written, and lists of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include "rule/element.h"
#include "says.h"

#define NS 1000000000ULL

/* A list in memory, as a path of its own; `len` bytes of it. */
static char path[64];
static int list_fd = -1;

static const char *list_of(const char *text, size_t len)
{
	if (list_fd >= 0)
		close(list_fd);
	list_fd = memfd_create("list", MFD_CLOEXEC);
	assert_true(list_fd >= 0);
	assert_int_equal(write(list_fd, text, len), len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", list_fd);
	return path;
}

/* The message says both. */
static void says(const struct pb_error *error, const char *one, const char *other)
{
	if (!strstr(error->text, one) || !strstr(error->text, other))
		fail_msg("'%s' lacks '%s' or '%s'", error->text, one, other);
}

static char *elements_text(const struct pb_element *elements, size_t nr)
{
	struct pb_prefix *prefixes = calloc(nr + 1, sizeof(*prefixes));
	char *text;

	assert_non_null(prefixes);
	for (size_t i = 0; i < nr; i++) {
		assert_int_equal(elements[i].expires, 0);
		prefixes[i] = elements[i].prefix;
	}
	text = pb_prefixes_text(prefixes, nr);
	assert_non_null(text);
	free(prefixes);
	return text;
}

static void gives(const char *list, int ret, struct pb_element *elements, size_t nr,
		  const struct pb_error *error, const char *wanted)
{
	char *text;

	if (ret)
		fail_msg("%s: %s", list, error->text);
	text = elements_text(elements, nr);
	assert_string_equal(text, wanted);
	free(text);
	free(elements);
}

static void reads(const char *list, const char *wanted)
{
	struct pb_element *elements = NULL;
	struct pb_error error = { "" }, note = { "" };
	size_t nr = 0;
	int ret = pb_elements_read(list_of(list, strlen(list)), &elements, &nr, &note, &error);

	gives(list, ret, elements, nr, &error, wanted);
	assert_string_equal(note.text, "");
}

static void test_lists(void **state)
{
	(void)state;
	reads("192.0.2.1\n", "192.0.2.1");
	reads("192.0.2.1", "192.0.2.1");
	reads("2001:db8::1\n10.0.0.0/8\n192.0.2.1\n", "10.0.0.0/8,192.0.2.1,2001:db8::1");
	reads("\n\n  192.0.2.1\t\n\n", "192.0.2.1");
	reads("192.0.2.1\r\n2001:db8::/32\r\n\r\n", "192.0.2.1,2001:db8::/32");
	reads("\xef\xbb\xbf"
	      "192.0.2.1\n",
	      "192.0.2.1");
	reads("# a list\n; another\n192.0.2.1 # a host\n192.0.2.2;another\n192.0.2.3#\n",
	      "192.0.2.1,192.0.2.2,192.0.2.3");
	reads("; Spamhaus DROP List\n; Last-Modified: today\n1.10.16.0/20 ; SBL256894\n"
	      "1.19.0.0/16 ; SBL434604\n",
	      "1.10.16.0/20,1.19.0.0/16");
	reads("192.0.2.1 seen 5 times\n192.0.2.2\tDE\t12\n192.0.2.3,spam,2026-11-29\n",
	      "192.0.2.1,192.0.2.2,192.0.2.3");
	reads("192.0.2.1 ; not 192.0.2.9\n192.0.2.2 by 192.0.2.9\n", "192.0.2.1,192.0.2.2");
	reads("192.0.2.1\n192.0.2.1/32\n192.0.2.1\n192.0.2.0/24\n", "192.0.2.0/24,192.0.2.1");
	reads("", "");
	reads("# nothing\n\n", "");
	reads("# no end", "");
	reads("192.0.2.0/24", "192.0.2.0/24");
}

static void test_masked(void **state)
{
	static const char list[] = "10.1.2.3/8\n2001:db8::1/32\n192.0.2.1\n";
	struct pb_error error = { "" }, note = { "" };
	struct pb_element *elements = NULL;
	size_t nr = 0;
	int ret = pb_elements_read(list_of(list, strlen(list)), &elements, &nr, &note, &error);

	(void)state;
	gives(list, ret, elements, nr, &error, "10.0.0.0/8,192.0.2.1,2001:db8::/32");
	assert_string_equal(note.text, "\"10.1.2.3/8\" is taken as 10.0.0.0/8 (bits behind the "
				       "length do not count), and 1 more like it");
}

/* Nothing comes out of a list with a fault. */
static void refuses(const char *list, size_t len, int code, const char *where, const char *what)
{
	struct pb_element *elements = (void *)1;
	struct pb_error error = { "" }, note = { "" };
	char begins[128];
	size_t nr = 7;
	int ret = pb_elements_read(list_of(list, len), &elements, &nr, &note, &error);

	assert_int_equal(ret, -code);
	assert_ptr_equal(elements, (void *)1);
	assert_int_equal(nr, 7);
	snprintf(begins, sizeof(begins), "%s%s", path, where);
	if (strncmp(error.text, begins, strlen(begins)) || !strstr(error.text, what))
		fail_msg("'%s' instead of '%s...%s'", error.text, begins, what);
}

static void test_faults(void **state)
{
	static const struct {
		const char *list, *where, *what;
	} faults[] = {
		{ "192.0.2.1\nfoo\n192.0.2.2\n", ":2: ", "\"foo\" is not an address or prefix" },
		{ "\n# a\n10.0.0.0/33\n", ":3: ", "\"10.0.0.0/33\" has no valid length" },
		{ "2001:db8::/129\n", ":1: ", "IPv6 prefixes go from /0 to /128" },
		{ "192.0.2.1\n<!DOCTYPE html>\n", ":2: ", "\"<!DOCTYPE\" is not an address" },
		{ "192.0.2.256\n", ":1: ", "not an address" },
		{ "192.0.2.1.5\n", ":1: ", "not an address" },
		{ "010.0.0.1\n", ":1: ", "not an address" },
		{ "10.0.0.0/08\n", ":1: ", "no valid length" },
		{ ",192.0.2.1\n", ":1: ", "\",\" is not an address" },
		{ "192.0.2.1-192.0.2.9\n", ":1: ", "not an address" },
		{ "192.0.2.1 - 192.0.2.9\n", ":1: ", "a second address, \"192.0.2.9\"" },
		{ "192.0.2.0\t192.0.2.255\t24\n", ":1: ", "a second address, \"192.0.2.255\"" },
		{ "192.0.2.1,192.0.2.2\n", ":1: ", "a second address, \"192.0.2.2\"" },
		{ "192.0.2.1\r192.0.2.2\r", ":1: ", "a second address, \"192.0.2.2\"" },
		{ "10.0.0.0/16\n10.0.0.0/1", ":2: ", "may have been cut off" },
		{ "fe80::1%eth0\n", ":1: ", "not an address" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		refuses(faults[i].list, strlen(faults[i].list), EINVAL, faults[i].where,
			faults[i].what);
	refuses("192.0.2.1\n\0\n", 12, EINVAL, " is no text", "NUL byte");
	refuses("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10, EINVAL, " is no text", "compressed");
}

/* Lines that are cut by the end of a buffer, wherever, are as others. */
static void test_long(void **state)
{
	enum { LINES = 70000 };
	char *list = malloc(LINES * 40), *at = list;
	struct pb_element *elements = NULL;
	struct pb_error error = { "" };
	size_t nr = 0;

	(void)state;
	assert_non_null(list);
	for (unsigned int i = LINES; i--;)
		at += sprintf(at, i % 2 ? "10.%u.%u.%u\n" : "2001:db8::%x:%x:%x ; text\n", i >> 16,
			      i >> 8 & 255, i & 255);
	assert_int_equal(pb_elements_read(list_of(list, at - list), &elements, &nr, NULL, &error),
			 0);
	assert_int_equal(nr, LINES);
	assert_int_equal(elements[0].prefix.family, 4);
	assert_int_equal(elements[0].prefix.addr[3], 1);
	assert_int_equal(elements[LINES / 2].prefix.family, 6);
	free(elements);

	memset(list, 'x', 2 * LINES);
	list[0] = '#';
	refuses(list, 2 * LINES, EINVAL, ":1: ", "far too long");
	list[2 * LINES - 40000] = '\n';
	refuses(list, 2 * LINES, EINVAL, ":2: ", "is not an address");
	free(list);
}

static void test_many(void **state)
{
	enum { LINES = 5000000 };
	static const char line[] = "192.0.2.1\n";
	char *list = malloc(LINES * 16UL), *at = list;
	struct pb_element *elements = NULL;
	struct pb_error error = { "" };
	size_t nr = 0;

	(void)state;
	assert_non_null(list);
	for (size_t i = 0; i < LINES; i++, at += strlen(line))
		memcpy(at, line, strlen(line));
	assert_int_equal(pb_elements_read(list_of(list, at - list), &elements, &nr, NULL, &error),
			 0);
	assert_int_equal(nr, 1);
	free(elements);

	at = list;
	for (size_t i = 0; i <= PB_SET_LIMIT; i++)
		at += sprintf(at, "%zu.%zu.%zu.%zu\n", i >> 24, i >> 16 & 255, i >> 8 & 255,
			      i & 255);
	assert_int_equal(pb_elements_read(list_of(list, at - list), &elements, &nr, NULL, &error),
			 -E2BIG);
	says(&error, "more than 4194304 elements", path);
	free(list);
}

static void test_no_file(void **state)
{
	struct pb_element *elements;
	struct pb_error error;
	size_t nr;

	(void)state;
	assert_int_equal(pb_elements_read("/nonexistent/list", &elements, &nr, NULL, &error),
			 -ENOENT);
	says(&error, "\"/nonexistent/list\"", "No such file");
	assert_int_equal(pb_elements_read("/", &elements, &nr, NULL, &error), -EISDIR);
	says(&error, "\"/\"", "directory");
	assert_int_equal(pb_elements_read_beside("zero", "/dev/null", &elements, &nr, NULL, &error),
			 -EINVAL);
	says(&error, "\"/dev/zero\"", "device");
}

static void test_words(void **state)
{
	static const struct wrong wrong[] = {
		{ "", "empty", NULL },
		{ "192.0.2.1,", "empty", NULL },
		{ "foo", "\"foo\" is not an address or prefix", NULL },
		{ "10.0.0.0/33", "\"10.0.0.0/33\" has no valid length", "/0 to /32" },
		{ "@hostile", "\"@hostile\" has no slash", "@./FILE" },
		{ "@", "\"@\"", "@./FILE" },
		{ NULL, NULL, NULL },
	};
	struct pb_element *elements = NULL;
	struct pb_error error = { "" }, note = { "" };
	char file[70];
	size_t nr = 0;
	int ret;

	(void)state;
	ret = pb_elements_parse("2001:db8::/32,192.0.2.1,192.0.2.1", &elements, &nr, &note, &error);
	gives("words", ret, elements, nr, &error, "192.0.2.1,2001:db8::/32");
	snprintf(file, sizeof(file), "@%s", list_of("192.0.2.1\n", 10));
	ret = pb_elements_parse(file, &elements, &nr, &note, &error);
	gives(file, ret, elements, nr, &error, "192.0.2.1");
	assert_string_equal(note.text, "");
	ret = pb_elements_parse("10.1.2.3/8", &elements, &nr, &note, &error);
	gives("10.1.2.3/8", ret, elements, nr, &error, "10.0.0.0/8");
	assert_non_null(strstr(note.text, "\"10.1.2.3/8\" is taken as 10.0.0.0/8"));
	for (const struct wrong *w = wrong; w->input; w++)
		assert_says(w, pb_elements_parse(w->input, &elements, &nr, NULL, &error), -EINVAL,
			    &error);
	assert_int_equal(pb_elements_parse("@/nonexistent/list", &elements, &nr, NULL, &error),
			 -ENOENT);
}

static void test_prefix(void **state)
{
	struct pb_prefix prefix;
	struct pb_error error;
	bool masked;

	(void)state;
	assert_int_equal(pb_prefix_parse("10.1.2.3/8", &prefix, &masked, NULL), 0);
	assert_true(masked && prefix.len == 8 && prefix.addr[0] == 10 && !prefix.addr[1]);
	assert_int_equal(pb_prefix_parse("10.0.0.0/8", &prefix, &masked, NULL), 0);
	assert_false(masked);
	memset(&prefix, 7, sizeof(prefix));
	assert_int_equal(pb_prefix_parse("2001:db8::1", &prefix, NULL, NULL), 0);
	assert_true(prefix.family == 6 && prefix.len == 128 && prefix.addr[15] == 1);
	assert_int_equal(pb_prefix_parse("10.0.0.0/8 ", &prefix, NULL, &error), -EINVAL);
	says(&error, "\"10.0.0.0/8 \"", "has no valid length");
	assert_int_equal(prefix.family, 6);
}

static void test_timeout(void **state)
{
	struct pb_error error;
	__u64 ns = 1;

	(void)state;
	assert_int_equal(pb_timeout_parse("0", &ns, &error), 0);
	assert_int_equal(ns, 0);
	assert_int_equal(pb_timeout_parse("600", &ns, &error), 0);
	assert_int_equal(ns, 600 * NS);
	assert_int_equal(pb_timeout_parse("1h30m", &ns, &error), 0);
	assert_int_equal(ns, 5400 * NS);
	assert_int_equal(pb_timeout_parse("315360000", &ns, &error), 0);
	assert_int_equal(pb_timeout_parse("315360001", &ns, &error), -EINVAL);
	says(&error, "\"315360001\" is too long", "3650d");
	for (const char *const *word =
		     (const char *const[]){ "", "-1", "x", "1.5", "007", "1w", NULL };
	     *word; word++)
		assert_int_equal(pb_timeout_parse(*word, &ns, &error), -EINVAL);
	assert_int_equal(ns, 315360000 * NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),	cmocka_unit_test(test_masked),
		cmocka_unit_test(test_faults),	cmocka_unit_test(test_long),
		cmocka_unit_test(test_many),	cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_words),	cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_timeout),
	};

	return cmocka_run_group_tests_name("elements", tests, NULL, NULL);
}
