// SPDX-License-Identifier: GPL-2.0-only
#include "judge.h"

/* A rule that matches, and all that its precedence depends on. */
struct match {
	const struct pb_rule *rule;
	int len;   /* of the longest source prefix */
	int width; /* of the port range */
};

static bool in_prefix(const struct pb_prefix *prefix, const struct packet *packet)
{
	if (prefix->family != packet->family)
		return false;
	for (int bit = 0; bit < prefix->len; bit++) {
		if ((prefix->addr[bit / 8] ^ packet->addr[bit / 8]) & 0x80 >> bit % 8)
			return false;
	}
	return true;
}

static bool in_sets(char *const *names, size_t nr, const struct packet *packet)
{
	for (size_t i = 0; i < nr; i++) {
		if (packet->sets & 1ULL << SET_NUMBER(names[i]))
			return true;
	}
	return false;
}

/* -1: the source is none of the rule's. */
static int source_len(const struct pb_rule *rule, const struct packet *packet)
{
	int longest = rule->nr_from || rule->nr_from_sets ? -1 : 0;

	if (in_sets(rule->except_sets, rule->nr_except_sets, packet))
		return -1;
	for (size_t i = 0; i < rule->nr_except; i++) {
		if (in_prefix(&rule->except[i], packet))
			return -1;
	}
	if (in_sets(rule->from_sets, rule->nr_from_sets, packet))
		return 128;
	for (size_t i = 0; i < rule->nr_from; i++) {
		int len = rule->from[i].len + (rule->from[i].family == 4 ? 96 : 0);

		if (in_prefix(&rule->from[i], packet) && len > longest)
			longest = len;
	}
	return longest;
}

/* Of the narrowest range with the port; 0: the packet is none of the rule's. */
static int range_width(const struct pb_rule *rule, const struct packet *packet)
{
	__u16 port = rule->side == PB_SIDE_DPORT ? packet->dport : packet->sport;
	int best = 0;

	if (!rule->protocols)
		return PB_WIDTH_ALL;
	if (packet->proto == PB_PROTO_MAX || !(rule->protocols & 1U << packet->proto))
		return 0;
	for (size_t i = 0; i < rule->nr_ports; i++) {
		int width = rule->ports[i].last - rule->ports[i].first + 1;

		if (port >= rule->ports[i].first && port <= rule->ports[i].last &&
		    (!best || width < best))
			best = width;
	}
	return best;
}

static bool matches(const struct pb_rule *rule, const struct packet *packet, struct match *match)
{
	match->rule = rule;
	match->len = source_len(rule, packet);
	match->width = range_width(rule, packet);
	if (match->len < 0 || !match->width)
		return false;
	if (rule->expires && packet->now >= rule->expires)
		return false;
	if (rule->over.rate.amount && !(packet->beyond & BEYOND(rule->id)))
		return false;
	return !rule->only_new || !packet->connection;
}

/* drop before reject before audit before allow */
static int action_order(enum pb_action action)
{
	switch (action) {
	case PB_ACTION_DROP:
		return 0;
	case PB_ACTION_REJECT:
		return 1;
	case PB_ACTION_AUDIT:
		return 2;
	default:
		return 3;
	}
}

static bool precedes(const struct match *a, const struct match *b)
{
	if (a->len != b->len)
		return a->len > b->len;
	if (a->width != b->width)
		return a->width < b->width;
	if (a->rule->action != b->rule->action)
		return action_order(a->rule->action) < action_order(b->rule->action);
	return a->rule->id < b->rule->id;
}

static enum pb_outcome no_rule(const struct pb_settings *settings, const struct packet *packet)
{
	if (packet->proto == PB_PROTO_MAX)
		return PB_OUTCOME_NOPORT;
	if (settings->policy == PB_POLICY_ALLOW)
		return PB_OUTCOME_PASS;
	if (packet->connection && !settings->no_replies)
		return PB_OUTCOME_PASS;
	return settings->policy == PB_POLICY_REJECT ? PB_OUTCOME_REJECT : PB_OUTCOME_DROP_POLICY;
}

struct verdict judge_packet(const struct pb_rules *rules, const struct packet *packet)
{
	static const enum pb_outcome outcomes[] = {
		[PB_ACTION_DROP] = PB_OUTCOME_DROP_RULE,
		[PB_ACTION_REJECT] = PB_OUTCOME_REJECT,
		[PB_ACTION_AUDIT] = PB_OUTCOME_AUDIT,
		[PB_ACTION_ALLOW] = PB_OUTCOME_PASS,
	};
	struct match best = { 0 }, match;

	for (size_t i = 0; i < rules->nr; i++) {
		if (!matches(&rules->rule[i], packet, &match))
			continue;
		if (!best.rule || precedes(&match, &best))
			best = match;
	}
	if (!best.rule)
		return (struct verdict){ 0, no_rule(&rules->settings, packet) };
	return (struct verdict){ best.rule->id, outcomes[best.rule->action] };
}
