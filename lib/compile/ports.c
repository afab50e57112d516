// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * From classes to what the program looks ports up in: entries that say all where the port is all
 * that is asked for, and tables that protocols share, since few rules look there.
 */
#include <linux/bpf.h>
#include <stdlib.h>
#include "compile/lists.h"
#include "compile/ports.h"
#include "util/error.h"

/* ---- Entries ------------------------------------------------------------------------------- */

static const __u32 entry_of_policy[PB_POLICY_MAX] = {
	[PB_POLICY_ALLOW] = PB_ENTRY(0, PB_OUTCOME_PASS, XDP_PASS),
	[PB_POLICY_DENY] = PB_ENTRY(0, PB_OUTCOME_DROP_POLICY, XDP_DROP),
	[PB_POLICY_REJECT] = PB_ENTRY(0, PB_OUTCOME_REJECT, XDP_TX),
};

__u32 pb_entry_of_no_rule(const struct pb_settings *settings, __u32 unmatched)
{
	bool asks = settings->policy != PB_POLICY_ALLOW && !settings->no_replies;

	return asks || PB_ENTRY_REJECTS(unmatched) ? PB_ENTRY(0, 0, PB_ENTRY_INDIRECT) : unmatched;
}

/* What a class depends on, where that is one thing, which is judged on a quick way: PB_ENTRY_*. */
static __u32 only_condition(const struct pb_decision *decision)
{
	if (decision->next || PB_ENTRY_REJECTS(decision->entry))
		return 0;
	if (decision->flags == (PB_DECISION_SETS | PB_DECISION_ASKS))
		return PB_ENTRY_SETS;
	return (decision->flags & ~PB_DECISION_EACH) == PB_DECISION_OVER ? PB_ENTRY_RATE : 0;
}

bool pb_decision_is_rate(const struct pb_decision *decision)
{
	return only_condition(decision) == PB_ENTRY_RATE;
}

static __u32 entry_of_class(const struct pb_tables *tables, __u16 class, __u32 none)
{
	const struct pb_decision *decision = &tables->decisions[class];
	__u32 only = 0;

	if (!class)
		return none;
	if (!decision->flags && !PB_ENTRY_REJECTS(decision->entry))
		return decision->entry;
	/* Where that does not hold, the policy decides: it must need no more than the port, either. */
	if (PB_ENTRY_VERDICT(none) != PB_ENTRY_INDIRECT)
		only = only_condition(decision);
	if (only == PB_ENTRY_RATE)
		class = PB_ENTRY_NUMBER(decision->entry);
	return PB_ENTRY(class, 0, PB_ENTRY_INDIRECT) | only;
}

/* Where rules look at the source port, too, the destination port never says all. */
static void make_entries(struct pb_tables *tables, enum pb_proto proto, __u32 none)
{
	const __u16 *class = tables->classes[proto * PB_SIDE_MAX + PB_SIDE_DPORT].class;
	bool alone = !(tables->sides[proto] & 1U << PB_SIDE_SPORT);
	__u32 *entry = tables->ports->entry[proto];

	for (unsigned int port = 0; port < PB_PORTS; port++)
		entry[port] = alone ? entry_of_class(tables, class[port], none) :
				      PB_ENTRY(class[port], 0, PB_ENTRY_INDIRECT);
}

/* ---- Shared tables ------------------------------------------------------------------------- */

/* The classes of a port, one for each protocol from `first` on. */
static void classes_of_port(const struct pb_tables *tables, enum pb_side side, int first,
			    unsigned int port, __u32 classes[PB_PROTO_MAX])
{
	for (int proto = 0; proto < PB_PROTO_MAX; proto++)
		classes[proto] =
			proto < first ? 0 : tables->classes[proto * PB_SIDE_MAX + side].class[port];
}

static bool any_rule(const struct pb_tables *tables, enum pb_side side, int first)
{
	for (int proto = first; proto < PB_PROTO_MAX; proto++)
		if (tables->sides[proto] & 1U << side)
			return true;
	return false;
}

static int check_port_classes(size_t nr, const struct pb_limits *limits, struct pb_error *error)
{
	if (nr <= limits->port_classes && nr <= PB_PORTS)
		return 0;
	return pb_fail(
		error, ENOSPC,
		"the source ports, and the ports of sctp, dccp and udplite, fall into %zu or "
		"more classes, %zu fit: load with a higher --max-rules, or merge rules over "
		"neighbouring ports",
		nr, limits->port_classes < PB_PORTS ? limits->port_classes : PB_PORTS);
}

static int make_class_table(struct pb_tables *tables, enum pb_class_tables table, enum pb_side side,
			    int first, struct pb_lists *port_classes,
			    const struct pb_limits *limits, struct pb_error *error)
{
	__u32 classes[PB_PROTO_MAX], index;
	int ret = 0;

	if (!any_rule(tables, side, first))
		return 0; /* all zero */
	for (unsigned int port = 0; !ret && port < PB_PORTS; port++) {
		classes_of_port(tables, side, first, port, classes);
		ret = pb_lists_add(port_classes, classes, PB_PROTO_MAX, &index);
		if (!ret)
			ret = check_port_classes(pb_lists_nr(port_classes), limits, error);
		if (!ret)
			tables->ports->classes[table][port] = index;
	}
	return ret;
}

static int make_port_classes(struct pb_tables *tables, const struct pb_lists *port_classes)
{
	tables->nr_port_classes = pb_lists_nr(port_classes);
	tables->port_classes = calloc(tables->nr_port_classes, sizeof(*tables->port_classes));
	if (!tables->port_classes)
		return -ENOMEM;
	for (size_t i = 0; i < tables->nr_port_classes; i++) {
		size_t nr;
		const __u32 *classes = pb_lists_get(port_classes, i, &nr);

		for (size_t proto = 0; proto < nr; proto++)
			tables->port_classes[i].of[proto] = classes[proto];
	}
	return 0;
}

/* ---- All of them --------------------------------------------------------------------------- */

int pb_ports_make(struct pb_tables *tables, const struct pb_settings *settings,
		  const struct pb_limits *limits, struct pb_error *error)
{
	static const __u32 none[PB_PROTO_MAX];
	struct pb_lists port_classes = { 0 };
	__u32 index;
	int ret;

	tables->ports = calloc(1, sizeof(*tables->ports));
	if (!tables->ports)
		return -ENOMEM;
	tables->unmatched = entry_of_policy[settings->policy];
	for (int proto = 0; proto < PB_ENTRY_PROTOS; proto++)
		make_entries(tables, proto, pb_entry_of_no_rule(settings, tables->unmatched));
	ret = pb_lists_add(&port_classes, none, PB_PROTO_MAX, &index);
	if (!ret)
		ret = make_class_table(tables, PB_CLASSES_DPORT, PB_SIDE_DPORT, PB_ENTRY_PROTOS,
				       &port_classes, limits, error);
	if (!ret)
		ret = make_class_table(tables, PB_CLASSES_SPORT, PB_SIDE_SPORT, 0, &port_classes,
				       limits, error);
	if (!ret)
		ret = make_port_classes(tables, &port_classes);
	pb_lists_free(&port_classes);
	return ret;
}
