// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock apply, confirm, rollback: the loaded ruleset becomes that of a file, in one step. */
#include <stdio.h>
#include "tool.h"

static int replace(struct pb_set *set, void *context, struct pb_error *error)
{
	return pb_set_replace(set, context, error);
}

int cmd_apply(const struct arguments *arguments)
{
	struct pb_set wanted = {};
	size_t nr;
	int ret;

	if (arguments->nr_words != 1)
		return wrong(arguments, "apply which file? (- is standard input)");
	ret = read_file(arguments->words[0], &wanted);
	if (ret != DONE)
		return ret;
	nr = wanted.nr_rules;
	ret = change_ruleset(arguments, replace, &wanted);
	pb_set_clear(&wanted);
	if (ret == DONE)
		printf("Ruleset %s: %zu rule%s from %s\n", ruleset_name(arguments), nr,
		       nr == 1 ? "" : "s", arguments->words[0]);
	return ret;
}

static int end_pending(const struct arguments *arguments,
		       int (*end)(struct pb_ruleset *, struct pb_error *), const char *done)
{
	struct pb_ruleset *ruleset;
	struct pb_error error;
	int ret;

	if (pb_ruleset_open(ruleset_name(arguments), &ruleset, &error))
		return fail(&error);
	ret = end(ruleset, &error);
	pb_ruleset_close(ruleset);
	if (ret)
		return fail(&error);
	printf("Ruleset %s: %s\n", ruleset_name(arguments), done);
	return DONE;
}

int cmd_confirm(const struct arguments *arguments)
{
	return end_pending(arguments, pb_ruleset_confirm, "the change is confirmed");
}

int cmd_rollback(const struct arguments *arguments)
{
	return end_pending(arguments, pb_ruleset_rollback, "the rules from before are back");
}
