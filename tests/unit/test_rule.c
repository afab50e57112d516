// SPDX-License-Identifier: GPL-2.0-only
/* Rules and their text. PB_SEED in the environment repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "anyrule.h"
#include "says.h"

#define ROUNDS 5000
#define NOW 123456789012345ULL
#define S 1000000000ULL

static void reads(const char *line, const char *wanted)
{
	struct pb_rule rule = rule_of(line, NOW);
	char *text = text_of(&rule, NOW);

	assert_string_equal(text, wanted);
	free(text);
	pb_rule_clear(&rule);
}

static void test_long_form(void **state)
{
	(void)state;
	reads("drop tcp dport 22", "drop tcp dport 22");
	reads("drop  tcp      dport 22       except 10.0.0.0/8,2001:db8::/32   comment \"ssh from "
	      "the office only\"",
	      "drop tcp dport 22 except 10.0.0.0/8,2001:db8::/32 comment \"ssh from the office "
	      "only\"");
	reads("drop  udp      sport 19,123,389,1900,11211", "drop udp sport 19,123,389,1900,11211");
	reads("allow tcp dport 443,80 # web", "allow tcp dport 80,443");
	reads("drop tcp dport 1-65535 new", "drop tcp dport 1-65535 new");
	reads("audit udp dport 53 expires 30m", "audit udp dport 53 expires 30m");
	reads("tcp dport 22", "drop tcp dport 22");
	reads("drop dport 22", "drop tcp,udp dport 22");
	reads("sport 53", "drop tcp,udp sport 53");
	reads("drop tcp new comment \"\" from 10.0.0.1 dport 22",
	      "drop tcp dport 22 from 10.0.0.1 new");
	reads("drop tcp dport 22 comment plain", "drop tcp dport 22 comment \"plain\"");
}

static void test_short_form(void **state)
{
	(void)state;
	reads("22/tcp", "drop tcp dport 22");
	reads("8000-8100/tcp,udp", "drop tcp,udp dport 8000-8100");
	reads("allow 80/tcp", "allow tcp dport 80");
	reads("22,80/sctp except 10.0.0.0/8 expires 1h comment x",
	      "drop sctp dport 22,80 except 10.0.0.0/8 expires 1h comment \"x\"");
}

static void test_sets_of_sources(void **state)
{
	(void)state;
	reads("drop tcp dport 22 from @bans", "drop tcp dport 22 from @bans");
	reads("22/tcp from @b,10.0.0.0/8,@a,@b,fd00::1 except @c,10.1.0.0/16",
	      "drop tcp dport 22 from 10.0.0.0/8,fd00::1,@a,@b except 10.1.0.0/16,@c");
	reads("22/tcp except @friends", "drop tcp dport 22 except @friends");
	reads("22/tcp from 10.0.0.0/8,@bans except 10.0.0.0/8",
	      "drop tcp dport 22 from 10.0.0.0/8,@bans except 10.0.0.0/8");
	reads("22/tcp from 10.0.0.0/8,@bans except @bans",
	      "drop tcp dport 22 from 10.0.0.0/8,@bans except @bans");
	reads("22/tcp from @0123456789012345678901234567_-A",
	      "drop tcp dport 22 from @0123456789012345678901234567_-A");
}

static void test_sources_alone(void **state)
{
	(void)state;
	reads("drop from @bans", "drop from @bans");
	reads("from 10.0.0.1", "drop from 10.0.0.1");
	reads("allow except @bad from 203.0.113.0/24,@good expires 1h comment x",
	      "allow from 203.0.113.0/24,@good except @bad expires 1h comment \"x\"");
}

static void test_rates(void **state)
{
	(void)state;
	reads("drop tcp dport 22 over 6/m", "drop tcp dport 22 over 6/m");
	reads("drop tcp dport 22 over 6/m burst 6", "drop tcp dport 22 over 6/m");
	reads("drop tcp dport 22 over 100/h burst 3 new",
	      "drop tcp dport 22 new over 100/h burst 3");
	reads("drop tcp dport 22 over 10k/s", "drop tcp dport 22 over 10000/s");
	reads("drop udp dport 53 over 10mbit/s", "drop udp dport 53 over 10mbit/s");
	reads("drop udp dport 53 over 1500kbit/s burst 1000kbit",
	      "drop udp dport 53 over 1500kbit/s burst 1mbit");
	reads("drop udp dport 53 over 9600bit/s", "drop udp dport 53 over 9600bit/s");
	reads("drop udp dport 53 over 9600bit/s burst 524288bit",
	      "drop udp dport 53 over 9600bit/s");
	reads("drop tcp dport 22 over 6/m each source", "drop tcp dport 22 over 6/m each source");
	reads("drop tcp dport 22 over 6/m each source/32,64",
	      "drop tcp dport 22 over 6/m each source");
	reads("drop tcp dport 22 over 6/m each source/24",
	      "drop tcp dport 22 over 6/m each source/24,64");
	reads("22/tcp over 6/m burst 2 each source/1,128 total 100/s comment x",
	      "drop tcp dport 22 over 6/m burst 2 each source/1,128 total 100/s comment \"x\"");
	reads("drop from @bans over 1/s", "drop from @bans over 1/s");
	reads("audit from 10.0.0.0/8,@bans over 1/s each source expires 1h",
	      "audit from 10.0.0.0/8,@bans over 1/s each source expires 1h");
	reads("allow udp sport 53 over 1/s", "allow udp sport 53 over 1/s");
	/* There is one burst, that of the rate, wherever it stands. */
	reads("22/tcp over 6/m each source total 9/s burst 3",
	      "drop tcp dport 22 over 6/m burst 3 each source total 9/s");
	/* The largest there are, which are more than 32 bits have room for. */
	reads("drop tcp dport 22 over 360g/h", "drop tcp dport 22 over 360000000000/h");
	reads("drop tcp dport 22 over 360000000000/h", "drop tcp dport 22 over 360000000000/h");
	reads("drop tcp dport 22 over 1m/s burst 5g",
	      "drop tcp dport 22 over 1000000/s burst 5000000000");
	reads("drop tcp dport 22 over 1/h burst 8759", "drop tcp dport 22 over 1/h burst 8759");
	reads("drop tcp dport 22 over 7/h burst 61319", "drop tcp dport 22 over 7/h burst 61319");
	reads("drop tcp dport 22 over 1/m burst 525599", "drop tcp dport 22 over 1/m burst 525599");
	reads("drop tcp dport 22 over 1kbit/s burst 31535999999bit",
	      "drop tcp dport 22 over 1kbit/s burst 31535999999bit");
	reads("drop udp dport 53 over 100000000000bit/s", "drop udp dport 53 over 100gbit/s");
	reads("drop udp dport 53 over 99999999999bit/s", "drop udp dport 53 over 99999999999bit/s");
	reads("drop udp dport 53 over 1bit/s burst 12144bit",
	      "drop udp dport 53 over 1bit/s burst 12144bit");
}

static void test_wrong(void **state)
{
	static const struct wrong wrong[] = {
		{ "", "the rule is empty", "drop tcp dport 22" },
		{ "drop", "lacks ports", "dport" },
		{ "drop tcp", "lacks ports", "dport" },
		{ "drop tcp new", "lacks ports", NULL },
		{ "dorp tcp dport 22", "\"dorp\" starts no rule", "did you mean drop?" },
		{ "tpc dport 22", "\"tpc\" starts no rule", "did you mean tcp?" },
		{ "deny tcp dport 22", "\"deny\" starts no rule",
		  "actions are drop, reject, audit" },
		{ "drop tpc dport 22", "\"tpc\" is not a protocol", "did you mean tcp?" },
		{ "drop tcp,upd dport 22", "\"upd\" is not a protocol", "did you mean udp?" },
		{ "22", "\"22\" lacks a protocol", "22/tcp" },
		{ "drop 22", "\"22\" lacks a protocol", "22/tcp" },
		{ "22/tpc", "\"tpc\" is not a protocol", NULL },
		{ "22/", "the list of protocols is empty", NULL },
		{ "/tcp", "the list of ports is empty", NULL },
		{ "22abc/tcp", "\"22abc\" is not a port", NULL },
		{ "drop tcp dport", "\"dport\" lacks its value", "dport 22,80-90" },
		{ "drop tcp dport 22 from", "\"from\" lacks its value", "10.0.0.0/8" },
		{ "drop tcp dport 22 expires", "\"expires\" lacks its value", "1h30m" },
		{ "drop tcp dport 22 comment", "\"comment\" lacks its value", NULL },
		{ "drop tcp dport 22 over", "\"over\" lacks its value", "over 6/m" },
		{ "drop tcp dport 22 over 10", "\"10\" says not in what time", "100/s" },
		{ "drop tcp dport 22 over 10/d", "\"10/d\" has no such time",
		  "second, minute or hour" },
		{ "drop tcp dport 22 over /s", "\"/s\" is no rate", "6/m" },
		{ "drop tcp dport 22 over 1.5/s", "\"1.5/s\" is no rate", "6/m" },
		{ "drop tcp dport 22 over -1/s", "\"-1/s\" is no rate", "6/m" },
		{ "drop tcp dport 22 over 10kib/s", "\"10kib/s\" is no rate", "10mbit/s" },
		{ "drop tcp dport 22 over 10kb/s", "\"10kb/s\" is no rate", "10mbit/s" },
		{ "drop tcp dport 22 over bit/s", "\"bit/s\" is no rate", "10mbit/s" },
		{ "drop tcp dport 22 over 0/s", "\"0/s\" would let nothing through",
		  "without \"over\"" },
		{ "drop tcp dport 22 over 0mbit/s", "would let nothing through", NULL },
		{ "drop tcp dport 22 over 100000001/s", "is too fast", "100000000/s" },
		{ "drop tcp dport 22 over 360000000001/h", "is too fast", "100000000/s" },
		{ "drop tcp dport 22 over 18446744073709551615/s", "is too fast", NULL },
		{ "drop tcp dport 22 over 18446744073709551616/s", "beyond what can be counted",
		  NULL },
		{ "drop tcp dport 22 over 18446744074g/s", "beyond what can be counted", NULL },
		{ "drop tcp dport 22 over 06/s", "\"06/s\" is no rate", "6/m" },
		{ "drop tcp dport 22 over 6/m each source/24,64,1", "\"source/24,64,1\"",
		  "1 to 128 bits" },
		{ "drop tcp dport 22 over 101gbit/s", "is too fast", "100gbit/s" },
		{ "drop tcp dport 22 over 99999999999999999999/s", "beyond what can be counted",
		  NULL },
		{ "drop tcp dport 22 over 10mbit/m", "bits are counted a second", "10mbit/s" },
		{ "drop tcp dport 22 over 6/m over 7/m", "\"over\" is given twice", NULL },
		{ "drop tcp dport 22 over 6/m burst 0", "a burst of \"0\" lets nothing through",
		  "burst 10" },
		{ "drop tcp dport 22 over 6/m burst x", "\"x\" is no burst", "burst 10" },
		{ "drop tcp dport 22 over 6/m burst 1mbit", "counts bits and the rate packets",
		  "burst 10" },
		{ "drop tcp dport 22 over 1mbit/s burst 10", "counts packets and the rate bits",
		  "burst 1mbit" },
		{ "drop tcp dport 22 over 1mbit/s burst 12143bit", "lets no full frame through",
		  "at least 12144bit" },
		{ "drop tcp dport 22 over 1/h burst 8760", "more than a year", "smaller" },
		{ "drop tcp dport 22 over 1/m burst 525600", "\"525600\"", "more than a year" },
		{ "drop tcp dport 22 over 1/s burst 31536000", "\"31536000\"", "more than a year" },
		{ "drop tcp dport 22 over 7/h burst 61320", "\"61320\"", "more than a year" },
		{ "drop tcp dport 22 over 1kbit/s burst 31536000000bit", "\"31536000000bit\"",
		  "more than a year" },
		{ "drop tcp dport 22 over 100m/s burst 18446744073709551615",
		  "\"18446744073709551615\"", "more than a year" },
		{ "drop tcp dport 22 over 100m/s burst 18446744073709551616",
		  "\"18446744073709551616\"", "beyond what can be counted" },
		{ "drop tcp dport 22 over 1gbit/s burst 18446744074gbit", "\"18446744074gbit\"",
		  "beyond what can be counted" },
		{ "drop tcp dport 22 burst 10", "\"burst\" stands behind \"over\"",
		  "over 6/m burst 10" },
		{ "drop tcp dport 22 burst 10 over 6/m", "\"burst\" stands behind \"over\"", NULL },
		{ "drop tcp dport 22 each source", "\"each\" stands behind \"over\"",
		  "over 6/m each source" },
		{ "drop tcp dport 22 over 6/m each port", "each \"port\"", "each source/24,64" },
		{ "drop tcp dport 22 over 6/m each sources", "each \"sources\"", NULL },
		{ "drop tcp dport 22 over 6/m each source/33", "\"source/33\"", "1 to 32 bits" },
		{ "drop tcp dport 22 over 6/m each source/0", "\"source/0\"", "1 to 32 bits" },
		{ "drop tcp dport 22 over 6/m each source/", "\"source/\"", "1 to 32 bits" },
		{ "drop tcp dport 22 over 6/m each source/24,129", "\"source/24,129\"",
		  "1 to 128 bits" },
		{ "drop tcp dport 22 over 6/m each source/24,", "\"source/24,\"", "1 to 128 bits" },
		{ "drop tcp dport 22 over 6/m total 9/s", "\"total\" stands behind \"each source\"",
		  "each source total 100/s" },
		{ "drop tcp prot 22", "\"prot\" is not a keyword of a rule",
		  "dport, sport, from, except, new, over, burst, each, total, expires, "
		  "comment" },
		{ "drop tcp dprot 22", "\"dprot\" is not a keyword", "did you mean dport?" },
		{ "drop tcp dport 22 drop", "\"drop\" is not a keyword", NULL },
		{ "drop tcp dport 22 action drop", "\"action\" is not a keyword", NULL },
		{ "drop tcp udp dport 22", "\"udp\" is not a keyword", NULL },
		{ "drop tcp dport 22 comment ssh only", "\"only\" behind the comment",
		  "in quotes" },
		{ "drop tcp dport 22 dport 23", "\"dport\" is given twice", NULL },
		{ "22/tcp dport 23", "\"dport\" is given twice", NULL },
		{ "drop tcp dport 22 new new", "\"new\" is given twice", NULL },
		{ "drop tcp dport 22 sport 23", "\"dport\" and \"sport\"", "two rules" },
		{ "22/tcp sport 23", "\"dport\" and \"sport\"", "two rules" },
		{ "drop tcp sport 22 new", "\"new\" cannot go with \"sport\"", "other end" },
		{ "drop tcp dport 22 except 0.0.0.0/0,::/0", "\"0.0.0.0/0,::/0\" leaves no source",
		  "\"from\" is not given" },
		{ "drop tcp dport 22 from 10.1.0.0/16,10.2.0.1 except 10.0.0.0/8",
		  "\"10.0.0.0/8\" leaves no source", "smaller" },
		{ "drop tcp dport 22 from 10.0.0.0/33", "\"10.0.0.0/33\"", "/0 to /32" },
		{ "drop tcp dport 22 expires 5", "\"5\" lacks a unit", NULL },
		{ "drop tcp dport 22 expires 0s", "\"0s\" is too short", NULL },
		{ "drop tcp dport 22 from @hosts.txt", "\"@hosts.txt\" is no name of a set",
		  "with a slash in it, as in @./hosts" },
		{ "22/tcp from @01234567890123456789012345678901", "is no name of a set",
		  "at most 31" },
		{ "drop tcp dport 22 from @", "\"@\" lacks a name", "@./FILE" },
		{ "drop tcp dport 22 from 10.0.0.1,,@a", "has an empty place", NULL },
		{ "drop tcp dport 22 from @a except @b,@a", "\"@a,@b\" leaves no source",
		  "\"from\" names" },
		{ "drop from @a except 0.0.0.0/0,::/0", "leaves no source", NULL },
		{ "drop from @a new", "\"new\" needs ports", "dport 1-65535" },
		{ "drop except @a", "lacks ports", "\"from\"" },
		{ "drop tcp from @a", "lacks ports", "leave the protocols out" },
		{ "drop from @a 22/tcp", "\"22/tcp\" is not a keyword", NULL },
		{ "drop tcp dport 22 comment \"a\tb\"", "control characters", "a\\x09b" },
		{ "drop tcp dport 22 comment \xff", "not UTF-8", "\\xff" },
		{ "drop tcp dport 22 comment "
		  "0123456789012345678901234567890123456789012345678901234567890123",
		  "64 bytes long", "at most 63" },
		{ NULL, NULL, NULL },
	};
	struct pb_rule rule = rule_of("allow udp sport 1-9 comment kept", NOW);

	(void)state;
	for (const struct wrong *w = wrong; w->input; w++) {
		struct pb_error error = { "" };
		char **words, *text;
		size_t nr;

		assert_int_equal(pb_words_split(w->input, &words, &nr, &error), 0);
		assert_says(w, pb_rule_parse(words, nr, NOW, &rule, NULL, &error), -EINVAL, &error);
		assert_int_equal(pb_rule_parse(words, nr, NOW, &rule, NULL, NULL), -EINVAL);
		text = text_of(&rule, NOW);
		assert_string_equal(text, "allow udp sport 1-9 comment \"kept\"");
		free(text);
		pb_words_free(words, nr);
	}
	pb_rule_clear(&rule);
}

static void test_longest_comment(void **state)
{
	(void)state;
	reads("22/tcp comment 012345678901234567890123456789012345678901234567890123456789012",
	      "drop tcp dport 22 comment "
	      "\"012345678901234567890123456789012345678901234567890123456789012\"");
}

static void test_set(void **state)
{
	struct pb_rule rule = { 0 };
	struct pb_error note = { "old" }, error = { "" };
	char *text;

	(void)state;
	assert_int_equal(pb_rule_set(&rule, "protocols", "udp,tcp", NOW, &note, &error), 0);
	assert_string_equal(note.text, "");
	assert_int_equal(pb_rule_set(&rule, "dport", "22", NOW, NULL, &error), 0);
	assert_int_equal(pb_rule_set(&rule, "dport", "23", NOW, NULL, &error), 0);
	assert_int_equal(pb_rule_set(&rule, "action", "audit", NOW, NULL, &error), 0);
	assert_int_equal(pb_rule_set(&rule, "from", "10.0.0.1/8", NOW, &note, &error), 0);
	assert_non_null(strstr(note.text, "\"10.0.0.1/8\" is taken as 10.0.0.0/8"));
	assert_int_equal(pb_rule_set(&rule, "except", "10.9.0.0/16", NOW, &note, &error), 0);
	assert_string_equal(note.text, "");
	assert_int_equal(pb_rule_set(&rule, "new", NULL, NOW, NULL, &error), 0);
	assert_int_equal(pb_rule_set(&rule, "expires", "90s", NOW, NULL, &error), 0);
	assert_true(rule.expires == NOW + 90 * S);
	assert_int_equal(pb_rule_set(&rule, "comment", "a \"b\" \\", NOW, NULL, &error), 0);
	assert_int_equal(pb_rule_check(&rule, &error), 0);
	text = text_of(&rule, NOW);
	assert_string_equal(text, "audit tcp,udp dport 23 from 10.0.0.0/8 except 10.9.0.0/16 new "
				  "expires 1m30s comment \"a \\\"b\\\" \\\\\"");
	free(text);
	pb_rule_clear(&rule);
}

static void test_set_wrong(void **state)
{
	static const struct wrong word = { "port", "\"port\" is not a keyword",
					   "did you mean dport?" };
	static const struct wrong side = { "sport", "\"dport\" and \"sport\"", "two rules" };
	static const struct wrong value = { "yes", "\"new\" takes no value", "\"yes\"" };
	static const struct wrong none = { "from", "\"from\" lacks its value", "10.0.0.0/8" };
	static const struct wrong nothing = { "check", "lacks protocols", "tcp,udp" };
	struct pb_rule rule = { 0 };
	struct pb_error error = { "" };

	(void)state;
	assert_says(&nothing, pb_rule_check(&rule, &error), -EINVAL, &error);
	assert_says(&word, pb_rule_set(&rule, "port", "22", 0, NULL, &error), -ENOENT, &error);
	assert_int_equal(pb_rule_set(&rule, "dport", "22", 0, NULL, &error), 0);
	assert_says(&side, pb_rule_set(&rule, "sport", "9", 0, NULL, &error), -EINVAL, &error);
	assert_says(&value, pb_rule_set(&rule, "new", "yes", 0, NULL, &error), -EINVAL, &error);
	assert_says(&none, pb_rule_set(&rule, "from", NULL, 0, NULL, &error), -EINVAL, &error);
	assert_int_equal(rule.side, PB_SIDE_DPORT);
	assert_int_equal(rule.ports[0].first, 22);
	assert_false(rule.only_new);
	pb_rule_clear(&rule);
}

/* What no text says, but a program that fills the structure itself may. */
static void test_unfit_rates(void **state)
{
#define UNFIT(set, text)                                                            \
	do {                                                                        \
		static const struct wrong wrong = { #set, "\"over\" has", text };   \
		struct pb_over *over = &rule.over;                                  \
		*over = right;                                                      \
		set;                                                                \
		assert_says(&wrong, pb_rule_check(&rule, &error), -EINVAL, &error); \
	} while (0)
	struct pb_rule rule = rule_of("22/tcp over 6/m each source total 9/s", NOW);
	struct pb_over right = rule.over;
	struct pb_error error = { "" };

	(void)state;
	assert_int_equal(pb_rule_check(&rule, &error), 0);
	UNFIT(over->rate.amount = 0, "no rate");
	UNFIT(over->rate.burst = 0, "burst of 0");
	UNFIT(over->rate.unit = PB_RATE_UNIT_MAX, "unit or time");
	UNFIT(over->rate.per = PB_RATE_PER_MAX, "unit or time");
	UNFIT(over->rate.reserved[5] = 1, "mean nothing");
	UNFIT(over->reserved[4] = 1, "mean nothing");
	UNFIT(over->each = 0, "no \"each\"");
	UNFIT(over->each = 2, "1 to 32 bits");
	UNFIT(over->len4 = 0, "1 to 32 bits");
	UNFIT(over->len4 = 33, "1 to 32 bits");
	UNFIT(over->len6 = 0, "1 to 128");
	UNFIT(over->len6 = 129, "1 to 128");
	UNFIT(over->each = over->len4 = over->len6 = 0, "\"total\", but no \"each\"");
	UNFIT(over->total.amount = 0, "\"total\" without its rate");
	UNFIT(over->total.burst = 10, "another burst");
	UNFIT(over->total.unit = PB_RATE_UNIT_MAX, "unit or time");
	pb_rule_clear(&rule);
#undef UNFIT
}

/* Of a rate that a program has put together itself, as of one that somebody wrote. */
static void test_rates_beyond(void **state)
{
	static const struct wrong fast = { "fast", "\"100000001\" is too fast", NULL };
	static const struct wrong slow = { "slow", "a burst of \"8760\"", "more than a year" };
	static const struct wrong hour = { "hour", "bits are counted a second", NULL };
	struct pb_rule rule = rule_of("22/tcp over 100000000/s", NOW);
	struct pb_error error = { "" };

	(void)state;
	assert_int_equal(pb_rule_check(&rule, &error), 0);
	rule.over.rate.amount++;
	assert_says(&fast, pb_rule_check(&rule, &error), -EINVAL, &error);
	rule.over.rate = (struct pb_rate){ .amount = 1, .burst = 8760, .per = PB_RATE_HOUR };
	assert_says(&slow, pb_rule_check(&rule, &error), -EINVAL, &error);
	rule.over.rate = (struct pb_rate){ 1, 20000, PB_RATE_BITS, PB_RATE_HOUR, { 0 } };
	assert_says(&hour, pb_rule_check(&rule, &error), -EINVAL, &error);
	pb_rule_clear(&rule);
}

static void test_notes(void **state)
{
	char *words[] = { "22/tcp", "from", "10.0.0.1/8", "except", "10.9.0.1/16" };
	struct pb_rule rule = { 0 };
	struct pb_error note = { "old" }, error = { "" };

	(void)state;
	assert_int_equal(pb_rule_parse(words, 5, 0, &rule, &note, &error), 0);
	assert_non_null(strstr(note.text, "\"10.0.0.1/8\" is taken as 10.0.0.0/8"));
	assert_non_null(strstr(note.text, "; \"10.9.0.1/16\" is taken as 10.9.0.0/16"));
	assert_int_equal(pb_rule_parse(words, 1, 0, &rule, &note, &error), 0);
	assert_string_equal(note.text, "");
	pb_rule_clear(&rule);
}

static void test_time(void **state)
{
	struct pb_rule rule = rule_of("22/tcp expires 10s", NOW);
	char *text;

	(void)state;
	text = text_of(&rule, NOW + 9 * S + 1);
	assert_string_equal(text, "drop tcp dport 22 expires 1s");
	free(text);
	text = text_of(&rule, NOW + 10 * S);
	assert_string_equal(text, "drop tcp dport 22 expires 0s");
	free(text);
	pb_rule_clear(&rule);
}

static void test_copy(void **state)
{
	struct pb_rule rule = rule_of("22,80/tcp from 10.0.0.0/8,@a,@b except 10.1.0.0/16,@c", NOW);
	struct pb_rule copy = rule_of("1/udp from @gone comment gone", NOW);
	char *a = text_of(&rule, NOW), *b;

	(void)state;
	assert_int_equal(pb_rule_copy(&copy, &rule), 0);
	assert_ptr_not_equal(copy.ports, rule.ports);
	pb_rule_clear(&rule);
	assert_null(rule.ports);
	b = text_of(&copy, NOW);
	assert_string_equal(a, b);
	pb_rule_clear(&copy);
	free(a);
	free(b);
}

/* Any condition that a rule may have is one that can be written, and reads back as it is. */
static void test_random_over(void **state)
{
	struct random random;

	(void)state;
	random_begin(&random);
	for (int round = 0; round < ROUNDS; round++) {
		struct pb_rule rule = rule_of("22/tcp", NOW), read;
		struct pb_error error = { "" };
		char *text;

		random_over(&random, &rule.over);
		if (pb_rule_check(&rule, &error))
			fail_msg("%s", error.text);
		text = text_of(&rule, NOW);
		read = rule_of(text, NOW);
		assert_memory_equal(&rule.over, &read.over, sizeof(rule.over));
		pb_rule_clear(&rule);
		pb_rule_clear(&read);
		free(text);
	}
}

/* What is printed reads back as the same, and prints the same again. */
static void test_random(void **state)
{
	struct random random;
	char line[ANY_LINE];

	(void)state;
	random_begin(&random);
	for (int round = 0; round < ROUNDS; round++) {
		struct pb_rule first, second;
		char *once, *twice;

		any_line(&random, line);
		first = rule_of(line, NOW);
		once = text_of(&first, NOW);
		second = rule_of(once, NOW);
		twice = text_of(&second, NOW);
		assert_string_equal(once, twice);
		assert_true(first.expires == second.expires);
		assert_string_equal(first.comment, second.comment);
		assert_int_equal(first.nr_ports, second.nr_ports);
		assert_memory_equal(&first.over, &second.over, sizeof(first.over));
		assert_memory_equal(first.ports, second.ports,
				    first.nr_ports * sizeof(*first.ports));
		free(once);
		free(twice);
		pb_rule_clear(&first);
		pb_rule_clear(&second);
	}
}

/* Any words at all: an answer, and a message when it is no. */
static void test_noise(void **state)
{
	static const char *const bits[] = {
		"drop", "tcp",	   "dport",   "22",	 "from",  "10.0.0.0/8", ",",	 "/",
		"-",	"new",	   "comment", "expires", "1h",	  "except",	"sport", "@a",
		"@./b", "tcp,udp", "22/tcp",  "\"",	 "#",	  "@",		"\xff",	 "over",
		"6/m",	"burst",   "each",    "source",	 "total", "1mbit/s"
	};
	struct random random;

	(void)state;
	random_begin(&random);
	for (int round = 0; round < ROUNDS; round++) {
		struct pb_error error = { "" };
		struct pb_rule rule = { 0 };
		char line[256] = "", **words;
		size_t nr;

		for (__u32 n = random_below(&random, 9); n; n--) {
			strcat(line, bits[random_below(&random, sizeof(bits) / sizeof(bits[0]))]);
			strcat(line, random_below(&random, 8) ? " " : "");
		}
		if (pb_words_split(line, &words, &nr, &error)) {
			assert_true(error.text[0]);
			continue;
		}
		if (pb_rule_parse(words, nr, NOW, &rule, NULL, &error))
			assert_true(error.text[0]);
		pb_rule_clear(&rule);
		pb_words_free(words, nr);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_long_form),
		cmocka_unit_test(test_short_form),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_longest_comment),
		cmocka_unit_test(test_sets_of_sources),
		cmocka_unit_test(test_sources_alone),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_set_wrong),
		cmocka_unit_test(test_unfit_rates),
		cmocka_unit_test(test_rates_beyond),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_random_over),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
