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

static __u32 id_of(const char *word)
{
	unsigned long id = strtoul(word, NULL, 10);

	return id > PB_RULES_LIMIT ? PB_RULES_LIMIT + 1 : id;
}

/* Of ids that are given twice, the first; so each is deleted once, and told once. */
struct ids {
	bool seen[PB_RULES_LIMIT + 2];
};

static bool is_first(struct ids *ids, __u32 id)
{
	bool seen = ids->seen[id];

	ids->seen[id] = true;
	return !seen;
}

/* One that is not there is reported before any is deleted: the message lists what there is. */
static int delete_ids(const struct arguments *arguments, struct pb_rules *rules,
		      struct pb_error *error)
{
	struct ids ids = {};
	int ret = 0;

	for (size_t i = 0; i < arguments->nr_words; i++)
		if (!pb_rules_find(rules, id_of(arguments->words[i])))
			return pb_rules_del(rules, id_of(arguments->words[i]), error);
	for (size_t i = 0; !ret && i < arguments->nr_words; i++)
		if (is_first(&ids, id_of(arguments->words[i])))
			ret = pb_rules_del(rules, id_of(arguments->words[i]), error);
	return ret;
}

struct deletion {
	const struct arguments *arguments;
	struct pb_rule rule; /* the same as; where no ids are given */
	__u32 id;
};

static int delete (struct pb_rules *rules, void *context, struct pb_error *error)
{
	struct deletion *deletion = context;
	const struct pb_rule *same;

	if (are_ids(deletion->arguments))
		return delete_ids(deletion->arguments, rules, error);
	same = pb_rules_find_same(rules, &deletion->rule);
	if (!same)
		return pb_rules_missing(rules, &deletion->rule, error);
	deletion->id = same->id;
	return pb_rules_del(rules, deletion->id, error);
}

int cmd_rule_del(const struct arguments *arguments)
{
	struct deletion deletion = { .arguments = arguments };
	bool by_id = are_ids(arguments);
	struct ids ids = {};
	int ret = by_id ? DONE : rule_from_arguments(arguments, &deletion.rule);

	if (ret != DONE)
		return ret;
	ret = change_ruleset(arguments, delete, &deletion);
	pb_rule_clear(&deletion.rule);
	if (ret == DONE && !by_id)
		printf("Rule %u deleted.\n", deletion.id);
	for (size_t i = 0; ret == DONE && by_id && i < arguments->nr_words; i++)
		if (is_first(&ids, id_of(arguments->words[i])))
			printf("Rule %u deleted.\n", id_of(arguments->words[i]));
	return ret;
}
