// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock rule add|del|list|flush|reset */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tool.h"

/* ---- add: one rule, one transaction --------------------------------------------------------- */

static const char *const what_names[] = {
	[PB_ADDED] = "added",
	[PB_CHANGED] = "changed",
	[PB_UNCHANGED] = "unchanged",
};

struct addition {
	struct pb_rule *rule;
	__u32 id;
	enum pb_added what;
};

static int add(struct pb_rules *rules, void *context, struct pb_error *error)
{
	struct addition *addition = context;
	int ret = pb_rules_add(rules, addition->rule, &addition->id, &addition->what, error);

	return ret ?: addition->what == PB_UNCHANGED;
}

/*
 * Without a look at the others, where that can be had so. Through an SSH connection the guard has to be asked, and that
 * looks at all of them: its packets may have another port on the wire (it is translated), or be dropped already.
 */
static int add_at_once(const struct arguments *arguments, struct pb_ruleset *ruleset, void *context,
		       struct pb_error *error)
{
	struct addition *addition = context;

	if (!given(arguments, OPT_FORCE) && guarded())
		return 0;
	addition->what = PB_ADDED;
	return pb_ruleset_add_alone(ruleset, addition->rule, &addition->id, error);
}

/* The rule is in force: to say so must not fail for want of memory, which json-c would ask for. */
static void print_added(const struct arguments *arguments, const char *text,
			const struct addition *addition)
{
	const char *what = what_names[addition->what];

	if (given(arguments, OPT_JSON))
		printf("{\"id\":%u,\"result\":\"%s\"}\n", addition->id, what);
	else
		print("Rule %u %s: %s\n", addition->id, what, text);
}

int cmd_rule_add(const struct arguments *arguments)
{
	struct addition addition = {};
	char *text = NULL;
	int ret = rule_from_arguments(arguments, &addition.rule);

	if (ret != DONE)
		return ret;
	if (pb_rule_format(addition.rule, pb_clock(), &text))
		ret = out_of_memory();
	else
		ret = change_ruleset_or(arguments, add_at_once, add, &addition);
	if (ret == DONE)
		print_added(arguments, text, &addition);
	pb_rule_free(addition.rule);
	free(text);
	return ret;
}

/* ---- del: by ids, all or none, or the same rule --------------------------------------------- */

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
	struct pb_rule *rule; /* the same as; where no ids are given */
	__u32 id;
};

static int delete (struct pb_rules *rules, void *context, struct pb_error *error)
{
	struct deletion *deletion = context;
	const struct pb_rule *same;

	if (are_ids(deletion->arguments))
		return delete_ids(deletion->arguments, rules, error);
	same = pb_rules_find_same(rules, deletion->rule);
	if (!same)
		return pb_rules_missing(rules, deletion->rule, error);
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
	pb_rule_free(deletion.rule);
	if (ret == DONE && !by_id)
		printf("Rule %u deleted.\n", deletion.id);
	for (size_t i = 0; ret == DONE && by_id && i < arguments->nr_words; i++)
		if (is_first(&ids, id_of(arguments->words[i])))
			printf("Rule %u deleted.\n", id_of(arguments->words[i]));
	return ret;
}

/* ---- list, flush, reset: the whole ruleset -------------------------------------------------- */

int cmd_rule_list(const struct arguments *arguments)
{
	struct pb_ruleset *ruleset;
	struct pb_error error;
	struct pb_rules *rules;
	int ret;

	if (pb_ruleset_open(ruleset_name(arguments), &ruleset, &error))
		return fail(&error);
	if (pb_ruleset_read(ruleset, &rules, &error)) {
		ret = fail(&error);
	} else {
		ret = print_rules(ruleset, rules, given(arguments, OPT_JSON));
		pb_rules_free(rules);
	}
	pb_ruleset_close(ruleset);
	return ret;
}

static bool any_rule(const struct pb_rule *rule, void *context)
{
	(void)rule;
	(void)context;
	return true;
}

static int flush(struct pb_rules *rules, void *context, struct pb_error *error)
{
	(void)error;
	*(size_t *)context = pb_rules_del_if(rules, any_rule, NULL);
	return 0;
}

int cmd_rule_flush(const struct arguments *arguments)
{
	size_t flushed = 0;
	int ret = change_ruleset(arguments, flush, &flushed);

	if (ret == DONE)
		printf("Deleted %zu rule%s.\n", flushed, flushed == 1 ? "" : "s");
	return ret;
}

int cmd_rule_reset(const struct arguments *arguments)
{
	struct pb_ruleset *ruleset;
	struct pb_error error;
	int ret;

	if (pb_ruleset_open(ruleset_name(arguments), &ruleset, &error))
		return fail(&error);
	ret = pb_ruleset_reset(ruleset, &error);
	pb_ruleset_close(ruleset);
	if (ret)
		return fail(&error);
	printf("Counters are at 0.\n");
	return DONE;
}
