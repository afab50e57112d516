/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which rule decides, where the port's entry does not say: sources, both sides, conditions. */
#ifndef PB_BPF_JUDGE_H
#define PB_BPF_JUDGE_H

#include "clock.h"
#include "connection.h"
#include "rates.h"
#include "sets.h"
#include "sources.h"

PB_INLINE const struct pb_decision *decision_by_key(__u32 key)
{
	return bpf_map_lookup_elem(&pb_decisions, &key);
}

PB_INLINE const struct pb_decision *decision_at(__u32 index, __u32 slot)
{
	return decision_by_key(index * PB_SLOTS + slot);
}

/* Where the tables have a port: as it is in the packet. */
PB_INLINE __u64 port_index(__be16 port)
{
	return masked(port, PB_PORTS - 1);
}

/* The class that a table of all protocols has at `index`: an index of decisions, 0: no rule. */
PB_INLINE __u32 class_at(__u32 slot, __u32 index, __u32 proto)
{
	__u32 key = index * PB_SLOTS + slot;
	const struct pb_port_classes *classes =
		index ? bpf_map_lookup_elem(&pb_port_classes, &key) : NULL;

	return classes && proto < PB_PROTO_MAX ? classes->of[proto] : 0;
}

/* The class of a port in a table of all protocols. */
PB_INLINE __u32 class_of_port(__u32 slot, enum pb_class_tables table, __u32 proto, __be16 port)
{
	return class_at(slot, pb_ports.classes[slot & 1][table][port_index(port)], proto);
}

/* Where the entries of a slot begin; the shortcut keeps that, and no slot beside it. */
PB_INLINE __u64 entries_of(__u64 slot)
{
	__u64 offset = slot * sizeof(pb_ports.entry[0]);

	barrier_var(offset);
	return offset;
}

PB_INLINE __u32 slot_of_entries(__u64 offset)
{
	return offset / sizeof(pb_ports.entry[0]);
}

/* The entry of a destination port; other protocols have a class alone. */
PB_INLINE __u32 entry_of(__u32 slot, __u32 proto, __be16 port)
{
	return proto < PB_ENTRY_PROTOS ?
		       pb_ports.entry[slot & 1][masked(proto, 1)][port_index(port)] :
		       PB_ENTRY_INDIRECT;
}

/* The class of ports that the rate of a rule decides: the entry has PB_ENTRY_RATE. */
static __noinline __u32 class_of_rate(__u32 slot, __u32 rule)
{
	__u32 key = rule * PB_SLOTS + slot;
	const struct pb_rule_limits *limits = bpf_map_lookup_elem(&pb_limits, &key);

	return limits ? limits->port_class : 0;
}

/* The class of the destination port of a packet whose entry is indirect; 0: no rule. */
PB_INLINE __u32 dport_class(__u32 slot, __u32 proto, __be16 port, __u32 entry)
{
	if (proto >= PB_ENTRY_PROTOS)
		return class_of_port(slot, PB_CLASSES_DPORT, proto, port);
	if (unlikely((entry & PB_ENTRY_RATE) == PB_ENTRY_RATE))
		return class_of_rate(slot, PB_ENTRY_NUMBER(entry));
	return PB_ENTRY_NUMBER(entry);
}

/* The decision for the source, of a class whose rules ask for that: an index. `key`: of the class. */
__noinline int decision_by_source(struct xdp_md *ctx, __u64 found, __u32 key)
{
	const struct pb_source_decision *mix = source_decision_at(key);

	return mix ? mix->next + answer_of_source(ctx, found, mix, key) : 0;
}

/* The one that wins where both sides have a candidate: the higher rank, then the lower id. */
PB_INLINE bool beats(const struct pb_decision *a, const struct pb_decision *b)
{
	return a->rank != b->rank ? a->rank > b->rank : a->entry < b->entry;
}

/*
 * Do the conditions of a candidate hold for this packet now? `sets`: those that hold its source. The rate comes last:
 * tokens are taken for packets that the rule is about in all else.
 */
PB_INLINE bool holds(struct xdp_md *ctx, const struct pb_decision *decision, __u32 slot,
		     __u64 found, __u32 ports, __u64 sets)
{
	if (decision->flags & PB_DECISION_SETS &&
	    !are_sets_right(condition_at(slot, decision->mix), sets))
		return false;
	if (decision->flags & PB_DECISION_EXPIRES && has_ended(decision->expires))
		return false;
	if (decision->flags & PB_DECISION_NEW && is_connected(ctx, found, ports))
		return false;
	/* One comparison, since the flags of rates are the highest ones. */
	return decision->flags < PB_DECISION_OVER || is_beyond(ctx, found, decision, slot);
}

/* The candidates of both sides in one number, each with the slot, as pb_decisions has them. */
#define CANDIDATES(dport, sport) ((dport) | (__u64)(sport) << 32)
#define CANDIDATES_DPORT(candidates) ((__u32)(candidates))
#define CANDIDATES_SPORT(candidates) ((__u32)((candidates) >> 32))

/*
 * Walks the chains of both sides as one, best candidate first, to the first whose conditions
 * hold; so a socket is looked up only where that decides the packet. Returns where it is, 0: none, beside
 * WALK_ENDS; without that, after so many candidates, those that come next.
 * The end of a chain is decision 0, whose rank is below all others. `sets`: those of the source.
 */
#define WALK_AT_ONCE 4
#define WALK_ENDS (1ULL << 63)
__noinline __u64 walk_some(struct xdp_md *ctx, __u64 found, __u32 ports, __u64 candidates,
			   __u64 sets)
{
	__u32 a = CANDIDATES_DPORT(candidates), b = CANDIDATES_SPORT(candidates);
	const struct pb_decision *first, *second;

	PB_NO_UNROLL
	for (int i = 0; i < WALK_AT_ONCE; i++) {
		first = decision_by_key(a);
		second = decision_by_key(b);
		if (!first || !second)
			return WALK_ENDS;
		if (beats(second, first)) {
			__u32 other = a;

			first = second;
			a = b;
			b = other;
			barrier_var(a); /* a branch: clang would ask again for each of the three */
		}
		if (!first->rank) /* decision 0 */
			return WALK_ENDS;
		if (holds(ctx, first, a % PB_SLOTS, found, ports, sets))
			return WALK_ENDS | a;
		a = first->next * PB_SLOTS + a % PB_SLOTS;
	}
	return CANDIDATES(a, b);
}

PB_INLINE __u32 walk(struct xdp_md *ctx, __u64 found, __u32 ports, __u64 candidates, __u64 sets)
{
	/* Unrolled, since the stack has no room for a counter. */
	_Pragma("unroll") for (int i = 0; i < PB_CHAIN_MAX / WALK_AT_ONCE; i++)
	{
		candidates = walk_some(ctx, found, ports, candidates, sets);
		if (candidates & WALK_ENDS)
			return candidates;
	}
	return 0;
}

/* What a packet comes to that no rule decides, as an entry. */
PB_INLINE __u32 entry_by_policy(struct xdp_md *ctx, const struct pb_slot *in_force, __u64 found,
				__u32 ports)
{
	if (in_force->flags & PB_SLOT_DENY && !(in_force->flags & PB_SLOT_NO_REPLIES) &&
	    is_connected(ctx, found, ports))
		return PB_ENTRY(0, PB_OUTCOME_PASS, XDP_PASS);
	return in_force->unmatched;
}

/* The best candidate of a class, by the source where its rules ask for that; 0: none. */
PB_INLINE __u32 candidate(struct xdp_md *ctx, __u64 found, __u32 slot, __u32 class)
{
	const struct pb_decision *decision = class ? decision_at(class, slot) : NULL;

	if (!decision || !(decision->flags & PB_DECISION_SOURCES))
		return class;
	return decision_by_source(ctx, found, class * PB_SLOTS + slot);
}

/* The winner among the rules of both sides' classes; NULL: none. */
PB_INLINE const struct pb_decision *find_winner(struct xdp_md *ctx, __u64 found, __u32 ports,
						__u32 slot, __u32 dport, __u32 sport)
{
	__u32 by_dport = candidate(ctx, found, slot, dport), index;
	__u32 by_sport = candidate(ctx, found, slot, sport);
	const struct pb_decision *first, *second;
	__u64 sets = 0;

	/* Mostly there is one candidate, or none, and it has no conditions. */
	if (!by_dport || !by_sport) {
		index = by_dport | by_sport;
		if (!index)
			return NULL;
		first = second = decision_at(index, slot);
		if (first && !first->flags)
			return first->entry ? first : NULL;
	} else {
		index = 0;
		first = decision_at(by_dport, slot);
		second = decision_at(by_sport, slot);
	}
	if (!first || !second)
		return NULL;
	if ((first->flags | second->flags) & PB_DECISION_ASKS) {
		sets = sets_of_source(ctx, found);
		if (index && !first->next && first->flags == (PB_DECISION_SETS | PB_DECISION_ASKS))
			return are_sets_right(condition_at(slot, first->mix), sets) ? first : NULL;
	}
	index = walk(ctx, found, ports,
		     CANDIDATES(by_dport * PB_SLOTS + slot, by_sport * PB_SLOTS + slot), sets);
	return index ? decision_by_key(index) : NULL;
}

/* What an entry says where no rule decides; PB_ENTRY_INDIRECT: whether the packet is a reply has to be asked. */
PB_INLINE __u32 entry_of_rest(__u32 slot)
{
	const struct pb_slot *in_force = &pb_config.slots[slot & 1];

	return in_force->flags & PB_SLOT_DENY && !(in_force->flags & PB_SLOT_NO_REPLIES) ?
		       PB_ENTRY_INDIRECT :
		       in_force->unmatched;
}

/* The decision of a destination port's class, if it has no conditions but an end, and nothing comes after that; else NULL. */
PB_INLINE const struct pb_decision *plain_decision(__u32 slot, __u32 class)
{
	const struct pb_decision *first = decision_at(class, slot);

	if (!first)
		return NULL;
	if (first->flags && (first->flags != PB_DECISION_EXPIRES || first->next))
		return NULL;
	return first;
}

/*
 * What decides where the ports say all, and the time, in the form of an entry; PB_ENTRY_INDIRECT: more has to be asked.
 * `first`: plain_decision() of the destination port.
 */
PB_INLINE __u32 judge_by_ports(__u32 slot, __u32 proto, __be16 sport,
			       const struct pb_decision *first)
{
	__u32 by_sport = class_of_port(slot, PB_CLASSES_SPORT, proto, sport);
	const struct pb_decision *second;

	if (by_sport) {
		second = decision_at(by_sport, slot);
		if (!second || first->flags | second->flags)
			return PB_ENTRY_INDIRECT;
		if (beats(second, first))
			first = second;
	} else if (first->flags && is_past(first->expires)) {
		return entry_of_rest(slot);
	}
	return first->entry ?: entry_of_rest(slot);
}

/* What the outcome of a packet without ports does to it: xdp-portblock(8) "Which ports a packet has". */
PB_INLINE int verdict_on(enum pb_outcome outcome, __u32 flags)
{
	switch (outcome) {
	case PB_OUTCOME_FRAGMENT:
		return flags & PB_SLOT_DROP_FRAGMENTS ? XDP_DROP : XDP_PASS;
	case PB_OUTCOME_UNPARSABLE:
		return flags & PB_SLOT_PASS_UNPARSABLE ? XDP_PASS : XDP_DROP;
	default:
		return XDP_PASS;
	}
}

/*
 * A packet without ports, where rules are about sources alone: what becomes of it, as an entry; `entry`: where none
 * decides. `found`: its family, 0: no IP packet, and where the IP header begins. What is malformed the stack itself
 * discards. What is unparsable may hide the port of a rule that is more specific, so no rule lets it pass.
 */
PB_INLINE int judge_without_ports(struct xdp_md *ctx, __u64 found, __u32 slot, __u32 entry)
{
	enum pb_outcome outcome = PB_ENTRY_OUTCOME(entry);
	const struct pb_decision *winner;

	if (!FOUND_FAMILY(found) || outcome == PB_OUTCOME_MALFORMED)
		return entry;
	winner = find_winner(ctx, found, 0, slot, pb_config.slots[slot & 1].portless, 0);
	if (!winner ||
	    (outcome == PB_OUTCOME_UNPARSABLE && PB_ENTRY_VERDICT(winner->entry) == XDP_PASS))
		return entry;
	if (PB_ENTRY_REJECTS(winner->entry))
		keep_rejected(found | PB_PROTO_MAX, 0);
	return winner->entry;
}

/* What decides, by the classes of both sides' ports, in the form of an entry that is not indirect. */
PB_INLINE int judge_by_classes(struct xdp_md *ctx, __u64 found, __u32 ports, __u32 slot,
			       __u32 dport, __u32 sport)
{
	const struct pb_decision *winner = find_winner(ctx, found, ports, slot, dport, sport);
	__u32 entry = winner ? winner->entry :
			       entry_by_policy(ctx, &pb_config.slots[slot & 1], found, ports);

	if (PB_ENTRY_REJECTS(entry))
		keep_rejected(found, ports);
	return entry;
}

/* The same, where the destination port's entry is indirect. */
__noinline int judge_by_rules(struct xdp_md *ctx, __u64 found, __u32 ports, __u32 slot, __u32 entry)
{
	__u32 proto = FOUND_PROTO(found);
	__u32 dport = dport_class(slot, proto, PORTS_DESTINATION(ports), entry);
	__u32 sport = class_of_port(slot, PB_CLASSES_SPORT, proto, PORTS_SOURCE(ports));

	return judge_by_classes(ctx, found, ports, slot, dport, sport);
}

#endif
