// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock confirm, rollback: the end of a change that waits to be confirmed. */
#include <stdio.h>
#include "tool.h"

/* The end of the time to confirm: which rules last then, and how. */
struct ending {
	int (*read)(struct pb_ruleset *ruleset, struct pb_rules **rules, struct pb_error *error);
	int (*end)(struct pb_ruleset *ruleset, struct pb_error *error);
	bool confirms; /* `confirm` would be a way on */
	const char *done;
};

static int guard_end(struct pb_ruleset *ruleset, const struct ending *ending,
		     struct pb_error *error)
{
	char option[PB_RULESET_OPTION_LEN], way_on[160];
	struct pb_rules *rules = NULL;
	int ret = 0;

	if (!guarded() || !pb_ruleset_pending(ruleset))
		return 0; /* the rules that are in force stay */
	ret = ending->read(ruleset, &rules, error);
	pb_ruleset_option(pb_ruleset_name(ruleset), option);
	if (ending->confirms)
		snprintf(
			way_on, sizeof(way_on),
			"`xdp-portblock confirm%s` keeps the rules that are in force, " GUARD_FORCE,
			option);
	if (!ret)
		ret = guard_ruleset(ruleset, rules, ending->confirms ? way_on : GUARD_FORCE, error);
	pb_rules_free(rules);
	return ret;
}

static int end_pending(const struct arguments *arguments, const struct ending *ending)
{
	struct pb_ruleset *ruleset;
	struct pb_error error;
	int ret = 0;

	if (pb_ruleset_open(ruleset_name(arguments), &ruleset, &error))
		return fail(&error);
	if (!given(arguments, OPT_FORCE))
		ret = guard_end(ruleset, ending, &error);
	if (!ret)
		ret = ending->end(ruleset, &error);
	pb_ruleset_close(ruleset);
	if (ret)
		return fail(&error);
	printf("Ruleset %s: %s\n", ruleset_name(arguments), ending->done);
	return DONE;
}

int cmd_confirm(const struct arguments *arguments)
{
	static const struct ending keep = { pb_ruleset_read, pb_ruleset_confirm, false,
					    "the change is confirmed" };

	return end_pending(arguments, &keep);
}

int cmd_rollback(const struct arguments *arguments)
{
	static const struct ending back = { pb_ruleset_read_before, pb_ruleset_rollback, true,
					    "the rules from before are back" };

	return end_pending(arguments, &back);
}
