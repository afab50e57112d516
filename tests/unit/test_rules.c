// SPDX-License-Identifier: GPL-2.0-only
/* Sets of rules: ids, the same rule, deletion, size. PB_SEED in the environment repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "random.h"
#include "rules/rules.h"
#include "says.h"

#define MANY 60000

/* Adds a rule that must fit; returns its id. */
static __u32 add(struct pb_rules *rules, const char *line, enum pb_added wanted)
{
	struct pb_rule rule = rule_of(line, 0);
	enum pb_added what = 99;
	struct pb_error error = { "" };
	__u32 id = 0;

	if (pb_rules_add(rules, &rule, &id, &what, &error))
		fail_msg("%s: %s", line, error.text);
	assert_int_equal(what, wanted);
	assert_null(rule.ports);
	return id;
}

static __u32 add_port(struct pb_rules *rules, unsigned int port)
{
	char line[32];

	sprintf(line, "%u/tcp", port);
	return add(rules, line, PB_ADDED);
}

/* What programs have of it. */
static void test_opaque(void **state)
{
	struct pb_rules *rules = pb_rules_new();

	(void)state;
	assert_non_null(rules);
	assert_int_equal(pb_rules_nr(rules), 0);
	assert_null(pb_rules_at(rules, 0));
	assert_int_equal(pb_rules_generation(rules), 0);
	assert_int_equal(pb_settings_flags(pb_rules_settings(rules)), 0);
	add(rules, "22/tcp", PB_ADDED);
	add(rules, "23/tcp", PB_ADDED);
	assert_int_equal(pb_rules_nr(rules), 2);
	assert_ptr_equal(pb_rules_at(rules, 1), pb_rules_find(rules, 2));
	assert_null(pb_rules_at(rules, 2));
	assert_int_equal(pb_rules_policy(rules, PB_POLICY_DENY, NULL), 0);
	assert_int_equal(pb_rules_settings(rules)->policy, PB_POLICY_DENY);
	pb_rules_free(rules);
	pb_rules_free(NULL);
}

static void assert_sorted(const struct pb_rules *rules)
{
	for (size_t i = 1; i < rules->nr; i++)
		assert_true(rules->rule[i - 1].id < rules->rule[i].id);
}

static void test_empty(void **state)
{
	static const struct wrong wrong = { "7", "there is no rule 7", "there are no rules" };
	struct pb_rule rule = rule_of("22/tcp", 0);
	struct pb_rules rules = { 0 };
	struct pb_error error = { "" };

	(void)state;
	assert_null(pb_rules_find(&rules, 1));
	assert_null(pb_rules_find_same(&rules, &rule));
	assert_says(&wrong, pb_rules_del(&rules, 7, &error), -ENOENT, &error);
	assert_int_equal(pb_rules_expire(&rules, 1), 0);
	pb_rules_clear(&rules);
	pb_rule_clear(&rule);
}

/* Ids go up, also past ids that became free; at the end they start over. */
static void test_ids(void **state)
{
	struct pb_rules rules = { .max_rules = 4 };

	(void)state;
	assert_int_equal(add_port(&rules, 1), 1);
	assert_int_equal(add_port(&rules, 2), 2);
	assert_int_equal(pb_rules_del(&rules, 1, NULL), 0);
	assert_int_equal(add_port(&rules, 3), 3);
	assert_int_equal(add_port(&rules, 4), 4);
	assert_int_equal(add_port(&rules, 5), 1);
	assert_sorted(&rules);
	assert_int_equal(pb_rules_del(&rules, 3, NULL), 0);
	assert_int_equal(add_port(&rules, 6), 3);
	assert_sorted(&rules);
	assert_int_equal(pb_rules_find(&rules, 3)->ports[0].first, 6);
	pb_rules_clear(&rules);
}

static void test_retired(void **state)
{
	static const __u32 retired[] = { 2, 3, 5 };
	struct pb_rules rules = { .max_rules = 6, .retired = retired, .nr_retired = 3 };
	struct pb_rule rule = rule_of("99/tcp", 0);

	(void)state;
	assert_int_equal(add_port(&rules, 1), 1);
	assert_int_equal(add_port(&rules, 2), 4);
	assert_int_equal(add_port(&rules, 3), 6);
	/* only where there is no other */
	assert_int_equal(add_port(&rules, 4), 2);
	assert_int_equal(add_port(&rules, 5), 3);
	assert_int_equal(add_port(&rules, 6), 5);
	assert_true(rules.rule[0].added && rules.rule[5].added);
	assert_int_equal(pb_rules_add(&rules, &rule, NULL, NULL, NULL), -ENOSPC);
	assert_sorted(&rules);
	pb_rule_clear(&rule);
	pb_rules_clear(&rules);
}

static void test_full(void **state)
{
	static const struct wrong wrong = { "full", "all 2 rule ids are taken", "--max-rules" };
	struct pb_rules rules = { .max_rules = 2, .next_id = 2 };
	struct pb_rule rule = rule_of("3/tcp", 0);
	enum pb_added what = 99;
	struct pb_error error = { "" };
	__u32 id = 99;

	(void)state;
	assert_int_equal(add_port(&rules, 1), 2);
	assert_int_equal(add_port(&rules, 2), 1);
	assert_says(&wrong, pb_rules_add(&rules, &rule, &id, &what, &error), -ENOSPC, &error);
	assert_int_equal(id, 99);
	assert_int_equal(what, 99);
	assert_int_equal(rules.nr, 2);
	assert_non_null(rule.ports);
	add(&rules, "allow tcp dport 1", PB_CHANGED);
	pb_rule_clear(&rule);
	pb_rules_clear(&rules);
}

/* Counters and id stay; action, comment and expiry are the new rule's. */
static void test_same(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_rule *rule;

	(void)state;
	add_port(&rules, 21);
	add_port(&rules, 22);
	rule = pb_rules_find(&rules, 2);
	rule->packets = 7;
	assert_int_equal(add(&rules, "22/tcp", PB_UNCHANGED), 2);
	assert_int_equal(add(&rules, "allow 22/tcp", PB_CHANGED), 2);
	assert_int_equal(add(&rules, "allow 22/tcp comment x", PB_CHANGED), 2);
	assert_int_equal(add(&rules, "allow 22/tcp comment x", PB_UNCHANGED), 2);
	assert_int_equal(add(&rules, "allow 22/tcp comment x expires 1h", PB_CHANGED), 2);
	assert_int_equal(rules.nr, 2);
	rule = pb_rules_find(&rules, 2);
	assert_int_equal(rule->packets, 7);
	assert_int_equal(rule->action, PB_ACTION_ALLOW);
	assert_string_equal(rule->comment, "x");
	pb_rules_clear(&rules);
}

static void test_not_same(void **state)
{
	static const char *const lines[] = {
		"22/tcp",
		"22/udp",
		"22/tcp,udp",
		"22-23/tcp",
		"22,24/tcp",
		"tcp sport 22",
		"22/tcp new",
		"22/tcp over 6/m",
		"22/tcp over 6/m new",
		"22/tcp over 7/m",
		"22/tcp over 6/s",
		"22/tcp over 6/m burst 7",
		"22/tcp over 6/m each source",
		"22/tcp over 6/m each source/24",
		"22/tcp over 6/m each source/32,48",
		"22/tcp over 6/m each source total 60/m",
		"22/tcp over 6/m each source total 61/m",
		"22/tcp over 6bit/s",
		"22/tcp from 10.0.0.0/8",
		"22/tcp except 10.0.0.0/8",
		"22/tcp from 10.0.0.0/9",
		"22/tcp from 10.0.0.0/8,10.0.0.0/9",
		"22/tcp from 10.0.0.0/8 except 10.0.0.0/9",
		"22/tcp from a00::/8",
		"22/tcp from @a",
		"22/tcp from @b",
		"22/tcp from @a,@b",
		"22/tcp from @ab",
		"22/tcp except @a",
		"22/tcp from @a except @b",
		"22/tcp from 10.0.0.0/8,@a",
		"drop from @a",
		"drop from 10.0.0.0/8",
		"drop from 10.0.0.0/8 over 6/m",
	};
	struct pb_rules rules = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(add(&rules, lines[i], PB_ADDED), i + 1);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(add(&rules, lines[i], PB_UNCHANGED), i + 1);
	pb_rules_clear(&rules);
}

static void test_delete(void **state)
{
	static const struct wrong wrong = { "4", "there is no rule 4", "are 1-3, 5, 7-8" };
	struct pb_rules rules = { 0 };
	struct pb_error error = { "" };

	(void)state;
	for (unsigned int port = 1; port <= 8; port++)
		add_port(&rules, port);
	assert_int_equal(pb_rules_del(&rules, 4, &error), 0);
	assert_int_equal(pb_rules_del(&rules, 6, &error), 0);
	assert_says(&wrong, pb_rules_del(&rules, 4, &error), -ENOENT, &error);
	assert_int_equal(rules.nr, 6);
	assert_int_equal(add_port(&rules, 4), 9);
	for (__u32 id = 1; id <= 9; id += 2)
		assert_int_equal(pb_rules_del(&rules, id, NULL), 0);
	assert_int_equal(pb_rules_del(&rules, 1, &error), -ENOENT);
	pb_rules_clear(&rules);
}

static void missing(const struct pb_rules *rules, const char *line, const char *says)
{
	struct pb_rule rule = rule_of(line, 0);
	struct pb_error error = { "" };

	assert_int_equal(pb_rules_missing(rules, &rule, &error), -ENOENT);
	assert_string_equal(error.text, says);
	pb_rule_clear(&rule);
}

static void test_missing(void **state)
{
	struct pb_rules rules = { 0 };

	(void)state;
	add(&rules, "22/tcp from @a", PB_ADDED);
	missing(&rules, "drop from @a",
		"there is no rule `drop from @a`, nor any rule of sources alone");
	add(&rules, "drop from @b", PB_ADDED);
	missing(&rules, "drop from @a",
		"there is no rule `drop from @a`; near it: rule 2 `drop from @b`");
	missing(&rules, "20-30/tcp",
		"there is no rule `drop tcp dport 20-30`; near it: rule 1 `drop "
		"tcp dport 22 from @a`");
	missing(&rules, "23/tcp",
		"there is no rule `drop tcp dport 23`, nor any rule of those ports");
	pb_rules_clear(&rules);
}

static bool holds(const char *name, const struct pb_prefix *source, void *set)
{
	assert_int_equal(source->len, 32);
	return !strcmp(name, set);
}

/* Length and width of a match; 0 and 0: there is none. */
static void matches(const char *line, __u16 dport, const char *set, unsigned int len,
		    unsigned int width)
{
	struct pb_flow flow = { .proto = dport ? PB_PROTO_TCP : PB_PROTO_MAX,
				.sport = dport ? 40000 : 0,
				.dport = dport,
				.source = { { 10, 0, 0, 1 }, 4, 32 } };
	struct pb_rule rule = rule_of(line, 0);
	struct pb_match match;
	bool found = pb_rule_match_in(&rule, &flow, 0, set ? holds : NULL, (void *)set, &match);

	if (found != !!width || (found && (match.len != len || match.width != width)))
		fail_msg("%s: %d, length %u, width %u", line, found, match.len, match.width);
	if (!set)
		assert_int_equal(pb_rule_match(&rule, &flow, 0, &match), found);
	pb_rule_clear(&rule);
}

static void test_match(void **state)
{
	(void)state;
	matches("20-29/tcp", 22, NULL, 0, 10);
	matches("22/tcp from @a", 22, "a", 128, 1);
	matches("22/tcp from @a", 22, "b", 0, 0);
	matches("22/tcp from @a", 22, NULL, 0, 0);
	matches("22/tcp from 10.0.0.0/8,@a", 22, NULL, 104, 1);
	matches("22/tcp from 10.0.0.0/8,@a", 22, "a", 128, 1);
	matches("22/tcp except @a", 22, "a", 0, 0);
	matches("22/tcp except @a", 22, NULL, 0, 1);
	matches("22/tcp from @a except 10.0.0.0/24", 22, "a", 0, 0);
	matches("drop from @a", 22, "a", 128, PB_WIDTH_ALL);
	matches("drop from 10.0.0.0/8", 22, NULL, 104, PB_WIDTH_ALL);
	matches("drop from 11.0.0.0/8", 22, NULL, 0, 0);
	matches("drop from @a", 0, "a", 128, PB_WIDTH_ALL);
	matches("drop tcp,udp,sctp,dccp,udplite dport 1-65535 from @a", 0, "a", 0, 0);
}

static void test_delete_message_is_short(void **state)
{
	static const struct wrong wrong = { "2", "there is no rule 2", ", ..." };
	struct pb_rules rules = { 0 };
	struct pb_error error = { "" };

	(void)state;
	for (unsigned int port = 1; port <= 200; port++) {
		rules.next_id = port * 2 - 1;
		add_port(&rules, port);
	}
	assert_says(&wrong, pb_rules_del(&rules, 2, &error), -ENOENT, &error);
	pb_rules_clear(&rules);
}

static void test_expire(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_rule rule = rule_of("2/tcp", 0);

	(void)state;
	add(&rules, "1/tcp", PB_ADDED);
	add(&rules, "2/tcp expires 5s", PB_ADDED);
	add(&rules, "3/tcp expires 6s", PB_ADDED);
	assert_int_equal(pb_rules_expire(&rules, 4999999999), 0);
	assert_int_equal(pb_rules_expire(&rules, 5000000000), 1);
	assert_null(pb_rules_find(&rules, 2));
	assert_null(pb_rules_find_same(&rules, &rule));
	assert_int_equal(pb_rules_expire(&rules, 60000000000), 1);
	assert_int_equal(rules.nr, 1);
	assert_int_equal(rules.rule[0].id, 1);
	pb_rule_clear(&rule);
	pb_rules_clear(&rules);
}

/* Rules that were put there by hand are found, and so after a change of the array's length. */
static void test_filled_by_hand(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_rule rule = rule_of("3/tcp", 0);

	(void)state;
	rules.rule = calloc(3, sizeof(*rules.rule));
	rules.room = 3;
	for (rules.nr = 0; rules.nr < 3; rules.nr++) {
		char line[32];

		sprintf(line, "%zu/tcp", rules.nr + 1);
		rules.rule[rules.nr] = rule_of(line, 0);
		rules.rule[rules.nr].id = rules.nr * 10 + 10;
		if (rules.nr < 2)
			assert_null(pb_rules_find_same(&rules, &rule));
	}
	assert_int_equal(pb_rules_find_same(&rules, &rule)->id, 30);
	assert_int_equal(add_port(&rules, 4), 1);
	assert_sorted(&rules);
	assert_int_equal(add(&rules, "audit 2/tcp", PB_CHANGED), 20);
	pb_rule_clear(&rule);
	pb_rules_clear(&rules);
}

/* Against a plain table: port -> id. */
static void test_random(void **state)
{
	struct pb_rules rules = { .max_rules = 150 };
	__u32 ids[101] = { 0 };
	struct random random;

	(void)state;
	random_begin(&random);
	for (int round = 0; round < 20000; round++) {
		__u32 port = 1 + random_below(&random, 100);
		struct pb_rule rule = { 0 };
		const struct pb_rule *found;
		char line[32];

		sprintf(line, "%u/tcp", port);
		rule = rule_of(line, 0);
		found = pb_rules_find_same(&rules, &rule);
		assert_int_equal(found ? found->id : 0, ids[port]);
		pb_rule_clear(&rule);
		if (ids[port]) {
			assert_int_equal(pb_rules_del(&rules, ids[port], NULL), 0);
			ids[port] = 0;
		} else {
			ids[port] = add_port(&rules, port);
		}
		assert_sorted(&rules);
	}
	pb_rules_clear(&rules);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void one_port(struct pb_rule *rule, unsigned int port)
{
	*rule = (struct pb_rule){ .protocols = 1U << PB_PROTO_TCP, .nr_ports = 1 };
	rule->ports = malloc(sizeof(*rule->ports));
	rule->ports[0] = (struct pb_range){ port, port };
}

/* (How long that takes is in tests/bench/control.) */
static void test_many(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_rule rule;
	double start = seconds();
	enum pb_added what;

	(void)state;
	for (unsigned int pass = 0; pass < 2; pass++) {
		for (unsigned int port = 1; port <= MANY; port++) {
			one_port(&rule, port);
			assert_int_equal(pb_rules_add(&rules, &rule, NULL, &what, NULL), 0);
			assert_int_equal(what, pass ? PB_UNCHANGED : PB_ADDED);
		}
	}
	assert_int_equal(rules.nr, MANY);
	assert_sorted(&rules);
	for (unsigned int id = MANY; id; id--)
		assert_int_equal(pb_rules_del(&rules, id, NULL), 0);
	print_message("%u rules added twice and deleted: %.3f s\n", MANY, seconds() - start);
	pb_rules_clear(&rules);
}

static void assert_answers(const char *value, __u32 answers)
{
	struct pb_settings settings = {};

	assert_int_equal(pb_setting_set(&settings, "policy", "reject", NULL), 0);
	assert_int_equal(pb_setting_set(&settings, "answers", value, NULL), 0);
	assert_int_equal(pb_setting_set(&settings, "fragments", "drop", NULL), 0);
	assert_int_equal(pb_settings_answers(&settings), answers);
	assert_string_equal(pb_setting_value(&settings, "answers"), value);
	assert_string_equal(pb_setting_value(&settings, "policy"), "reject");
	assert_true(pb_setting_is_default(&settings, "answers") == (answers == 1000));
}

static void test_answers(void **state)
{
	static const char *const wrong[] = { "",	  "0/s",  "1000",	   "/s",   "1/m",
					     "1000001/s", "-1/s", "99999999999/s", "1k/s", "on" };
	struct pb_settings settings = { .answers = 7 };
	const struct pb_settings none = {};
	struct pb_error error;

	(void)state;
	assert_string_equal(pb_setting_value(&none, "answers"), "1000/s");
	assert_true(pb_setting_is_default(&none, "answers"));
	assert_answers("1/s", 1);
	assert_answers("1000/s", 1000);
	assert_answers("1000000/s", 1000000);
	assert_answers("off", 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(pb_setting_set(&settings, "answers", wrong[i], &error), -EINVAL);
		assert_non_null(strstr(error.text, "1/s to 1000000/s, or off"));
		assert_int_equal(settings.answers, 7);
	}
}

/* A slot has the number in force. */
static void test_answers_of_slot(void **state)
{
	static const __u32 answers[] = { 0, 1, 999, 1000, 1001, 1000000 };

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		const struct pb_slot slot = { .flags = PB_SLOT_NO_REPLIES, .answers = answers[i] };
		struct pb_settings settings = pb_settings_of_slot(&slot);

		assert_true(settings.no_replies);
		assert_int_equal(pb_settings_answers(&settings), answers[i]);
	}
}

/* Failsafe rules come with the first turn from allow, and once. */
static void test_turns(void **state)
{
	struct pb_rules *rules = pb_rules_new();

	(void)state;
	assert_int_equal(pb_rules_policy(rules, PB_POLICY_REJECT, NULL), 0);
	assert_int_equal(pb_rules_settings(rules)->policy, PB_POLICY_REJECT);
	assert_int_equal(pb_rules_nr(rules), 2);
	assert_int_equal(pb_rules_del(rules, 1, NULL), 0);
	assert_int_equal(pb_rules_policy(rules, PB_POLICY_DENY, NULL), 0);
	assert_int_equal(pb_rules_policy(rules, PB_POLICY_REJECT, NULL), 0);
	assert_int_equal(pb_rules_nr(rules), 1);
	pb_rules_free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers), cmocka_unit_test(test_answers_of_slot),
		cmocka_unit_test(test_turns),	cmocka_unit_test(test_opaque),
		cmocka_unit_test(test_empty),	cmocka_unit_test(test_ids),
		cmocka_unit_test(test_retired), cmocka_unit_test(test_full),
		cmocka_unit_test(test_same),	cmocka_unit_test(test_not_same),
		cmocka_unit_test(test_delete),	cmocka_unit_test(test_missing),
		cmocka_unit_test(test_match),	cmocka_unit_test(test_delete_message_is_short),
		cmocka_unit_test(test_expire),	cmocka_unit_test(test_filled_by_hand),
		cmocka_unit_test(test_random),	cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
