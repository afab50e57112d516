// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Blocks a TCP port on an interface for a minute: block INTERFACE PORT, as root. */
#include <stdio.h>
#include <portblock/portblock.h>

/* Adds the rule to the ruleset of the interface, in one step. */
static int add(struct pb_rule *rule, struct pb_error *error)
{
	struct pb_ruleset *ruleset;
	struct pb_rules *rules;
	int ret = pb_ruleset_open("default", &ruleset, error);

	if (ret)
		return ret;
	ret = pb_ruleset_begin(ruleset, &rules, error);
	if (!ret)
		ret = pb_rules_add(rules, rule, NULL, NULL, error);
	if (!ret)
		ret = pb_ruleset_commit(ruleset, rules, 0, error);
	else
		pb_ruleset_abort(ruleset, rules);
	pb_ruleset_close(ruleset);
	return ret;
}

int main(int argc, char **argv)
{
	char *words[] = { "drop", "tcp", "dport", argc == 3 ? argv[2] : "", "expires", "1m" };
	struct pb_load_options options = { .size = sizeof(options), .mode = PB_MODE_AUTO };
	struct pb_rule *rule = pb_rule_new();
	struct pb_error error = { "block INTERFACE PORT" };
	int ifindex, ret = 1;

	if (rule && argc == 3 && !pb_interface_index(argv[1], &ifindex, &error) &&
	    !pb_rule_parse(words, 6, pb_clock(), rule, NULL, &error) &&
	    !pb_filter_load(&ifindex, 1, &options, NULL, &error) && !add(rule, &error))
		ret = 0;
	if (ret)
		fprintf(stderr, "%s\n", error.text);
	pb_rule_free(rule);
	return ret;
}
