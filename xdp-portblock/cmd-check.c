// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock check: faults of a file, found without root and without the kernel. */
#include <stdio.h>
#include <string.h>
#include "tool.h"

static bool is_failsafe(const struct pb_rule *rule)
{
	return rule->action == PB_ACTION_ALLOW && !strncmp(rule->comment, "failsafe", 8);
}

/* A file is applied as it is written, so `deny` or `reject` without them is worth a word. */
static void warn_of_deny(const struct pb_rules *rules)
{
	if (pb_rules_settings(rules)->policy == PB_POLICY_ALLOW)
		return;
	for (size_t i = 0; i < pb_rules_nr(rules); i++)
		if (is_failsafe(pb_rules_at(rules, i)))
			return;
	note("policy %s without the rules that let the host get its own address: add "
	     "`allow udp dport 68 comment \"failsafe\"` (DHCP) and `allow udp dport 546 comment "
	     "\"failsafe\"` (DHCPv6) if it needs them",
	     pb_policy_name(pb_rules_settings(rules)->policy));
}

int cmd_check(const struct arguments *arguments)
{
	__u32 max_rules = PB_RULES_LIMIT;
	struct pb_error error;
	struct pb_rules *rules;
	size_t nr;
	int ret;

	if (arguments->nr_words != 1)
		return wrong(arguments, "check which file?");
	ret = option_number(arguments, OPT_MAX_RULES, 1, PB_RULES_LIMIT, &max_rules);
	if (ret == DONE)
		ret = read_file(arguments->words[0], &rules);
	if (ret != DONE)
		return ret;
	if (pb_rules_check(rules, max_rules, &error)) {
		ret = fail(&error);
	} else {
		warn_of_deny(rules);
		nr = pb_rules_nr(rules);
		print("%s: %zu rule%s, policy %s\n", arguments->words[0], nr, nr == 1 ? "" : "s",
		      pb_policy_name(pb_rules_settings(rules)->policy));
	}
	pb_rules_free(rules);
	return ret;
}
