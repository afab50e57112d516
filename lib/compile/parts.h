/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Rules in parts, of which each matches by prefixes alone or through sets alone. */
#ifndef PB_PARTS_H
#define PB_PARTS_H

#include <portblock/portblock.h>
#include "compile/lists.h"

/*
 * A rule with prefixes and sets in its `from` has two: its place among the others is known for
 * each of them, while it depends on the source which one of them matches. Where it has a rate, no source is
 * for both: tokens are taken once.
 */
struct pb_rule_part {
	const struct pb_rule *rule;
	__u32 condition; /* on the sets that hold the source, a number; PB_NONE: there is none */
	bool by_set;	 /* the prefixes of `from` do not count */
};

struct pb_parts {
	struct pb_rule_part *part;
	size_t nr;
	struct pb_set_condition *conditions; /* once each */
	size_t nr_conditions;
};

/* `sets`: see pb_compile(). */
int pb_parts_make(struct pb_parts *parts, const struct pb_rules *rules,
		  const struct pb_set_condition *sets, struct pb_error *error);
void pb_parts_free(struct pb_parts *parts);

static inline size_t pb_part_nr_from(const struct pb_rule_part *part)
{
	return part->by_set ? 0 : part->rule->nr_from;
}

static inline bool pb_part_has_rate(const struct pb_rule_part *part)
{
	return part->rule->over.rate.amount;
}

/* About sources alone, whatever the ports. */
static inline bool pb_part_is_alone(const struct pb_rule_part *part)
{
	return !part->rule->protocols;
}

static inline unsigned int pb_part_protocols(const struct pb_rule_part *part)
{
	return pb_part_is_alone(part) ? (1U << PB_PROTO_MAX) - 1 : part->rule->protocols;
}

/* How many ranges of ports it has: one of all ports where it is alone. */
static inline size_t pb_part_nr_ports(const struct pb_rule_part *part)
{
	return pb_part_is_alone(part) ? 1 : part->rule->nr_ports;
}

#endif
