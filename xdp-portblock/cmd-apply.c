// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock apply: the loaded ruleset becomes that of a file, in one step. */
#include <stdio.h>
#include "tool.h"

struct wanted {
	struct pb_rules *rules;
	struct pb_saved *saved; /* NULL: none */
};

static int replace(struct pb_rules *rules, void *context, struct pb_error *error)
{
	const struct wanted *wanted = context;
	int err = pb_rules_replace(rules, wanted->rules, error);

	if (!err && wanted->saved)
		err = pb_rules_restore(rules, wanted->saved, error);
	return err;
}

int cmd_apply(const struct arguments *arguments)
{
	const char *path = arguments->nr_words ? arguments->words[0] : NULL;
	struct wanted wanted = {};
	size_t nr;
	int ret;

	if (arguments->nr_words != 1)
		return wrong(arguments, "apply which file? (- is standard input)");
	ret = read_file(path, &wanted.rules);
	if (ret == DONE)
		ret = read_elements(arguments, path, &wanted.saved);
	if (ret == DONE)
		ret = change_ruleset(arguments, replace, &wanted);
	if (ret == DONE) {
		nr = pb_rules_nr(wanted.rules);
		print("Ruleset %s: %zu rule%s from %s\n", ruleset_name(arguments), nr,
		      nr == 1 ? "" : "s", path);
		print_restored(wanted.saved);
	}
	pb_rules_free(wanted.rules);
	pb_saved_free(wanted.saved);
	return ret;
}
