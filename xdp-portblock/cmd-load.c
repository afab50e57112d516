// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock load: the filter on interfaces, all or none. */
#include <stdio.h>
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
	options->ruleset = ruleset_name(arguments);
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

static void print_result(const struct pb_load_result *result)
{
	const struct pb_interface *interface = &result->interface;

	printf("%s: %s in %s mode, %s, ruleset %s, policy %s%s%s%s\n", interface->name,
	       result->what == PB_ALREADY_LOADED ? "already loaded" : "loaded",
	       pb_mode_name(interface->mode),
	       interface->dispatcher ? "under the dispatcher" : "as a single program",
	       interface->ruleset, pb_policy_name(interface->settings.policy),
	       *result->note ? " (" : "", result->note, *result->note ? ")" : "");
}

int cmd_load(const struct arguments *arguments)
{
	struct pb_load_result results[PB_INTERFACES_MAX];
	struct pb_load_options options = {};
	int ifindexes[PB_INTERFACES_MAX], ret;
	struct pb_error error;

	if (!arguments->nr_words)
		return wrong(arguments, "load on which interface?");
	ret = read_options(arguments, &options);
	if (ret == DONE)
		ret = interface_indexes(arguments, ifindexes);
	if (ret != DONE)
		return ret;
	if (pb_filter_load(ifindexes, arguments->nr_words, &options, results, &error))
		return fail(&error);
	for (size_t i = 0; i < arguments->nr_words; i++)
		print_result(&results[i]);
	return DONE;
}
