// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock rule list|flush|reset: the whole ruleset. */
#include <stdio.h>
#include "tool.h"

int cmd_rule_list(const struct arguments *arguments)
{
	struct pb_ruleset *ruleset;
	struct pb_error error;
	struct pb_set set = {};
	int ret;

	if (pb_ruleset_open(ruleset_name(arguments), &ruleset, &error))
		return fail(&error);
	ret = pb_ruleset_read(ruleset, &set, &error);
	pb_ruleset_close(ruleset);
	if (ret)
		return fail(&error);
	ret = print_rules(ruleset_name(arguments), &set, given(arguments, OPT_JSON));
	pb_set_clear(&set);
	return ret;
}

int cmd_rule_flush(const struct arguments *arguments)
{
	struct pb_ruleset *ruleset;
	struct pb_error error;
	struct pb_set set = {};
	size_t flushed = 0;
	int ret;

	if (pb_ruleset_open(ruleset_name(arguments), &ruleset, &error))
		return fail(&error);
	ret = pb_ruleset_begin(ruleset, &set, &error);
	while (!ret && set.nr_rules) {
		ret = pb_set_del(&set, set.rules[set.nr_rules - 1].id, &error);
		flushed++;
	}
	if (ret)
		pb_ruleset_abort(ruleset, &set);
	else
		ret = pb_ruleset_commit(ruleset, &set, 0, &error);
	pb_ruleset_close(ruleset);
	if (ret)
		return fail(&error);
	printf("Deleted %zu rule%s.\n", flushed, flushed == 1 ? "" : "s");
	return DONE;
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
