// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock apply: the loaded ruleset becomes that of a file, in one step. */
#include <stdio.h>
#include "tool.h"

static int replace(struct pb_rules *rules, void *context, struct pb_error *error)
{
	return pb_rules_replace(rules, context, error);
}

int cmd_apply(const struct arguments *arguments)
{
	struct pb_rules *wanted = NULL;
	size_t nr;
	int ret;

	if (arguments->nr_words != 1)
		return wrong(arguments, "apply which file? (- is standard input)");
	ret = read_file(arguments->words[0], &wanted);
	if (ret != DONE)
		return ret;
	nr = pb_rules_nr(wanted);
	ret = change_ruleset(arguments, replace, wanted);
	pb_rules_free(wanted);
	if (ret == DONE)
		print("Ruleset %s: %zu rule%s from %s\n", ruleset_name(arguments), nr,
		      nr == 1 ? "" : "s", arguments->words[0]);
	return ret;
}
