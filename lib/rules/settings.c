// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The settings of a ruleset. A new one is one row of the table. */
#include <stdlib.h>
#include <string.h>
#include "rules/rules.h"
#include "util/error.h"
#include "util/escape.h"

#define VALUES_MAX 3

struct setting {
	const char *name;
	/* The default one first, whose flags are 0; those of the last one hold all others'. */
	struct {
		const char *word;
		__u32 flags; /* PB_SLOT_* */
	} values[VALUES_MAX];
	size_t nr;
};

static const struct setting settings[] = {
	{ "policy",
	  { { "allow", 0 }, { "deny", PB_SLOT_DENY }, { "reject", PB_SLOT_DENY | PB_SLOT_REJECT } },
	  3 },
	{ "replies", { { "on", 0 }, { "off", PB_SLOT_NO_REPLIES } }, 2 },
	{ "fragments", { { "pass", 0 }, { "drop", PB_SLOT_DROP_FRAGMENTS } }, 2 },
	{ "unparsable", { { "drop", 0 }, { "pass", PB_SLOT_PASS_UNPARSABLE } }, 2 },
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
	flags = pb_settings_flags(of) & flags_of(setting);
	for (size_t i = 0; i < setting->nr; i++)
		if (setting->values[i].flags == flags)
			return setting->values[i].word;
	return NULL;
}

bool pb_setting_is_default(const struct pb_settings *of, const char *name)
{
	const struct setting *setting = find(name);

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
	size_t i = 0;

	if (!setting)
		return pb_fail(error, ENOENT,
			       "%s is no setting: there are policy, replies, fragments and "
			       "unparsable",
			       PB_Q(name));
	while (i < setting->nr && strcmp(value, setting->values[i].word))
		i++;
	if (i == setting->nr)
		return no_value(setting, value, error);
	*of = pb_settings_of((pb_settings_flags(of) & ~flags_of(setting)) |
			     setting->values[i].flags);
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
