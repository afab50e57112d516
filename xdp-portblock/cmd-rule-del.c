// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock rule del: by ids, all or none, or the same rule. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tool.h"

/* Words that are nothing but digits are ids: no rule's text is. */
static bool are_ids(const struct arguments *arguments)
{
	for (size_t i = 0; i < arguments->nr_words; i++)
		if (strspn(arguments->words[i], "0123456789") != strlen(arguments->words[i]))
			return false;
	return arguments->nr_words > 0 && !rule_options_given(arguments);
}

static int delete_ids(const struct arguments *arguments, struct pb_set *set, struct pb_error *error)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < arguments->nr_words; i++) {
		unsigned long id = strtoul(arguments->words[i], NULL, 10);

		ret = pb_set_del(set, id > PB_RULES_LIMIT ? PB_RULES_LIMIT + 1 : id, error);
	}
	return ret;
}

static int delete_same(struct pb_set *set, const struct pb_rule *rule, __u32 *id,
		       struct pb_error *error)
{
	const struct pb_rule *same = pb_set_find_same(set, rule);

	if (!same)
		return pb_set_missing(set, rule, error);
	*id = same->id;
	return pb_set_del(set, *id, error);
}

int cmd_rule_del(const struct arguments *arguments)
{
	bool by_id = are_ids(arguments);
	struct pb_ruleset *ruleset = NULL;
	struct pb_rule rule = {};
	struct pb_error error;
	struct pb_set set = {};
	__u32 id = 0;
	int ret = by_id ? DONE : rule_from_arguments(arguments, &rule);

	if (ret != DONE)
		return ret;
	ret = pb_ruleset_open(ruleset_name(arguments), &ruleset, &error);
	if (!ret)
		ret = pb_ruleset_begin(ruleset, &set, &error);
	if (!ret) {
		ret = by_id ? delete_ids(arguments, &set, &error) :
			      delete_same(&set, &rule, &id, &error);
		if (ret)
			pb_ruleset_abort(ruleset, &set);
		else
			ret = pb_ruleset_commit(ruleset, &set, 0, &error);
	}
	pb_ruleset_close(ruleset);
	pb_rule_clear(&rule);
	if (ret)
		return fail(&error);
	if (!by_id)
		printf("Rule %u deleted.\n", id);
	for (size_t i = 0; i < arguments->nr_words && by_id; i++)
		printf("Rule %s deleted.\n", arguments->words[i]);
	return DONE;
}
