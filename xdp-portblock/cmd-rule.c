// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock rule list|flush|reset: the whole ruleset. */
#include <stdio.h>
#include "tool.h"

int cmd_rule_list(const struct arguments *arguments)
{
	struct pb_ruleset *ruleset;
	struct pb_error error;
	struct pb_rules rules = {};
	int ret;

	if (pb_ruleset_open(ruleset_name(arguments), &ruleset, &error))
		return fail(&error);
	ret = pb_ruleset_read(ruleset, &rules, &error);
	pb_ruleset_close(ruleset);
	if (ret)
		return fail(&error);
	ret = print_rules(ruleset_name(arguments), &rules, given(arguments, OPT_JSON));
	pb_rules_clear(&rules);
	return ret;
}

static bool any_rule(const struct pb_rule *rule, void *context)
{
	(void)rule;
	(void)context;
	return true;
}

static int flush(struct pb_rules *rules, void *context, struct pb_error *error)
{
	(void)error;
	*(size_t *)context = pb_rules_del_if(rules, any_rule, NULL);
	return 0;
}

int cmd_rule_flush(const struct arguments *arguments)
{
	size_t flushed = 0;
	int ret = change_ruleset(arguments, flush, &flushed);

	if (ret == DONE)
		printf("Deleted %zu rule%s.\n", flushed, flushed == 1 ? "" : "s");
	return ret;
}

int cmd_rule_reset(const struct arguments *arguments)
{
	struct pb_ruleset *ruleset;
	struct pb_error error;
	int ret;

	if (pb_ruleset_open(ruleset_name(arguments), &ruleset, &error))
		return fail(&error);
	ret = pb_ruleset_reset(ruleset, &error);
	pb_ruleset_close(ruleset);
	if (ret)
		return fail(&error);
	printf("Counters are at 0.\n");
	return DONE;
}
