// SPDX-License-Identifier: GPL-2.0-only
/* The largest of everything, written to records and read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "maps/record.h"
#include "random.h"
#include "rules/rules.h"

#define ROUNDS 40

/* Of both slots; the other one is all ones, and stays so. */
struct memory {
	struct pb_records records;
	size_t nr_rules, nr_ranges;
};

static void *array(size_t nr, size_t size)
{
	void *memory = calloc(nr, size);

	assert_non_null(memory);
	return memory;
}

static void *marked(size_t nr, size_t size)
{
	return memset(array(nr, size), 0xff, nr * size);
}

static struct memory memory_for(const struct pb_rules *rules, __u32 slot)
{
	struct memory made = { .records = { .slot = slot },
			       .nr_rules = PB_RULES_LIMIT + 1,
			       .nr_ranges = pb_records_ranges(rules) };

	made.records.rules = marked(made.nr_rules * PB_SLOTS, sizeof(*made.records.rules));
	made.records.ranges = marked(made.nr_ranges * PB_SLOTS + 1, sizeof(*made.records.ranges));
	made.records.prefixes =
		array(pb_records_prefixes(rules) + 1, sizeof(*made.records.prefixes));
	return made;
}

static bool is_marked(const void *memory, size_t size)
{
	for (const unsigned char *at = memory; at < (const unsigned char *)memory + size; at++)
		if (*at != 0xff)
			return false;
	return true;
}

static void check_other_slot(const struct memory *memory)
{
	__u32 other = !memory->records.slot;

	for (size_t i = 0; i < memory->nr_rules; i++)
		assert_true(is_marked(&memory->records.rules[i * PB_SLOTS + other],
				      sizeof(*memory->records.rules)));
	for (size_t i = 0; i < memory->nr_ranges; i++)
		assert_true(is_marked(&memory->records.ranges[i * PB_SLOTS + other],
				      sizeof(*memory->records.ranges)));
}

static void assert_same_names(char *const *a, size_t nr_a, char *const *b, size_t nr_b)
{
	assert_int_equal(nr_a, nr_b);
	for (size_t i = 0; i < nr_a; i++)
		assert_string_equal(a[i], b[i]);
}

static void assert_same(const struct pb_rule *a, const struct pb_rule *b)
{
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->action, b->action);
	assert_int_equal(a->side, b->side);
	assert_int_equal(a->protocols, b->protocols);
	assert_int_equal(a->only_new, b->only_new);
	assert_true(a->expires == b->expires);
	assert_memory_equal(&a->over, &b->over, sizeof(a->over));
	assert_string_equal(a->comment, b->comment);
	assert_int_equal(a->nr_ports, b->nr_ports);
	assert_memory_equal(a->ports, b->ports, a->nr_ports * sizeof(*a->ports));
	assert_int_equal(a->nr_from, b->nr_from);
	if (a->nr_from)
		assert_memory_equal(a->from, b->from, a->nr_from * sizeof(*a->from));
	assert_int_equal(a->nr_except, b->nr_except);
	if (a->nr_except)
		assert_memory_equal(a->except, b->except, a->nr_except * sizeof(*a->except));
	assert_same_names(a->from_sets, a->nr_from_sets, b->from_sets, b->nr_from_sets);
	assert_same_names(a->except_sets, a->nr_except_sets, b->except_sets, b->nr_except_sets);
}

/* Writes rules to either slot and reads them back. */
static void check(const struct pb_rules *rules)
{
	struct pb_set_record sets[PB_SETS_MAX] = {};
	struct pb_set_condition *conditions;

	assert_int_equal(pb_records_make_sets(rules, sets, NULL), 0);
	assert_int_equal(pb_records_conditions(rules, sets, "default", &conditions, NULL), 0);
	for (__u32 slot = 0; slot < PB_SLOTS; slot++) {
		struct memory memory = memory_for(rules, slot);

		memory.records.sets = sets;
		for (size_t i = 0; i < rules->nr; i++)
			pb_records_add(&memory.records, &rules->rule[i], &conditions[i]);
		assert_int_equal(memory.records.nr_ranges, pb_records_ranges(rules));
		assert_int_equal(memory.records.nr_prefixes, pb_records_prefixes(rules));
		for (size_t i = 0; i < rules->nr; i++) {
			struct pb_rule rule = {};

			assert_true(pb_records_get(&memory.records, rules->rule[i].id, &rule));
			assert_same(&rules->rule[i], &rule);
			pb_rule_clear(&rule);
		}
		check_other_slot(&memory);
		free(memory.records.rules);
		free(memory.records.ranges);
		free(memory.records.prefixes);
	}
	free(conditions);
}

static struct pb_rules make_set(size_t nr)
{
	struct pb_rules rules = { .rule = array(nr, sizeof(*rules.rule)), .nr = nr, .room = nr };

	return rules;
}

static void set_ports(struct pb_rule *rule, size_t nr)
{
	rule->ports = array(nr, sizeof(*rule->ports));
	rule->nr_ports = nr;
}

static struct pb_prefix *make_prefixes(size_t nr)
{
	struct pb_prefix *prefixes = array(nr, sizeof(*prefixes));

	for (size_t i = 0; i < nr; i++) {
		prefixes[i] = (struct pb_prefix){ .family = 6, .len = 128 };
		memcpy(prefixes[i].addr + 8, &i, sizeof(i));
	}
	return prefixes;
}

/* Each port alone, and all of them once more: as many ranges as 16 bits can't count. */
static void test_most_ranges(void **state)
{
	struct pb_rules rules = make_set(1);
	struct pb_rule *rule = rules.rule;

	(void)state;
	rule->id = 1;
	rule->protocols = 1U << PB_PROTO_TCP;
	set_ports(rule, PB_PORTS);
	for (unsigned int port = 1; port < PB_PORTS; port++)
		rule->ports[port] = (struct pb_range){ port, port };
	rule->ports[0] = (struct pb_range){ 1, PB_PORTS - 1 };
	check(&rules);
	assert_int_equal(pb_rules_check(&rules, PB_RULES_LIMIT, NULL), 0);
	pb_rules_clear(&rules);
}

/* Where they overlap, one rule can have more ranges than there is room for all rules together. */
static void test_too_many_ranges(void **state)
{
	struct pb_error error = { "" };
	struct pb_rules rules = make_set(1);
	struct pb_rule *rule = rules.rule;

	(void)state;
	rule->id = 1;
	rule->protocols = 1U << PB_PROTO_TCP;
	set_ports(rule, PB_RULES_LIMIT + PB_RECORD_PORTS + 1);
	for (size_t i = 0; i < rule->nr_ports; i++)
		rule->ports[i] = (struct pb_range){ 1 + i / 60000, 1 + i % 60000 + i / 60000 };
	assert_int_equal(pb_rules_check(&rules, PB_RULES_LIMIT, &error), -ENOSPC);
	assert_non_null(strstr(error.text, "65536"));
	assert_non_null(strstr(error.text, "65535"));
	rule->nr_ports--;
	assert_int_equal(pb_rules_check(&rules, PB_RULES_LIMIT, &error), 0);
	check(&rules);
	pb_rules_clear(&rules);
}

static void test_most_rules(void **state)
{
	struct pb_rules rules = make_set(PB_RULES_LIMIT);

	(void)state;
	for (size_t i = 0; i < rules.nr; i++) {
		struct pb_rule *rule = &rules.rule[i];

		rule->id = i + 1;
		rule->action = i % PB_ACTION_MAX;
		rule->side = i % PB_SIDE_MAX;
		rule->protocols = 1 + i % ((1U << PB_PROTO_MAX) - 1);
		rule->only_new = i % 2;
		rule->expires = ~0ULL - i;
		if (i % 3)
			memset(&rule->over, i % 251 + 1, sizeof(rule->over));
		memset(rule->comment, 'a' + i % 26, sizeof(rule->comment) - 1);
		set_ports(rule, 1 + i % (PB_RECORD_PORTS + 1));
		for (size_t j = 0; j < rule->nr_ports; j++)
			rule->ports[j] = (struct pb_range){ i + 1, PB_PORTS - 1 - j };
	}
	check(&rules);
	pb_rules_clear(&rules);
}

/* Any rules, those with sets and rates. */
static void test_random(void **state)
{
	struct random random;

	(void)state;
	random_begin(&random);
	for (int round = 0; round < ROUNDS; round++) {
		struct pb_rules rules;

		random_set(&random, 24, &rules);
		check(&rules);
		random_set_free(&rules);
	}
}

static void test_most_prefixes(void **state)
{
	struct pb_rules rules = make_set(2);

	(void)state;
	for (size_t i = 0; i < rules.nr; i++) {
		rules.rule[i].id = 7 + i;
		set_ports(&rules.rule[i], 1);
		rules.rule[i].ports[0] = (struct pb_range){ 22, 22 };
	}
	rules.rule[0].from = make_prefixes(PB_SOURCES_LIMIT - 3);
	rules.rule[0].nr_from = PB_SOURCES_LIMIT - 3;
	rules.rule[0].except = make_prefixes(1);
	rules.rule[0].nr_except = 1;
	rules.rule[1].except = make_prefixes(2);
	rules.rule[1].nr_except = 2;
	check(&rules);
	pb_rules_clear(&rules);
}

static void read_rule(struct pb_rule *rule, __u32 id, const char *text)
{
	struct pb_error error = { "" };
	char **words;
	size_t nr;

	assert_int_equal(pb_words_split(text, &words, &nr, &error), 0);
	if (pb_rule_parse(words, nr, 0, rule, NULL, &error))
		fail_msg("%s: %s", text, error.text);
	rule->id = id;
	pb_words_free(words, nr);
}

static void test_sets(void **state)
{
	struct pb_rules rules = make_set(3);

	(void)state;
	read_rule(&rules.rule[0], 1, "drop from @zebra,@ape,10.0.0.0/8 except @fox");
	read_rule(&rules.rule[1], 2, "drop tcp dport 22 from @fox,@ape,@0");
	read_rule(&rules.rule[2], 5, "drop tcp dport 22 except @zebra");
	check(&rules);
	assert_int_equal(pb_rules_check(&rules, PB_RULES_LIMIT, NULL), 0);
	pb_rules_clear(&rules);
}

/* As many as a ruleset can have, in one rule, and one more. */
static void test_most_sets(void **state)
{
	struct pb_rules rules = make_set(2);
	struct pb_error error = { "" };
	char text[PB_SETS_MAX * 5 + 32] = "drop from ";

	(void)state;
	for (int i = 0; i < PB_SETS_MAX; i++)
		sprintf(text + strlen(text), "%s@s%02d", i ? "," : "", PB_SETS_MAX - 1 - i);
	read_rule(&rules.rule[0], 1, text);
	read_rule(&rules.rule[1], 2, "drop tcp dport 22 from 10.0.0.1 except @s63,@s00");
	check(&rules);
	assert_int_equal(pb_rules_check(&rules, PB_RULES_LIMIT, &error), 0);
	read_rule(&rules.rule[1], 2, "drop tcp dport 22 from @more");
	assert_int_equal(pb_rules_check(&rules, PB_RULES_LIMIT, &error), -ENOSPC);
	assert_non_null(strstr(error.text, "more than 64 sets"));
	pb_rules_clear(&rules);
}

static void test_no_set(void **state)
{
	struct pb_set_record sets[PB_SETS_MAX] = { { .name = "bans" } };
	struct pb_set_condition *conditions = NULL;
	struct pb_rules rules = make_set(1);
	struct pb_error error = { "" };

	(void)state;
	read_rule(&rules.rule[0], 1, "drop from @bans except @friends");
	assert_int_equal(pb_records_conditions(&rules, sets, "default", &conditions, &error),
			 -ENOENT);
	assert_string_equal(
		error.text,
		"there is no set 'friends' in the ruleset 'default': `xdp-portblock set "
		"create friends` makes one; for a file write @./friends");
	assert_int_equal(pb_records_conditions(&rules, NULL, "web", &conditions, &error), -ENOENT);
	assert_non_null(strstr(error.text, "no set 'bans' in the ruleset 'web'"));
	assert_non_null(strstr(error.text, "`xdp-portblock set create bans -r web`"));
	assert_null(conditions);
	pb_rules_clear(&rules);
}

/* Its rule stays what it is: never one about all sources. */
static void test_set_gone(void **state)
{
	static const struct pb_set_condition sets = { .from = 5 };
	struct pb_set_record there[PB_SETS_MAX] = { { .name = "bans" } };
	struct pb_rules rules = make_set(1);
	struct pb_rule rule = {};
	struct memory memory;

	(void)state;
	read_rule(&rules.rule[0], 1, "drop from @bans,@other");
	memory = memory_for(&rules, 0);
	memory.records.sets = there;
	pb_records_add(&memory.records, &rules.rule[0], &sets);
	assert_true(pb_records_get(&memory.records, 1, &rule));
	assert_int_equal(rule.nr_from_sets, 2);
	assert_string_equal(rule.from_sets[0], "bans");
	assert_string_equal(rule.from_sets[1], "#2");
	pb_rule_clear(&rule);
	free(memory.records.rules);
	free(memory.records.ranges);
	free(memory.records.prefixes);
	pb_rules_clear(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_most_ranges), cmocka_unit_test(test_too_many_ranges),
		cmocka_unit_test(test_most_rules),  cmocka_unit_test(test_most_prefixes),
		cmocka_unit_test(test_sets),	    cmocka_unit_test(test_most_sets),
		cmocka_unit_test(test_random),	    cmocka_unit_test(test_no_set),
		cmocka_unit_test(test_set_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
