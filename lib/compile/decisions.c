// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <linux/bpf.h>
#include <stdlib.h>
#include "compile/decisions.h"
#include "util/error.h"

/* Where nodes and blocks end up. */
struct layout {
	__u32 *numbers; /* [node]: its decision */
	size_t first_block;
};

static const __u32 *node_at(const struct pb_classes *classes, __u32 node)
{
	size_t nr;

	return pb_lists_get(&classes->nodes, node, &nr);
}

/*
 * Classes first, since their numbers have 16 bits, then what follows in chains, then the blocks.
 * Nodes that are in blocks only get no number of their own.
 */
static void number_nodes(const struct pb_classes *classes, struct layout *layout)
{
	size_t nr = pb_lists_nr(&classes->heads);

	for (size_t i = 0; i < nr; i++)
		layout->numbers[classes->heads.numbers.at[i]] = i;
	for (size_t i = 0; i < pb_lists_nr(&classes->nodes); i++) {
		const __u32 *node = node_at(classes, i);
		__u32 next = node[PB_NODE_NEXT];

		if (node[PB_NODE_RANK] && next && !layout->numbers[next])
			layout->numbers[next] = nr++;
	}
	layout->first_block = nr;
}

static struct pb_decision source_decision(const struct pb_classes *classes, const __u32 *node,
					  const struct layout *layout)
{
	size_t block = pb_lists_start(&classes->blocks, node[PB_NODE_BLOCK]);

	return (struct pb_decision){
		.flags = PB_DECISION_SOURCES,
		.mix = node[PB_NODE_MIX],
		.next = layout->first_block + block,
	};
}

/* Does a chain that begins here ask which sets hold the source? */
static bool chain_asks(const struct pb_classes *classes, const __u32 *node)
{
	while (node[PB_NODE_RANK]) {
		if (classes->parts[node[PB_NODE_PART]].condition != PB_NONE)
			return true;
		node = node_at(classes, node[PB_NODE_NEXT]);
	}
	return false;
}

/* What an entry has beside the rule's id. */
static const __u32 bits_of_action[PB_ACTION_MAX] = {
	[PB_ACTION_DROP] = PB_ENTRY(0, PB_OUTCOME_DROP_RULE, XDP_DROP),
	[PB_ACTION_REJECT] = PB_ENTRY(0, PB_OUTCOME_REJECT, XDP_TX),
	[PB_ACTION_AUDIT] = PB_ENTRY(0, PB_OUTCOME_AUDIT, XDP_PASS),
	[PB_ACTION_ALLOW] = PB_ENTRY(0, PB_OUTCOME_PASS, XDP_PASS),
};

__u32 pb_entry_of_rule(__u32 id, enum pb_action action)
{
	return PB_ENTRY(id, 0, 0) | bits_of_action[action];
}

static struct pb_decision rule_decision(const struct pb_classes *classes, const __u32 *node,
					const struct layout *layout)
{
	const struct pb_rule_part *part = &classes->parts[node[PB_NODE_PART]];
	const struct pb_rule *rule = part->rule;
	bool asks = part->condition != PB_NONE;

	return (struct pb_decision){
		.entry = pb_entry_of_rule(rule->id, rule->action),
		.rank = node[PB_NODE_RANK],
		.next = layout->numbers[node[PB_NODE_NEXT]],
		.expires = rule->expires,
		.flags = (rule->only_new ? PB_DECISION_NEW : 0) |
			 (rule->expires ? PB_DECISION_EXPIRES : 0) | (asks ? PB_DECISION_SETS : 0) |
			 (rule->over.rate.amount ? PB_DECISION_OVER : 0) |
			 (rule->over.rate.amount && rule->over.each ? PB_DECISION_EACH : 0) |
			 (chain_asks(classes, node) ? PB_DECISION_ASKS : 0),
		.mix = asks ? part->condition : 0,
	};
}

static struct pb_decision decision(const struct pb_classes *classes, __u32 number,
				   const struct layout *layout)
{
	const __u32 *node = node_at(classes, number);

	if (node[PB_NODE_RANK])
		return rule_decision(classes, node, layout);
	return source_decision(classes, node, layout);
}

/* Node 0 is decision 0 and stays all zero, in the blocks, too. */
static void fill(const struct pb_classes *classes, const struct layout *layout,
		 struct pb_decision *decisions)
{
	const struct pb_vector *blocks = &classes->blocks.numbers;

	for (size_t i = 1; i < pb_lists_nr(&classes->nodes); i++) {
		if (layout->numbers[i])
			decisions[layout->numbers[i]] = decision(classes, i, layout);
	}
	decisions += layout->first_block;
	for (size_t i = 0; i < blocks->nr; i++) {
		if (blocks->at[i])
			decisions[i] = decision(classes, blocks->at[i], layout);
	}
}

int pb_classes_check(const struct pb_classes *classes, size_t decisions, struct pb_error *error)
{
	size_t limit = classes->limits->decisions;

	if (decisions <= limit)
		return 0;
	return pb_fail(error, ENOSPC,
		       "these rules need at least %zu decisions, %zu fit: load with a higher "
		       "--max-rules, or let fewer ranges and source prefixes overlap",
		       decisions, limit);
}

int pb_classes_decisions(const struct pb_classes *classes, struct pb_decision **decisions,
			 size_t *nr_decisions, struct pb_error *error)
{
	struct layout layout = { 0 };
	int ret;

	layout.numbers = calloc(pb_lists_nr(&classes->nodes), sizeof(*layout.numbers));
	if (!layout.numbers)
		return -ENOMEM;
	number_nodes(classes, &layout);
	*nr_decisions = layout.first_block + classes->blocks.numbers.nr;
	ret = pb_classes_check(classes, *nr_decisions, error);
	if (ret)
		goto out;
	*decisions = calloc(*nr_decisions, sizeof(**decisions));
	ret = *decisions ? 0 : -ENOMEM;
	if (!ret)
		fill(classes, &layout, *decisions);
out:
	free(layout.numbers);
	return ret;
}
