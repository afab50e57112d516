// SPDX-License-Identifier: GPL-2.0-only
/* What the fleet has in etcd, as text and back; the order of hosts; signatures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include "fleet/order.h"
#include "fleet/records.h"
#include "random.h"
#include "says.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

#define ID "0df1a9a7a2d4a0fc9ef5e5d0b4d5b7e6d93ef5a0a0c0f3bc0a1f6f2e5a0f5a4d"

static struct fleet_revision *revision_of(const char *file)
{
	struct fleet_revision *revision = calloc(1, sizeof(*revision));

	assert_non_null(revision);
	strcpy(revision->ruleset, "web");
	revision->file = strdup(file);
	revision->author = strdup("root@a");
	strcpy(revision->time, "2026-11-29T09:12:03Z");
	assert_int_equal(fleet_revision_id(revision, revision->id), 0);
	return revision;
}

/* ---- Records --------------------------------------------------------------------------------- */

static void test_revision(void **state)
{
	struct fleet_revision *revision = revision_of("drop tcp dport 22 comment \"é /\"\n\tx\n"),
			      *read;
	struct pb_error error = { "" };
	char *text, *again;

	(void)state;
	revision->note = strdup("a note");
	revision->previous = 12;
	revision->revision = 1LL << 40;
	revision->state = FLEET_STOPPED;
	text = fleet_revision_text(revision);
	assert_non_null(text);
	assert_int_equal(
		fleet_revision_read(text, strlen(text), "web", "rulesets/web", &read, &error), 0);
	assert_string_equal(read->file, revision->file);
	assert_string_equal(read->note, "a note");
	assert_null(read->signature);
	assert_true(read->revision == 1LL << 40);
	assert_int_equal(read->state, FLEET_STOPPED);
	again = fleet_revision_text(read);
	assert_string_equal(again, text);
	free(again);
	free(text);
	fleet_revision_free(read);
	fleet_revision_free(revision);
}

/* In order; digits that are not there are 0. */
static void test_times(void **state)
{
	static const char *const times[] = {
		"2026-11-29T09:12:03Z",	     "2026-11-29T09:12:03.0Z",
		"2026-11-29T09:12:03.01Z",   "2026-11-29T09:12:03.010000001Z",
		"2026-11-29T09:12:03.1Z",    "2026-11-29T09:12:03.100000Z",
		"2026-11-29T09:12:03.9999Z", "2026-11-29T09:12:04Z",
		"2027-01-01T00:00:00.0Z",
	};
	char text[FLEET_TIME_LEN], later[FLEET_TIME_LEN];

	(void)state;
	for (size_t i = 0; i < NR(times); i++) {
		struct fleet_revision *revision = revision_of(""), *read;
		struct pb_error error = { "" };
		char *made;

		for (size_t k = 0; k < NR(times); k++) {
			bool same = i / 2 == k / 2 && (i / 2 == 0 || i / 2 == 2);
			int order = fleet_time_compare(times[i], times[k]);

			if (i == k || same ? order : i < k ? order >= 0 : order <= 0)
				fail_msg("%s and %s: %d", times[i], times[k], order);
		}
		strcpy(revision->time, times[i]);
		assert_int_equal(fleet_revision_id(revision, revision->id), 0);
		made = fleet_revision_text(revision);
		if (fleet_revision_read(made, strlen(made), "web", "it", &read, &error))
			fail_msg("%s", error.text);
		assert_string_equal(read->time, times[i]);
		fleet_revision_free(read);
		fleet_revision_free(revision);
		free(made);
	}
	/* By which two revisions differ, however soon they come. */
	fleet_time_now(text);
	assert_int_equal(strlen(text), strlen("2026-11-29T09:12:03.123456Z"));
	do
		fleet_time_now(later);
	while (!strcmp(later, text));
	assert_true(fleet_time_compare(text, later) < 0);
}

/* As sha256sum has it: what others may check without us. */
static void test_id(void **state)
{
	struct fleet_revision *revision = revision_of("drop tcp dport 22\n");
	char command[256], id[FLEET_HASH_LEN] = "";
	FILE *pipe;

	(void)state;
	snprintf(command, sizeof(command),
		 "printf '%%s\\n%%s\\n%%s\\n%%s\\n' %s %s %s '%.17s' | sha256sum",
		 revision->ruleset, revision->author, revision->time, revision->file);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	assert_int_equal(fread(id, 1, sizeof(id) - 1, pipe), sizeof(id) - 1);
	pclose(pipe);
	assert_string_equal(revision->id, id);
	fleet_revision_free(revision);
}

/* A revision with one thing changed. */
static char *revision_with(const char *key, const char *value)
{
	struct fleet_revision *revision = revision_of("drop tcp dport 22\n");
	char *text = fleet_revision_text(revision), *changed, *at, *end, quoted[64];

	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	at = strstr(text, quoted);
	assert_non_null(at);
	at += strlen(quoted);
	for (end = at; *end != ',' && *end != '}'; end++)
		;
	assert_true(asprintf(&changed, "%.*s%s%s", (int)(at - text), text, value, end) > 0);
	free(text);
	fleet_revision_free(revision);
	return changed;
}

static void test_wrong_revision(void **state)
{
	static const struct {
		const char *key, *value, *says, *also;
	} cases[] = {
		{ "format", "2", "\"format\" is 2", "a later xdp-portblock" },
		{ "format", "\"1\"", "\"format\" is \"1\"", NULL },
		{ "ruleset", "\"../x\"", "\"ruleset\" is \"../x\"", "the name of a ruleset" },
		{ "ruleset", "\"other\"", "\"ruleset\" is \"other\"", "has to be \"web\"" },
		{ "ruleset", "7", "\"ruleset\" is 7", NULL },
		{ "id", "\"12\"", "\"id\" is \"12\"", "64 hexadecimal digits" },
		{ "file", "\"drop all\"", "changed by something else", NULL },
		{ "file", "null", "\"file\" is missing", NULL },
		{ "file", "[]", "\"file\" is []", "a text" },
		{ "file", "\"a\\u0000b\"", "\"file\" is", "a text" },
		{ "author", "\"a\\nb\"", "\"author\" is \"a", "can be printed" },
		{ "author", "\"a\\u001b[2J\"", "\"author\" is", "can be printed" },
		{ "author", "\"\\u202e\"", "\"author\" is", "can be printed" },
		{ "time", "\"now\"", "\"time\" is \"now\"", "2026-11-29T09:12:03Z" },
		{ "time", "\"2026-11-29T09:12:03+\"", "\"time\" is", NULL },
		{ "time", "\"2026-11-29T09:12:03.Z\"", "\"time\" is", NULL },
		{ "time", "\"2026-11-29T09:12:03.1234567890Z\"", "\"time\" is", NULL },
		{ "time", "\"2026-11-29T09:12:03.1\"", "\"time\" is", NULL },
		{ "time", "\"2026-11-29T09:12:03.1ZZ\"", "\"time\" is", NULL },
		{ "time", "\"2026-11-29T09:12\"", "\"time\" is", NULL },
		{ "time", "\"\"", "\"time\" is", NULL },
	};
	struct fleet_revision *read = NULL;
	struct pb_error error;

	(void)state;
	for (size_t i = 0; i < NR(cases); i++) {
		char *text = revision_with(cases[i].key, cases[i].value);
		const struct wrong wrong = { text, cases[i].says, cases[i].also };

		assert_says(&wrong,
			    fleet_revision_read(text, strlen(text), "web", "rulesets/web", &read,
						&error),
			    -EINVAL, &error);
		assert_non_null(strstr(error.text, "rulesets/web"));
		assert_null(read);
		free(text);
	}
}

static void test_no_json(void **state)
{
	static const char *const texts[] = {
		"",    "x", "[]", "{", "{}}", "7", "null", "{\"format\":1,}", "{\"format\":1}{}",
		"\xff"
	};
	struct fleet_revision *read = NULL;
	struct pb_error error;
	char *large = calloc(1, FLEET_VALUE_MAX + 2);
	const struct wrong too_many = { "1 MiB", "more than 20000 objects", "arrays" };
	const struct wrong too_large = { "2 MiB", "has 1048577 bytes", "may have 1048576" };

	(void)state;
	for (size_t i = 0; i < NR(texts); i++) {
		const struct wrong wrong = { texts[i], "rulesets/web is no JSON object", NULL };

		assert_says(&wrong,
			    fleet_revision_read(texts[i], strlen(texts[i]), "web", "rulesets/web",
						&read, &error),
			    -EINVAL, &error);
	}
	/* 1 MiB of that is 250 MB of memory. */
	memcpy(large, "{\"x\":[", 6);
	for (size_t i = 6; i < FLEET_VALUE_MAX - 4; i += 3)
		memcpy(large + i, "{},", 3);
	assert_says(&too_many, fleet_revision_read(large, strlen(large), "web", "x", &read, &error),
		    -EINVAL, &error);
	memset(large, ' ', FLEET_VALUE_MAX + 1);
	assert_says(&too_large,
		    fleet_revision_read(large, FLEET_VALUE_MAX + 1, "web", "x", &read, &error),
		    -EINVAL, &error);
	free(large);
}

static const char a_stage[] =
	"{\"format\":1,\"id\":\"" ID "\",\"upto\":\"" ID
	"\",\"stage\":2,\"of\":3,\"state\":\"running\","
	"\"stages\":[\"1\",\"10%\",\"100%\"],\"wait\":60,\"hosts\":4,\"later\":{\"x\":[1]}}";
static const char a_host[] =
	"{\"format\":1,\"host\":\"a\",\"version\":\"0.1.0\",\"time\":\"2026-11-29T09:12:03Z\","
	"\"interfaces\":[{\"name\":\"eth0\",\"mode\":\"native\",\"engine\":\"bpf\",\"rulesets\":[\"web\"]}],"
	"\"rulesets\":{\"web\":{\"local\":\"default\",\"wanted\":7,\"id\":\"" ID
	"\",\"in_force\":6,\"state\":\"failed\",\"failed\":7,\"reason\":\"no way back\",\"rules\":3,"
	"\"drops_per_second\":1.5},\"db\":{\"state\":\"waiting\",\"drops_per_second\":2}},"
	"\"warnings\":[\"one\",\"another\"]}";
static const char a_carrier[] = "{\"format\":1,\"host\":\"a.example\",\"pid\":17,\"id\":\"" ID
				"\",\"stages\":[\"100%\"],\"wait\":60}";

static void test_stage(void **state)
{
	struct fleet_stage *stage;
	struct pb_error error = { "" };
	char *text;

	(void)state;
	assert_int_equal(fleet_stage_read(a_stage, strlen(a_stage), "stages/web", &stage, &error),
			 0);
	assert_int_equal(stage->stage, 2);
	assert_int_equal(stage->nr_stages, 3);
	assert_string_equal(stage->stages[1], "10%");
	assert_int_equal(stage->hosts, 4);
	text = fleet_stage_text(stage);
	assert_non_null(strstr(text, "\"state\":\"running\""));
	assert_non_null(strstr(text, "\"stages\":[\"1\",\"10%\",\"100%\"]"));
	assert_null(strstr(text, "later"));
	assert_null(strstr(text, "reason"));
	free(text);
	fleet_stage_free(stage);
}

static void test_wrong_stage(void **state)
{
	static const struct {
		const char *rest, *says;
	} cases[] = {
		{ "\"stage\":0,\"of\":3,\"state\":\"done\"}",
		  "\"stage\" is 0, and has to be from 1 to 3" },
		{ "\"stage\":4,\"of\":3,\"state\":\"done\"}",
		  "\"stage\" is 4, and has to be from 1 to 3" },
		{ "\"stage\":1,\"of\":3,\"state\":\"gone\"}", "one of running, done, stopped" },
		{ "\"stage\":1,\"of\":-1,\"state\":\"done\"}", "\"of\" is -1" },
		{ "\"stage\":1,\"of\":33,\"state\":\"done\"}", "\"of\" is 33" },
		{ "\"stage\":1.0,\"of\":1,\"state\":\"done\"}", "\"stage\" is 1.0" },
		{ "\"stage\":1,\"of\":2,\"state\":\"done\",\"stages\":[\"1\"]}",
		  "\"stages\" are 1" },
		{ "\"stage\":1,\"of\":1,\"state\":\"done\",\"stages\":[1]}", "\"stages\" is 1" },
		{ "\"stage\":1,\"of\":1,\"state\":\"done\",\"stages\":{}}",
		  "a list of not too many" },
	};
	struct fleet_stage *stage;
	struct pb_error error;
	char text[512];

	(void)state;
	for (size_t i = 0; i < NR(cases); i++) {
		const struct wrong wrong = { cases[i].rest, cases[i].says, "stages/web" };

		snprintf(text, sizeof(text),
			 "{\"format\":1,\"id\":\"" ID "\",\"upto\":\"" ID "\",%s", cases[i].rest);
		assert_says(&wrong,
			    fleet_stage_read(text, strlen(text), "stages/web", &stage, &error),
			    -EINVAL, &error);
	}
}

static void test_host(void **state)
{
	const struct fleet_host_ruleset *web;
	struct fleet_host *host;
	struct pb_error error = { "" };
	char *text, *again;

	(void)state;
	assert_int_equal(fleet_host_read(a_host, strlen(a_host), "a", "hosts/a", &host, &error), 0);
	assert_string_equal(host->interfaces[0].rulesets[0], "web");
	web = fleet_host_find(host, "web");
	assert_non_null(web);
	assert_string_equal(web->local, "default");
	assert_int_equal(web->state, FLEET_HOST_FAILED);
	assert_string_equal(web->reason, "no way back");
	assert_true(web->drops_per_second > 1.4 && web->drops_per_second < 1.6);
	assert_non_null(fleet_host_find(host, "db"));
	assert_null(fleet_host_find(host, "mail"));
	assert_int_equal(host->nr_warnings, 2);
	assert_string_equal(host->warnings[1], "another");
	text = fleet_host_text(host);
	fleet_host_free(host);
	assert_int_equal(fleet_host_read(text, strlen(text), "a", "hosts/a", &host, &error), 0);
	again = fleet_host_text(host);
	assert_string_equal(again, text);
	fleet_host_free(host);
	free(text);
	free(again);
}

static void test_wrong_host(void **state)
{
	static const struct {
		const char *rest, *says;
	} cases[] = {
		{ "\"host\":\"b\"}", "\"host\" is \"b\", and has to be \"a\"" },
		{ "\"host\":\"../a\"}", "\"host\" is \"../a\"" },
		{ "\"host\":\"a\",\"rulesets\":{\"a b\":{}}}", "'a b' is no name of a ruleset" },
		{ "\"host\":\"a\",\"rulesets\":{\"web\":[]}}", "rulesets web" },
		{ "\"host\":\"a\",\"rulesets\":{\"web\":{}}}",
		  "rulesets web: \"state\" is missing" },
		{ "\"host\":\"a\",\"rulesets\":{\"web\":{\"state\":\"fine\"}}}",
		  "one of in-force" },
		{ "\"host\":\"a\",\"rulesets\":{\"web\":{\"state\":\"failed\",\"drops_per_second\":-1}}}",
		  "\"drops_per_second\" is -1" },
		{ "\"host\":\"a\",\"interfaces\":[{}]}", "interfaces 1: \"name\" is missing" },
		{ "\"host\":\"a\",\"interfaces\":[7]}", "has to be an object" },
	};
	struct fleet_host *host;
	struct pb_error error;
	char text[512];

	(void)state;
	for (size_t i = 0; i < NR(cases); i++) {
		const struct wrong wrong = { cases[i].rest, cases[i].says, "hosts/a" };

		snprintf(text, sizeof(text),
			 "{\"format\":1,\"version\":\"1\",\"time\":\"2026-11-29T09:12:03Z\",%s",
			 cases[i].rest);
		assert_says(&wrong,
			    fleet_host_read(text, strlen(text), "a", "hosts/a", &host, &error),
			    -EINVAL, &error);
	}
}

static void test_seen(void **state)
{
	static const char text[] =
		"{\"format\":1,\"host\":\"a\",\"time\":\"2026-11-29T09:12:03Z\",\"rulesets\":"
		"{\"web\":{\"in_force\":12},\"db\":{}}}";
	static const struct wrong wrongs[] = {
		{ "{\"format\":1,\"host\":\"b\",\"time\":\"2026-11-29T09:12:03Z\"}",
		  "\"host\" is \"b\"", "has to be \"a\"" },
		{ "{\"format\":1,\"host\":\"a\"}", "seen/a: \"time\" is missing", NULL },
		{ "{\"format\":1,\"host\":\"a\",\"time\":\"2026-11-29T09:12:03Z\",\"rulesets\":{\"../x\":{}}}",
		  "'../x' is no name of a ruleset", NULL },
		{ "", "seen/a is no JSON object", NULL },
		{ NULL, NULL, NULL },
	};
	struct pb_error error = { "" };
	struct fleet_seen *seen = NULL;
	char *again;

	(void)state;
	assert_int_equal(fleet_seen_read(text, strlen(text), "a", "seen/a", &seen, &error), 0);
	assert_int_equal(seen->nr_rulesets, 2);
	assert_string_equal(seen->rulesets[0].name, "web");
	assert_int_equal(seen->rulesets[0].in_force, 12);
	assert_int_equal(seen->rulesets[1].in_force, 0);
	again = fleet_seen_text(seen);
	fleet_seen_free(seen);
	seen = NULL;
	assert_int_equal(fleet_seen_read(again, strlen(again), "a", "seen/a", &seen, &error), 0);
	fleet_seen_free(seen);
	free(again);
	seen = NULL;
	for (const struct wrong *wrong = wrongs; wrong->input; wrong++) {
		assert_says(wrong,
			    fleet_seen_read(wrong->input, strlen(wrong->input), "a", "seen/a",
					    &seen, &error),
			    -EINVAL, &error);
		assert_null(seen);
	}
}

static void test_carrier(void **state)
{
	struct fleet_carrier *carrier;
	struct pb_error error = { "" };
	char *text;

	(void)state;
	assert_int_equal(fleet_carrier_read(a_carrier, strlen(a_carrier), "rollouts/web", &carrier,
					    &error),
			 0);
	assert_string_equal(carrier->host, "a.example");
	assert_int_equal(carrier->pid, 17);
	text = fleet_carrier_text(carrier);
	assert_non_null(strstr(text, "\"wait\":60"));
	free(text);
	fleet_carrier_free(carrier);
}

static void test_host_names(void **state)
{
	static const char *const good[] = { "a", "web-1.example.org", "A_b", "10.0.0.1" };
	static const char *const bad[] = { "", ".", "..", "a/b", "a b", "a\n", "\xc3\xa9", ".a" };
	struct pb_error error;
	char name[FLEET_HOST_MAX + 2];

	(void)state;
	for (size_t i = 0; i < NR(good); i++)
		assert_int_equal(fleet_host_check(good[i], &error), 0);
	for (size_t i = 0; i < NR(bad); i++) {
		const struct wrong wrong = { bad[i], "is no name of a host", NULL };

		assert_says(&wrong, fleet_host_check(bad[i], &error), -EINVAL, &error);
	}
	memset(name, 'a', sizeof(name));
	name[FLEET_HOST_MAX + 1] = '\0';
	assert_int_equal(fleet_host_check(name, NULL), -EINVAL);
	name[FLEET_HOST_MAX] = '\0';
	assert_int_equal(fleet_host_check(name, NULL), 0);
}

/* ---- What comes from whomever ---------------------------------------------------------------- */

/* Reads as each kind of record; what is read is written, and that is read to the same. */
static unsigned int read_all(const char *text, size_t len)
{
	struct fleet_revision *revision;
	struct fleet_carrier *carrier;
	struct fleet_stage *stage;
	struct fleet_host *host, *again;
	struct pb_error error;
	unsigned int read = 0;
	char *out;

	if (!fleet_revision_read(text, len, "web", "x", &revision, &error)) {
		fleet_revision_free(revision);
		read++;
	}
	if (!fleet_stage_read(text, len, "x", &stage, &error)) {
		fleet_stage_free(stage);
		read++;
	}
	if (!fleet_carrier_read(text, len, "x", &carrier, &error)) {
		fleet_carrier_free(carrier);
		read++;
	}
	if (!fleet_host_read(text, len, "a", "x", &host, &error)) {
		out = fleet_host_text(host);
		assert_non_null(out);
		assert_int_equal(fleet_host_read(out, strlen(out), "a", "x", &again, &error), 0);
		fleet_host_free(again);
		fleet_host_free(host);
		free(out);
		read++;
	}
	return read;
}

/* Bytes changed, taken out and put in, and pieces of the same text in the wrong place. */
static size_t mutate(struct random *random, char *text, size_t len, size_t room)
{
	static const char bytes[] = "{}[]\":,\\0179e-.tfn \x00\x1b\xff";
	size_t at, from, nr;

	for (unsigned int i = random_below(random, 4) + 1; i; i--) {
		at = random_below(random, len);
		from = random_below(random, len);
		nr = random_below(random, 8);
		if (random_below(random, 3) == 0) {
			text[at] = bytes[random_below(random, sizeof(bytes) - 1)];
		} else if (random_below(random, 2) && len > nr + at + 1) {
			memmove(text + at, text + at + nr, len - at - nr);
			len -= nr;
		} else if (len + nr <= room && from + nr <= len) {
			memmove(text + at + nr, text + at, len - at);
			memmove(text + at, text + from, nr);
			len += nr;
		}
	}
	return len;
}

static void test_random(void **state)
{
	struct fleet_revision *revision = revision_of("drop tcp dport 22\n");
	char *of_revision = fleet_revision_text(revision);
	const char *const texts[] = { a_stage, a_host, a_carrier, of_revision };
	struct random random;
	unsigned int read = 0;
	char text[2048];

	(void)state;
	random_begin(&random);
	for (size_t i = 0; i < NR(texts); i++)
		assert_int_equal(read_all(texts[i], strlen(texts[i])), 1);
	for (unsigned int i = 0; i < 40000; i++) {
		const char *from = texts[random_below(&random, NR(texts))];

		strcpy(text, from);
		read += read_all(text, mutate(&random, text, strlen(from), sizeof(text)));
	}
	assert_true(read > 100); /* some changes change nothing that counts */
	free(of_revision);
	fleet_revision_free(revision);
}

/* JSON that is right, of any shape, with the keys of ours. */
static void random_value(struct random *random, FILE *out, unsigned int depth)
{
	static const char *const keys[] = { "format",	  "host", "version", "time", "rulesets",
					    "interfaces", "web",  "state",   "id",   "upto",
					    "stage",	  "of",	  "name",    "pid" };
	static const char *const leaves[] = { "1",	     "0",
					      "-1",	     "1e308",
					      "1e999",	     "18446744073709551616",
					      "\"a\"",	     "\"in-force\"",
					      "\"running\"", "null",
					      "true",	     "\"2026-11-29T09:12:03Z\"",
					      "\"" ID "\"",  "\"\\ud800\"" };
	unsigned int kind = depth ? random_below(random, 4) : 0;

	if (kind < 2) {
		fputs(leaves[random_below(random, NR(leaves))], out);
		return;
	}
	fputc(kind == 2 ? '{' : '[', out);
	for (unsigned int i = 0, nr = random_below(random, 9); i < nr; i++) {
		if (i)
			fputc(',', out);
		if (kind == 2)
			fprintf(out, "\"%s\":", keys[random_below(random, NR(keys))]);
		random_value(random, out, depth - 1);
	}
	fputc(kind == 2 ? '}' : ']', out);
}

static void test_random_shapes(void **state)
{
	struct random random;
	char *text;
	size_t len;
	FILE *out;

	(void)state;
	random_begin(&random);
	for (unsigned int i = 0; i < 20000; i++) {
		out = open_memstream(&text, &len);
		assert_non_null(out);
		fputs("{\"format\":1,\"host\":\"a\",\"version\":\"1\",\"time\":\"2026-11-29T09:12:03Z\",\"rulesets\":",
		      out);
		random_value(&random, out, 4);
		fputs(",\"interfaces\":", out);
		random_value(&random, out, 3);
		fputc('}', out);
		assert_int_equal(fclose(out), 0);
		read_all(text, len);
		free(text);
	}
}

/* ---- Order ----------------------------------------------------------------------------------- */

static int compare_orders(const void *a, const void *b)
{
	return strcmp(a, b);
}

static size_t made_orders(char (*orders)[FLEET_HASH_LEN], size_t nr, const char *id)
{
	char host[32];

	for (size_t i = 0; i < nr; i++) {
		snprintf(host, sizeof(host), "h%zu", i);
		assert_int_equal(fleet_order(host, id, orders[i]), 0);
	}
	qsort(orders, nr, sizeof(*orders), compare_orders);
	return nr;
}

static size_t count_in(const char (*orders)[FLEET_HASH_LEN], size_t nr, const char *upto)
{
	struct fleet_stage stage = { .state = FLEET_RUNNING };
	size_t count = 0;

	strcpy(stage.upto, upto);
	for (size_t i = 0; i < nr; i++)
		count += fleet_takes_part(&stage, orders[i]);
	return count;
}

static void test_stages(void **state)
{
	static const struct {
		size_t hosts;
		const char *stages;
		size_t counts[4];
	} cases[] = {
		{ 20, "1,10%,100%", { 1, 2, 20 } },
		{ 1000, "1,10%,100%", { 1, 100, 1000 } },
		{ 5, "1,10%,100%", { 1, 2, 5 } },
		{ 1, "1,10%,100%", { 1, 1, 1 } },
		{ 2, "1,10%,100%", { 1, 2, 2 } },
		{ 0, "1,10%,100%", { 0, 0, 0 } },
		{ 3, "5,100%", { 3, 3 } },
		{ 7, "50%,100%", { 4, 7 } },
		{ 30, "1%,2%,3%,100%", { 1, 2, 3, 30 } },
		{ 4, "100%", { 4 } },
		{ 100, "10%,5,100%", { 10, 11, 100 } },
	};
	char(*orders)[FLEET_HASH_LEN] = calloc(1000, sizeof(*orders));
	char upto[FLEET_HASH_LEN];
	struct pb_error error;
	char **stages;
	size_t nr;

	(void)state;
	for (size_t i = 0; i < NR(cases); i++) {
		const char(*made)[FLEET_HASH_LEN] = (const void *)orders;

		made_orders(orders, cases[i].hosts, ID);
		assert_int_equal(fleet_stages_parse(cases[i].stages, &stages, &nr, &error), 0);
		*upto = '\0';
		for (size_t s = 0; s < nr; s++) {
			fleet_upto(stages[s], made, cases[i].hosts, upto, upto);
			assert_int_equal(count_in(made, cases[i].hosts, upto), cases[i].counts[s]);
		}
		assert_string_equal(upto, fleet_all);
		fleet_stages_free(stages, nr);
	}
	free(orders);
}

/* Another revision has other hosts first; a stage that was stopped has none. */
static void test_order(void **state)
{
	struct fleet_stage stage = { .state = FLEET_STOPPED };
	char one[FLEET_HASH_LEN], other[FLEET_HASH_LEN], same[FLEET_HASH_LEN];

	(void)state;
	assert_int_equal(fleet_order("a", ID, one), 0);
	assert_int_equal(fleet_order("a", ID, same), 0);
	assert_int_equal(fleet_order("a", fleet_all, other), 0);
	assert_string_equal(one, same);
	assert_string_not_equal(one, other);
	strcpy(stage.upto, fleet_all);
	assert_false(fleet_takes_part(&stage, one));
	stage.state = FLEET_DONE;
	assert_true(fleet_takes_part(&stage, one));
	strcpy(stage.upto, one);
	assert_true(fleet_takes_part(&stage, one));
	assert_int_equal(fleet_takes_part(&stage, other), strcmp(other, one) < 0);
}

static void test_wrong_stages(void **state)
{
	static const struct wrong words[] = {
		{ "", "'' is no stage", "1,10%,100%" },
		{ "1,,100%", "'' is no stage", NULL },
		{ "0,100%", "'0' is no stage", NULL },
		{ "0%,100%", "'0%' is no stage", NULL },
		{ "101%", "'101%' is no stage", NULL },
		{ "ten,100%", "'ten' is no stage", NULL },
		{ "1 ,100%", "'1 ' is no stage", NULL },
		{ "-1,100%", "'-1' is no stage", NULL },
		{ "9999999999,100%", "'9999999999' is no stage", NULL },
		{ "10%%,100%", "'10%%' is no stage", NULL },
		{ "10%,5%,100%", "the stage '5%' is not more than '10%'", NULL },
		{ "5,5,100%", "the stage '5' is not more than '5'", NULL },
		{ "1,10%", "the last stage is '10%'", "100%" },
		{ "100%,1", "the last stage is '1'", NULL },
		{ "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,100%",
		  "33 stages", NULL },
	};
	struct pb_error error;
	char **stages;
	size_t nr = 7;

	(void)state;
	for (size_t i = 0; i < NR(words); i++)
		assert_says(&words[i], fleet_stages_parse(words[i].input, &stages, &nr, &error),
			    -EINVAL, &error);
	assert_int_equal(nr, 7);
}

/* ---- Signatures ------------------------------------------------------------------------------ */

struct keys {
	char folder[32], private[64], public[64], other[64], both[64], rsa[64], none[64];
};

static void write_key(const char *path, const char *mode, EVP_PKEY *key, bool private)
{
	FILE *file = fopen(path, mode);

	assert_non_null(file);
	if (private)
		assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	else
		assert_int_equal(PEM_write_PUBKEY(file, key), 1);
	assert_int_equal(fclose(file), 0);
}

static int make_keys(void **state)
{
	EVP_PKEY *one = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
		 *other = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
		 *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	struct keys *keys = calloc(1, sizeof(*keys));

	strcpy(keys->folder, "/tmp/pb-keys.XXXXXX");
	assert_non_null(mkdtemp(keys->folder));
	snprintf(keys->private, sizeof(keys->private), "%s/private", keys->folder);
	snprintf(keys->public, sizeof(keys->public), "%s/public", keys->folder);
	snprintf(keys->other, sizeof(keys->other), "%s/other", keys->folder);
	snprintf(keys->both, sizeof(keys->both), "%s/both", keys->folder);
	snprintf(keys->rsa, sizeof(keys->rsa), "%s/rsa", keys->folder);
	snprintf(keys->none, sizeof(keys->none), "%s/none", keys->folder);
	write_key(keys->private, "we", one, true);
	write_key(keys->public, "we", one, false);
	write_key(keys->other, "we", other, false);
	write_key(keys->both, "we", other, false);
	write_key(keys->both, "ae", one, false);
	write_key(keys->rsa, "we", rsa, false);
	write_key(keys->rsa, "ae", rsa, true);
	EVP_PKEY_free(one);
	EVP_PKEY_free(other);
	EVP_PKEY_free(rsa);
	*state = keys;
	return 0;
}

static int drop_keys(void **state)
{
	struct keys *keys = *state;
	const char *const files[] = { keys->private, keys->public, keys->other, keys->both,
				      keys->rsa };

	for (size_t i = 0; i < NR(files); i++)
		unlink(files[i]);
	rmdir(keys->folder);
	free(keys);
	return 0;
}

static void test_sign(void **state)
{
	struct keys *keys = *state;
	char *trust[] = { keys->other, keys->public }, *both[] = { keys->both };
	struct pb_error error = { "" };
	char *signature, *again;

	assert_int_equal(fleet_sign(ID, keys->private, &signature, &error), 0);
	assert_int_equal(fleet_verify(ID, signature, trust, 2, &error), 0);
	assert_int_equal(fleet_verify(ID, signature, both, 1, &error), 0);
	assert_int_equal(fleet_verify(ID, signature, trust, 1, &error), -EKEYREJECTED);
	assert_non_null(strstr(error.text, "not signed by a key that `trust` names"));
	assert_int_equal(fleet_verify(fleet_all, signature, trust, 2, &error), -EKEYREJECTED);
	assert_int_equal(fleet_verify(ID, signature, trust, 0, &error), -EKEYREJECTED);
	assert_int_equal(fleet_verify_own(ID, signature, keys->private, &error), 0);
	assert_int_equal(fleet_verify_own(fleet_all, signature, keys->private, &error),
			 -EKEYREJECTED);
	assert_int_equal(fleet_verify_own(ID, NULL, keys->private, &error), -EKEYREJECTED);
	assert_int_equal(fleet_verify_own(ID, signature, keys->public, &error), -EINVAL);
	assert_int_equal(fleet_sign(ID, keys->private, &again, &error), 0);
	assert_string_equal(again, signature); /* ed25519 knows no chance */
	free(again);
	for (char *at = signature; *at; at++) {
		char was = *at;

		*at = was == 'A' ? 'B' : 'A';
		assert_int_equal(fleet_verify(ID, signature, trust, 2, &error), -EKEYREJECTED);
		*at = was;
	}
	free(signature);
}

/* What openssl makes of it: the message is its purpose and 32 bytes. */
static void test_openssl(void **state)
{
	struct keys *keys = *state;
	struct pb_error error = { "" };
	char *signature, command[1024];

	assert_int_equal(fleet_sign(ID, keys->private, &signature, &error), 0);
	snprintf(
		command, sizeof(command),
		"cd %s && { printf 'xdp-portblock revision 1\\n'; printf %s | sed 's/../\\\\x&/g' | "
		"xargs -0 printf '%%b'; } >m && echo %s | base64 -d >s && "
		"openssl pkeyutl -verify -pubin -inkey public -rawin -in m -sigfile s >/dev/null; r=$?; "
		"rm -f m s; exit $r",
		keys->folder, ID, signature);
	assert_int_equal(system(command), 0);
	free(signature);
}

static void test_no_signature(void **state)
{
	struct keys *keys = *state;
	char *trust[] = { keys->public }, *rsa[] = { keys->rsa }, *none[] = { keys->none },
	     *private[] = { keys->private };
	struct pb_error error = { "" };
	char *signature;

	assert_int_equal(fleet_verify(ID, NULL, trust, 1, &error), -ENOKEY);
	assert_int_equal(fleet_verify(ID, "", trust, 1, &error), -ENOKEY);
	assert_non_null(strstr(error.text, "--sign"));
	assert_int_equal(fleet_verify(ID, "abc", trust, 1, &error), -EKEYREJECTED);
	assert_non_null(strstr(error.text, "'abc'"));
	assert_int_equal(fleet_sign(ID, keys->private, &signature, &error), 0);
	assert_int_equal(fleet_verify(ID, signature, rsa, 1, &error), -EINVAL);
	assert_non_null(strstr(error.text, keys->rsa));
	assert_int_equal(fleet_verify(ID, signature, private, 1, &error), -EINVAL);
	assert_int_equal(fleet_verify(ID, signature, none, 1, &error), -ENOENT);
	assert_int_equal(fleet_verify("12", signature, trust, 1, &error), -EINVAL);
	free(signature);
	signature = NULL;
	assert_int_equal(fleet_sign(ID, keys->rsa, &signature, &error), -EINVAL);
	assert_non_null(strstr(error.text, "openssl genpkey"));
	assert_int_equal(fleet_sign(ID, keys->public, &signature, &error), -EINVAL);
	assert_int_equal(fleet_sign(ID, keys->none, &signature, &error), -ENOENT);
	assert_int_equal(fleet_sign("12", keys->private, &signature, &error), -EINVAL);
	assert_null(signature);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_revision),     cmocka_unit_test(test_times),
		cmocka_unit_test(test_id),	     cmocka_unit_test(test_wrong_revision),
		cmocka_unit_test(test_no_json),	     cmocka_unit_test(test_stage),
		cmocka_unit_test(test_wrong_stage),  cmocka_unit_test(test_host),
		cmocka_unit_test(test_wrong_host),   cmocka_unit_test(test_carrier),
		cmocka_unit_test(test_seen),	     cmocka_unit_test(test_host_names),
		cmocka_unit_test(test_random),	     cmocka_unit_test(test_random_shapes),
		cmocka_unit_test(test_stages),	     cmocka_unit_test(test_order),
		cmocka_unit_test(test_wrong_stages), cmocka_unit_test(test_sign),
		cmocka_unit_test(test_openssl),	     cmocka_unit_test(test_no_signature),
	};

	return cmocka_run_group_tests_name("fleet records", tests, make_keys, drop_keys);
}
