// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock rule add: one rule, one transaction. */
#include <stdio.h>
#include <stdlib.h>
#include <json-c/json.h>
#include "tool.h"

static const char *const what_names[] = {
	[PB_ADDED] = "added",
	[PB_CHANGED] = "changed",
	[PB_UNCHANGED] = "unchanged",
};

static int print_added(const struct arguments *arguments, const char *text, __u32 id,
		       enum pb_added what)
{
	struct json_object *json;

	if (!given(arguments, OPT_JSON)) {
		printf("Rule %u %s: %s\n", id, what_names[what], text);
		return DONE;
	}
	json = json_object_new_object();
	json_object_object_add(json, "id", json_object_new_int64(id));
	json_object_object_add(json, "result", json_object_new_string(what_names[what]));
	return print_json(json);
}

static int add(struct pb_ruleset *ruleset, struct pb_rule *rule, __u32 *id, enum pb_added *what,
	       struct pb_error *error)
{
	struct pb_set set = {};
	int ret = pb_ruleset_begin(ruleset, &set, error);

	if (!ret)
		ret = pb_set_add(&set, rule, id, what, error);
	if (!ret && *what != PB_UNCHANGED)
		return pb_ruleset_commit(ruleset, &set, 0, error);
	pb_ruleset_abort(ruleset, &set);
	return ret;
}

int cmd_rule_add(const struct arguments *arguments)
{
	struct pb_ruleset *ruleset = NULL;
	struct pb_rule rule = {};
	enum pb_added what = PB_ADDED;
	struct pb_error error;
	char *text = NULL;
	__u32 id = 0;
	int ret = rule_from_arguments(arguments, &rule);

	if (ret != DONE)
		return ret;
	if (pb_rule_format(&rule, pb_clock(), &text)) {
		note("out of memory");
		ret = FAILED;
	} else if (pb_ruleset_open(ruleset_name(arguments), &ruleset, &error) ||
		   add(ruleset, &rule, &id, &what, &error)) {
		ret = fail(&error);
	} else {
		ret = print_added(arguments, text, id, what);
	}
	pb_ruleset_close(ruleset);
	pb_rule_clear(&rule);
	free(text);
	return ret;
}
