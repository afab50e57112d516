// SPDX-License-Identifier: GPL-2.0-only
/* Files of rules: what is written is read back; includes; every fault, all at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <json-c/json.h>
#include "anyrule.h"
#include "says.h"

#define NOW 1000000000000ULL
#define SECOND 1000000000ULL
#define MANY 60000

static char folder[] = "/tmp/pb-file.XXXXXX";
static struct pb_problems problems, notes;

/* ---- Files, and reading them -------------------------------------------------------------- */

static void write_bytes(const char *name, const char *text, size_t len)
{
	FILE *out = fopen(name, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
}

static void write_file(const char *name, const char *text)
{
	write_bytes(name, text, strlen(text));
}

/* Reads a file that must be right. */
static struct pb_rules read_right(const char *name)
{
	struct pb_rules *read, rules;

	if (pb_rules_read(name, NOW, &read, &problems, &notes))
		fail_msg("%s: %s", name, problems.list[0].text);
	assert_int_equal(problems.nr, 0);
	rules = *read;
	free(read);
	return rules;
}

/* Reads a file that must be wrong: the rules are as they were. */
static void read_wrong(const char *name)
{
	struct pb_rules *const mark = (struct pb_rules *)&problems;
	struct pb_rules *rules = mark;

	assert_int_equal(pb_rules_read(name, NOW, &rules, &problems, &notes), -EINVAL);
	assert_true(problems.nr > 0);
	assert_ptr_equal(rules, mark);
}

static void assert_problem(size_t i, const char *begins, const char *says)
{
	if (i >= problems.nr)
		fail_msg("there are %zu problems, not one more: %s", problems.nr, begins);
	if (strncmp(problems.list[i].text, begins, strlen(begins)) ||
	    !strstr(problems.list[i].text, says))
		fail_msg("not '%s ... %s': %s", begins, says, problems.list[i].text);
}

static char *format(const struct pb_rules *rules, __u64 now)
{
	char *text = NULL;

	assert_int_equal(pb_rules_format(rules, now, &text), 0);
	return text;
}

static void assert_format(const struct pb_rules *rules, const char *wanted)
{
	char *text = format(rules, NOW);

	assert_string_equal(text, wanted);
	free(text);
}

/* Reads a file that must be right, and mean `wanted`. */
static void assert_reads(const char *name, const char *wanted)
{
	struct pb_rules rules = read_right(name);

	assert_format(&rules, wanted);
	pb_rules_clear(&rules);
}

static void write_json(const char *name, const struct pb_rules *rules, __u64 now)
{
	struct json_object *json = pb_rules_to_json(rules, NULL, now);

	assert_non_null(json);
	write_file(name, json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY));
	json_object_put(json);
}

static void add(struct pb_rules *rules, const char *line)
{
	struct pb_rule rule = rule_of(line, NOW);
	struct pb_error error = { "" };

	if (pb_rules_add(rules, &rule, NULL, NULL, &error))
		fail_msg("%s: %s", line, error.text);
}

/* ---- There and back ------------------------------------------------------------------------ */

/* In both forms, and the other way round from what was read. */
static void assert_round_trip(const struct pb_rules *rules)
{
	char *text = format(rules, NOW);
	struct pb_rules again;

	write_file("round.rules", text);
	write_json("round.json", rules, NOW);
	assert_reads("round.rules", text);
	assert_reads("round.json", text);
	assert_int_equal(notes.nr, 0);
	again = read_right("round.rules");
	write_json("again.json", &again, NOW);
	assert_reads("again.json", text);
	pb_rules_clear(&again);
	free(text);
}

static void test_round_trip_settings(void **state)
{
	struct pb_rules rules = { 0 };

	(void)state;
	for (__u32 flags = 0; flags < 32; flags++) {
		if ((flags & PB_SLOT_REJECT) && !(flags & PB_SLOT_DENY))
			continue;
		rules.settings = pb_settings_of(flags);
		assert_int_equal(pb_settings_flags(&rules.settings), flags);
		assert_round_trip(&rules);
		rules.settings.answers = flags ? flags : PB_ANSWERS_NONE;
		assert_round_trip(&rules);
	}
}

static void test_round_trip_rules(void **state)
{
	struct random random;
	char line[ANY_LINE];

	(void)state;
	random_begin(&random);
	for (int i = 0; i < 200; i++) {
		struct pb_rules rules = { .settings = pb_settings_of(random_below(&random, 16)) };

		for (__u32 nr = random_below(&random, 40); nr; nr--) {
			any_line(&random, line);
			add(&rules, line);
		}
		assert_round_trip(&rules);
		pb_rules_clear(&rules);
	}
}

static void test_round_trip_sets(void **state)
{
	struct pb_set *const *sets;
	struct pb_rules rules;
	size_t nr;

	(void)state;
	write_file("sets.rules",
		   "set young timeout 90s max 10\nset bans max 65536\nset bans\n"
		   "set large max 4194304\n"
		   "22/tcp from @bans,10.0.0.1 except @undeclared\ndrop from @young\n");
	rules = read_right("sets.rules");
	assert_format(&rules, "policy allow\nset bans\nset large max 4194304\n"
			      "set young timeout 1m30s max 10\n"
			      "drop tcp dport 22 from 10.0.0.1,@bans except @undeclared\n"
			      "drop from @young\n");
	sets = pb_rules_sets(&rules, &nr);
	assert_int_equal(nr, 3);
	assert_string_equal(sets[0]->name, "bans");
	assert_int_equal(sets[0]->max, PB_SET_DEFAULT);
	assert_true(sets[2]->timeout == 90000000000ULL);
	assert_round_trip(&rules);
	pb_rules_clear(&rules);
}

/* As many as there can be; those of included files count, too. */
static void test_many_sets(void **state)
{
	char text[PB_SETS_MAX * 16] = "";
	struct pb_rules rules;

	(void)state;
	for (int i = 0; i < PB_SETS_MAX; i++)
		sprintf(text + strlen(text), "set s%d\n", i);
	write_file("most.rules", text);
	write_file("main.rules", "include most.rules\nset s7\n");
	rules = read_right("main.rules");
	pb_rules_clear(&rules);
	write_file("main.rules", "include most.rules\nset other\n");
	read_wrong("main.rules");
	assert_problem(0, "main.rules:2: ", "set other is one too many");
}

static void test_faults_of_json_sets(void **state)
{
	static const struct {
		const char *sets;
		const char *says;
	} cases[] = {
		{ "{}", "\"sets\" is not an array" },
		{ "[1]", "sets[0]: \"1\" is not an object" },
		{ "[{}]", "sets[0]: the set lacks its name" },
		{ "[{\"name\":\"a\"},{\"name\":\"a b\"}]", "sets[1]: \"name\": 'a b' is no name" },
		{ "[{\"name\":\"a\",\"maximum\":1}]", "\"maximum\" is not a key of a set" },
		{ "[{\"name\":\"a\",\"max\":\"1\"}]", "is not a whole number" },
		{ "[{\"name\":\"a\",\"max\":0}]", "\"max\": \"0\" is no number of elements" },
		{ "[{\"name\":\"a\",\"timeout\":0}]", "\"timeout\": \"0s\" is too short" },
		{ "[{\"name\":\"a\"},{\"name\":\"a\",\"timeout\":5}]", "sets[1]: set a stands" },
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "{\"sets\":%s,\"rules\":[]}", cases[i].sets);
		write_file("fault.json", text);
		read_wrong("fault.json");
		assert_problem(0, "fault.json: ", cases[i].says);
		assert_int_equal(problems.nr, 1);
	}
	write_file("right.json", "{\"sets\":[{\"name\":\"a\",\"timeout\":null,\"max\":null}]}");
	assert_reads("right.json", "policy allow\nset a\n");
}

/* ---- Sets of files --------------------------------------------------------------------------- */

/* The text form with the folder of the test left out. */
static void assert_sets(const struct pb_rules *rules, const char *wanted)
{
	char *text = format(rules, NOW);
	size_t len = strlen(folder) + 1, to = 0;

	for (size_t at = 0; text[at]; text[to++] = text[at++])
		while (!strncmp(text + at, folder, len - 1))
			at += len;
	text[to] = '\0';
	assert_string_equal(text, wanted);
	free(text);
}

/* Relative to the file that names it; the path is whole, so that it can be applied from anywhere. */
static void test_set_files(void **state)
{
	const struct pb_element *elements;
	struct pb_rules rules;
	size_t nr;

	(void)state;
	write_file("main.rules", "include sub/sets.rules\nset near file ./list\n");
	write_file("sub/sets.rules", "set far file list\nset far file ./list\n");
	write_file("list", "10.0.0.1\n");
	write_file("sub/list", "10.0.0.3 # three\n10.0.0.2/8\n2001:db8::/32\n");
	rules = read_right("main.rules");
	assert_sets(&rules, "policy allow\nset far file sub/list\nset near file list\n");
	elements = pb_rules_elements(&rules, "far", &nr);
	assert_int_equal(nr, 3);
	assert_int_equal(elements[0].prefix.len, 8);
	assert_int_equal(elements[2].prefix.family, 6);
	assert_true(pb_rules_elements(&rules, "near", &nr) && nr == 1);
	assert_null(pb_rules_elements(&rules, "nosuch", &nr));
	assert_int_equal(notes.nr,
			 1); /* bits behind a length: what stands there twice is read once */
	assert_int_equal(pb_rules_sets(&rules, &nr)[0]->max, PB_SET_LIMIT);
	write_file("sub/list", "10.0.0.3\n");
	assert_round_trip(&rules);
	pb_rules_clear(&rules);
}

static void test_set_file_words(void **state)
{
	struct pb_rules rules;

	(void)state;
	write_file("two \"words\" \\", "10.0.0.1\n");
	write_file("words.rules", "set a file \"two \\\"words\\\" \\\\\"\n");
	rules = read_right("words.rules");
	assert_round_trip(&rules);
	pb_rules_clear(&rules);
}

static void test_set_file_is_empty(void **state)
{
	struct pb_rules rules;
	size_t nr = 1;

	(void)state;
	write_file("none", "# nothing yet\n");
	write_file("empty.rules", "set a file none\n");
	rules = read_right("empty.rules");
	assert_int_equal(notes.nr, 1);
	assert_non_null(strstr(notes.list[0].text, "empty.rules:1: \"none\" holds no addresses"));
	pb_rules_elements(&rules, "a", &nr);
	assert_int_equal(nr, 0);
	pb_rules_clear(&rules);
}

static void test_set_file_path_is_long(void **state)
{
	char line[PB_SET_FILE_LEN + 64] = "set a file sub/";
	size_t len = strlen(line);

	(void)state;
	while (len + 2 < PB_SET_FILE_LEN)
		len += sprintf(line + len, "./");
	strcpy(line + len, "list\n");
	write_file("sub/list", "10.0.0.1\n");
	write_file("long.rules", line);
	read_wrong("long.rules");
	assert_problem(0, "long.rules:1: ", "that of a set's file has at most 255");
}

static void test_set_files_in_json(void **state)
{
	static const struct {
		const char *set, *says;
	} cases[] = {
		{ "{\"name\":\"a\",\"file\":7}", "\"file\": " },
		{ "{\"name\":\"a\",\"file\":\"nosuch\"}", "\"nosuch\"" },
		{ "{\"name\":\"a\",\"file\":\"a\\nb\"}", "a\\x0ab" },
		{ "{\"name\":\"a\",\"file\":\"list\",\"timeout\":5}", "a file and a timeout" },
		{ "{\"name\":\"a\",\"file\":\"list\",\"max\":5}", "a file and a max" },
	};
	struct pb_rules rules;
	char text[256];

	(void)state;
	write_file("list", "10.0.0.1\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "{\"sets\":[%s],\"rules\":[]}", cases[i].set);
		write_file("fault.json", text);
		read_wrong("fault.json");
		assert_problem(0, "fault.json: ", cases[i].says);
	}
	write_file("right.json", "{\"sets\":[{\"name\":\"a\",\"file\":\"list\",\"max\":4194304,"
				 "\"timeout\":null}],\"rules\":[]}");
	rules = read_right("right.json");
	assert_sets(&rules, "policy allow\nset a file list\n");
	assert_round_trip(&rules);
	pb_rules_clear(&rules);
}

/* A set of a file is there for as long as the file of rules names it; it may become another, and back. */
static void test_replace_set_files(void **state)
{
	struct pb_rules rules, wanted;
	size_t nr;

	(void)state;
	write_file("list", "10.0.0.1\n");
	write_file("old.rules",
		   "set a file list\nset b file list\nset c file list\nset d\nset e\n");
	write_file("new.rules", "set b\nset c file list\nset d file list\n");
	rules = read_right("old.rules");
	wanted = read_right("new.rules");
	assert_int_equal(pb_rules_replace(&rules, &wanted, NULL), 0);
	pb_rules_clear(&wanted);
	assert_sets(&rules, "policy allow\nset b\nset c file list\nset d file list\nset e\n");
	assert_true(pb_rules_elements(&rules, "d", &nr) && nr == 1);
	assert_null(pb_rules_elements(&rules, "b", &nr));
	pb_rules_clear(&rules);
}

/* Sets of the file hold, and those that it does not name stay. */
static void test_replace_sets(void **state)
{
	struct pb_rules rules, wanted;

	(void)state;
	write_file("old.rules", "set a timeout 1h\nset b\ndrop from @b\n");
	write_file("new.rules", "set c\nset a max 9\ndrop from @c\n");
	rules = read_right("old.rules");
	wanted = read_right("new.rules");
	assert_int_equal(pb_rules_replace(&rules, &wanted, NULL), 0);
	assert_format(&rules, "policy allow\nset a max 9\nset b\nset c\ndrop from @c\n");
	pb_rules_clear(&rules);
	pb_rules_clear(&wanted);
}

static void test_defaults_are_left_out(void **state)
{
	struct pb_rules rules = { 0 };

	(void)state;
	assert_format(&rules, "policy allow\n");
	rules.settings.drop_fragments = true;
	assert_format(&rules, "policy allow\nfragments drop\n");
}

static void test_time_left(void **state)
{
	struct pb_rules rules = { 0 }, read;
	char *text;

	(void)state;
	add(&rules, "drop tcp dport 1 expires 10m");
	add(&rules, "drop tcp dport 2 expires 1m");
	add(&rules, "drop tcp dport 3");
	text = format(&rules, NOW + 60 * SECOND);
	assert_string_equal(text, "policy allow\ndrop tcp dport 1 expires 9m\ndrop tcp dport 3\n");
	write_file("left.rules", text);
	write_json("left.json", &rules, NOW + 60 * SECOND);
	assert_reads("left.json", text);
	read = read_right("left.rules");
	assert_true(read.rule[0].expires == NOW + 540 * SECOND);
	pb_rules_clear(&read);
	pb_rules_clear(&rules);
	free(text);
}

static void test_rule_list_is_a_file(void **state)
{
	(void)state;
	write_file("list.json",
		   "{\"ruleset\":\"web\",\"policy\":\"deny\",\"replies\":\"off\",\"rules\":["
		   "{\"id\":7,\"action\":\"allow\",\"protocols\":[\"tcp\"],\"side\":"
		   "\"dport\",\"ports\":[\"22\"],\"from\":[],\"except\":[],\"new\":false,"
		   "\"expires_in\":null,\"comment\":null,\"packets\":3,\"bytes\":180}]}");
	assert_reads("list.json", "policy deny\nreplies off\nallow tcp dport 22\n");
}

/* ---- The form of a text -------------------------------------------------------------------- */

static void test_text_forms(void **state)
{
	static const struct {
		const char *text, *means;
	} cases[] = {
		{ "", "policy allow\n" },
		{ "\n\n", "policy allow\n" },
		{ "# nothing", "policy allow\n" },
		{ "22/tcp", "policy allow\ndrop tcp dport 22\n" },
		{ "22/tcp\n", "policy allow\ndrop tcp dport 22\n" },
		{ "policy deny\r\n22/tcp\r\n", "policy deny\ndrop tcp dport 22\n" },
		{ "\t 22/tcp \t# ssh", "policy allow\ndrop tcp dport 22\n" },
		{ "22/tcp comment \"# no comment\"",
		  "policy allow\ndrop tcp dport 22 comment \"# no comment\"\n" },
		{ "policy deny\npolicy allow", "policy allow\n" },
		{ "unparsable pass\nfragments drop\nreplies off\npolicy deny",
		  "policy deny\nreplies off\nfragments drop\nunparsable pass\n" },
		{ "dport 22,23\ndport 22-23",
		  "policy allow\ndrop tcp,udp dport 22,23\ndrop tcp,udp dport 22-23\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_file("form.rules", cases[i].text);
		assert_reads("form.rules", cases[i].means);
	}
}

static void test_last_of_the_same_holds(void **state)
{
	(void)state;
	write_file("twice.rules", "22/tcp\n23/tcp\nallow 22/tcp\n23/tcp\n");
	assert_reads("twice.rules", "policy allow\nallow tcp dport 22\ndrop tcp dport 23\n");
	assert_int_equal(notes.nr, 1);
	assert_non_null(strstr(notes.list[0].text, "twice.rules:3: "));
}

static void test_notes_may_be_left_out(void **state)
{
	struct pb_rules *rules, noted;

	(void)state;
	write_file("twice.rules", "22/tcp from 10.0.0.1/8\nallow 22/tcp from 10.0.0.0/8\n");
	assert_int_equal(pb_rules_read("twice.rules", NOW, &rules, &problems, NULL), 0);
	assert_int_equal(pb_rules_nr(rules), 1);
	pb_rules_free(rules);
	noted = read_right("twice.rules");
	assert_int_equal(notes.nr, 2);
	assert_non_null(strstr(notes.list[0].text, "twice.rules:1: "));
	pb_rules_clear(&noted);
}

static void test_standard_input(void **state)
{
	(void)state;
	write_file("in", "policy deny\ninclude part.rules\n");
	write_file("part.rules", "22/tcp\n");
	assert_non_null(freopen("in", "r", stdin));
	assert_reads("-", "policy deny\ndrop tcp dport 22\n");
	write_file("in", "policy\n");
	assert_non_null(freopen("in", "r", stdin));
	read_wrong("-");
	assert_problem(0, "standard input:1: ", "\"policy\"");
}

/* By any of its names it lies in no folder: what it names is looked for in the working directory. */
static void test_standard_input_names_files(void **state)
{
	static const char *const names[] = { "-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0" };

	(void)state;
	write_file("sub/in", "include part.rules\n23/tcp from @./list\n");
	write_file("part.rules", "22/tcp\n");
	write_file("list", "10.0.0.1\n");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_non_null(freopen("sub/in", "r", stdin));
		assert_reads(names[i], "policy allow\ndrop tcp dport 22\n"
				       "drop tcp dport 23 from 10.0.0.1\n");
	}
}

/* ---- Includes ------------------------------------------------------------------------------ */

static void test_include(void **state)
{
	(void)state;
	write_file("main.rules", "1/tcp\ninclude sub/a.rules\n4/tcp\ninclude all.json\n");
	write_file("sub/a.rules", "2/tcp\ninclude b.rules\n");
	write_file("sub/b.rules", "3/tcp\ninclude ../top.rules"); /* no end of line */
	write_file("top.rules", "policy deny\n");
	write_file("all.json", "{\"fragments\":\"drop\",\"rules\":[{\"ports\":[\"5\"]}]}");
	assert_reads("main.rules",
		     "policy deny\nfragments drop\ndrop tcp dport 1\ndrop tcp dport 2\n"
		     "drop tcp dport 3\ndrop tcp dport 4\ndrop tcp,udp dport 5\n");
	write_file("sub/main.rules", "include \"two words.rules\"\n");
	write_file("sub/two words.rules", "6/tcp\n");
	assert_reads("sub/main.rules", "policy allow\ndrop tcp dport 6\n");
}

static void test_include_absolute(void **state)
{
	char line[128], path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/sub/far.rules", folder);
	snprintf(line, sizeof(line), "include %s/near.rules\n", folder);
	write_file("sub/far.rules", line);
	write_file("near.rules", "7/tcp\n");
	assert_reads(path, "policy allow\ndrop tcp dport 7\n");
}

/* Relative to the file that names it, as an include is; `list` there is not the `list` here. */
static void test_prefix_files(void **state)
{
	char path[128], line[160];

	(void)state;
	write_file("list", "10.0.0.1\n");
	write_file("sub/list", "10.0.0.2\n");
	write_file("sub/deep/list", "10.0.0.3\n");
	write_file("main.rules",
		   "1/tcp from @./list\ninclude sub/a.rules\n5/tcp from @./sub/list\n");
	write_file("sub/a.rules", "2/tcp from @./list\ninclude deep/b.rules\n"
				  "4/tcp from @./list except @../list\n");
	write_file("sub/deep/b.rules", "3/tcp from @./list except @../list comment @list\n");
	assert_reads("main.rules",
		     "policy allow\ndrop tcp dport 1 from 10.0.0.1\n"
		     "drop tcp dport 2 from 10.0.0.2\n"
		     "drop tcp dport 3 from 10.0.0.3 except 10.0.0.2 comment \"@list\"\n"
		     "drop tcp dport 4 from 10.0.0.2 except 10.0.0.1\n"
		     "drop tcp dport 5 from 10.0.0.2\n");
	snprintf(path, sizeof(path), "%s/sub/deep/b.rules", folder);
	assert_reads(path, "policy allow\n"
			   "drop tcp dport 3 from 10.0.0.3 except 10.0.0.2 comment \"@list\"\n");
	snprintf(line, sizeof(line), "6/tcp from @%s/list\n", folder);
	write_file("sub/deep/b.rules", line);
	assert_reads(path, "policy allow\ndrop tcp dport 6 from 10.0.0.1\n");
}

/* Faults are told with the whole way to the file. */
static void test_prefix_files_that_are_wrong(void **state)
{
	(void)state;
	write_file("only-here", "10.0.0.1\n");
	write_file("sub/wrong", "10.0.0.1\nx\n");
	write_file("main.rules", "include sub/a.rules\n");
	write_file("sub/a.rules", "1/tcp from @./only-here\n2/tcp from @./wrong\n3/tcp from @\n");
	read_wrong("main.rules");
	assert_problem(0, "sub/a.rules:1: ", "\"sub/only-here\"");
	assert_problem(1, "sub/a.rules:2: ", "sub/wrong:2: \"x\"");
	assert_problem(2, "sub/a.rules:3: ", "lacks a name");
	assert_int_equal(problems.nr, 3);
}

/* Twice is no circle. */
static void test_include_twice(void **state)
{
	(void)state;
	write_file("main.rules", "include top.rules\ninclude top.rules\n");
	write_file("top.rules", "8/tcp\n");
	assert_reads("main.rules", "policy allow\ndrop tcp dport 8\n");
}

static void test_include_circles(void **state)
{
	(void)state;
	write_file("self.rules", "1/tcp\ninclude self.rules\n");
	read_wrong("self.rules");
	assert_problem(0, "self.rules:2: ", "\"self.rules\"");

	write_file("a.rules", "include sub/b.rules\n");
	write_file("sub/b.rules", "include ../a.rules\n");
	read_wrong("a.rules");
	assert_problem(0, "sub/b.rules:1: ", "\"sub/../a.rules\"");

	/* By another name */
	unlink("link.rules");
	assert_int_equal(symlink("self2.rules", "link.rules"), 0);
	write_file("self2.rules", "include link.rules\n");
	read_wrong("self2.rules");
	assert_problem(0, "self2.rules:1: ", "\"link.rules\"");
	assert_int_equal(problems.nr, 1);

	/* And what went wrong once does not stay. */
	write_file("fine.rules", "1/tcp\n");
	assert_reads("fine.rules", "policy allow\ndrop tcp dport 1\n");
}

/* chain0.rules includes chain1.rules, and so on: `nr` files. */
static void write_chain(int nr)
{
	char name[32], line[64];

	for (int i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "chain%d.rules", i);
		snprintf(line, sizeof(line), "include chain%d.rules\n", i + 1);
		write_file(name, i < nr - 1 ? line : "9/tcp\n");
	}
}

static void test_include_depth(void **state)
{
	(void)state;
	write_chain(16);
	assert_reads("chain0.rules", "policy allow\ndrop tcp dport 9\n");
	write_chain(17);
	read_wrong("chain0.rules");
	assert_problem(0, "chain15.rules:1: ", "deeper than 16");
	assert_int_equal(problems.nr, 1);
}

/* ---- Faults -------------------------------------------------------------------------------- */

static void test_faults_of_lines(void **state)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
		{ "drop tcp dport 22x", "\"22x\"" },
		{ "drop tcp dport 70000", "\"70000\"" },
		{ "drop tcp dport 0", "\"0\"" },
		{ "drop tcp dport 9-8", "8-9" },
		{ "frob tcp dport 22", "\"frob\"" },
		{ "drop icmp dport 22", "\"icmp\"" },
		{ "22/tcp from 10.0.0.0/33", "\"10.0.0.0/33\"" },
		{ "22/tcp from 10.0.0.300", "\"10.0.0.300\"" },
		{ "22/tcp from", "from" },
		{ "22/tcp from @./nosuch", "nosuch" },
		{ "22/tcp except 0.0.0.0/0,::/0", "no source" },
		{ "22/tcp expires 5x", "\"5x\"" },
		{ "22/tcp expires 0s", "\"0s\"" },
		{ "22/tcp comment \"open", "quote" },
		{ "22/tcp frob", "\"frob\"" },
		{ "22/sctp new", "tcp and udp" },
		{ "sport 22 new", "sport" },
		{ "policy", "\"policy\"" },
		{ "policy maybe", "\"maybe\"" },
		{ "policy allow deny", "\"policy\"" },
		{ "Policy deny", "\"Policy\"" },
		{ "replies 1", "on or off" },
		{ "fragments", "\"fragments\"" },
		{ "unparsable allow", "\"allow\"" },
		{ "include", "include" },
		{ "include a b", "include" },
		{ "include nosuch.rules", "\"nosuch.rules\"" },
		{ "include .", "directory" },
		{ "include /dev/zero", "device" },
		{ "include /dev/stdin-nosuch", "No such" },
		{ "22/tcp from @/dev/zero", "device" },
		{ "22/tcp from @./.", "directory" },
		{ "22/tcp from @hosts.txt", "@./hosts" },
		{ "set", "\"set\" lacks a name" },
		{ "set a.b", "'a.b' is no name for a set" },
		{ "set bans timeout", "\"timeout\" lacks its value" },
		{ "set bans timeout 5", "\"5\" lacks a unit" },
		{ "set bans timeout 1h timeout 2h", "\"timeout\" is given twice" },
		{ "set bans max 0", "\"0\" is no number of elements" },
		{ "set bans max 4194305", "1 to 4194304" },
		{ "set bans path list", "\"path\" is not known" },
		{ "set bans file", "\"file\" lacks its value, as in set hostile file" },
		{ "set bans file -", "\"-\" is no file" },
		{ "set bans file \"\"", "\"\" is no file" },
		{ "set bans file nosuch", "\"nosuch\"" },
		{ "set bans file .", "directory" },
		{ "set bans file /dev/zero", "device" },
		{ "set bans file list file list", "\"file\" is given twice" },
		{ "set bans file list timeout 1h", "set bans has a file and a timeout" },
		{ "set bans max 9 file list", "set bans has a file and a max" },
		{ "set bans file \"a\033[2J\"", "a\\x1b[2J" },
		{ "set bans file sub/wrong.list", "sub/wrong.list:2: \"10.0.0.0/33\"" },
		{ "set there file list", "set there stands further up already" },
		{ "set there max 7", "set there stands further up already" },
		{ "22/tcp\rdrop 23/tcp", "carriage return" },
		{ "# hidden\r22/tcp", "carriage return" },
		{ "22/tcp comment \"\033[2J\"", "\\x1b[2J" },
		{ "22/tcp comment \"\xe2\x80\xae\"", "\\xe2\\x80\\xae" },
		{ "\033]0;x\007", "\\x1b]0;x\\x07" },
	};
	char text[256];

	(void)state;
	write_file("list", "10.0.0.1\n");
	write_file("sub/wrong.list", "10.0.0.1\n10.0.0.0/33\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "set there # one\n1/tcp\n%s\n2/tcp\n", cases[i].line);
		write_file("fault.rules", text);
		read_wrong("fault.rules");
		if (problems.nr != 1)
			fail_msg("%s: %zu problems", cases[i].line, problems.nr);
		assert_problem(0, "fault.rules:3: ", cases[i].says);
		assert_null(strchr(problems.list[0].text, '\n'));
	}
}

static void test_all_faults_at_once(void **state)
{
	char text[1024] = "include sub/more.rules\n";

	(void)state;
	write_file("sub/more.rules", "1/tcp\nbad1\n");
	for (int i = 0; i < 18; i++)
		strcat(text, "2/tcp\nbad\n");
	write_file("faults.rules", text);
	read_wrong("faults.rules");
	assert_int_equal(problems.nr, 19);
	assert_int_equal(problems.more, 0);
	assert_problem(0, "sub/more.rules:2: ", "\"bad1\"");
	assert_problem(1, "faults.rules:3: ", "\"bad\"");
	assert_problem(18, "faults.rules:37: ", "\"bad\"");

	for (int i = 0; i < 5; i++)
		strcat(text, "bad\n");
	write_file("faults.rules", text);
	read_wrong("faults.rules");
	assert_int_equal(problems.nr, PB_PROBLEMS_MAX);
	assert_int_equal(problems.more, 4);
	assert_problem(19, "faults.rules:38: ", "\"bad\"");
}

static void test_faults_of_files(void **state)
{
	(void)state;
	read_wrong("nosuch.rules");
	assert_problem(0, "nosuch.rules: ", "No such file");
	read_wrong("sub");
	assert_problem(0, "sub: ", "directory");
	write_bytes("nul.rules", "1/tcp\n2/\0tcp\n", 13);
	read_wrong("nul.rules");
	assert_problem(0, "nul.rules", "NUL");
	write_bytes("nul.json", "{}\0", 3);
	read_wrong("nul.json");
	assert_problem(0, "nul.json", "NUL");
	read_wrong("");
	assert_problem(0, "", "No such file");
}

static void test_faults_of_json(void **state)
{
	static const struct {
		const char *text, *begins, *says;
	} cases[] = {
		{ "", "fault.json", "not JSON" },
		{ "{\n\"rules\":[{]}", "fault.json:2: ", "not JSON" },
		{ "{\n\n\"policy\":\"deny\"", "fault.json:3: ", "not JSON" },
		{ "{} x", "fault.json:1: ", "not JSON" },
		{ "[]", "fault.json: ", "rules" },
		{ "null", "fault.json: ", "rules" },
		{ "{\"rules\":{}}", "fault.json: ", "array" },
		{ "{\"rules\":[],\"frob\":\"x\"}", "fault.json: ", "\"frob\"" },
		{ "{\"policy\":1}", "fault.json: ", "\"policy\"" },
		{ "{\"policy\":null}", "fault.json: ", "\"policy\"" },
		{ "{\"policy\":\"maybe\"}", "fault.json: ", "\"maybe\"" },
		{ "{\"rules\":[{\"ports\":[\"1\"]},{}]}", "fault.json: rules[1]", "port" },
		{ "{\"rules\":[{\"ports\":[\"x\"]}]}", "fault.json: rules[0]", "\"x\"" },
		{ "{\"rules\":[{\"ports\":[\"1\"],\"frob\":1}]}", "fault.json: rules[0]",
		  "\"frob\"" },
		{ "{\"rules\":[\"drop tcp dport 22\"]}", "fault.json: rules[0]", "object" },
		{ "{\"rules\":[{\"ports\":[\"1\"],\"expires_in\":0}]}", "fault.json: rules[0]",
		  "expires_in" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_file("fault.json", cases[i].text);
		read_wrong("fault.json");
		assert_problem(0, cases[i].begins, cases[i].says);
		assert_int_equal(problems.nr, 1);
	}
	write_file("fault.json", "{\"rules\":[{},{},{\"ports\":[\"1\"]},{}],\"policy\":\"no\"}");
	read_wrong("fault.json");
	assert_int_equal(problems.nr, 4);
}

static void test_many_faults_of_json(void **state)
{
	char text[256] = "{\"rules\":[{}";

	(void)state;
	for (int i = 0; i < 24; i++)
		strcat(text, ",{}");
	strcat(text, "]}");
	write_file("fault.json", text);
	read_wrong("fault.json");
	assert_int_equal(problems.nr, PB_PROBLEMS_MAX);
	assert_int_equal(problems.more, 5);
}

/* ---- Marks and ends of other systems ------------------------------------------------------- */

static void test_byte_order_mark(void **state)
{
	(void)state;
	write_file("mark.rules", "\xef\xbb\xbfpolicy deny\r\n22/tcp comment \"a\"\r\n\r\n# end\r");
	assert_reads("mark.rules", "policy deny\ndrop tcp dport 22 comment \"a\"\n");
	write_file("mark.rules", "\xef\xbb\xbf");
	assert_reads("mark.rules", "policy allow\n");
	write_file("mark.json", "\xef\xbb\xbf{\"policy\":\"deny\",\r\n\"rules\":[]}\r\n");
	assert_reads("mark.json", "policy deny\n");
	write_file("list", "\xef\xbb\xbf"
			   "10.0.0.1\r\n10.0.0.2\r\n");
	write_file("mark.rules", "22/tcp from @./list\r\n");
	assert_reads("mark.rules", "policy allow\ndrop tcp dport 22 from 10.0.0.1,10.0.0.2\n");
	write_bytes("mark.rules",
		    "\xff\xfe"
		    "2\0"
		    "2\0",
		    6);
	read_wrong("mark.rules");
	assert_problem(0, "mark.rules:1: ", "UTF-16");
	write_bytes("mark.rules", "\xfe\xff", 2);
	read_wrong("mark.rules");
	assert_problem(0, "mark.rules:1: ", "UTF-16");
}

/* ---- Without end --------------------------------------------------------------------------- */

static void write_include(const char *path)
{
	char text[128];

	snprintf(text, sizeof(text), "# one\ninclude %s\n", path);
	write_file("main.rules", text);
}

static void test_include_of_what_is_no_file(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	write_include("fifo");
	read_wrong("main.rules");
	assert_problem(0, "main.rules:2: ", "\"fifo\" is a named pipe");
	write_include("socket");
	read_wrong("main.rules");
	assert_problem(0, "main.rules:2: ", "\"socket\" is a socket");
	write_include("/dev/full");
	read_wrong("main.rules");
	assert_problem(0, "main.rules:2: ", "\"/dev/full\" is a device");
	write_file("main.rules", "22/tcp from @./fifo\n");
	read_wrong("main.rules");
	assert_problem(0, "main.rules:1: ", "\"./fifo\" is a named pipe");
	read_wrong("/dev/zero");
	assert_problem(0, "/dev/zero:1: ", "NUL");
	read_wrong("socket");
	assert_problem(0, "socket: ", "No such device");
	unlink("fifo");
	unlink("socket");
}

/* What <(command) makes: a pipe that somebody has written to. */
static void test_pipe(void **state)
{
	char name[32], line[64];
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	snprintf(name, sizeof(name), "/dev/fd/%d", ends[0]);
	assert_int_equal(write(ends[1], "22/tcp\n", 7), 7);
	close(ends[1]);
	assert_reads(name, "policy allow\ndrop tcp dport 22\n");
	close(ends[0]);

	assert_int_equal(pipe(ends), 0);
	snprintf(line, sizeof(line), "22/tcp from @/dev/fd/%d\n", ends[0]);
	write_file("main.rules", line);
	assert_int_equal(write(ends[1], "10.0.0.1\n", 9), 9);
	close(ends[1]);
	assert_reads("main.rules", "policy allow\ndrop tcp dport 22 from 10.0.0.1\n");
	close(ends[0]);
}

static void test_too_large(void **state)
{
	char *line = malloc(70 << 20);
	int ends[2];

	(void)state;
	assert_non_null(line);
	write_file("sparse.rules", "");
	assert_int_equal(truncate("sparse.rules", 10LL << 30), 0);
	read_wrong("sparse.rules");
	assert_problem(0, "sparse.rules: ", "at most 64 MiB");
	write_include("sparse.rules");
	read_wrong("main.rules");
	assert_problem(0, "main.rules:2: ", "at most 64 MiB");
	write_file("main.rules", "22/tcp from @./sparse.rules");
	read_wrong("main.rules");
	assert_problem(0, "main.rules:1: ", "at most 64 MiB");

	/* Of a pipe, no more is read than fits; whoever writes the rest is none of our business. */
	assert_int_equal(pipe(ends), 0);
	memset(line, 'x', 70 << 20);
	if (!fork()) {
		signal(SIGPIPE, SIG_IGN);
		close(ends[0]);
		while (write(ends[1], line, 70 << 20) > 0)
			;
		_exit(0);
	}
	close(ends[1]);
	snprintf(line, 32, "/dev/fd/%d", ends[0]);
	read_wrong(line);
	assert_problem(0, line, "at most 64 MiB");
	close(ends[0]);
	wait(NULL);
	free(line);
	unlink("sparse.rules");
}

/* 4 files of 64 MiB, and then one more byte */
static void test_too_large_in_all(void **state)
{
	size_t size = 64 << 20;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	memset(text, '#', size);
	write_bytes("much.rules", text, size);
	write_file("main.rules", "include much.rules\ninclude much.rules\ninclude much.rules\n"
				 "include much.rules\n");
	read_wrong("main.rules");
	assert_problem(0, "much.rules: ", "256 MiB in all");
	assert_int_equal(problems.nr, 1);
	write_file("main.rules",
		   "include much.rules\ninclude much.rules\ninclude much.rules\n1/tcp\n");
	assert_reads("main.rules", "policy allow\ndrop tcp dport 1\n");
	free(text);
	unlink("much.rules");
}

/* Each file names the next one three times: 3^15 of them, and no circle. */
static void test_include_tree(void **state)
{
	char name[32], text[128];

	(void)state;
	for (int i = 0; i < 16; i++) {
		snprintf(name, sizeof(name), "tree%d.rules", i);
		snprintf(text, sizeof(text),
			 "include tree%d.rules\ninclude tree%d.rules\ninclude tree%d.rules\n",
			 i + 1, i + 1, i + 1);
		write_file(name, i < 15 ? text : "");
	}
	read_wrong("tree0.rules");
	assert_problem(0, "tree", "one file too many");
}

static void test_too_many_rules(void **state)
{
	FILE *out = fopen("many.rules", "w");

	(void)state;
	assert_non_null(out);
	for (unsigned int i = 0; i < 200000; i++)
		fprintf(out, "drop %s dport %u\n",
			i / 65535 == 0 ? "tcp" :
			i / 65535 == 1 ? "udp" :
			i / 65535 == 2 ? "sctp" :
					 "dccp",
			i % 65535 + 1);
	assert_int_equal(fclose(out), 0);
	read_wrong("many.rules");
	assert_problem(0, "many.rules:65536: ", "65535 rule ids are taken");
	assert_int_equal(problems.nr + problems.more, PB_PROBLEMS_END);
}

static void test_too_many_faults(void **state)
{
	size_t size = 8 << 20;
	char *text = malloc(size + 1);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < size; i++)
		text[i] = i % 2 ? '\n' : 'x';
	text[size] = '\0';
	write_file("many.rules", text);
	read_wrong("many.rules");
	assert_int_equal(problems.nr + problems.more, PB_PROBLEMS_END);
	memset(text, ' ', size);
	for (size_t i = 0; i < size; i += 4)
		memcpy(text + i, "\"\" ", 3);
	write_file("many.rules", text);
	read_wrong("many.rules");
	assert_problem(0, "many.rules:1: ", "more than 4096 words");
	free(text);
}

static void write_repeated(const char *name, const char *head, const char *part, size_t nr,
			   const char *tail)
{
	FILE *out = fopen(name, "w");

	assert_non_null(out);
	fputs(head, out);
	for (size_t i = 0; i < nr; i++)
		fputs(part, out);
	fputs(tail, out);
	assert_int_equal(fclose(out), 0);
}

static void test_too_much_json(void **state)
{
	(void)state;
	write_repeated("much.json", "{\"rules\":[", "{},", 1 << 20, "{}]}");
	read_wrong("much.json");
	assert_problem(0, "much.json: ", "more than any ruleset");
	write_repeated("much.json", "{\"rules\":[", "[],", 1 << 20, "[]]}");
	read_wrong("much.json");
	assert_problem(0, "much.json: ", "more than any ruleset");
	write_repeated("much.json", "{\"rules\":[{\"ports\":[\"1\"]", ",\"a\":1", 3 << 20, "}]}");
	read_wrong("much.json");
	assert_problem(0, "much.json: ", "more than any ruleset");
	write_repeated("deep.json", "", "{\"rules\":[", 100, "");
	read_wrong("deep.json");
	assert_problem(0, "deep.json:1: ", "nesting");
	write_repeated("deep.json", "", "[", 1 << 16, "");
	read_wrong("deep.json");
	assert_problem(0, "deep.json:1: ", "nesting");
}

static void test_keys_twice(void **state)
{
	static const char *const wrong[] = {
		"{\"rules\":[{\"ports\":[\"1\"]}],\"rules\":[]}",
		"{\"policy\":\"deny\",\"policy\":\"allow\"}",
		"{\"policy\":\"deny\",\"\\u0070olicy\":\"allow\"}",
		"{\"rules\":[{\"ports\":[\"1\"],\"ports\":[\"2\"]}]}",
		"{\"rules\":[{\"ports\":[\"1\"],\"packets\":{\"a\":1,\"a\":2}}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		write_file("twice.json", wrong[i]);
		read_wrong("twice.json");
		assert_problem(0, "twice.json: ", "a key twice");
		assert_int_equal(problems.nr, 1);
	}
	write_file("twice.json", "{\"rules\":[{\"ports\":[\"1\"],\"comment\":\"a:\\\":{,b\"}]}");
	assert_reads("twice.json", "policy allow\ndrop tcp,udp dport 1 comment \"a:\\\":{,b\"\n");
}

/* ---- What becomes of a ruleset ------------------------------------------------------------- */

static void test_replace(void **state)
{
	struct pb_rules rules = { 0 }, wanted;
	struct pb_error error;

	(void)state;
	add(&rules, "1/tcp");
	add(&rules, "2/tcp");
	add(&rules, "3/tcp");
	rules.rule[1].packets = 5;
	rules.settings.no_replies = true;
	write_file("new.rules", "policy deny\nallow 4/tcp\nallow 2/tcp comment \"kept\"\n3/tcp\n");
	wanted = read_right("new.rules");
	assert_int_equal(pb_rules_replace(&rules, &wanted, &error), 0);
	assert_format(&rules, "policy deny\nallow tcp dport 2 comment \"kept\"\ndrop tcp dport 3\n"
			      "allow tcp dport 4\n");
	assert_int_equal(rules.rule[0].id, 2);
	assert_int_equal(rules.rule[0].packets, 5);
	assert_int_equal(rules.rule[1].id, 3);
	assert_int_equal(rules.rule[2].packets, 0);
	pb_rules_clear(&wanted);
	pb_rules_clear(&rules);
}

/* Of six rules that there may be four are there, and give way to those of the text. `ids`: NULL, they are too many. */
static void replace_ids(const char *wanted_text, const char *ids)
{
	static const struct wrong full = { "7 rules", "6 rule ids", "(6 rules)" };
	static const __u32 retired[] = { 1, 2, 3, 4 };
	struct pb_rules rules = { .max_rules = 6, .retired = retired }, wanted;
	struct pb_error error;
	char found[64] = "";

	for (int i = 1; i <= 4; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%d/tcp", i);
		add(&rules, text);
	}
	rules.nr_retired = 4;
	write_file("new.rules", wanted_text);
	wanted = read_right("new.rules");
	if (!ids)
		assert_says(&full, pb_rules_replace(&rules, &wanted, &error), -ENOSPC, &error);
	else
		assert_int_equal(pb_rules_replace(&rules, &wanted, &error), 0);
	for (size_t i = 0; ids && i < rules.nr; i++)
		snprintf(found + strlen(found), sizeof(found) - strlen(found), "%u:%u ",
			 rules.rule[i].id, rules.rule[i].ports[0].first);
	if (ids)
		assert_string_equal(found, ids);
	pb_rules_clear(&wanted);
	pb_rules_clear(&rules);
}

static void test_replace_ids(void **state)
{
	(void)state;
	replace_ids("2/tcp\n", "2:2 ");
	/* Ids that were never given out are the first. */
	replace_ids("2/tcp\n7/tcp\n8/tcp\n", "2:2 5:7 6:8 ");
	/* Where they do not do, all begin anew, in order. */
	replace_ids("7/tcp\n2/tcp\n8/tcp\n9/tcp\n10/tcp\n", "1:7 2:2 3:8 4:9 5:10 ");
	replace_ids("7/tcp\n2/tcp\n8/tcp\n9/tcp\n10/tcp\n11/tcp\n", "1:7 2:2 3:8 4:9 5:10 6:11 ");
	replace_ids("1/udp\n2/udp\n3/udp\n4/udp\n5/udp\n6/udp\n7/udp\n", NULL);
}

static void test_replace_by_nothing(void **state)
{
	struct pb_rules rules = { 0 }, wanted = { 0 };
	struct pb_error error;

	(void)state;
	add(&rules, "1/tcp");
	rules.settings.policy = PB_POLICY_DENY;
	assert_int_equal(pb_rules_replace(&rules, &wanted, &error), 0);
	assert_format(&rules, "policy allow\n");
	pb_rules_clear(&rules);
}

static void test_check(void **state)
{
	static const struct wrong wrong = { "3 rules", "3 rules", "--max-rules" };
	struct pb_error error = { "" };
	struct pb_rules rules;

	(void)state;
	write_file("three.rules", "1/tcp\n2/tcp\n3/tcp\n");
	rules = read_right("three.rules");
	assert_int_equal(pb_rules_check(&rules, 3, &error), 0);
	assert_says(&wrong, pb_rules_check(&rules, 2, &error), -ENOSPC, &error);
	pb_rules_clear(&rules);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* The rules of 1,000 ports more than those of a file before it, so that some stay. */
static void write_many(const char *name, unsigned int first)
{
	FILE *out = fopen(name, "w");

	assert_non_null(out);
	for (unsigned int port = first; port < first + MANY; port++)
		fprintf(out, "drop tcp dport %u\n", port);
	assert_int_equal(fclose(out), 0);
}

/* (How long that takes is in tests/bench/control.) */
static void test_many(void **state)
{
	double start = seconds();
	struct pb_rules rules, wanted;
	struct pb_error error;
	char *text;

	(void)state;
	write_many("many.rules", 1);
	rules = read_right("many.rules");
	assert_int_equal(rules.nr, MANY);
	print_message("%u rules read: %.3f s\n", MANY, seconds() - start);

	start = seconds();
	text = format(&rules, NOW);
	write_file("many.rules", text);
	print_message("%u rules written: %.3f s\n", MANY, seconds() - start);
	free(text);

	write_many("other.rules", 1001);
	wanted = read_right("other.rules");
	start = seconds();
	assert_int_equal(pb_rules_replace(&rules, &wanted, &error), 0);
	print_message("%u rules replaced: %.3f s\n", MANY, seconds() - start);
	assert_int_equal(rules.nr, MANY);
	pb_rules_clear(&wanted);
	pb_rules_clear(&rules);
}

/* As in a change of a ruleset that is loaded: ids in use are the last to be given out. */
static void test_many_others(void **state)
{
	struct pb_rules rules, wanted;
	struct pb_error error;
	double start;
	__u32 *ids;

	(void)state;
	write_many("many.rules", 1);
	rules = read_right("many.rules");
	for (size_t i = 0; i < rules.nr; i++)
		rules.rule[i].protocols = 1 << PB_PROTO_UDP;
	ids = calloc(rules.nr, sizeof(*ids));
	assert_non_null(ids);
	for (size_t i = 0; i < rules.nr; i++)
		ids[i] = rules.rule[i].id;
	rules.retired = ids;
	rules.nr_retired = rules.nr;
	wanted = read_right("many.rules");
	start = seconds();
	assert_int_equal(pb_rules_replace(&rules, &wanted, &error), 0);
	print_message("%u rules replaced by others: %.3f s\n", MANY, seconds() - start);
	assert_int_equal(rules.nr, MANY);
	pb_rules_clear(&wanted);
	pb_rules_clear(&rules);
	free(ids);
}

/* ---- --------------------------------------------------------------------------------------- */

static int enter_folder(void **state)
{
	(void)state;
	return !mkdtemp(folder) || chdir(folder) || mkdir("sub", 0700) || mkdir("sub/deep", 0700);
}

static int leave_folder(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	return chdir("/") || system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip_settings),
		cmocka_unit_test(test_round_trip_rules),
		cmocka_unit_test(test_round_trip_sets),
		cmocka_unit_test(test_many_sets),
		cmocka_unit_test(test_faults_of_json_sets),
		cmocka_unit_test(test_replace_sets),
		cmocka_unit_test(test_set_files),
		cmocka_unit_test(test_set_file_words),
		cmocka_unit_test(test_set_file_is_empty),
		cmocka_unit_test(test_set_file_path_is_long),
		cmocka_unit_test(test_set_files_in_json),
		cmocka_unit_test(test_replace_set_files),
		cmocka_unit_test(test_defaults_are_left_out),
		cmocka_unit_test(test_time_left),
		cmocka_unit_test(test_rule_list_is_a_file),
		cmocka_unit_test(test_text_forms),
		cmocka_unit_test(test_last_of_the_same_holds),
		cmocka_unit_test(test_notes_may_be_left_out),
		cmocka_unit_test(test_standard_input),
		cmocka_unit_test(test_standard_input_names_files),
		cmocka_unit_test(test_include),
		cmocka_unit_test(test_include_absolute),
		cmocka_unit_test(test_prefix_files),
		cmocka_unit_test(test_prefix_files_that_are_wrong),
		cmocka_unit_test(test_include_twice),
		cmocka_unit_test(test_include_circles),
		cmocka_unit_test(test_include_depth),
		cmocka_unit_test(test_faults_of_lines),
		cmocka_unit_test(test_all_faults_at_once),
		cmocka_unit_test(test_faults_of_files),
		cmocka_unit_test(test_faults_of_json),
		cmocka_unit_test(test_many_faults_of_json),
		cmocka_unit_test(test_byte_order_mark),
		cmocka_unit_test(test_include_of_what_is_no_file),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_too_large_in_all),
		cmocka_unit_test(test_include_tree),
		cmocka_unit_test(test_too_many_rules),
		cmocka_unit_test(test_too_many_faults),
		cmocka_unit_test(test_too_much_json),
		cmocka_unit_test(test_keys_twice),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_replace_ids),
		cmocka_unit_test(test_replace_by_nothing),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_many_others),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
