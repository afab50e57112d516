// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <linux/bpf.h>
#include "eval.h"

int eval_steps; /* stays where the entry says all */

/* An index beyond the array is an error of the compiler. */
static const struct pb_decision *decision_at(const struct pb_tables *tables, size_t index)
{
	if (index >= tables->nr_decisions) {
		fprintf(stderr, "decision %zu of %zu\n", index, tables->nr_decisions);
		abort();
	}
	return &tables->decisions[index];
}

static bool key_matches(const struct pb_source *source, __u16 mix, const struct packet *packet)
{
	const struct pb_prefix *prefix = &source->prefix;

	if (source->mix != mix || prefix->family != packet->family)
		return false;
	for (int bit = 0; bit < prefix->len; bit++) {
		int byte = bit / 8, mask = 128 >> (bit & 7);

		if ((prefix->addr[byte] & mask) != (packet->addr[byte] & mask))
			return false;
	}
	return true;
}

/* The longest prefix of the mix, by looking at all. */
static __u32 mix_lookup(const struct pb_tables *tables, __u16 mix, const struct packet *packet)
{
	const struct pb_source *best = NULL;

	for (const struct pb_source *s = tables->sources; s < tables->sources + tables->nr_sources;
	     s++) {
		if (key_matches(s, mix, packet) && (!best || s->prefix.len > best->prefix.len))
			best = s;
	}
	return best ? best->offset : 0;
}

static bool is_rate(__u32 entry)
{
	return (entry & PB_ENTRY_RATE) == PB_ENTRY_RATE;
}

/* The class that the port's entry says: one that has PB_ENTRY_RATE has the id of a rule, which decides alone. */
static size_t class_of_entry(const struct pb_tables *tables, __u32 entry)
{
	if (!is_rate(entry))
		return PB_ENTRY_NUMBER(entry);
	for (size_t i = 1; i < tables->nr_decisions; i++) {
		const struct pb_decision *decision = &tables->decisions[i];

		if (PB_ENTRY_NUMBER(decision->entry) == PB_ENTRY_NUMBER(entry) && !decision->next &&
		    (decision->flags & ~PB_DECISION_EACH) == PB_DECISION_OVER)
			return i;
	}
	fprintf(stderr, "entry %x\n", entry);
	abort();
}

static size_t class_of(const struct pb_tables *tables, const struct packet *packet,
		       enum pb_side side)
{
	bool sport = side == PB_SIDE_SPORT;
	__u16 port = sport ? packet->sport : packet->dport, index;

	if (!sport && packet->proto < PB_ENTRY_PROTOS)
		return class_of_entry(tables, tables->ports->entry[packet->proto][port]);
	index = tables->ports->classes[sport ? PB_CLASSES_SPORT : PB_CLASSES_DPORT][port];
	if (index >= tables->nr_port_classes) {
		fprintf(stderr, "port classes %u of %zu\n", index, tables->nr_port_classes);
		abort();
	}
	return tables->port_classes[index].of[packet->proto];
}

static const struct pb_decision *candidate(const struct pb_tables *tables,
					   const struct packet *packet, size_t class)
{
	const struct pb_decision *head = decision_at(tables, class);

	if (head->flags & PB_DECISION_SOURCES)
		head = decision_at(tables, head->next + mix_lookup(tables, head->mix, packet));
	return head;
}

static bool sets_hold(const struct pb_tables *tables, __u16 condition, __u64 sets)
{
	const struct pb_set_condition *sought = &tables->conditions[condition];

	if (condition >= tables->nr_conditions) {
		fprintf(stderr, "condition %u of %zu\n", condition, tables->nr_conditions);
		abort();
	}
	return (!sought->from || sought->from & sets) && !(sought->except & sets);
}

static bool holds(const struct pb_tables *tables, const struct pb_decision *decision,
		  const struct packet *packet)
{
	if (decision->flags & PB_DECISION_SETS && !sets_hold(tables, decision->mix, packet->sets))
		return false;
	if (decision->flags & PB_DECISION_EXPIRES && packet->now >= decision->expires)
		return false;
	if (decision->flags & PB_DECISION_OVER &&
	    !(packet->beyond & BEYOND(PB_ENTRY_NUMBER(decision->entry))))
		return false;
	return !(decision->flags & PB_DECISION_NEW) || !packet->connection;
}

static const struct pb_decision *winner(const struct pb_tables *tables, const struct packet *packet)
{
	bool ports = packet->proto < PB_PROTO_MAX;
	const struct pb_decision *a = candidate(
		tables, packet, ports ? class_of(tables, packet, PB_SIDE_DPORT) : tables->portless);
	const struct pb_decision *b =
		candidate(tables, packet, ports ? class_of(tables, packet, PB_SIDE_SPORT) : 0);

	for (eval_steps = 0; eval_steps < PB_CHAIN_MAX; eval_steps++) {
		bool second = b->rank > a->rank || (b->rank == a->rank && b->entry < a->entry);
		const struct pb_decision **best = second ? &b : &a;

		if (!(*best)->entry)
			return NULL;
		if (holds(tables, *best, packet))
			return *best;
		*best = decision_at(tables, (*best)->next);
	}
	return NULL;
}

static const enum pb_outcome by_policy[PB_POLICY_MAX] = {
	[PB_POLICY_ALLOW] = PB_OUTCOME_PASS,
	[PB_POLICY_DENY] = PB_OUTCOME_DROP_POLICY,
	[PB_POLICY_REJECT] = PB_OUTCOME_REJECT,
};

/* What an entry says; its verdict must be that of its outcome. */
static struct verdict said(__u32 entry)
{
	static const __u32 verdicts[PB_OUTCOME_MAX] = {
		[PB_OUTCOME_PASS] = XDP_PASS,	   [PB_OUTCOME_AUDIT] = XDP_PASS,
		[PB_OUTCOME_DROP_RULE] = XDP_DROP, [PB_OUTCOME_DROP_POLICY] = XDP_DROP,
		[PB_OUTCOME_REJECT] = XDP_TX,
	};
	int outcome = PB_ENTRY_OUTCOME(entry);

	if (outcome >= PB_OUTCOME_MAX || PB_ENTRY_VERDICT(entry) != verdicts[outcome]) {
		fprintf(stderr, "entry %x\n", entry);
		abort();
	}
	return (struct verdict){ PB_ENTRY_NUMBER(entry), outcome };
}

/* What the entry of a port says by itself: never what is rejected, for that is answered elsewhere. */
static struct verdict said_by_port(__u32 entry)
{
	struct verdict verdict = said(entry);

	if (verdict.outcome == PB_OUTCOME_REJECT) {
		fprintf(stderr, "entry %x\n", entry);
		abort();
	}
	return verdict;
}

/* What a quick way judges: one decision, of one condition, and a policy that needs no more than the port. */
static struct verdict by_only(const struct pb_tables *tables, const struct pb_settings *settings,
			      const struct packet *packet, __u32 entry)
{
	const struct pb_decision *only = decision_at(tables, class_of_entry(tables, entry));
	__u32 flags = is_rate(entry) ? PB_DECISION_OVER | (only->flags & PB_DECISION_EACH) :
				       PB_DECISION_SETS | PB_DECISION_ASKS;
	bool deny = settings->policy == PB_POLICY_DENY;

	if (PB_ENTRY_VERDICT(entry) != PB_ENTRY_INDIRECT || only->next || only->flags != flags ||
	    (deny && !settings->no_replies) || settings->policy == PB_POLICY_REJECT) {
		fprintf(stderr, "entry %x\n", entry);
		abort();
	}
	if (holds(tables, only, packet))
		return said_by_port(only->entry);
	return (struct verdict){ 0, deny ? PB_OUTCOME_DROP_POLICY : PB_OUTCOME_PASS };
}

struct verdict eval_packet(const struct pb_tables *tables, const struct pb_settings *settings,
			   const struct packet *packet)
{
	const struct pb_decision *decision;
	__u32 entry = 0;

	if (packet->proto < PB_ENTRY_PROTOS)
		entry = tables->ports->entry[packet->proto][packet->dport];
	if (PB_ENTRY_VERDICT(entry) != PB_ENTRY_INDIRECT)
		return said_by_port(entry);
	if (entry & PB_ENTRY_SETS) /* PB_ENTRY_RATE, too */
		return by_only(tables, settings, packet, entry);
	decision = winner(tables, packet);
	if (!decision && packet->proto == PB_PROTO_MAX)
		return (struct verdict){ 0, PB_OUTCOME_NOPORT };
	if (!decision) {
		bool reply = !settings->no_replies && packet->connection;

		return (struct verdict){ 0, reply ? PB_OUTCOME_PASS : by_policy[settings->policy] };
	}
	return said(decision->entry);
}
