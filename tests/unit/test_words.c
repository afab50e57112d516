// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>
#include "rule/names.h"
#include "says.h"
#include "util/escape.h"

/* Splits, and joins the words with | for comparison. */
static void splits(const char *line, const char *wanted)
{
	char **words = NULL, joined[256] = "";
	size_t nr = 99;
	struct pb_error error = { "" };

	if (pb_words_split(line, &words, &nr, &error))
		fail_msg("%s: %s", line, error.text);
	for (size_t i = 0; i < nr; i++) {
		strcat(joined, words[i]);
		strcat(joined, "|");
	}
	assert_string_equal(joined, wanted);
	pb_words_free(words, nr);
}

static void test_plain(void **state)
{
	(void)state;
	splits("", "");
	splits(" \t\r\n", "");
	splits("drop tcp", "drop|tcp|");
	splits("  drop\ttcp \r\n", "drop|tcp|");
	splits("back\\slash", "back\\slash|");
}

static void test_quotes(void **state)
{
	(void)state;
	splits("comment \"two words\" new", "comment|two words|new|");
	splits("\"\"", "|");
	splits("\"a\\\"b\\\\c\"", "a\"b\\c|");
	splits("\"# no comment\" x", "# no comment|x|");
}

/* Only a word that starts with # ends the line: text must not vanish unseen. */
static void test_comments(void **state)
{
	(void)state;
	splits("# all", "");
	splits("drop # rest \"open", "drop|");
	splits("drop #rest", "drop|");
	splits("drop ticket#12 x", "drop|ticket#12|x|");
}

static void test_many(void **state)
{
	char line[4001], **words;
	size_t nr;

	(void)state;
	for (int i = 0; i < 4000; i++)
		line[i] = i % 2 ? ' ' : 'x';
	line[4000] = '\0';
	assert_int_equal(pb_words_split(line, &words, &nr, NULL), 0);
	assert_int_equal(nr, 2000);
	pb_words_free(words, nr);
}

static void test_wrong(void **state)
{
	static const struct wrong wrong[] = {
		{ "drop \"open", "\"open", "close it" },
		{ "drop \"open\\\"", "is left open", NULL },
		{ "drop \"", "is left open", NULL },
		{ "a\"b\"", "a\"b", "whole word" },
		{ "\"a\"b", "space after the closing quote", NULL },
		{ "\"a\"\"b\"", "space after the closing quote", NULL },
		{ "\"a\\n\"", "backslash", "\\n" },
		{ "\"a\\", "backslash", NULL },
		{ NULL, NULL, NULL },
	};

	(void)state;
	for (const struct wrong *w = wrong; w->input; w++) {
		struct pb_error error = { "" };
		char **words = (char **)0x1;
		size_t nr = 99;

		assert_says(w, pb_words_split(w->input, &words, &nr, &error), -EINVAL, &error);
		assert_int_equal(nr, 99);
		assert_ptr_equal(words, (char **)0x1);
	}
}

/* What goes back to a terminal: no control character, no half character, no endless word. */
static void test_quote(void **state)
{
	char word[300];

	(void)state;
	assert_string_equal(PB_Q("22abc"), "\"22abc\"");
	assert_string_equal(PB_Q("caf\xc3\xa9"), "\"caf\xc3\xa9\"");
	assert_string_equal(PB_Q("\033[2J"), "\"\\x1b[2J\"");
	assert_string_equal(PB_Q("\xc2\x9b"), "\"\\xc2\\x9b\"");
	assert_string_equal(PB_Q("\xff"), "\"\\xff\"");
	for (size_t shift = 0; shift < 2; shift++) {
		memset(word, 'x', shift);
		for (size_t i = shift; i < sizeof(word) - 2; i += 2)
			memcpy(word + i, "\xc3\xa9", 3);
		assert_true(pb_text_is_clean(PB_Q(word)));
		assert_true(strlen(PB_Q(word)) < 96);
		assert_non_null(strstr(PB_Q(word), "...\""));
	}
	memset(word, 1, sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_true(strlen(PB_Q(word)) < 96);
}

static void test_clean(void **state)
{
	(void)state;
	assert_true(pb_text_is_clean(""));
	assert_true(pb_text_is_clean("\xe2\x82\xac \xf0\x9f\x98\x80"));
	assert_false(pb_text_is_clean("a\nb"));
	assert_false(pb_text_is_clean("\x7f"));
	assert_false(pb_text_is_clean("\xc2\x85"));	    /* a C1 control */
	assert_false(pb_text_is_clean("\xc0\xaf"));	    /* longer than need be */
	assert_false(pb_text_is_clean("\xed\xa0\x80"));	    /* a surrogate */
	assert_false(pb_text_is_clean("\xf4\x90\x80\x80")); /* behind U+10FFFF */
	assert_false(pb_text_is_clean("\xe2\x82"));	    /* cut */
	assert_false(pb_text_is_clean("\x80"));
}

static void test_names(void **state)
{
	static const struct {
		const char *word;
		const char *near;
	} cases[] = {
		{ "tpc", "tcp" }, { "TCP", "tcp" },
		{ "tc", "tcp" },  { "sctpp", "sctp" },
		{ "upd", "udp" }, { "udplit", "udplite" },
		{ "x", NULL },	  { "", NULL },
		{ "icmp", NULL }, { "averyveryverylongword", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *near = pb_names_near(&pb_proto_names, cases[i].word);

		if (!cases[i].near)
			assert_null(near);
		else if (!near || strcmp(near, cases[i].near))
			fail_msg("%s: %s", cases[i].word, near ? near : "nothing");
	}
	assert_string_equal(pb_action_name(PB_ACTION_AUDIT), "audit");
	assert_string_equal(pb_outcome_name(PB_OUTCOME_DROP_POLICY), "drop-policy");
	assert_string_equal(pb_outcome_name(PB_OUTCOME_MAX), "unknown");
}

static void test_policy_and_mode(void **state)
{
	static const struct wrong wrong = { "denny", "\"denny\" is not a policy (allow, deny, reject)",
					    "did you mean deny?" };
	struct pb_error error = { "" };
	enum pb_policy policy = PB_POLICY_ALLOW;
	enum pb_mode mode = PB_MODE_AUTO;

	(void)state;
	assert_int_equal(pb_policy_parse("deny", &policy, &error), 0);
	assert_int_equal(policy, PB_POLICY_DENY);
	assert_says(&wrong, pb_policy_parse(wrong.input, &policy, &error), -EINVAL, &error);
	assert_int_equal(policy, PB_POLICY_DENY);
	assert_int_equal(pb_mode_parse("skb", &mode, &error), 0);
	assert_int_equal(mode, PB_MODE_SKB);
	assert_int_equal(pb_mode_parse("generic", &mode, &error), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),		cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_comments),	cmocka_unit_test(test_many),
		cmocka_unit_test(test_wrong),		cmocka_unit_test(test_quote),
		cmocka_unit_test(test_clean),		cmocka_unit_test(test_names),
		cmocka_unit_test(test_policy_and_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
