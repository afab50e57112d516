// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock diff: how a file differs from the loaded ruleset. Exit 0 same, 1 differs, 2 error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tool.h"

struct difference {
	const char *from, *to; /* the names of both sides */
	bool any;
};

static void print_line(struct difference *difference, char sign, const char *text)
{
	if (!difference->any)
		print("--- %s\n+++ %s\n", difference->from, difference->to);
	difference->any = true;
	print("%c%s\n", sign, text);
}

static void print_rule(struct difference *difference, char sign, const struct pb_rule *rule)
{
	char *text;

	if (pb_rule_format(rule, pb_clock(), &text))
		text = NULL;
	print_line(difference, sign, kept(text));
	free(text);
}

static void compare_settings(struct difference *difference, const struct pb_settings *loaded,
			     const struct pb_settings *wanted)
{
	const char *name, *before, *after;
	char line[64];

	for (size_t i = 0; (name = pb_setting_name(i)); i++) {
		before = pb_setting_value(loaded, name);
		after = pb_setting_value(wanted, name);
		if (!strcmp(before, after))
			continue;
		snprintf(line, sizeof(line), "%s %s", name, before);
		print_line(difference, '-', line);
		snprintf(line, sizeof(line), "%s %s", name, after);
		print_line(difference, '+', line);
	}
}

static void print_set(struct difference *difference, char sign, const struct pb_set *set)
{
	char line[128], *timeout = set->timeout ? pb_duration_text(set->timeout) : NULL;
	size_t used = snprintf(line, sizeof(line), "set %s", set->name);

	if (set->timeout)
		used += snprintf(line + used, sizeof(line) - used, " timeout %s", kept(timeout));
	if (set->max != PB_SET_DEFAULT)
		snprintf(line + used, sizeof(line) - used, " max %u", set->max);
	print_line(difference, sign, line);
	free(timeout);
}

static const struct pb_set *find_set(const struct pb_rules *rules, const char *name)
{
	size_t nr;
	struct pb_set *const *sets = pb_rules_sets(rules, &nr);

	for (size_t i = 0; i < nr; i++)
		if (!strcmp(sets[i]->name, name))
			return sets[i];
	return NULL;
}

/* Sets that the file does not declare stay as they are. */
static void compare_sets(struct difference *difference, const struct pb_rules *loaded,
			 const struct pb_rules *wanted)
{
	size_t nr;
	struct pb_set *const *sets = pb_rules_sets(wanted, &nr);

	for (size_t i = 0; i < nr; i++) {
		const struct pb_set *there = find_set(loaded, sets[i]->name);

		if (there && there->timeout == sets[i]->timeout && there->max == sets[i]->max)
			continue;
		if (there)
			print_set(difference, '-', there);
		print_set(difference, '+', sets[i]);
	}
}

/* How much of its time is left to a rule is no difference: it runs. */
static bool differ(const struct pb_rule *a, const struct pb_rule *b)
{
	return a->action != b->action || strcmp(a->comment, b->comment) ||
	       !a->expires != !b->expires;
}

static void compare(struct difference *difference, const struct pb_rules *loaded,
		    const struct pb_rules *wanted)
{
	const struct pb_rule *rule, *same;

	compare_settings(difference, pb_rules_settings(loaded), pb_rules_settings(wanted));
	compare_sets(difference, loaded, wanted);
	for (size_t i = 0; (rule = pb_rules_at(loaded, i)); i++) {
		same = pb_rules_find_same(wanted, rule);
		if (same && !differ(same, rule))
			continue;
		print_rule(difference, '-', rule);
		if (same)
			print_rule(difference, '+', same);
	}
	for (size_t i = 0; (rule = pb_rules_at(wanted, i)); i++)
		if (!pb_rules_find_same(loaded, rule))
			print_rule(difference, '+', rule);
}

int cmd_diff(const struct arguments *arguments)
{
	struct difference difference = { .from = ruleset_name(arguments) };
	struct pb_rules *loaded = NULL, *wanted = NULL;
	struct pb_ruleset *ruleset;
	struct pb_error error;
	int ret;

	if (arguments->nr_words != 1)
		return wrong(arguments, "compare with which file?");
	difference.to = arguments->words[0];
	if (read_file(difference.to, &wanted) != DONE)
		return WRONG_USAGE; /* 1 means that they differ */
	ret = pb_ruleset_open(difference.from, &ruleset, &error);
	if (!ret) {
		ret = pb_ruleset_read(ruleset, &loaded, &error);
		pb_ruleset_close(ruleset);
	}
	if (!ret) {
		pb_rules_expire(loaded, pb_clock());
		compare(&difference, loaded, wanted);
	}
	pb_rules_free(loaded);
	pb_rules_free(wanted);
	if (ret) {
		fail(&error);
		return WRONG_USAGE;
	}
	if (finish_output() != DONE)
		return WRONG_USAGE;
	return difference.any;
}
