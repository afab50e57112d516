// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The settings of a ruleset. A new one is one row of the table. */
#include <stdlib.h>
#include <string.h>
#include "rules/rules.h"
#include "util/error.h"
#include "util/escape.h"

struct setting {
	const char *name;
	const char *values[2]; /* the default one first */
	__u32 flag;	       /* PB_SLOT_*: set for the second */
};

static const struct setting settings[] = {
	{ "policy", { "allow", "deny" }, PB_SLOT_DENY },
	{ "replies", { "on", "off" }, PB_SLOT_NO_REPLIES },
	{ "fragments", { "pass", "drop" }, PB_SLOT_DROP_FRAGMENTS },
	{ "unparsable", { "drop", "pass" }, PB_SLOT_PASS_UNPARSABLE },
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

const char *pb_setting_value(const struct pb_settings *of, const char *name)
{
	const struct setting *setting = find(name);

	return setting ? setting->values[!!(pb_settings_flags(of) & setting->flag)] : NULL;
}

bool pb_setting_is_default(const struct pb_settings *of, const char *name)
{
	const struct setting *setting = find(name);

	return setting && !(pb_settings_flags(of) & setting->flag);
}

int pb_setting_set(struct pb_settings *of, const char *name, const char *value,
		   struct pb_error *error)
{
	const struct setting *setting = find(name);
	__u32 flags;

	if (!setting)
		return pb_fail(error, ENOENT,
			       "%s is no setting: there are policy, replies, fragments and "
			       "unparsable",
			       PB_Q(name));
	flags = pb_settings_flags(of) & ~setting->flag;
	if (!strcmp(value, setting->values[1]))
		flags |= setting->flag;
	else if (strcmp(value, setting->values[0]))
		return pb_fail(error, EINVAL, "%s is no value for %s: it is %s or %s", PB_Q(value),
			       name, setting->values[0], setting->values[1]);
	*of = pb_settings_of(flags);
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
	bool turned = policy == PB_POLICY_DENY && rules->settings.policy != policy;
	int ret = 0;

	for (size_t i = 0; turned && !ret && i < sizeof(failsafe) / sizeof(failsafe[0]); i++)
		ret = add_failsafe(rules, failsafe[i].port, failsafe[i].comment, error);
	if (!ret)
		rules->settings.policy = policy;
	return ret;
}
