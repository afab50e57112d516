// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The settings of a ruleset. A new one is one row of the table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rules/rules.h"
#include "util/error.h"
#include "util/escape.h"
#include "util/text.h"

#define VALUES_MAX 3

struct setting {
	const char *name;
	/* The default one first, whose flags are 0; those of the last one hold all others'. */
	struct {
		const char *word;
		__u32 flags; /* PB_SLOT_* */
	} values[VALUES_MAX];
	size_t nr; /* 0: it is a number a second, of struct pb_settings.answers */
};

static const struct setting settings[] = {
	{ "policy",
	  { { "allow", 0 }, { "deny", PB_SLOT_DENY }, { "reject", PB_SLOT_DENY | PB_SLOT_REJECT } },
	  3 },
	{ "replies", { { "on", 0 }, { "off", PB_SLOT_NO_REPLIES } }, 2 },
	{ "fragments", { { "pass", 0 }, { "drop", PB_SLOT_DROP_FRAGMENTS } }, 2 },
	{ "unparsable", { { "drop", 0 }, { "pass", PB_SLOT_PASS_UNPARSABLE } }, 2 },
	{ .name = "answers" },
};
#define NR_SETTINGS (sizeof(settings) / sizeof(settings[0]))

const char *pb_setting_name(size_t i)
{
	return i < NR_SETTINGS ? settings[i].name : NULL;
}

__u32 pb_settings_flags(const struct pb_settings *of)
{
	return (of->policy != PB_POLICY_ALLOW ? PB_SLOT_DENY : 0) |
	       (of->policy == PB_POLICY_REJECT ? PB_SLOT_REJECT : 0) |
	       (of->no_replies ? PB_SLOT_NO_REPLIES : 0) |
	       (of->drop_fragments ? PB_SLOT_DROP_FRAGMENTS : 0) |
	       (of->pass_unparsable ? PB_SLOT_PASS_UNPARSABLE : 0);
}

struct pb_settings pb_settings_of(__u32 flags)
{
	return (struct pb_settings){
		.policy = flags & PB_SLOT_REJECT ? PB_POLICY_REJECT :
			  flags & PB_SLOT_DENY	 ? PB_POLICY_DENY :
						   PB_POLICY_ALLOW,
		.no_replies = flags & PB_SLOT_NO_REPLIES,
		.drop_fragments = flags & PB_SLOT_DROP_FRAGMENTS,
		.pass_unparsable = flags & PB_SLOT_PASS_UNPARSABLE,
	};
}

/* ---- Answers: N/s or off -------------------------------------------------------------------- */

__u32 pb_settings_answers(const struct pb_settings *of)
{
	return of->answers == PB_ANSWERS_NONE ? 0 : of->answers ?: PB_ANSWERS_DEFAULT;
}

struct pb_settings pb_settings_of_slot(const struct pb_slot *slot)
{
	struct pb_settings settings = pb_settings_of(slot->flags);

	if (slot->answers != PB_ANSWERS_DEFAULT)
		settings.answers = slot->answers ?: PB_ANSWERS_NONE;
	return settings;
}

/* Two of them are there at a time, to be compared. */
static const char *answers_value(const struct pb_settings *of)
{
	static __thread char text[2][16];
	static __thread unsigned int turn;
	char *at = text[turn++ % 2];

	if (!pb_settings_answers(of))
		return "off";
	snprintf(at, sizeof(text[0]), "%u/s", pb_settings_answers(of));
	return at;
}

static int set_answers(struct pb_settings *of, const char *value, struct pb_error *error)
{
	size_t length = strlen(value);
	unsigned long nr;

	if (!strcmp(value, "off")) {
		of->answers = PB_ANSWERS_NONE;
		return 0;
	}
	if (length < 2 || strcmp(value + length - 2, "/s") ||
	    pb_number_parse(value, length - 2, PB_ANSWERS_LIMIT, &nr) || !nr)
		return pb_fail(error, EINVAL,
			       "%s is no value for answers: it is a number a second, 1/s to %u/s, "
			       "or off",
			       PB_Q(value), PB_ANSWERS_LIMIT);
	of->answers = nr == PB_ANSWERS_DEFAULT ? 0 : nr;
	return 0;
}

/* ---- All of them ---------------------------------------------------------------------------- */

static const struct setting *find(const char *name)
{
	for (size_t i = 0; i < NR_SETTINGS; i++)
		if (!strcmp(settings[i].name, name))
			return &settings[i];
	return NULL;
}

/* All that its values set. */
static __u32 flags_of(const struct setting *setting)
{
	return setting->values[setting->nr - 1].flags;
}

const char *pb_setting_value(const struct pb_settings *of, const char *name)
{
	const struct setting *setting = find(name);
	__u32 flags;

	if (!setting)
		return NULL;
	if (!setting->nr)
		return answers_value(of);
	flags = pb_settings_flags(of) & flags_of(setting);
	for (size_t i = 0; i < setting->nr; i++)
		if (setting->values[i].flags == flags)
			return setting->values[i].word;
	return NULL;
}

bool pb_setting_is_default(const struct pb_settings *of, const char *name)
{
	const struct setting *setting = find(name);

	if (setting && !setting->nr)
		return pb_settings_answers(of) == PB_ANSWERS_DEFAULT;
	return setting && !(pb_settings_flags(of) & flags_of(setting));
}

static int no_value(const struct setting *setting, const char *value, struct pb_error *error)
{
	const char *third = setting->nr > 2 ? setting->values[2].word : NULL;

	return pb_fail(error, EINVAL, "%s is no value for %s: it is %s%s%s or %s", PB_Q(value),
		       setting->name, setting->values[0].word, third ? ", " : "",
		       third ? setting->values[1].word : "", third ?: setting->values[1].word);
}

int pb_setting_set(struct pb_settings *of, const char *name, const char *value,
		   struct pb_error *error)
{
	const struct setting *setting = find(name);
	const __u32 answers = of->answers;
	size_t i = 0;

	if (!setting)
		return pb_fail(error, ENOENT,
			       "%s is no setting: there are policy, replies, fragments, "
			       "unparsable and answers",
			       PB_Q(name));
	if (!setting->nr)
		return set_answers(of, value, error);
	while (i < setting->nr && strcmp(value, setting->values[i].word))
		i++;
	if (i == setting->nr)
		return no_value(setting, value, error);
	*of = pb_settings_of((pb_settings_flags(of) & ~flags_of(setting)) |
			     setting->values[i].flags);
	of->answers = answers;
	return 0;
}

/* ---- Policy, which brings rules with it ----------------------------------------------------- */

/* What a host must receive to get, and to keep, its own address: RFC 2131 and RFC 8415. */
static const struct {
	__u16 port;
	const char *comment;
} failsafe[] = {
	{ 68, "failsafe" },
	{ 546, "failsafe" },
};

static int add_failsafe(struct pb_rules *rules, __u16 port, const char *comment,
			struct pb_error *error)
{
	struct pb_rule rule = { .action = PB_ACTION_ALLOW,
				.side = PB_SIDE_DPORT,
				.protocols = 1 << PB_PROTO_UDP,
				.nr_ports = 1 };
	int ret = 0;

	rule.ports = malloc(sizeof(*rule.ports));
	if (!rule.ports)
		return pb_fail_memory(error);
	rule.ports[0] = (struct pb_range){ port, port };
	strncpy(rule.comment, comment, sizeof(rule.comment) - 1);
	if (!pb_rules_find_same(rules, &rule))
		ret = pb_rules_add(rules, &rule, NULL, NULL, error);
	pb_rule_clear(&rule);
	return ret;
}

int pb_rules_policy(struct pb_rules *rules, enum pb_policy policy, struct pb_error *error)
{
	bool turned = policy != PB_POLICY_ALLOW && rules->settings.policy == PB_POLICY_ALLOW;
	int ret = 0;

	for (size_t i = 0; turned && !ret && i < sizeof(failsafe) / sizeof(failsafe[0]); i++)
		ret = add_failsafe(rules, failsafe[i].port, failsafe[i].comment, error);
	if (!ret)
		rules->settings.policy = policy;
	return ret;
}
