// SPDX-License-Identifier: GPL-2.0-only
/* Elements of sets in files, from and to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include "rules/saved.h"
#include "random.h"

#define NS 1000000000ULL

/* The clocks, unless a test says otherwise: 2026-11-29T09:12:03.25Z, 1000.75 s after the host began. */
#define NOON 1795943523LL
static const struct pb_clocks now = { .boot = 1000 * NS + 3 * NS / 4, .wall = NOON * NS + NS / 4 };

/* A file in memory, as a path of its own; `len` bytes of it. */
static char path[64];
static int file_fd = -1;

static const char *empty_file(void)
{
	if (file_fd >= 0)
		close(file_fd);
	file_fd = memfd_create("saved", MFD_CLOEXEC);
	assert_true(file_fd >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file_fd);
	return path;
}

static const char *file_of(const char *text, size_t len)
{
	empty_file();
	assert_int_equal(write(file_fd, text, len), len);
	return path;
}

static struct pb_saved *read_at(const char *text, const struct pb_clocks *at, struct pb_error *note)
{
	struct pb_saved *saved = NULL;
	struct pb_error error = { "" };

	if (pb_saved_read_at(file_of(text, strlen(text)), at, &saved, note, &error))
		fail_msg("%s: %s", text, error.text);
	return saved;
}

static struct pb_saved *reads(const char *text)
{
	struct pb_error note = { "" };
	struct pb_saved *saved = read_at(text, &now, &note);

	assert_string_equal(note.text, "");
	return saved;
}

/* What is written is read back: the text of it, with the head and without. */
static char *text_of_saved(const struct pb_saved *saved, const struct pb_clocks *at)
{
	struct pb_error error = { "" };
	char *text;
	off_t len;

	empty_file();
	if (pb_saved_write(saved, at, "web", file_fd, &error))
		fail_msg("%s", error.text);
	len = lseek(file_fd, 0, SEEK_END);
	text = calloc(1, len + 1);
	assert_non_null(text);
	assert_int_equal(pread(file_fd, text, len, 0), len);
	return text;
}

#define HEAD                                                                              \
	"# Elements of the sets of the ruleset web, by `xdp-portblock save --elements`\n" \
	"saved 2026-11-29T09:12:03Z\n"

static void becomes(const char *text, const char *wanted)
{
	struct pb_saved *saved = reads(text);
	char *made = text_of_saved(saved, &now), *all;

	assert_true(asprintf(&all, HEAD "%s", wanted) > 0);
	assert_string_equal(made, all);
	free(all);
	free(made);
	pb_saved_free(saved);
}

static void test_forms(void **state)
{
	(void)state;
	becomes("set bans\n192.0.2.7\n", "set bans\n192.0.2.7\n");
	becomes("set bans timeout 24h max 10\n192.0.2.7/32\n2001:0db8::/32\n2001:db8::1/128\n",
		"set bans timeout 1d max 10\n192.0.2.7\n2001:db8::/32\n2001:db8::1\n");
	becomes("set a max 65536\n192.0.2.7\nset b timeout 3650d\n0.0.0.0/0\n::/0\n",
		"set a\n192.0.2.7\nset b timeout 3650d\n0.0.0.0/0\n::/0\n");
	becomes("set a\nset b\n192.0.2.7\nset c\n", "set b\n192.0.2.7\n");
	becomes("saved 2026-11-29T09:12:03Z\n", "");
	becomes("set a\n192.0.2.7 until 2026-11-29T10:12:03Z\n"
		"192.0.2.8 until 2026-11-29T11:12:03+01:00\n",
		"set a\n192.0.2.7 until 2026-11-29T10:12:03Z\n"
		"192.0.2.8 until 2026-11-29T10:12:03Z\n");
	becomes("\xef\xbb\xbf# by hand\r\n\r\nset a ; one\r\n\t192.0.2.7   until "
		"2026-11-29T10:12:03Z # why\r\n192.0.2.8\r\n  ; end\r\n",
		"set a\n192.0.2.7 until 2026-11-29T10:12:03Z\n192.0.2.8\n");
	becomes("set a\n192.0.2.7\n# no end", "set a\n192.0.2.7\n");
}

/* What is read of one element's time: 0: it has ended, 1: it has none. */
static __u64 expiry(const char *head, const char *time, const struct pb_clocks *at,
		    struct pb_error *note)
{
	struct pb_saved *saved;
	char text[200];
	__u64 expires;

	snprintf(text, sizeof(text), "%sset a\n192.0.2.7%s%s\n", head, *time ? " until " : "",
		 time);
	saved = read_at(text, at, note);
	assert_int_equal(saved->nr, 1);
	assert_int_equal(saved->sets[0].about.elements + saved->sets[0].about.ended, 1);
	expires = saved->sets[0].about.ended ? 0 : saved->sets[0].list[0].expires ?: 1;
	pb_saved_free(saved);
	return expires;
}

static void test_times(void **state)
{
	const struct pb_clocks young = { .boot = 5, .wall = now.wall };

	(void)state;
	assert_int_equal(expiry("", "", &now, NULL), 1);
	/* Three quarters of a second are left of this one. */
	assert_int_equal(expiry("", "2026-11-29T09:12:04Z", &now, NULL), 1001 * NS + NS / 2);
	assert_int_equal(expiry("", "2026-11-29T10:12:03Z", &now, NULL), 4600 * NS + NS / 2);
	assert_int_equal(expiry("", "2026-11-29T09:12:03Z", &now, NULL), 0);
	assert_int_equal(expiry("", "2026-11-29T09:12:02Z", &now, NULL), 0);
	assert_int_equal(expiry("", "1970-01-01T00:00:00Z", &now, NULL), 0);
	/* Numbers that others have as an end */
	assert_int_equal(expiry("", "2038-01-19T03:14:08Z", &young, NULL),
			 (2147483648 - NOON) * NS - NS / 4 + 5);
	assert_int_equal(expiry("", "2106-02-07T06:28:16Z", &young, NULL),
			 (4294967296 - NOON) * NS - NS / 4 + 5);
	/* As far as ns reach, and beyond */
	assert_int_equal(expiry("", "2600-01-01T00:00:00Z", &young, NULL),
			 (19880899200 - NOON) * NS - NS / 4 + 5);
	assert_true(expiry("", "9999-12-31T23:59:59Z", &now, NULL) == ~0ULL);
	assert_true(expiry("saved 9999-12-31T23:59:58Z\n", "9999-12-31T23:59:59Z", &now, NULL) ==
		    now.boot + NS);
}

/* A clock that is behind gives no element more time than it had; one that is right takes off what has gone by. */
static void test_clock(void **state)
{
	const struct pb_clocks old = { .boot = 7 * NS, .wall = 86400 * NS };
	struct pb_error note = { "" };

	(void)state;
	assert_int_equal(expiry("saved 2026-11-29T09:00:00Z\n", "2026-11-29T10:12:03Z", &now,
				&note),
			 4600 * NS + NS / 2);
	assert_int_equal(expiry("saved 2026-11-29T09:12:03Z\n", "2026-11-29T10:12:03Z", &now,
				&note),
			 4600 * NS + NS / 2);
	assert_string_equal(note.text, "");
	assert_int_equal(expiry("saved 2026-11-29T09:00:00Z\n", "2026-11-29T10:00:00Z", &old,
				&note),
			 3607 * NS);
	assert_non_null(strstr(note.text, "it is 1970-01-02T00:00:00Z by the clock, and /proc"));
	assert_non_null(strstr(note.text, "was written at 2026-11-29T09:00:00Z"));
	assert_int_equal(expiry("saved 2026-11-29T09:00:00Z\n", "2026-11-29T09:00:00Z", &old, NULL),
			 0);
	/* It was written without: nobody knows. */
	assert_int_equal(expiry("", "1970-01-02T00:01:00Z", &old, NULL), 67 * NS);
}

/* Seconds are rounded up, so none ends too early; and what has ended since is not written. */
static void test_written(void **state)
{
	static const struct {
		__u64 expires;
		const char *until;
	} times[] = {
		{ 1000 * NS + 3 * NS / 4 + 1, "2026-11-29T09:12:04Z" },
		{ 1001 * NS + NS / 2, "2026-11-29T09:12:04Z" },
		{ 1001 * NS + NS / 2 + 1, "2026-11-29T09:12:05Z" },
		{ 4600 * NS + NS / 2, "2026-11-29T10:12:03Z" },
		{ ~0ULL, "2611-06-20T08:29:57Z" },
	};
	struct pb_set set = { .name = "a", .max = PB_SET_DEFAULT };
	struct pb_saved *saved = pb_saved_new();
	struct pb_element element = { .prefix = { .family = 4, .len = 32 } };
	char *text;

	(void)state;
	assert_non_null(saved);
	assert_non_null(pb_saved_add_set(saved, &set));
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		saved->sets[0].about.elements = 0;
		element.expires = times[i].expires;
		assert_int_equal(pb_saved_add(&saved->sets[0], &element), 0);
		text = text_of_saved(saved, &now);
		if (!strstr(text, times[i].until))
			fail_msg("%s lacks %s", text, times[i].until);
		free(text);
	}
	saved->sets[0].list[0].expires = now.boot;
	text = text_of_saved(saved, &now);
	assert_null(strstr(text, "0.0.0.0"));
	free(text);
	pb_saved_free(saved);
}

static void test_masked(void **state)
{
	struct pb_error note = { "before" };
	struct pb_saved *saved = read_at("set a\n10.1.2.3/8\n2001:db8::1/32\n", &now, &note);
	char *text = text_of_saved(saved, &now);

	(void)state;
	assert_string_equal(text, HEAD "set a\n10.0.0.0/8\n2001:db8::/32\n");
	assert_string_equal(note.text,
			    "before; \"10.1.2.3/8\" is taken as 10.0.0.0/8 (bits behind the "
			    "length do not count), and 1 more like it");
	free(text);
	pb_saved_free(saved);
}

static void test_sets(void **state)
{
	struct pb_saved *saved = reads(
		"set bans timeout 1h max 5\n192.0.2.7\n192.0.2.8 until 2020-01-01T00:00:00Z\nset b\n");
	const struct pb_saved_set *set = pb_saved_at(saved, 0);

	(void)state;
	assert_string_equal(set->name, "bans");
	assert_true(set->timeout == 3600 * NS && set->max == 5);
	assert_int_equal(set->elements, 1);
	assert_int_equal(set->ended, 1);
	set = pb_saved_at(saved, 1);
	assert_string_equal(set->name, "b");
	assert_true(!set->timeout && set->max == PB_SET_DEFAULT && !set->elements && !set->ended);
	assert_null(pb_saved_at(saved, 2));
	pb_saved_free(saved);
	pb_saved_free(NULL);
}

/* ---- Faults -------------------------------------------------------------------------------- */

static void refuses(const char *text, size_t len, const char *where, const char *what)
{
	struct pb_saved *saved = (void *)1;
	struct pb_error error = { "" };
	char begins[128];

	assert_int_equal(pb_saved_read_at(file_of(text, len), &now, &saved, NULL, &error), -EINVAL);
	assert_ptr_equal(saved, (void *)1);
	snprintf(begins, sizeof(begins), "%s%s", path, where);
	if (strncmp(error.text, begins, strlen(begins)) || !strstr(error.text, what))
		fail_msg("'%s' instead of '%s...%s'", error.text, begins, what);
}

static void test_faults(void **state)
{
	static const struct {
		const char *text, *where, *what;
	} faults[] = {
		{ "", " holds no sets", "save --elements" },
		{ "# nothing\n", " holds no sets", "save --elements" },
		{ "192.0.2.7\n", ":1: ", "\"192.0.2.7\" is of which set?" },
		{ "saved 2026-11-29T09:12:03Z\n192.0.2.7\nset a\n", ":2: ", "of which set?" },
		{ "set a\nfoo\n192.0.2.7\n", ":2: ", "\"foo\" is not an address or prefix" },
		{ "set a\n192.0.2.7,192.0.2.8\n",
		  ":2: ", "\"192.0.2.7,192.0.2.8\" is not an address" },
		{ "set a\n10.0.0.0/33\n", ":2: ", "\"10.0.0.0/33\" has no valid length" },
		{ "set a\n\n# x\n192.0.2.7 until\n", ":4: ", "\"until\": behind an element" },
		{ "set a\n192.0.2.7 until 2026\n", ":2: ", "\"2026\" is no time" },
		{ "set a\n192.0.2.7 for 1h\n", ":2: ", "\"for\": behind an element" },
		{ "set a\n192.0.2.7 192.0.2.8\n", ":2: ", "\"192.0.2.8\": behind an element" },
		{ "set a\n192.0.2.7 until 2026-11-29T10:12:03Z 1\n", ":2: ", "\"1\": behind" },
		{ "set a\n192.0.2.7 until 2026-11-29 10:12:03Z\n",
		  ":2: ", "\"10:12:03Z\": behind" },
		{ "set a\n192.0.2.7 until 2026-11-29T10:12:03Z", ":2: ", "may have been cut off" },
		{ "set a\n192.0.2.7", ":2: ", "\"192.0.2.7\": the last line has no end" },
		{ "set", ":1: ", "may have been cut off" },
		{ "set\n", ":1: ", "\"set\" lacks a name" },
		{ "set a.b\n", ":1: ", "a.b" },
		{ "set a timeout\n", ":1: ", "\"timeout\" lacks its value" },
		{ "set a elements 5\n", ":1: ", "\"elements\" is not known" },
		{ "set a max 0\n", ":1: ", "\"0\" is no number of elements" },
		{ "set a\nset b\nset a max 5\n", ":3: ", "set a stands in line 1 already" },
		{ "saved\n", ":1: ", "wants a time" },
		{ "saved 2026-11-29T09:12:03Z UTC\n", ":1: ", "no more" },
		{ "saved yesterday\n", ":1: ", "\"yesterday\" is no time" },
		{ "saved 2026-11-29T09:12:03Z\nsaved 2026-11-29T09:12:03Z\n", ":2: ", "once" },
		{ "set a\nsaved 2026-11-29T09:12:03Z\n", ":2: ", "before all sets" },
		{ "set a\n192.0.2.7\r192.0.2.8\r", ":2: ", "may have been cut off" },
		{ "drop from @bans\n", ":1: ", "\"drop\" is not an address" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		refuses(faults[i].text, strlen(faults[i].text), faults[i].where, faults[i].what);
	refuses("set a\n\0\n", 8, " is no text", "NUL byte");
}

static void test_no_file(void **state)
{
	struct pb_saved *saved;
	struct pb_error error;

	(void)state;
	assert_int_equal(pb_saved_read("/nonexistent/saved", &saved, NULL, &error), -ENOENT);
	assert_non_null(strstr(error.text, "\"/nonexistent/saved\""));
	assert_int_equal(pb_saved_read("/", &saved, NULL, &error), -EISDIR);
}

static void test_cannot_write(void **state)
{
	struct pb_saved *saved = reads("set a\n192.0.2.7\n");
	struct pb_error error;
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(pb_saved_write(saved, &now, "web", fd[0], &error), -EBADF);
	assert_non_null(strstr(error.text, "Bad file descriptor"));
	close(fd[0]);
	close(fd[1]);
	pb_saved_free(saved);
}

/* Many lines, longer than any buffer: each comes back as it was. */
static void test_many(void **state)
{
	enum { ELEMENTS = 300000 };
	struct pb_set set = { .name = "a-name-that-is-as-long-as-may-b",
			      .timeout = 3600 * NS,
			      .max = 400000 };
	struct pb_saved *saved = pb_saved_new(), *back = NULL;
	struct pb_error error = { "" };

	(void)state;
	assert_non_null(saved);
	assert_non_null(pb_saved_add_set(saved, &set));
	for (__u32 i = 0; i < ELEMENTS; i++) {
		struct pb_element element = { .prefix = { .family = i % 2 ? 4 : 6 } };

		element.prefix.len = i % 2 ? 32 : 128;
		memset(element.prefix.addr, 0x5a, i % 2 ? 4 : 16);
		memcpy(element.prefix.addr, &i, sizeof(i));
		element.expires = i % 3 ? now.boot + (i + 1) * NS - now.wall % NS : 0;
		assert_int_equal(pb_saved_add(&saved->sets[0], &element), 0);
	}
	empty_file();
	assert_int_equal(pb_saved_write(saved, &now, "web", file_fd, &error), 0);
	assert_int_equal(pb_saved_read_at(path, &now, &back, NULL, &error), 0);
	assert_int_equal(back->nr, 1);
	assert_memory_equal(&back->sets[0].about, &saved->sets[0].about,
			    sizeof(back->sets[0].about));
	assert_memory_equal(back->sets[0].list, saved->sets[0].list,
			    ELEMENTS * sizeof(*saved->sets[0].list));
	pb_saved_free(back);
	pb_saved_free(saved);
}

/* ---- With rules ---------------------------------------------------------------------------- */

/* Sets that the rules lack are declared as the file has them; those that they have stay. */
static void test_rules(void **state)
{
	struct pb_saved *saved =
		reads("set bans timeout 1h max 5\n192.0.2.7\nset b max 7\nset c\n");
	struct pb_rules *rules = NULL;
	struct pb_problems problems = { .nr = 0 };
	static const char file[] = "set b timeout 1d\ndrop from @b\n";
	struct pb_error error = { "" };
	char *text;

	(void)state;
	assert_int_equal(pb_rules_read(file_of(file, strlen(file)), 0, &rules, &problems, NULL), 0);
	assert_int_equal(pb_rules_restore(rules, saved, &error), 0);
	assert_int_equal(pb_rules_format(rules, 0, &text), 0);
	assert_string_equal(text,
			    "policy allow\nset b timeout 1d\nset bans timeout 1h max 5\nset c\n"
			    "drop from @b\n");
	free(text);
	pb_rules_free(rules);
	pb_saved_free(saved);
}

static void test_too_many(void **state)
{
	struct pb_rules *rules = pb_rules_new();
	struct pb_error error = { "" };
	struct pb_saved *saved;
	char text[2048] = "", where[96];
	size_t len = 0;

	(void)state;
	assert_non_null(rules);
	for (int i = 0; i <= PB_SETS_MAX; i++)
		len += snprintf(text + len, sizeof(text) - len, "set s%d\n", i);
	saved = reads(text);
	assert_int_equal(pb_rules_restore(rules, saved, &error), -ENOSPC);
	snprintf(where, sizeof(where), "%s:%d: set s%d is one too many", path, PB_SETS_MAX + 1,
		 PB_SETS_MAX);
	assert_non_null(strstr(error.text, where));
	pb_rules_free(rules);
	pb_saved_free(saved);
}

/* ---- Whatever it is ------------------------------------------------------------------------ */

static void mutate(struct random *random, char *text, size_t len)
{
	static const char bytes[] = "\n\r #;:/-+.TZ019untilsedav\0\xff";

	for (__u32 i = random_below(random, 4) + 1; i; i--)
		text[random_below(random, len)] = bytes[random_below(random, sizeof(bytes))];
}

/* A mutant is refused with a word, or is written as what is read back the same. */
static void judge_mutant(const char *text, size_t len)
{
	struct pb_error error = { "" };
	struct pb_saved *saved, *back;
	char *written, *again;

	if (pb_saved_read_at(file_of(text, len), &now, &saved, NULL, &error)) {
		assert_non_null(strstr(error.text, path));
		return;
	}
	written = text_of_saved(saved, &now);
	back = read_at(written, &now, NULL);
	again = text_of_saved(back, &now);
	assert_string_equal(again, written);
	free(again);
	free(written);
	pb_saved_free(back);
	pb_saved_free(saved);
}

static void test_mutants(void **state)
{
	static const char text[] =
		"# by hand\nsaved 2026-11-29T09:12:03Z\nset bans timeout 1h max 5\n"
		"192.0.2.7 until 2026-11-29T10:12:03Z\n10.0.0.0/8\nset a\n"
		"2001:db8::/32 until 2026-12-29T10:12:03+01:00 # why\n::1\n";
	char mutant[sizeof(text)];
	struct random random;

	(void)state;
	random_begin(&random);
	for (int i = 0; i < 50000; i++) {
		size_t all = sizeof(text) - 1;
		size_t len = random_below(&random, 8) ? all : random_below(&random, all) + 1;

		memcpy(mutant, text, len);
		mutate(&random, mutant, len);
		judge_mutant(mutant, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),	     cmocka_unit_test(test_times),
		cmocka_unit_test(test_clock),	     cmocka_unit_test(test_written),
		cmocka_unit_test(test_masked),	     cmocka_unit_test(test_sets),
		cmocka_unit_test(test_faults),	     cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_cannot_write), cmocka_unit_test(test_many),
		cmocka_unit_test(test_rules),	     cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_mutants),
	};

	return cmocka_run_group_tests_name("saved", tests, NULL, NULL);
}
