// SPDX-License-Identifier: GPL-2.0-only
/* Sets that the fleet shares: bans and their times, lists in chunks, the table of elements, the journal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "fleet/chunks.h"
#include "fleet/journal.h"
#include "fleet/memory.h"
#include "fleet/set-keys.h"
#include "fleet/spared.h"
#include "random.h"
#include "says.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))
#define SECOND 1000000000ULL

static struct pb_prefix prefix_of(const char *text)
{
	struct pb_prefix prefix;
	struct pb_error error;

	if (fleet_prefix_read(text, &prefix, &error))
		fail_msg("%s: %s", text, error.text);
	return prefix;
}

/* ---- Keys and elements ----------------------------------------------------------------------- */

static void test_keys(void **state)
{
	struct fleet_shared shared[] = { { "bad", "default", "hostile" }, { "z", "web", "bad" } };
	struct fleet_conf conf = { .prefix = "/p/", .sets = shared, .nr_sets = NR(shared) };
	char *key = fleet_set_key(&conf, "bad", FLEET_SET_BANS, "192.0.2.7");

	(void)state;
	assert_string_equal(key, "/p/sets/bad/bans/192.0.2.7");
	free(key);
	key = fleet_set_key(&conf, "bad", FLEET_SET_LIST, "");
	assert_string_equal(key, "/p/sets/bad/list");
	free(key);
	assert_ptr_equal(fleet_shared_find(&conf, "bad"), &shared[0]);
	assert_null(fleet_shared_find(&conf, "hostile"));
}

static void test_prefixes(void **state)
{
	static const char *const right[] = { "192.0.2.7", "10.0.0.0/8",	   "0.0.0.0/0", "::/0",
					     "fd00::1",	  "2001:db8::/32", "0.0.0.0" };
	static const struct wrong wrong[] = {
		{ "192.0.2.7/32", "'192.0.2.7/32'", "'192.0.2.7'" },
		{ "10.0.0.1/8", "'10.0.0.1/8'", "'10.0.0.0/8'" },
		{ "2001:DB8::/32", "'2001:DB8::/32'", "'2001:db8::/32'" },
		{ "2001:db8:0::/32", "'2001:db8:0::/32'", NULL },
		{ "here", "\"here\"", "address" },
		{ "", "address", NULL },
		{ "10.0.0.0/33", "10.0.0.0/33", NULL },
		{ NULL, NULL, NULL },
	};
	char text[FLEET_PREFIX_TEXT];
	struct pb_prefix prefix;
	struct pb_error error;

	(void)state;
	for (size_t i = 0; i < NR(right); i++) {
		prefix = prefix_of(right[i]);
		assert_string_equal(fleet_prefix_text(&prefix, text), right[i]);
	}
	for (const struct wrong *each = wrong; each->input; each++)
		assert_says(each, fleet_prefix_read(each->input, &prefix, &error), -EINVAL, &error);
}

/* ---- Times ----------------------------------------------------------------------------------- */

static void test_until_text(void **state)
{
	static const char *const wrong[] = { "",
					     "now",
					     "2026-11-29",
					     "2026-11-29T09:12:03",
					     "2026-11-29T09:12:03+01:00",
					     "2026-11-29T09:12:03Z ",
					     " 2026-11-29T09:12:03Z",
					     "2026-02-30T09:12:03Z",
					     "2026-11-29T24:00:00Z",
					     "26-11-29T09:12:03Z",
					     "1970-01-01T00:00:00Z",
					     "1969-12-31T23:59:59Z",
					     "99999-01-01T00:00:00Z" };
	char text[FLEET_UNTIL_TEXT];
	long long until = 7;

	(void)state;
	for (size_t i = 0; i < NR(wrong); i++)
		if (fleet_until_parse(wrong[i], &until) != -EINVAL || until != 7)
			fail_msg("'%s' is taken", wrong[i]);
	assert_int_equal(fleet_until_parse("2026-11-29T09:12:03Z", &until), 0);
	assert_int_equal(until, 1795943523);
	fleet_until_text(until, text);
	assert_string_equal(text, "2026-11-29T09:12:03Z");
	fleet_until_text(1LL << 60, text);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
}

static void test_until(void **state)
{
	__u64 expires = 7, now = pb_clock();
	long long wall = time(NULL), until;

	(void)state;
	assert_int_equal(fleet_until(0), 0);
	assert_true(fleet_until_expires(0, &expires));
	assert_true(expires == 0);
	until = fleet_until(10 * SECOND);
	assert_true(until >= wall + 10);
	assert_true(fleet_until_expires(until, &expires));
	assert_true(expires > now);
	/* There and back: whole seconds, rounded up. */
	assert_true(fleet_until_of(expires) - until <= 1 && fleet_until_of(expires) >= until);
	assert_int_equal(fleet_until_of(0), 0);
	assert_false(fleet_until_expires(wall, &expires));
	assert_false(fleet_until_expires(1, &expires));
	assert_true(fleet_until_expires(253402300799LL, &expires));
	assert_true(expires > now);
}

/* ---- Bans ------------------------------------------------------------------------------------ */

static void test_bans(void **state)
{
	struct fleet_ban ban = { 1795943523, "web-1.example" }, read;
	char *text = fleet_ban_text(&ban);

	(void)state;
	assert_string_equal(text, "{\"format\":1,\"until\":\"2026-11-29T09:12:03Z\","
				  "\"host\":\"web-1.example\"}");
	assert_int_equal(fleet_ban_read(text, strlen(text), "x", &read, NULL), 0);
	assert_int_equal(read.until, ban.until);
	assert_string_equal(read.host, ban.host);
	free(text);
	ban.until = 0;
	text = fleet_ban_text(&ban);
	assert_string_equal(text, "{\"format\":1,\"until\":null,\"host\":\"web-1.example\"}");
	assert_int_equal(fleet_ban_read(text, strlen(text), "x", &read, NULL), 0);
	assert_int_equal(read.until, 0);
	free(text);
}

static const struct wrong wrong_bans[] = {
	{ "", "bans/x is no JSON object", NULL },
	{ "garbage", "bans/x is no JSON object", NULL },
	{ "[]", "bans/x is no JSON object", NULL },
	{ "{\"host\":\"a\"}", "bans/x: \"format\" is missing", NULL },
	{ "{\"format\":2,\"host\":\"a\"}", "bans/x: \"format\" is 2", "later" },
	{ "{\"format\":1}", "bans/x: \"host\" is missing", NULL },
	{ "{\"format\":1,\"host\":\"a b\"}", "\"host\" is \"a b\"", NULL },
	{ "{\"format\":1,\"host\":\"a\",\"until\":7}", "\"until\" is 7", NULL },
	{ "{\"format\":1,\"host\":\"a\",\"until\":\"soon\"}", "\"until\" is \"soon\"",
	  "2026-11-29T09:12:03Z" },
	{ "{\"format\":1,\"host\":\"a\",\"until\":\"2026-02-30T00:00:00Z\"}", "2026-02-30", NULL },
	{ "{\"format\":1,\"host\":\"a\"} x", "bans/x is no JSON object", NULL },
	{ NULL, NULL, NULL },
};

static void test_wrong_bans(void **state)
{
	struct pb_error error;

	(void)state;
	for (const struct wrong *each = wrong_bans; each->input; each++) {
		struct fleet_ban ban = { 7, "before" };
		int err = fleet_ban_read(each->input, strlen(each->input), "bans/x", &ban, &error);

		assert_says(each, err, -EINVAL, &error);
		assert_int_equal(ban.until, 7);
		assert_string_equal(ban.host, "before");
	}
}

/* ---- Chunks ---------------------------------------------------------------------------------- */

#define MANY 20000

/* So many addresses, sorted, each once. */
static struct pb_element *addresses(struct random *random, size_t nr)
{
	struct pb_element *elements = calloc(nr, sizeof(*elements));
	__u32 at = 0;

	assert_non_null(elements);
	for (size_t i = 0; i < nr; i++) {
		__u32 addr;

		at += 1 + random_below(random, 200000);
		addr = htonl(at);
		memcpy(elements[i].prefix.addr, &addr, sizeof(addr));
		elements[i].prefix.family = 4;
		elements[i].prefix.len = 32;
	}
	return elements;
}

/* How many of `chunks` are not among `before`. */
static size_t count_new(const struct fleet_chunk *before, size_t nr_before,
			const struct fleet_chunk *chunks, size_t nr)
{
	size_t new = 0;

	for (size_t i = 0; i < nr; i++) {
		size_t j = 0;

		while (j < nr_before && strcmp(before[j].digest, chunks[i].digest))
			j++;
		new += j == nr_before;
	}
	return new;
}

static void check_chunks(const struct fleet_chunk *chunks, size_t nr,
			 const struct pb_element *elements, size_t nr_elements)
{
	size_t at = 0;

	for (size_t i = 0; i < nr; i++) {
		struct pb_prefix *prefixes;
		struct pb_error error;
		size_t nr_prefixes;

		assert_true(strlen(chunks[i].text) <= FLEET_CHUNK_MAX);
		if (fleet_chunk_read(chunks[i].text, strlen(chunks[i].text), chunks[i].digest, "x",
				     &prefixes, &nr_prefixes, &error))
			fail_msg("%s", error.text);
		assert_true(nr_prefixes > 0 && at + nr_prefixes <= nr_elements);
		for (size_t j = 0; j < nr_prefixes; j++)
			assert_memory_equal(&prefixes[j], &elements[at++].prefix,
					    sizeof(*prefixes));
		free(prefixes);
	}
	assert_int_equal(at, nr_elements);
}

/* Without any one line, all but two chunks are as before; and with it again, all are. */
static void test_cutting(void **state)
{
	struct fleet_chunk *all, *less;
	struct pb_element *elements, *fewer = calloc(MANY, sizeof(*fewer));
	size_t nr, nr_less, ones = 0, new;
	struct random random;

	(void)state;
	random_begin(&random);
	elements = addresses(&random, MANY);
	assert_int_equal(fleet_chunks_cut(elements, MANY, &all, &nr), 0);
	assert_true(nr > 4 && nr < 80); /* about 20 */
	check_chunks(all, nr, elements, MANY);
	for (size_t i = 0; i < 50; i++) {
		size_t out = random_below(&random, MANY);

		memcpy(fewer, elements, out * sizeof(*fewer));
		memcpy(fewer + out, elements + out + 1, (MANY - 1 - out) * sizeof(*fewer));
		assert_int_equal(fleet_chunks_cut(fewer, MANY - 1, &less, &nr_less), 0);
		check_chunks(less, nr_less, fewer, MANY - 1);
		new = count_new(all, nr, less, nr_less);
		assert_true(new <= 1);
		/* The line that comes is one chunk, or where it ends one, two. */
		new = count_new(less, nr_less, all, nr);
		assert_true(new >= 1 && new <= 2);
		ones += new == 1;
		fleet_chunks_free(less, nr_less);
	}
	assert_true(ones > 25);
	fleet_chunks_free(all, nr);
	free(elements);
	free(fewer);
}

static void test_cutting_ends(void **state)
{
	struct pb_element element = { .prefix = prefix_of("2001:db8::/32") };
	struct fleet_chunk *chunks;
	size_t nr;

	(void)state;
	assert_int_equal(fleet_chunks_cut(NULL, 0, &chunks, &nr), 0);
	assert_int_equal(nr, 0);
	fleet_chunks_free(chunks, nr);
	assert_int_equal(fleet_chunks_cut(&element, 1, &chunks, &nr), 0);
	assert_int_equal(nr, 1);
	assert_string_equal(chunks[0].text, "2001:db8::/32\n");
	/* printf '2001:db8::/32\n' | sha256sum */
	assert_string_equal(chunks[0].digest,
			    "986242db0490c02b38325ff8a1789a24612f4c4281233867b7764a69060e2bb7");
	fleet_chunks_free(chunks, nr);
}

/* Where no line ends a chunk, its size does. */
static void test_cutting_size(void **state)
{
	size_t nr = 40000, nr_chunks;
	struct pb_element *elements = calloc(nr, sizeof(*elements)), *kept;
	struct fleet_chunk *chunks;
	size_t nr_kept = 0;

	(void)state;
	kept = calloc(nr, sizeof(*kept));
	assert_true(elements && kept);
	for (size_t i = 0; i < nr; i++) {
		__u32 addr = htonl(0x0b000000 + i);

		memcpy(elements[i].prefix.addr, &addr, sizeof(addr));
		elements[i].prefix.family = 4;
		elements[i].prefix.len = 32;
		/* Two lines are one chunk unless the first ends one. */
		kept[nr_kept] = elements[i];
		kept[nr_kept + 1 < nr ? nr_kept + 1 : nr_kept] = elements[i];
		assert_int_equal(fleet_chunks_cut(kept + nr_kept, nr_kept + 1 < nr ? 2 : 1, &chunks,
						  &nr_chunks),
				 0);
		fleet_chunks_free(chunks, nr_chunks);
		nr_kept += nr_chunks == 1;
	}
	assert_true(nr_kept > 30000 && nr_kept < nr);
	assert_int_equal(fleet_chunks_cut(kept, nr_kept, &chunks, &nr_chunks), 0);
	assert_int_equal(nr_chunks, 2);
	assert_true(strlen(chunks[0].text) > FLEET_CHUNK_MAX - 16);
	check_chunks(chunks, nr_chunks, kept, nr_kept);
	fleet_chunks_free(chunks, nr_chunks);
	free(elements);
	free(kept);
}

static void test_wrong_chunks(void **state)
{
	static const struct wrong wrong[] = {
		{ "192.0.2.1\nhere\n", "x:2: ", "\"here\"" },
		{ "192.0.2.1\n\n192.0.2.2\n", "x:2: ", NULL },
		{ "192.0.2.1 \n", "x:1: ", NULL },
		{ "192.0.2.1/32\n", "x:1: ", "'192.0.2.1'" },
		{ NULL, NULL, NULL },
	};
	const char *text = "192.0.2.1\n", *const one = "192.0.2.2\n";
	struct pb_prefix *prefixes = NULL;
	char hash[FLEET_HASH_LEN];
	struct pb_error error;
	size_t nr = 7;
	char *large;

	(void)state;
	for (const struct wrong *each = wrong; each->input; each++) {
		assert_int_equal(fleet_hash(&each->input, 1, hash), 0);
		assert_says(each,
			    fleet_chunk_read(each->input, strlen(each->input), hash, "x", &prefixes,
					     &nr, &error),
			    -EINVAL, &error);
	}
	assert_int_equal(fleet_hash(&one, 1, hash), 0);
	assert_int_equal(fleet_chunk_read(text, strlen(text), hash, "x", &prefixes, &nr, &error),
			 -EINVAL);
	assert_non_null(strstr(error.text, "x is not what it was: its SHA-256 is "));
	assert_int_equal(fleet_chunk_read("a\0b", 3, hash, "x", &prefixes, &nr, &error), -EINVAL);
	large = malloc(FLEET_CHUNK_MAX + 2);
	assert_non_null(large);
	memset(large, '\n', FLEET_CHUNK_MAX + 1);
	large[FLEET_CHUNK_MAX + 1] = '\0';
	assert_int_equal(fleet_chunk_read(large, FLEET_CHUNK_MAX + 1, hash, "x", &prefixes, &nr,
					  &error),
			 -EINVAL);
	assert_non_null(strstr(error.text, "262145 bytes"));
	free(large);
	assert_null(prefixes);
	assert_int_equal(nr, 7);
}

/* ---- Lists ----------------------------------------------------------------------------------- */

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
static const char a_list[] = "{\"format\":1,\"digests\":[\"" B "\",\"" A "\"],\"nr\":12}";

static const struct wrong wrong_lists[] = {
	{ "garbage", "list is no JSON object", NULL },
	{ "{\"format\":1,\"nr\":1}", "\"digests\" is missing", NULL },
	{ "{\"format\":1,\"digests\":[]}", "\"nr\" is missing", NULL },
	{ "{\"format\":1,\"digests\":7,\"nr\":1}", "\"digests\" is 7", NULL },
	{ "{\"format\":1,\"digests\":[7],\"nr\":1}", "\"digests\"", NULL },
	{ "{\"format\":1,\"digests\":[\"abc\"],\"nr\":1}", "'abc' is no digest", NULL },
	{ "{\"format\":1,\"digests\":[\"../../hosts\"],\"nr\":1}", "'../../hosts'", NULL },
	{ "{\"format\":1,\"digests\":[\"" A "\",\"" B "\",\"" A "\"],\"nr\":1}", A, "twice" },
	{ "{\"format\":1,\"digests\":[\"" A "\"],\"nr\":-1}", "\"nr\" is -1", NULL },
	{ "{\"format\":1,\"digests\":[\"" A "\"],\"nr\":4194305}", "\"nr\" is 4194305", NULL },
	{ NULL, NULL, NULL },
};

static void test_lists(void **state)
{
	struct fleet_set_list *list;
	struct pb_error error;
	char *text;

	(void)state;
	assert_int_equal(fleet_set_list_read(a_list, strlen(a_list), "list", &list, &error), 0);
	assert_int_equal(list->nr_digests, 2);
	assert_string_equal(list->digests[0], B); /* in their order */
	assert_int_equal(list->nr, 12);
	text = fleet_set_list_text(list);
	fleet_set_list_free(list);
	assert_int_equal(fleet_set_list_read(text, strlen(text), "list", &list, &error), 0);
	assert_string_equal(list->digests[1], A);
	fleet_set_list_free(list);
	free(text);
	for (const struct wrong *each = wrong_lists; each->input; each++)
		assert_says(each,
			    fleet_set_list_read(each->input, strlen(each->input), "list", &list,
						&error),
			    -EINVAL, &error);
}

/* ---- What is random -------------------------------------------------------------------------- */

static unsigned int read_all(const char *text, size_t len)
{
	struct pb_prefix *prefixes;
	struct fleet_set_list *list;
	struct pb_error error;
	struct fleet_ban ban;
	unsigned int read = 0;
	size_t nr;

	if (!fleet_ban_read(text, len, "x", &ban, &error))
		read++;
	if (!fleet_set_list_read(text, len, "x", &list, &error)) {
		fleet_set_list_free(list);
		read++;
	}
	/* Its digest is right where it is text at all. */
	if (strlen(text) == len) {
		char hash[FLEET_HASH_LEN];

		assert_int_equal(fleet_hash(&text, 1, hash), 0);
		if (!fleet_chunk_read(text, len, hash, "x", &prefixes, &nr, &error)) {
			free(prefixes);
			read++;
		}
	}
	return read;
}

static void test_random(void **state)
{
	static const char bytes[] = "{}[]\":,\\0179e-.tfn/ \n\x00\x1b\xff";
	static const char *const texts[] = {
		a_list,
		"{\"format\":1,\"until\":\"2026-11-29T09:12:03Z\",\"host\":\"web-1\"}",
		"192.0.2.1\n10.0.0.0/8\n2001:db8::/32\n",
	};
	unsigned int read = 0;
	struct random random;

	(void)state;
	random_begin(&random);
	for (unsigned int i = 0; i < 60000; i++) {
		const char *from = texts[random_below(&random, NR(texts))];
		size_t len = strlen(from);
		char *text = strdup(from); /* as long as it is, for ASan */

		assert_non_null(text);
		for (unsigned int j = random_below(&random, 4); j; j--)
			text[random_below(&random, len)] =
				bytes[random_below(&random, sizeof(bytes) - 1)];
		if (!random_below(&random, 4))
			text[len = random_below(&random, len)] = '\0';
		read += read_all(text, len);
		free(text);
	}
	assert_true(read > 100);
}

/* ---- The table of elements -------------------------------------------------------------------- */

static struct pb_prefix numbered(__u32 number)
{
	struct pb_prefix prefix = { .family = 4, .len = 32 };

	number = htonl(number);
	memcpy(prefix.addr, &number, sizeof(number));
	return prefix;
}

static void test_entries(void **state)
{
	struct fleet_entries entries = {};
	struct pb_prefix prefix = numbered(1), other;
	struct fleet_entry *entry;

	(void)state;
	assert_null(fleet_entries_find(&entries, &prefix));
	for (__u32 i = 0; i < 5000; i++) {
		prefix = numbered(i);
		entry = fleet_entries_make(&entries, &prefix);
		assert_non_null(entry);
		entry->banned = i % 3 == 0;
		entry->until = i;
		assert_int_equal(fleet_entries_touch(&entries, entry), 0);
		assert_int_equal(fleet_entries_touch(&entries, entry), 0);
	}
	assert_int_equal(entries.nr, 5000);
	assert_int_equal(entries.nr_touched, 5000);
	prefix = numbered(4711);
	other = prefix;
	other.len = 31;
	assert_int_equal(fleet_entries_make(&entries, &prefix)->until, 4711);
	assert_null(fleet_entries_find(&entries, &other));
	assert_int_equal(entries.nr, 5000);
	fleet_entries_sweep(&entries);
	assert_int_equal(entries.nr, 1667);
	assert_int_equal(entries.nr_touched, 0);
	for (__u32 i = 0; i < 5000; i++) {
		prefix = numbered(i);
		entry = fleet_entries_find(&entries, &prefix);
		assert_int_equal(entry != NULL, i % 3 == 0);
		if (entry)
			assert_int_equal(entry->until, i);
		assert_true(!entry || !entry->touched);
	}
	assert_int_equal(fleet_entries_touch_all(&entries), 0);
	assert_int_equal(entries.nr_touched, 1667);
	fleet_entries_untouch(&entries);
	assert_int_equal(entries.nr_touched, 0);
	fleet_entries_free(&entries);
}

/* ---- The journal ------------------------------------------------------------------------------ */

static struct fleet_shared names = { "bad", "default", "hostile" };

static void put(struct fleet_entries *entries, const char *text, __u64 expires, bool had,
		__u64 before)
{
	struct pb_prefix prefix = prefix_of(text);
	struct fleet_entry *entry = fleet_entries_make(entries, &prefix);

	entry->applied = true;
	entry->expires = expires;
	entry->had = had;
	entry->before = before;
}

static const struct fleet_entry *at(const struct fleet_entries *entries, const char *text)
{
	struct pb_prefix prefix = prefix_of(text);

	return fleet_entries_find(entries, &prefix);
}

static void test_journal(void **state)
{
	char folder[] = "/tmp/pb-journal.XXXXXX", path[128];
	struct fleet_conf conf = { .state = folder };
	struct fleet_entries entries = {}, read = {};
	struct fleet_lines lines = {};
	struct fleet_entry change = { .prefix = prefix_of("192.0.2.3"), .applied = true };
	struct pb_error error;
	struct stat about;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/default.hostile.set", folder);
	assert_int_equal(fleet_journal_read(&conf, &names, &read), 0);
	assert_int_equal(read.nr, 0);
	assert_int_equal(fleet_journal_append(&conf, &names, &lines, &error), -ENOENT);
	put(&entries, "192.0.2.1", 0, false, 0);
	put(&entries, "2001:db8::/32", 12345678901234ULL, true, 77);
	put(&entries, "192.0.2.2", 5, true, 0);
	assert_int_equal(fleet_journal_write(&conf, &names, &entries, &error), 0);
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
	assert_int_equal(fleet_lines_add(&lines, &change), 0);
	change.prefix = prefix_of("192.0.2.2");
	change.applied = false;
	assert_int_equal(fleet_lines_add(&lines, &change), 0);
	assert_int_equal(fleet_journal_append(&conf, &names, &lines, &error), 0);
	fleet_lines_free(&lines);
	/* What is no line, or half of one, is none. */
	file = fopen(path, "ae");
	fputs("+ here 0 -\n\n+ 192.0.2.9\n* 192.0.2.9 0 -\n+ 192.0.2.8 0", file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(fleet_journal_read(&conf, &names, &read), 0);
	assert_true(at(&read, "192.0.2.1")->applied && at(&read, "192.0.2.1")->restored);
	assert_false(at(&read, "192.0.2.1")->had || at(&read, "192.0.2.1")->otherwise);
	assert_true(at(&read, "2001:db8::/32")->expires == 12345678901234ULL);
	assert_true(at(&read, "2001:db8::/32")->had);
	assert_true(at(&read, "2001:db8::/32")->before == 77);
	assert_false(at(&read, "192.0.2.2")->applied);
	assert_true(at(&read, "192.0.2.3")->applied);
	assert_null(at(&read, "192.0.2.8"));
	assert_null(at(&read, "192.0.2.9"));
	fleet_entries_free(&read);
	/* Of another life of the kernel times say nothing. */
	file = fopen(path, "we");
	fputs("xdp-portblock set 1 another\n+ 192.0.2.1 12 34\n+ 192.0.2.2 0 0\n", file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(fleet_journal_read(&conf, &names, &read), 0);
	assert_true(at(&read, "192.0.2.1")->otherwise && !at(&read, "192.0.2.1")->had);
	assert_true(at(&read, "192.0.2.2")->otherwise && at(&read, "192.0.2.2")->had);
	fleet_entries_free(&read);
	/* A file of something else is none of ours. */
	file = fopen(path, "we");
	fputs("+ 192.0.2.1 0 -\n+ 192.0.2.1 0 -\n", file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(fleet_journal_read(&conf, &names, &read), 0);
	assert_int_equal(read.nr, 0);
	fleet_entries_free(&read);
	fleet_entries_free(&entries);
	unlink(path);
	rmdir(folder);
}

/* ---- Who is not to be banned ----------------------------------------------------------------- */

static bool spares(const struct fleet_spared *spared, const char *prefix)
{
	const struct pb_prefix it = prefix_of(prefix);

	return fleet_spared_in(spared, &it);
}

static void test_spared(void **state)
{
	static char *endpoints[] = { "http://192.0.2.7:2379", "https://[2001:db8::7]:2379",
				     "https://[::ffff:198.51.100.7]:2379", "http://203.0.113.7" };
	static const char *const in[] = { "192.0.2.7",	    "192.0.2.6/31", "192.0.0.0/8",
					  "0.0.0.0/0",	    "2001:db8::7",  "2001:db8::/33",
					  "::/0",	    "198.51.100.7", "203.0.113.0/29",
					  "2001:db8::6/127" };
	static const char *const out[] = { "192.0.2.6",	 "192.0.2.8/29", "2001:db8::8",
					   "2001:db8::", "193.0.0.0/8",	 "203.0.113.8/29" };
	struct fleet_conf conf = { .endpoints = { endpoints, NR(endpoints) } };
	struct fleet_spared spared = {};

	(void)state;
	assert_false(spares(&spared, "0.0.0.0/0"));
	fleet_spared_resolve(&spared, &conf);
	assert_int_equal(spared.changes, 4);
	for (size_t i = 0; i < NR(in); i++)
		if (!spares(&spared, in[i]))
			fail_msg("%s has none of them", in[i]);
	for (size_t i = 0; i < NR(out); i++)
		if (spares(&spared, out[i]))
			fail_msg("%s has one of them", out[i]);
	/* The same again is none more; what is no address is none. */
	fleet_spared_resolve(&spared, &conf);
	fleet_spared_add(&spared, "etcd1");
	fleet_spared_add(&spared, "");
	assert_int_equal(spared.changes, 4);
	fleet_spared_add(&spared, "fe80::1%eth0");
	assert_true(spares(&spared, "fe80::1"));
}

/* Where there is no more room, the oldest goes. */
static void test_many_spared(void **state)
{
	struct fleet_spared spared = {};
	char address[32];

	(void)state;
	for (int i = 0; i < FLEET_SPARED_MAX + 2; i++) {
		snprintf(address, sizeof(address), "10.0.%d.%d", i >> 8, i & 255);
		fleet_spared_add(&spared, address);
	}
	assert_int_equal(spared.nr, FLEET_SPARED_MAX);
	assert_false(spares(&spared, "10.0.0.0"));
	assert_false(spares(&spared, "10.0.0.1"));
	assert_true(spares(&spared, "10.0.0.2"));
	assert_true(spares(&spared, "10.0.1.1"));
}

/* Of rules, a line each, and the set "it" */
static void test_lets_in(void **state)
{
	static const struct {
		const char *rules[3];
		bool lets_in;
	} cases[] = {
		{ { "drop tcp dport 22" }, false },
		{ { "drop tcp dport 22 from @it" }, false },
		{ { "reject from @other,@it" }, false },
		{ { "allow tcp dport 22 from @it" }, true },
		{ { "allow tcp dport 22 from @other", "allow from @it" }, true },
		{ { "allow tcp dport 22 from @it", "drop tcp dport 80 from @it" }, false },
		{ { "drop tcp dport 22 from 0.0.0.0/0 except @it" }, true },
		{ { "allow tcp dport 22 from 0.0.0.0/0 except @it" }, false },
		{ { "audit tcp dport 22 from @it" }, false },
		{ { "audit tcp dport 22 from @it", "allow from @it" }, true },
	};

	(void)state;
	for (size_t i = 0; i < NR(cases); i++) {
		struct pb_rules *rules = pb_rules_new();
		struct pb_error error;

		for (size_t k = 0; k < 3 && cases[i].rules[k]; k++) {
			struct pb_rule *rule = pb_rule_new();
			char **words;
			size_t nr;

			if (pb_words_split(cases[i].rules[k], &words, &nr, &error) ||
			    pb_rule_parse(words, nr, 0, rule, NULL, &error) ||
			    pb_rules_add(rules, rule, NULL, NULL, &error))
				fail_msg("%s: %s", cases[i].rules[k], error.text);
			pb_words_free(words, nr);
			pb_rule_free(rule);
		}
		if (fleet_set_lets_in(rules, "it") != cases[i].lets_in)
			fail_msg("%s", cases[i].rules[0]);
		pb_rules_free(rules);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),	     cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_until_text),   cmocka_unit_test(test_until),
		cmocka_unit_test(test_bans),	     cmocka_unit_test(test_wrong_bans),
		cmocka_unit_test(test_cutting),	     cmocka_unit_test(test_cutting_ends),
		cmocka_unit_test(test_cutting_size), cmocka_unit_test(test_wrong_chunks),
		cmocka_unit_test(test_lists),	     cmocka_unit_test(test_random),
		cmocka_unit_test(test_entries),	     cmocka_unit_test(test_journal),
		cmocka_unit_test(test_spared),	     cmocka_unit_test(test_many_spared),
		cmocka_unit_test(test_lets_in),
	};

	return cmocka_run_group_tests_name("fleet sets", tests, NULL, NULL);
}
