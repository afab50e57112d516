// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock load: the filter on interfaces, all or none. */
#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tool.h"

/* By its name, or its number. */
static int read_group(const struct arguments *arguments, struct pb_load_options *options)
{
	const char *name = arguments->values[OPT_GROUP];
	const struct group *group = name ? getgrnam(name) : NULL;

	if (!name)
		return DONE;
	options->set_group = 1;
	if (group) {
		options->group = group->gr_gid;
		return DONE;
	}
	if (*name && !name[strspn(name, "0123456789")])
		return option_number(arguments, OPT_GROUP, 0, UINT32_MAX - 1, &options->group);
	return wrong(arguments, "--group: there is no group '%s' here (`getent group` lists them)",
		     name);
}

static int read_options(const struct arguments *arguments, struct pb_load_options *options,
			struct pb_ruleset_options *limits)
{
	const char *mode = arguments->values[OPT_MODE], *policy = arguments->values[OPT_POLICY];
	const char *engine = arguments->values[OPT_ENGINE];
	struct pb_error error;
	__u32 priority = 0;
	int ret;

	ret = mode ? pb_mode_parse(mode, &options->mode, &error) : 0;
	if (ret)
		return refused(arguments, ret, OPT_MODE, &error);
	ret = engine ? pb_engine_parse(engine, &options->engine, &error) : 0;
	if (ret)
		return refused(arguments, ret, OPT_ENGINE, &error);
	ret = policy ? pb_policy_parse(policy, &options->policy, &error) : 0;
	if (ret)
		return refused(arguments, ret, OPT_POLICY, &error);
	options->set_policy = policy;
	options->ruleset = arguments->values[OPT_RULESET];
	options->require_dispatcher = given(arguments, OPT_REQUIRE_DISPATCHER);
	ret = option_number(arguments, OPT_PRIORITY, 1, PB_PRIORITY_MAX, &priority);
	options->priority = priority;
	if (ret == DONE)
		ret = option_number(arguments, OPT_MAX_RULES, 1, PB_RULES_LIMIT,
				    &limits->max_rules);
	if (ret == DONE)
		ret = option_number(arguments, OPT_MAX_SOURCES, 1, PB_SOURCES_LIMIT,
				    &limits->max_sources);
	if (ret == DONE)
		ret = option_number(arguments, OPT_MAX_BUCKETS, 1, PB_BUCKETS_LIMIT,
				    &limits->max_buckets);
	return ret == DONE ? read_group(arguments, options) : ret;
}

/* What is loaded under that name: it stays, or is what --rules and --policy change. */
struct present {
	struct pb_rules *rules;
	struct pb_rules *before; /* come back unless a change is confirmed; else NULL */
	struct pb_ruleset_options limits;
};

static int read_present(const struct arguments *arguments, struct present *present,
			struct pb_error *error)
{
	struct pb_ruleset *ruleset;
	int ret = pb_ruleset_open(ruleset_name(arguments), &ruleset, error);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = pb_ruleset_limits(ruleset, &present->limits, error) ?:
		      pb_ruleset_read(ruleset, &present->rules, error);
	if (!ret && pb_ruleset_pending(ruleset))
		ret = pb_ruleset_read_before(ruleset, &present->before, error);
	pb_ruleset_close(ruleset);
	return ret == -ENOENT ? 0 : ret; /* the time to confirm has run out meanwhile */
}

static int guard_rules(const struct present *present, const struct pb_load_options *options,
		       struct pb_prospect *prospect, struct pb_error *error)
{
	const struct pb_rules *from = options->rules ?: present->rules;
	struct pb_rules *to_come = pb_rules_new();
	int ret = to_come ? 0 : lack_memory(error);

	if (!ret && from)
		ret = pb_rules_replace(to_come, from, error);
	if (!ret && options->set_policy)
		ret = pb_rules_policy(to_come, options->policy, error);
	if (!ret && options->saved)
		ret = pb_rules_restore(to_come, options->saved, error);
	prospect->rules = to_come;
	if (!ret)
		ret = guard(prospect, GUARD_FORCE, error);
	pb_rules_free(to_come);
	prospect->rules = present->before;
	if (!ret && present->before)
		ret = guard(prospect, GUARD_FORCE, error);
	return ret;
}

/* Would the SSH connection in use be cut by loading? */
static int guard_load(const struct arguments *arguments, const struct pb_load_options *options,
		      const int *ifindexes)
{
	struct present present = { .limits = *options->limits };
	struct pb_prospect prospect = { .size = sizeof(prospect),
					.ruleset = ruleset_name(arguments),
					.limits = &present.limits,
					.ifindexes = ifindexes,
					.nr = arguments->nr_words };
	struct pb_error error;
	int ret = read_present(arguments, &present, &error);

	if (!ret)
		ret = guard_rules(&present, options, &prospect, &error);
	pb_rules_free(present.rules);
	pb_rules_free(present.before);
	return ret ? fail(&error) : DONE;
}

static const char *const what_names[] = {
	[PB_LOADED] = "loaded",
	[PB_MOVED] = "moved,",
	[PB_ALREADY_LOADED] = "already loaded",
};

static void print_result(const struct pb_load_result *result)
{
	const struct pb_interface *interface = result->interface;

	print("%s: %s in %s mode, %s%s, ruleset %s, policy %s%s%s%s\n", interface->name,
	      what_names[result->what], pb_mode_name(interface->mode),
	      interface->dispatcher ? "under the dispatcher" : "as a single program",
	      interface->engine == PB_ENGINE_NATIVE ? ", engine native" : "", interface->ruleset,
	      pb_policy_name(interface->settings.policy), *result->note ? " (" : "", result->note,
	      *result->note ? ")" : "");
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
	if (ret == DONE)
		warn_of_answers(ruleset_name(arguments));
	for (size_t i = 0; i < arguments->nr_words; i++)
		free(results[i].interface);
	free(results);
	return ret;
}

int cmd_load(const struct arguments *arguments)
{
	struct pb_ruleset_options limits = { .size = sizeof(limits) };
	struct pb_load_options options = { .size = sizeof(options), .limits = &limits };
	struct pb_saved *saved = NULL;
	struct pb_rules *wanted = NULL;
	int *ifindexes = NULL, ret;

	if (!arguments->nr_words)
		return wrong(arguments, "load on which interface?");
	ret = read_options(arguments, &options, &limits);
	if (ret == DONE)
		ret = interface_indexes(arguments, &ifindexes);
	if (ret == DONE && given(arguments, OPT_RULES))
		ret = read_file(arguments->values[OPT_RULES], &wanted);
	if (ret == DONE)
		ret = read_elements(arguments, arguments->values[OPT_RULES], &saved);
	options.rules = wanted;
	options.saved = saved;
	if (ret == DONE && !given(arguments, OPT_FORCE) && guarded())
		ret = guard_load(arguments, &options, ifindexes);
	if (ret == DONE)
		ret = load(arguments, &options, ifindexes);
	if (ret == DONE)
		print_restored(saved);
	free(ifindexes);
	pb_rules_free(wanted);
	pb_saved_free(saved);
	return ret;
}
