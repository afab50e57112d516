// SPDX-License-Identifier: GPL-2.0-only
/* One change of a ruleset, as every command makes it: read, edit, guard, publish. */
#include <stdio.h>
#include <stdlib.h>
#include "tool.h"

/* --confirm DURATION; 0 where it is not given. WRONG_USAGE after a message. */
static int confirm_time(const struct arguments *arguments, __u64 *confirm)
{
	const char *text = arguments->values[OPT_CONFIRM];
	struct pb_error error;
	int err;

	*confirm = 0;
	err = text ? pb_duration_parse(text, confirm, &error) : 0;
	return err ? refused(arguments, err, OPT_CONFIRM, &error) : DONE;
}

static void say_confirm(const struct arguments *arguments)
{
	char option[PB_RULESET_OPTION_LEN];

	printf("Unless `xdp-portblock confirm%s` is called within %s, the rules from before come "
	       "back.\n",
	       pb_ruleset_option(ruleset_name(arguments), option), arguments->values[OPT_CONFIRM]);
}

/* Of a whole ruleset. A change returns 0, an error, or more than 0 where there is nothing to do. */
static int change_whole(const struct arguments *arguments, struct pb_ruleset *ruleset,
			__u64 confirm, change_function *change, void *context, bool *rejects,
			struct pb_error *error)
{
	struct pb_rules *rules = NULL;
	bool rejected = false;
	int ret = pb_ruleset_begin(ruleset, &rules, error);

	rejected = !ret && pb_rules_reject(rules);
	if (!ret)
		ret = change(rules, context, error);
	if (!ret && !confirm && !given(arguments, OPT_FORCE))
		ret = guard_ruleset(ruleset, rules, GUARD_CONFIRM, error);
	*rejects = !ret && !rejected && pb_rules_reject(rules);
	if (!ret)
		return pb_ruleset_commit(ruleset, rules, confirm, error);
	pb_ruleset_abort(ruleset, rules);
	return ret;
}

int change_ruleset(const struct arguments *arguments, change_function *change, void *context)
{
	return change_ruleset_or(arguments, NULL, change, context);
}

int change_ruleset_or(const struct arguments *arguments, at_once_function *at_once,
		      change_function *change, void *context)
{
	struct pb_ruleset *ruleset = NULL;
	struct pb_error error;
	bool rejects = false;
	__u64 confirm;
	int ret = confirm_time(arguments, &confirm), done = 0;

	if (ret != DONE)
		return ret;
	ret = pb_ruleset_open(ruleset_name(arguments), &ruleset, &error);
	if (!ret && at_once && !confirm)
		done = ret = at_once(arguments, ruleset, context, &error);
	if (!ret && !done)
		ret = change_whole(arguments, ruleset, confirm, change, context, &rejects, &error);
	pb_ruleset_close(ruleset);
	if (ret < 0)
		return fail(&error);
	if (confirm && !ret)
		say_confirm(arguments);
	if (rejects)
		warn_of_interfaces(ruleset_name(arguments));
	return DONE;
}
