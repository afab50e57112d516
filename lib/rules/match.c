// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Which rules match and which one wins, by no table: xdp-portblock(8) "Which rule decides". */
#include <stdlib.h>
#include <string.h>
#include "rule/prefix.h"
#include "rules/rules.h"
#include "util/error.h"

/* Width of the narrowest range that holds the port; 0: none does. */
static unsigned int width_at(const struct pb_rule *rule, __u16 port)
{
	unsigned int best = 0;

	for (size_t i = 0; i < rule->nr_ports; i++) {
		unsigned int width = rule->ports[i].last - rule->ports[i].first + 1U;

		if (rule->ports[i].first <= port && port <= rule->ports[i].last &&
		    (!best || width < best))
			best = width;
	}
	return best;
}

/* Length of the longest prefix that holds the host, IPv4 + 96; -1: none does. */
static int longest(const struct pb_prefix *prefixes, size_t nr, const struct pb_prefix *host)
{
	int best = -1;

	for (size_t i = 0; i < nr; i++) {
		int len = pb_prefix_mapped_len(&prefixes[i]);

		if (len > best && pb_prefix_holds(&prefixes[i], host))
			best = len;
	}
	return best;
}

bool pb_prefixes_hold(const struct pb_prefix *prefixes, size_t nr, const struct pb_prefix *host)
{
	return longest(prefixes, nr, host) >= 0;
}

bool pb_rule_match(const struct pb_rule *rule, const struct pb_flow *flow, __u64 now,
		   struct pb_match *match)
{
	__u16 port = rule->side == PB_SIDE_DPORT ? flow->dport : flow->sport;
	int len = rule->nr_from ? longest(rule->from, rule->nr_from, &flow->source) : 0;

	match->rule = rule;
	match->width = rule->protocols & 1U << flow->proto ? width_at(rule, port) : 0;
	if (!match->width || len < 0 || longest(rule->except, rule->nr_except, &flow->source) >= 0)
		return false;
	match->len = len;
	return (!rule->expires || now < rule->expires) && !(rule->only_new && flow->connected);
}

static __u32 rank(const struct pb_match *match)
{
	return PB_RANK(match->len, match->width, match->rule->action);
}

static int by_rank(const void *a, const void *b)
{
	const struct pb_match *left = a, *right = b;

	if (rank(left) != rank(right))
		return rank(left) > rank(right) ? -1 : 1;
	return left->rule->id < right->rule->id ? -1 : left->rule->id > right->rule->id;
}

int pb_rules_matches(const struct pb_rules *rules, const struct pb_flow *flow, __u64 now,
		     struct pb_match **matches, size_t *nr)
{
	struct pb_match *found = calloc(rules->nr + 1, sizeof(*found));
	size_t count = 0;

	if (!found)
		return -ENOMEM;
	for (size_t i = 0; i < rules->nr; i++)
		if (pb_rule_match(&rules->rule[i], flow, now, &found[count]))
			count++;
	qsort(found, count, sizeof(*found), by_rank);
	*matches = found;
	*nr = count;
	return 0;
}

enum pb_outcome pb_rules_judge(const struct pb_rules *rules, const struct pb_flow *flow, __u64 now,
			       const struct pb_rule **rule)
{
	struct pb_match best = {}, match;

	for (size_t i = 0; i < rules->nr; i++)
		if (pb_rule_match(&rules->rule[i], flow, now, &match) &&
		    (!best.rule || by_rank(&match, &best) < 0))
			best = match;
	*rule = best.rule;
	if (best.rule)
		return best.rule->action == PB_ACTION_DROP  ? PB_OUTCOME_DROP_RULE :
		       best.rule->action == PB_ACTION_AUDIT ? PB_OUTCOME_AUDIT :
							      PB_OUTCOME_PASS;
	if (rules->settings.policy == PB_POLICY_ALLOW ||
	    (flow->connected && !rules->settings.no_replies))
		return PB_OUTCOME_PASS;
	return PB_OUTCOME_DROP_POLICY;
}
