// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds a ruleset open, and says what is in it, whatever is pinned under its name by then.
 *
 *	witness RULESET
 *
 * Prints "open". For each line on standard input, a line with the first port of each rule.
 */
#include <stdio.h>
#include <portblock/portblock.h>

static int die(const struct pb_error *error)
{
	fprintf(stderr, "witness: %s\n", error->text);
	return 1;
}

int main(int argc, char **argv)
{
	struct pb_ruleset *ruleset;
	struct pb_error error = { "usage: witness RULESET" };
	struct pb_rules *rules;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 2 || pb_ruleset_open(argv[1], &ruleset, &error))
		return die(&error);
	for (printf("open\n"); getchar() != EOF;) {
		if (pb_ruleset_read(ruleset, &rules, &error))
			return die(&error);
		for (size_t i = 0; i < pb_rules_nr(rules); i++)
			printf("%u ", pb_rules_at(rules, i)->ports[0].first);
		printf("\n");
		pb_rules_free(rules);
	}
	pb_ruleset_close(ruleset);
	return 0;
}
