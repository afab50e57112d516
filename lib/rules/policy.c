// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include "util/error.h"
#include <portblock/portblock.h>

/* What a host must receive to get, and to keep, its own address: RFC 2131 and RFC 8415. */
static const struct {
	__u16 port;
	const char *comment;
} failsafe[] = {
	{ 68, "failsafe" },
	{ 546, "failsafe" },
};

static int add_failsafe(struct pb_set *set, __u16 port, const char *comment, struct pb_error *error)
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
	if (!pb_set_find_same(set, &rule))
		ret = pb_set_add(set, &rule, NULL, NULL, error);
	pb_rule_clear(&rule);
	return ret;
}

int pb_set_policy(struct pb_set *set, enum pb_policy policy, struct pb_error *error)
{
	bool turned = policy == PB_POLICY_DENY && set->settings.policy != policy;
	int ret = 0;

	for (size_t i = 0; turned && !ret && i < sizeof(failsafe) / sizeof(failsafe[0]); i++)
		ret = add_failsafe(set, failsafe[i].port, failsafe[i].comment, error);
	if (!ret)
		set->settings.policy = policy;
	return ret;
}
