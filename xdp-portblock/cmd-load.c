// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock load: the filter on interfaces, all or none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tool.h"

static int read_options(const struct arguments *arguments, struct pb_load_options *options)
{
	const char *mode = arguments->values[OPT_MODE], *policy = arguments->values[OPT_POLICY];
	struct pb_error error;
	__u32 priority = 0;
	int ret;

	if (mode && pb_mode_parse(mode, &options->mode, &error))
		return wrong(arguments, "--mode: %s", error.text);
	if (policy && pb_policy_parse(policy, &options->policy, &error))
		return wrong(arguments, "--policy: %s", error.text);
	options->set_policy = policy;
	options->ruleset = arguments->values[OPT_RULESET];
	options->require_dispatcher = given(arguments, OPT_REQUIRE_DISPATCHER);
	ret = option_number(arguments, OPT_PRIORITY, 1, PB_PRIORITY_MAX, &priority);
	options->priority = priority;
	if (ret == DONE)
		ret = option_number(arguments, OPT_MAX_RULES, 1, PB_RULES_LIMIT,
				    &options->limits.max_rules);
	if (ret == DONE)
		ret = option_number(arguments, OPT_MAX_SOURCES, 1, PB_SOURCES_LIMIT,
				    &options->limits.max_sources);
	return ret;
}

/* What the ruleset will be: the file's, or what is loaded under that name, or nothing yet. */
static int rules_to_come(const struct arguments *arguments, struct pb_set *set,
			 struct pb_error *error)
{
	struct pb_ruleset *ruleset;
	int ret;

	if (given(arguments, OPT_RULES) || pb_ruleset_open(ruleset_name(arguments), &ruleset, NULL))
		return 0;
	ret = pb_ruleset_read(ruleset, set, error);
	pb_ruleset_close(ruleset);
	return ret;
}

/* Would the SSH connection in use be cut by loading? */
static int guard_load(const struct arguments *arguments, const struct pb_load_options *options,
		      struct pb_set *rules, const int *ifindexes)
{
	struct pb_error error;
	int ret = rules_to_come(arguments, rules, &error);

	if (!ret && options->set_policy)
		ret = pb_set_policy(rules, options->policy, &error);
	if (!ret)
		ret = guard_interfaces(rules, ifindexes, arguments->nr_words, &error);
	return ret ? fail(&error) : DONE;
}

static const char *const what_names[] = {
	[PB_LOADED] = "loaded",
	[PB_MOVED] = "moved to this ruleset,",
	[PB_ALREADY_LOADED] = "already loaded",
};

static void print_result(const struct pb_load_result *result)
{
	const struct pb_interface *interface = &result->interface;

	printf("%s: %s in %s mode, %s, ruleset %s, policy %s%s%s%s\n", interface->name,
	       what_names[result->what], pb_mode_name(interface->mode),
	       interface->dispatcher ? "under the dispatcher" : "as a single program",
	       interface->ruleset, pb_policy_name(interface->settings.policy),
	       *result->note ? " (" : "", result->note, *result->note ? ")" : "");
}

static int load(const struct arguments *arguments, const struct pb_load_options *options,
		const int *ifindexes)
{
	struct pb_load_result *results = calloc(arguments->nr_words, sizeof(*results));
	struct pb_error error;
	int ret = DONE;

	if (!results)
		return out_of_memory();
	if (pb_filter_load(ifindexes, arguments->nr_words, options, results, &error))
		ret = fail(&error);
	for (size_t i = 0; ret == DONE && i < arguments->nr_words; i++)
		print_result(&results[i]);
	free(results);
	return ret;
}

int cmd_load(const struct arguments *arguments)
{
	struct pb_load_options options = {};
	struct pb_set rules = {}, wanted = {};
	int *ifindexes = NULL, ret;
	struct pb_error error;

	if (!arguments->nr_words)
		return wrong(arguments, "load on which interface?");
	ret = read_options(arguments, &options);
	if (ret == DONE)
		ret = interface_indexes(arguments, &ifindexes);
	if (ret == DONE && given(arguments, OPT_RULES))
		ret = read_file(arguments->values[OPT_RULES], &wanted);
	if (ret == DONE && !given(arguments, OPT_FORCE)) {
		if (pb_set_replace(&rules, &wanted, &error))
			ret = fail(&error);
		else
			ret = guard_load(arguments, &options, &rules, ifindexes);
	}
	options.rules = given(arguments, OPT_RULES) ? &wanted : NULL;
	if (ret == DONE)
		ret = load(arguments, &options, ifindexes);
	free(ifindexes);
	pb_set_clear(&rules);
	pb_set_clear(&wanted);
	return ret;
}
