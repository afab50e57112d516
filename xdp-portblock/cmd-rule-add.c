// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock rule add: one rule, one transaction. */
#include <stdio.h>
#include <stdlib.h>
#include "tool.h"

static const char *const what_names[] = {
	[PB_ADDED] = "added",
	[PB_CHANGED] = "changed",
	[PB_UNCHANGED] = "unchanged",
};

struct addition {
	struct pb_rule rule;
	__u32 id;
	enum pb_added what;
};

static int add(struct pb_rules *rules, void *context, struct pb_error *error)
{
	struct addition *addition = context;
	int ret = pb_rules_add(rules, &addition->rule, &addition->id, &addition->what, error);

	return ret ?: addition->what == PB_UNCHANGED;
}

/* The rule is in force: to say so must not fail for want of memory, which json-c would ask for. */
static void print_added(const struct arguments *arguments, const char *text,
			const struct addition *addition)
{
	const char *what = what_names[addition->what];

	if (given(arguments, OPT_JSON))
		printf("{\"id\":%u,\"result\":\"%s\"}\n", addition->id, what);
	else
		print("Rule %u %s: %s\n", addition->id, what, text);
}

int cmd_rule_add(const struct arguments *arguments)
{
	struct addition addition = {};
	char *text = NULL;
	int ret = rule_from_arguments(arguments, &addition.rule);

	if (ret != DONE)
		return ret;
	if (pb_rule_format(&addition.rule, pb_clock(), &text))
		ret = out_of_memory();
	else
		ret = change_ruleset(arguments, add, &addition);
	if (ret == DONE)
		print_added(arguments, text, &addition);
	pb_rule_clear(&addition.rule);
	free(text);
	return ret;
}
