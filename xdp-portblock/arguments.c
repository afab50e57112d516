// SPDX-License-Identifier: GPL-2.0-only
/* What several commands read from their arguments. */
#include <stdlib.h>
#include <string.h>
#include "tool.h"

bool given(const struct arguments *arguments, enum option_id id)
{
	return arguments->values[id];
}

const char *ruleset_name(const struct arguments *arguments)
{
	return arguments->values[OPT_RULESET] ?: "default";
}

int option_number(const struct arguments *arguments, enum option_id id, unsigned long min,
		  unsigned long max, __u32 *number)
{
	const char *text = arguments->values[id];
	unsigned long value = 0;
	size_t digits;

	if (!text)
		return DONE;
	digits = strspn(text, "0123456789");
	if (digits && digits < 11 && !text[digits])
		value = strtoul(text, NULL, 10);
	if (!digits || digits > 10 || text[digits] || value < min || value > max)
		return wrong(arguments, "--%s: '%s' is not a number from %lu to %lu",
			     option_infos[id].name, text, min, max);
	*number = value;
	return DONE;
}

static int read_indexes(const struct arguments *arguments, int *ifindexes)
{
	struct pb_error error;

	for (size_t i = 0; i < arguments->nr_words; i++) {
		if (pb_interface_index(arguments->words[i], &ifindexes[i], &error))
			return fail(&error);
		for (size_t j = 0; j < i; j++)
			if (ifindexes[i] == ifindexes[j])
				return wrong(arguments, "'%s' and '%s' are the same interface",
					     arguments->words[j], arguments->words[i]);
	}
	return DONE;
}

int interface_indexes(const struct arguments *arguments, int **ifindexes)
{
	int *indexes = calloc(arguments->nr_words + 1, sizeof(*indexes)), ret;

	if (!indexes)
		return out_of_memory();
	ret = read_indexes(arguments, indexes);
	if (ret == DONE)
		*ifindexes = indexes;
	else
		free(indexes);
	return ret;
}

static void print_problems(const struct pb_problems *problems)
{
	for (size_t i = 0; i < problems->nr; i++)
		note("%s", problems->list[i].text);
	if (problems->nr + problems->more >= PB_PROBLEMS_END)
		note("and so many more like these that reading ended there");
	else if (problems->more)
		note("and %zu more like these", problems->more);
}

int read_file(const char *path, struct pb_rules **rules)
{
	struct pb_problems *problems = calloc(2, sizeof(*problems));
	int ret;

	if (!problems)
		return out_of_memory();
	ret = pb_rules_read(path, pb_clock(), rules, &problems[0], &problems[1]);
	print_problems(&problems[ret ? 0 : 1]);
	free(problems);
	return ret ? FAILED : DONE;
}

static bool has_ports(const struct pb_rule *rule)
{
	return rule->nr_ports;
}

static bool has_from(const struct pb_rule *rule)
{
	return rule->nr_from || rule->nr_from_sets;
}

static bool has_except(const struct pb_rule *rule)
{
	return rule->nr_except || rule->nr_except_sets;
}

static bool has_new(const struct pb_rule *rule)
{
	return rule->only_new;
}

static bool has_over(const struct pb_rule *rule)
{
	return rule->over.rate.amount;
}

static bool has_each(const struct pb_rule *rule)
{
	return rule->over.each;
}

static bool has_total(const struct pb_rule *rule)
{
	return rule->over.total.amount;
}

static bool has_expires(const struct pb_rule *rule)
{
	return rule->expires;
}

static bool has_comment(const struct pb_rule *rule)
{
	return *rule->comment;
}

/*
 * Options that set a field of a rule, and whether a rule's text has set it already, NULL: what was
 * made of it does not tell, but its words do (says_word); the protocols first, since service names
 * depend on them.
 */
static const struct rule_option {
	enum option_id id;
	const char *field;
	bool (*has)(const struct pb_rule *rule);
} rule_options[] = {
	{ OPT_PROTO, "protocols", has_ports },
	{ OPT_PORT, "dport", has_ports },
	{ OPT_SPORT, "sport", has_ports },
	{ OPT_ACTION, "action", NULL },
	{ OPT_FROM, "from", has_from },
	{ OPT_EXCEPT, "except", has_except },
	{ OPT_NEW, "new", has_new },
	{ OPT_OVER, "over", has_over },
	{ OPT_BURST, "burst", NULL },
	{ OPT_EACH, "each", has_each },
	{ OPT_TOTAL, "total", has_total },
	{ OPT_EXPIRES, "expires", has_expires },
	{ OPT_COMMENT, "comment", has_comment },
};
#define NR_RULE_OPTIONS (sizeof(rule_options) / sizeof(rule_options[0]))

bool rule_options_given(const struct arguments *arguments)
{
	for (size_t i = 0; i < NR_RULE_OPTIONS; i++)
		if (given(arguments, rule_options[i].id))
			return true;
	return false;
}

static bool is_action(const char *word)
{
	for (int i = 0; i < PB_ACTION_MAX; i++)
		if (!strcmp(word, pb_action_name(i)))
			return true;
	return false;
}

/* In words that make a rule. Of these a comment alone may be any word, a keyword, too. */
static bool says_word(char *const *words, size_t nr, const struct rule_option *option)
{
	if (option->id == OPT_ACTION)
		return is_action(words[0]);
	for (size_t i = 0; i < nr; i++) {
		if (!strcmp(words[i], option->field))
			return true;
		if (!strcmp(words[i], "comment"))
			i++;
	}
	return false;
}

static void find_said(char *const *words, size_t nr, const struct pb_rule *rule, bool *said)
{
	for (size_t i = 0; i < NR_RULE_OPTIONS; i++) {
		const struct rule_option *option = &rule_options[i];

		said[i] = option->has ? option->has(rule) : says_word(words, nr, option);
	}
}

/* `said`: by the rule's text */
static int set_options(const struct arguments *arguments, struct pb_rule *rule, __u64 now,
		       const bool *said)
{
	struct pb_error error, masked = { "" };
	int err;

	for (size_t i = 0; i < NR_RULE_OPTIONS; i++) {
		const char *value = arguments->values[rule_options[i].id];

		if (!value)
			continue;
		if (said[i])
			return wrong(arguments, "--%s %s: the rule's text '%s%s' says that already",
				     option_infos[rule_options[i].id].name, value,
				     arguments->words[0], arguments->nr_words > 1 ? " ..." : "");
		err = pb_rule_set(rule, rule_options[i].field, value, now, &masked, &error);
		if (err)
			return refused(arguments, err, rule_options[i].id, &error);
		if (*masked.text)
			note("%s", masked.text);
		*masked.text = '\0';
	}
	return DONE;
}

/* The words may be one argument each, or all in one. */
static int set_words(const struct arguments *arguments, struct pb_rule *rule, __u64 now, bool *said)
{
	char *const *words = arguments->words;
	struct pb_error error, masked = { "" };
	size_t nr = arguments->nr_words, nr_split = 0;
	char **split = NULL;
	int ret = 0;

	if (nr == 1) {
		ret = pb_words_split(words[0], &split, &nr_split, &error);
		words = split;
		nr = nr_split;
	}
	if (!ret)
		ret = pb_rule_parse(words, nr, now, rule, &masked, &error);
	if (!ret)
		find_said(words, nr, rule, said);
	pb_words_free(split, nr_split);
	if (ret)
		return refused(arguments, ret, OPT_MAX, &error);
	if (*masked.text)
		note("%s", masked.text);
	return DONE;
}

/* Ports are of tcp,udp unless it is said; a rule without ports is about sources alone. */
static void settle_protocols(const struct arguments *arguments, struct pb_rule *rule)
{
	bool ports = rule->nr_ports || given(arguments, OPT_PORT) || given(arguments, OPT_SPORT) ||
		     given(arguments, OPT_PROTO);

	if (!ports)
		rule->protocols = 0;
	else if (!rule->protocols)
		rule->protocols = 1 << PB_PROTO_TCP | 1 << PB_PROTO_UDP;
}

int rule_from_arguments(const struct arguments *arguments, struct pb_rule **rule)
{
	struct pb_rule *made = pb_rule_new();
	bool said[NR_RULE_OPTIONS] = {};
	struct pb_error error;
	__u64 now = pb_clock();
	int ret = DONE, err;

	if (!made)
		return out_of_memory();
	if (arguments->nr_words)
		ret = set_words(arguments, made, now, said);
	else if (!given(arguments, OPT_PORT) && !given(arguments, OPT_SPORT) &&
		 !given(arguments, OPT_FROM))
		ret = wrong(arguments, "which ports? Say --port 22, or 22/tcp");
	settle_protocols(arguments, made);
	if (ret == DONE)
		ret = set_options(arguments, made, now, said);
	err = ret == DONE ? pb_rule_check(made, &error) : 0;
	if (err)
		ret = refused(arguments, err, OPT_MAX, &error);
	if (ret == DONE)
		*rule = made;
	else
		pb_rule_free(made);
	return ret;
}
