// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock policy|replies|fragments|unparsable|answers: print or set a setting of a ruleset. */
#include <stdio.h>
#include <string.h>
#include "json.h"
#include "tool.h"

static int print_setting(const struct arguments *arguments, struct pb_ruleset *ruleset,
			 struct pb_error *error)
{
	const char *name = arguments->command->name, *value;
	struct pb_rules *rules;
	struct json_object *json;

	if (pb_ruleset_read(ruleset, &rules, error))
		return fail(error);
	value = pb_setting_value(pb_rules_settings(rules), name);
	pb_rules_free(rules);
	if (!given(arguments, OPT_JSON)) {
		printf("%s\n", value);
		return DONE;
	}
	json = json_new_object();
	json_add(json, "ruleset", json_string(ruleset_name(arguments)));
	json_add(json, name, json_string(value));
	return json_print(json);
}

/* Turning the policy to deny or reject brings the failsafe rules along; the others are just set. */
static int change(struct pb_rules *rules, void *context, struct pb_error *error)
{
	const struct arguments *arguments = context;
	struct pb_settings wanted = *pb_rules_settings(rules);
	int ret = pb_setting_set(&wanted, arguments->command->name, arguments->words[0], error);

	if (!ret)
		ret = pb_rules_policy(rules, wanted.policy, error);
	if (!ret)
		*pb_rules_settings(rules) = wanted;
	return ret;
}

static int set_setting(const struct arguments *arguments)
{
	int ret = change_ruleset(arguments, change, (void *)arguments);

	if (ret == DONE)
		printf("Ruleset %s: %s %s\n", ruleset_name(arguments), arguments->command->name,
		       arguments->words[0]);
	return ret;
}

int cmd_setting(const struct arguments *arguments)
{
	struct pb_settings trial = {};
	struct pb_ruleset *ruleset;
	struct pb_error error;
	int ret;

	if (arguments->nr_words > 1)
		return wrong(arguments, "'%s' is one word too many", arguments->words[1]);
	if (arguments->nr_words) {
		ret = pb_setting_set(&trial, arguments->command->name, arguments->words[0], &error);
		return ret ? refused(arguments, ret, OPT_MAX, &error) : set_setting(arguments);
	}
	if (pb_ruleset_open(ruleset_name(arguments), &ruleset, &error))
		return fail(&error);
	ret = print_setting(arguments, ruleset, &error);
	pb_ruleset_close(ruleset);
	return ret;
}
