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

int interface_indexes(const struct arguments *arguments, int ifindexes[PB_INTERFACES_MAX])
{
	struct pb_error error;

	if (arguments->nr_words > PB_INTERFACES_MAX)
		return wrong(arguments, "%zu interfaces are too many at once: at most %d",
			     arguments->nr_words, PB_INTERFACES_MAX);
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

/* Options that set a field of a rule; the protocols first, since service names depend on them. */
static const struct {
	enum option_id id;
	const char *field;
} rule_options[] = {
	{ OPT_PROTO, "protocols" }, { OPT_PORT, "dport" },	{ OPT_SPORT, "sport" },
	{ OPT_ACTION, "action" },   { OPT_FROM, "from" },	{ OPT_EXCEPT, "except" },
	{ OPT_NEW, "new" },	    { OPT_EXPIRES, "expires" }, { OPT_COMMENT, "comment" },
};
#define NR_RULE_OPTIONS (sizeof(rule_options) / sizeof(rule_options[0]))

bool rule_options_given(const struct arguments *arguments)
{
	for (size_t i = 0; i < NR_RULE_OPTIONS; i++)
		if (given(arguments, rule_options[i].id))
			return true;
	return false;
}

static int set_options(const struct arguments *arguments, struct pb_rule *rule, __u64 now)
{
	struct pb_error error, masked = { "" };

	for (size_t i = 0; i < NR_RULE_OPTIONS; i++) {
		const char *value = arguments->values[rule_options[i].id];

		if (!value)
			continue;
		if (pb_rule_set(rule, rule_options[i].field, value, now, &masked, &error))
			return wrong(arguments, "--%s: %s", option_infos[rule_options[i].id].name,
				     error.text);
		if (*masked.text)
			note("%s", masked.text);
		*masked.text = '\0';
	}
	return DONE;
}

/* The words may be one argument each, or all in one. */
static int set_words(const struct arguments *arguments, struct pb_rule *rule, __u64 now)
{
	struct pb_error error, masked = { "" };
	char **words = NULL;
	size_t nr = 0;
	int ret;

	if (arguments->nr_words == 1) {
		ret = pb_words_split(arguments->words[0], &words, &nr, &error);
		if (!ret)
			ret = pb_rule_parse(words, nr, now, rule, &masked, &error);
		pb_words_free(words, nr);
	} else {
		ret = pb_rule_parse(arguments->words, arguments->nr_words, now, rule, &masked,
				    &error);
	}
	if (ret)
		return wrong(arguments, "%s", error.text);
	if (*masked.text)
		note("%s", masked.text);
	return DONE;
}

int rule_from_arguments(const struct arguments *arguments, struct pb_rule *rule)
{
	struct pb_rule made = { .protocols = 1 << PB_PROTO_TCP | 1 << PB_PROTO_UDP };
	struct pb_error error;
	__u64 now = pb_clock();
	int ret = DONE;

	if (arguments->nr_words)
		ret = set_words(arguments, &made, now);
	else if (!given(arguments, OPT_PORT) && !given(arguments, OPT_SPORT))
		ret = wrong(arguments, "which ports? Say --port 22, or 22/tcp");
	if (ret == DONE)
		ret = set_options(arguments, &made, now);
	if (ret == DONE && pb_rule_check(&made, &error))
		ret = wrong(arguments, "%s", error.text);
	if (ret == DONE)
		*rule = made;
	else
		pb_rule_clear(&made);
	return ret;
}
