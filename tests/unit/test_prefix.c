// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "rule/prefix.h"
#include "says.h"

/* Reads a list; gives its canonical text and the note. The caller frees. */
static char *read_list(const char *list, struct pb_error *note)
{
	struct pb_prefix *prefixes = NULL;
	struct pb_error error = { "" };
	char *text;
	size_t nr;

	note->text[0] = '\0';
	if (pb_prefixes_parse(list, NULL, &prefixes, &nr, note, &error))
		fail_msg("%s: %s", list, error.text);
	text = pb_prefixes_text(prefixes, nr);
	free(prefixes);
	return text;
}

static void reads(const char *list, const char *wanted, const char *noted)
{
	struct pb_error note = { "" };
	char *text = read_list(list, &note);

	assert_string_equal(text, wanted);
	assert_string_equal(note.text, noted);
	free(text);
}

static void test_right(void **state)
{
	(void)state;
	reads("10.0.0.0/8", "10.0.0.0/8", "");
	reads("192.0.2.1", "192.0.2.1", "");
	reads("192.0.2.1/32", "192.0.2.1", "");
	reads("0.0.0.0/0", "0.0.0.0/0", "");
	reads("fd00::1", "fd00::1", "");
	reads("FD00:0::1/128", "fd00::1", "");
	reads("::/0", "::/0", "");
	reads("2001:db8::/33", "2001:db8::/33", "");
	reads("::ffff:0:0/96", "::ffff:0.0.0.0/96", "");
}

static void test_order(void **state)
{
	(void)state;
	reads("fd00::1,10.0.0.0/8", "10.0.0.0/8,fd00::1", "");
	reads("10.0.0.0/16,10.0.0.0/8,9.0.0.0/8", "9.0.0.0/8,10.0.0.0/8,10.0.0.0/16", "");
	reads("10.0.0.1,10.0.0.1/32", "10.0.0.1", "");
}

static void test_masked(void **state)
{
	(void)state;
	reads("10.1.2.3/8", "10.0.0.0/8",
	      "\"10.1.2.3/8\" is taken as 10.0.0.0/8 (bits behind the length do not count)");
	reads("255.255.255.255/25", "255.255.255.128/25",
	      "\"255.255.255.255/25\" is taken as 255.255.255.128/25 (bits behind the length do "
	      "not count)");
	reads("fd00::1/64,1.2.3.4/0,10.0.0.0/8", "0.0.0.0/0,10.0.0.0/8,fd00::/64",
	      "\"fd00::1/64\" is taken as fd00::/64 (bits behind the length do not count), and 1 "
	      "more like it");
}

static void test_wrong(void **state)
{
	static const struct wrong wrong[] = {
		{ "10.0.0.0/33", "\"10.0.0.0/33\" has no valid length", "/0 to /32" },
		{ "fe80::/129", "\"fe80::/129\" has no valid length",
		  "IPv6 prefixes go from /0 to /128" },
		{ "10.0.0.0/", "\"10.0.0.0/\" has no valid length", NULL },
		{ "10.0.0.0/-1", "\"10.0.0.0/-1\" has no valid length", NULL },
		{ "10.0.0.0/08", "\"10.0.0.0/08\" has no valid length", NULL },
		{ "10.0.0.0/8/8", "\"10.0.0.0/8/8\" has no valid length", NULL },
		{ "10.0.0.0/255.0.0.0", "has no valid length", NULL },
		{ "10.0.0/8", "\"10.0.0/8\" is not an address", "10.0.0.0/8" },
		{ "10", "\"10\" is not an address", NULL },
		{ "10.0.0.256", "\"10.0.0.256\" is not an address", NULL },
		{ "10.0.0.01", "\"10.0.0.01\" is not an address", NULL },
		{ " 10.0.0.1", "\" 10.0.0.1\" is not an address", NULL },
		{ "fe80::1%eth0", "\"fe80::1%eth0\" is not an address", NULL },
		{ "::1::", "\"::1::\" is not an address", NULL },
		{ "example.org", "\"example.org\" is not an address", NULL },
		{ "/8", "\"/8\" is not an address", NULL },
		{ "1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1", "is not an address", NULL },
		{ "", "the list of prefixes is empty", NULL },
		{ "10.0.0.1,", "\"10.0.0.1,\" has an empty place", NULL },
		{ "10.0.0.1,,10.0.0.2", "has an empty place", NULL },
		{ "10.0.0.1,@file", "\"@file\" is the name of a set", "@./hosts" },
		{ "@", "\"@\" lacks a name", "@./FILE" },
		{ NULL, NULL, NULL },
	};

	(void)state;
	for (const struct wrong *w = wrong; w->input; w++) {
		struct pb_prefix *prefixes = (struct pb_prefix *)0x1;
		struct pb_error error = { "" }, note = { "" };
		size_t nr = 99;

		assert_says(w, pb_prefixes_parse(w->input, NULL, &prefixes, &nr, &note, &error),
			    -EINVAL, &error);
		assert_int_equal(nr, 99);
		assert_ptr_equal(prefixes, (struct pb_prefix *)0x1);
		assert_string_equal(note.text, "");
	}
}

/* ---- @FILE --------------------------------------------------------------------------------- */

static char path[] = "/tmp/pb-prefix-XXXXXX", at_path[sizeof(path) + 1];

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	sprintf(at_path, "@%s", path);
	return fd < 0 || close(fd) ? -1 : 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_file(const char *text, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void file_reads(const char *text, const char *wanted)
{
	write_file(text, strlen(text));
	reads(at_path, wanted, "");
}

static void file_says(const char *text, size_t len, const char *says, const char *also)
{
	struct wrong wrong = { text, says, also };
	struct pb_prefix *prefixes;
	struct pb_error error = { "" };
	size_t nr;

	write_file(text, len);
	assert_says(&wrong, pb_prefixes_parse(at_path, NULL, &prefixes, &nr, NULL, &error), -EINVAL,
		    &error);
}

static void test_file(void **state)
{
	(void)state;
	file_reads("10.0.0.0/8\n", "10.0.0.0/8");
	file_reads("10.0.0.0/8", "10.0.0.0/8");
	file_reads("# office\r\n10.0.0.1,10.0.0.2, 10.0.0.3\r\n\tfd00::1# home\n\n#",
		   "10.0.0.1,10.0.0.2,10.0.0.3,fd00::1");
}

static void test_file_wrong(void **state)
{
	char long_line[2000], line_3[64];
	const char zero[] = "10.0.0.1\0";

	(void)state;
	memset(long_line, '1', sizeof(long_line));
	sprintf(line_3, "%s:3: \"10.0.0/8\" is not an address", path);
	file_says("10.0.0.1\n# x\n10.0.0.2 10.0.0/8\n", 30, line_3, NULL);
	file_says("10.0.0.1/40", 11, ":1: \"10.0.0.1/40\" has no valid length", NULL);
	file_says(long_line, sizeof(long_line), ":1: a word far too long", NULL);
	file_says(zero, sizeof(zero) - 1, "NUL byte", path);
	file_says("# nothing\n", 10, "holds no prefixes", path);
	file_says("", 0, "holds no prefixes", path);
}

static void test_no_file(void **state)
{
	static const struct wrong missing = { "@/nonexistent/file", "\"/nonexistent/file\"",
					      "No such file" };
	static const struct wrong folder = { "@/tmp", "\"/tmp\"", "directory" };
	struct pb_prefix *prefixes;
	struct pb_error error = { "" };
	size_t nr;

	(void)state;
	assert_says(&missing, pb_prefixes_parse(missing.input, NULL, &prefixes, &nr, NULL, &error),
		    -ENOENT, &error);
	assert_says(&folder, pb_prefixes_parse(folder.input, NULL, &prefixes, &nr, NULL, &error),
		    -EISDIR, &error);
}

static void test_file_of_many(void **state)
{
	FILE *file = fopen(path, "w");
	struct pb_prefix *prefixes;
	size_t nr;

	(void)state;
	for (unsigned int i = 0; i < 20000; i++)
		fprintf(file, "10.%u.%u.0/24\n", i >> 8, i & 255);
	fclose(file);
	assert_int_equal(pb_prefixes_parse(at_path, NULL, &prefixes, &nr, NULL, NULL), 0);
	assert_int_equal(nr, 20000);
	free(prefixes);
}

/* ---- Covering ------------------------------------------------------------------------------ */

static bool covers(const char *outer, const char *inner)
{
	struct pb_prefix *o = NULL, *i = NULL;
	size_t nr_o = 0, nr_i = 0;
	bool answer;

	assert_true(!*outer || !pb_prefixes_parse(outer, NULL, &o, &nr_o, NULL, NULL));
	assert_true(!*inner || !pb_prefixes_parse(inner, NULL, &i, &nr_i, NULL, NULL));
	answer = pb_prefixes_cover(o, nr_o, i, nr_i);
	free(o);
	free(i);
	return answer;
}

static void test_covers(void **state)
{
	(void)state;
	assert_true(covers("10.0.0.0/8", "10.0.0.0/8"));
	assert_true(covers("10.0.0.0/8", "10.1.0.0/16,10.2.3.4"));
	assert_true(covers("10.0.0.0/9,10.128.0.0/9", "10.0.0.0/8"));
	assert_true(covers("10.0.0.0/9,10.1.0.0/16,10.128.0.0/10,10.192.0.0/10", "10.0.0.0/8"));
	assert_true(covers("0.0.0.0/0", "255.255.255.255"));
	assert_true(covers("0.0.0.0/0,::/0", ""));
	assert_true(covers("0.0.0.0/1,128.0.0.0/1,::/1,8000::/1", ""));
	assert_true(covers("9.0.0.0/8,9.1.0.0/16,10.0.0.0/8", "9.0.0.0/8,10.0.0.0/8"));
	assert_true(covers("10.0.0.0/8,fd00::/8", "10.0.0.1,fd00::1"));
}

static void test_covers_not(void **state)
{
	(void)state;
	assert_false(covers("", ""));
	assert_false(covers("", "10.0.0.0/8"));
	assert_false(covers("10.0.0.0/9", "10.0.0.0/8"));
	assert_false(covers("10.0.0.0/9,10.128.0.0/10", "10.0.0.0/8"));
	assert_false(covers("10.128.0.0/9", "10.0.0.0/8"));
	assert_false(covers("10.0.0.0/9,10.128.0.1,10.128.0.2/31", "10.0.0.0/8"));
	assert_false(covers("10.0.0.0/8", "10.0.0.0/8,11.0.0.0/8"));
	assert_false(covers("0.0.0.0/0", ""));
	assert_false(covers("::/0", ""));
	assert_false(covers("::/0", "10.0.0.0/8"));
	assert_false(covers("10.0.0.0/8", "a00::/8"));
	assert_false(covers("0.0.0.0/0", "10.0.0.1,fd00::1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right),	cmocka_unit_test(test_order),
		cmocka_unit_test(test_masked),	cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_file),	cmocka_unit_test(test_file_wrong),
		cmocka_unit_test(test_no_file), cmocka_unit_test(test_file_of_many),
		cmocka_unit_test(test_covers),	cmocka_unit_test(test_covers_not),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
