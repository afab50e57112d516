// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Which rules match and which one wins, by no table: xdp-portblock(8) "Which rule decides". */
#include <stdlib.h>
#include <string.h>
#include "rule/fields.h"
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

/* What is known of the sets. */
struct sets {
	pb_set_holds_function holds; /* NULL: none holds anything */
	void *context;
};

static bool set_holds(const struct sets *sets, char *const *names, size_t nr,
		      const struct pb_prefix *host)
{
	for (size_t i = 0; sets->holds && i < nr; i++)
		if (sets->holds(names[i], host, sets->context))
			return true;
	return false;
}

/* As a prefix's length; -1: none of the rule's. A set counts as the host alone. */
static int source_len(const struct pb_rule *rule, const struct pb_prefix *host,
		      const struct sets *sets)
{
	if (longest(rule->except, rule->nr_except, host) >= 0 ||
	    set_holds(sets, rule->except_sets, rule->nr_except_sets, host))
		return -1;
	if (!rule->nr_from && !rule->nr_from_sets)
		return 0;
	if (set_holds(sets, rule->from_sets, rule->nr_from_sets, host))
		return 128;
	return longest(rule->from, rule->nr_from, host);
}

static unsigned int width_of(const struct pb_rule *rule, const struct pb_flow *flow)
{
	if (pb_rule_is_alone(rule))
		return PB_WIDTH_ALL;
	if (!(rule->protocols & 1U << flow->proto))
		return 0;
	return width_at(rule, rule->side == PB_SIDE_DPORT ? flow->dport : flow->sport);
}

static bool matches(const struct pb_rule *rule, const struct pb_flow *flow, __u64 now,
		    const struct sets *sets, struct pb_match *match)
{
	int len;

	match->rule = rule;
	match->width = width_of(rule, flow);
	if (!match->width)
		return false;
	len = source_len(rule, &flow->source, sets);
	if (len < 0)
		return false;
	match->len = len;
	return (!rule->expires || now < rule->expires) && !(rule->only_new && flow->connected);
}

bool pb_rule_match_in(const struct pb_rule *rule, const struct pb_flow *flow, __u64 now,
		      pb_set_holds_function holds, void *context, struct pb_match *match)
{
	const struct sets sets = { holds, context };

	return matches(rule, flow, now, &sets, match);
}

bool pb_rule_match(const struct pb_rule *rule, const struct pb_flow *flow, __u64 now,
		   struct pb_match *match)
{
	return pb_rule_match_in(rule, flow, now, NULL, NULL, match);
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

int pb_rules_matches_in(const struct pb_rules *rules, const struct pb_flow *flow, __u64 now,
			pb_set_holds_function holds, void *context, struct pb_match **found,
			size_t *nr)
{
	const struct sets sets = { holds, context };
	struct pb_match *list = calloc(rules->nr + 1, sizeof(*list));
	size_t count = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < rules->nr; i++)
		if (matches(&rules->rule[i], flow, now, &sets, &list[count]))
			count++;
	qsort(list, count, sizeof(*list), by_rank);
	*found = list;
	*nr = count;
	return 0;
}

int pb_rules_matches(const struct pb_rules *rules, const struct pb_flow *flow, __u64 now,
		     struct pb_match **found, size_t *nr)
{
	return pb_rules_matches_in(rules, flow, now, NULL, NULL, found, nr);
}

static enum pb_outcome outcome_of(enum pb_action action)
{
	static const enum pb_outcome outcomes[PB_ACTION_MAX] = {
		[PB_ACTION_DROP] = PB_OUTCOME_DROP_RULE,
		[PB_ACTION_REJECT] = PB_OUTCOME_REJECT,
		[PB_ACTION_AUDIT] = PB_OUTCOME_AUDIT,
		[PB_ACTION_ALLOW] = PB_OUTCOME_PASS,
	};

	return outcomes[action % PB_ACTION_MAX];
}

/* The policy is about packets with ports. */
static enum pb_outcome by_policy(const struct pb_settings *settings, const struct pb_flow *flow)
{
	if (flow->proto == PB_PROTO_MAX)
		return PB_OUTCOME_NOPORT;
	if (settings->policy == PB_POLICY_ALLOW || (flow->connected && !settings->no_replies))
		return PB_OUTCOME_PASS;
	return settings->policy == PB_POLICY_REJECT ? PB_OUTCOME_REJECT : PB_OUTCOME_DROP_POLICY;
}

enum pb_outcome pb_rules_judge_in(const struct pb_rules *rules, const struct pb_flow *flow,
				  __u64 now, pb_set_holds_function holds, void *context,
				  const struct pb_rule **rule)
{
	const struct sets sets = { holds, context };
	struct pb_match best = {}, match;

	for (size_t i = 0; i < rules->nr; i++)
		if (matches(&rules->rule[i], flow, now, &sets, &match) &&
		    (!best.rule || by_rank(&match, &best) < 0))
			best = match;
	*rule = best.rule;
	return best.rule ? outcome_of(best.rule->action) : by_policy(&rules->settings, flow);
}

enum pb_outcome pb_rules_judge(const struct pb_rules *rules, const struct pb_flow *flow, __u64 now,
			       const struct pb_rule **rule)
{
	return pb_rules_judge_in(rules, flow, now, NULL, NULL, rule);
}
