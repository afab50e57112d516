// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes a loaded ruleset to and fro between two files, as fast as it goes.
 *
 *	flip RULESET FILE FILE TIMES
 */
#include <stdio.h>
#include <stdlib.h>
#include <portblock/portblock.h>

static int die(const char *what, const char *why)
{
	fprintf(stderr, "flip: %s: %s\n", what, why);
	return 1;
}

static int flip(struct pb_ruleset *ruleset, const struct pb_rules *wanted, struct pb_error *error)
{
	struct pb_rules *rules;
	int ret = pb_ruleset_begin(ruleset, &rules, error);

	if (ret)
		return ret;
	ret = pb_rules_replace(rules, wanted, error);
	if (!ret)
		return pb_ruleset_commit(ruleset, rules, 0, error);
	pb_ruleset_abort(ruleset, rules);
	return ret;
}

int main(int argc, char **argv)
{
	static struct pb_problems problems;
	struct pb_ruleset *ruleset;
	struct pb_rules *sets[2];
	struct pb_error error;

	if (argc != 5)
		return die("usage", "flip RULESET FILE FILE TIMES");
	for (int i = 0; i < 2; i++)
		if (pb_rules_read(argv[2 + i], pb_clock(), &sets[i], &problems, NULL))
			return die(argv[2 + i], problems.list[0].text);
	if (pb_ruleset_open(argv[1], &ruleset, &error))
		return die(argv[1], error.text);
	for (int i = 0; i < atoi(argv[4]); i++)
		if (flip(ruleset, sets[i & 1], &error))
			return die(argv[1], error.text);
	pb_ruleset_close(ruleset);
	for (int i = 0; i < 2; i++)
		pb_rules_free(sets[i]);
	return 0;
}
