// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "compile/classes.h"
#include "compile/decisions.h"
#include "util/error.h"

/* The items of a stair that are still to be merged, and the length of the `from` they match by. */
struct pb_stream {
	const struct pb_item **next;
	const struct pb_item **end;
	__u32 len;
};

/* What can win over a port for one region of sources, the best first. */
struct chain {
	struct {
		const struct pb_item *item;
		__u32 len;
	} links[PB_CHAIN_RULES];
	size_t nr; /* may be more than there is room for */
	struct pb_until until;
};

/* ---- Chains -------------------------------------------------------------------------------- */

static struct pb_stream *best_stream(struct pb_stream *streams, size_t nr)
{
	struct pb_stream *best = NULL;

	for (struct pb_stream *s = streams; s < streams + nr; s++) {
		if (s->next == s->end)
			continue;
		if (!best || pb_item_beats(*s->next, s->len, *best->next, best->len))
			best = s;
	}
	return best;
}

static void chain_add(struct chain *chain, const struct pb_item *item, __u32 len)
{
	if (pb_item_within(item, &chain->until))
		return;
	if (chain->nr < PB_CHAIN_RULES) {
		chain->links[chain->nr].item = item;
		chain->links[chain->nr].len = len;
	}
	chain->nr++;
	pb_until_add(&chain->until, item);
}

/* From the last link to the first, so that chains share what they have in common at the end. */
static int chain_node(struct pb_classes *classes, const struct chain *chain, __u32 *node)
{
	int ret = 0;

	*node = 0;
	for (size_t i = chain->nr; !ret && i > 0; i--) {
		const struct pb_item *item = chain->links[i - 1].item;
		__u32 numbers[PB_NODE_NUMBERS] = {
			[PB_NODE_PART] = item->part - classes->parts,
			[PB_NODE_RANK] = pb_item_rank(item, chain->links[i - 1].len),
			[PB_NODE_NEXT] = *node,
		};

		ret = pb_lists_add(&classes->nodes, numbers, PB_NODE_NUMBERS, node);
	}
	return ret;
}

static int chain_too_long(const struct pb_cover *cover, size_t nr, struct pb_error *error)
{
	/* pb_proto_name() belongs to the text forms, which this file does without. */
	static const char *const protos[] = { "tcp", "udp", "sctp", "dccp", "udplite" };
	char where[32] = "packets without ports";

	if (cover->proto < PB_PROTO_MAX)
		snprintf(where, sizeof(where), "%s %s %u", protos[cover->proto],
			 cover->side == PB_SIDE_DPORT ? "dport" : "sport", cover->port);
	return pb_fail(
		error, ENOSPC,
		"%s: %zu rules there come one after the other as they expire, have a rate or ask "
		"which sets hold the source, at most %d can: merge those that expire, let the "
		"ones with wider ranges end first, or name several sets in one rule, as in from "
		"@a,@b",
		where, nr, PB_CHAIN_RULES);
}

/* Merges the first `nr` streams. */
static int merge(struct pb_classes *classes, const struct pb_cover *cover, size_t nr, __u32 *node,
		 struct pb_error *error)
{
	struct chain chain = { .nr = 0 };
	struct pb_stream *best;

	while (chain.until.at[0] != PB_FOREVER && (best = best_stream(classes->streams, nr)))
		chain_add(&chain, *best->next++, best->len);
	if (chain.nr > PB_CHAIN_RULES)
		return chain_too_long(cover, chain.nr, error);
	return chain_node(classes, &chain, node);
}

static void stream_init(struct pb_stream *stream, const struct pb_cover *cover, size_t stair,
			__u32 len)
{
	stream->next = cover->items + cover->stairs[stair].first;
	stream->end = stream->next + cover->stairs[stair].nr;
	stream->len = len;
}

/* ---- Classes by source --------------------------------------------------------------------- */

/* The chain for sources in one region: a list of PB_REGION(). */
static int region_node(struct pb_classes *classes, const struct pb_cover *cover,
		       const __u32 *region, size_t nr_region, __u32 *node, struct pb_error *error)
{
	size_t nr = 0;

	for (size_t i = 0; i < nr_region; i++) {
		__u32 group = PB_REGION_GROUP(region[i]), len = PB_REGION_LEN(region[i]);

		if (len == PB_REGION_EXCEPT)
			classes->excepted[group] = true;
		else
			stream_init(&classes->streams[nr++], cover, classes->stair_of[group], len);
	}
	for (size_t i = 0; i < classes->any.nr; i++) {
		if (!classes->excepted[cover->stairs[classes->any.at[i]].group])
			stream_init(&classes->streams[nr++], cover, classes->any.at[i], 0);
	}
	for (size_t i = 0; i < nr_region; i++)
		classes->excepted[PB_REGION_GROUP(region[i])] = false;
	return merge(classes, cover, nr, node, error);
}

/* `scratch` gets the groups that have sources, which make up the mix. */
static int index_stairs(struct pb_classes *classes, const struct pb_cover *cover)
{
	classes->any.nr = 0;
	classes->scratch.nr = 0;
	for (size_t i = 0; i < cover->nr_stairs; i++) {
		__u32 group = cover->stairs[i].group;

		classes->stair_of[group] = i;
		if (!pb_part_nr_from(classes->sources.part[group]) &&
		    pb_vector_push(&classes->any, i))
			return -ENOMEM;
		if (group && pb_vector_push(&classes->scratch, group))
			return -ENOMEM;
	}
	return 0;
}

/* `scratch` gets a node for each region of the mix. */
static int fill_block(struct pb_classes *classes, const struct pb_cover *cover, __u32 mix,
		      struct pb_error *error)
{
	const struct pb_lists *regions = &classes->sources.regions[mix];
	int ret = 0;

	classes->scratch.nr = 0;
	for (size_t i = 0; !ret && i < pb_lists_nr(regions); i++) {
		size_t nr;
		const __u32 *region = pb_lists_get(regions, i, &nr);
		__u32 node;

		ret = region_node(classes, cover, region, nr, &node, error);
		if (!ret)
			ret = pb_vector_push(&classes->scratch, node);
	}
	return ret;
}

static int source_node(struct pb_classes *classes, const struct pb_cover *cover, __u32 *node,
		       struct pb_error *error)
{
	struct pb_vector *scratch = &classes->scratch;
	__u32 numbers[PB_NODE_NUMBERS] = { 0 };
	int ret = index_stairs(classes, cover);

	if (!ret)
		ret = pb_sources_mix(&classes->sources, scratch->at, scratch->nr,
				     classes->limits->sources, &numbers[PB_NODE_MIX], error);
	if (!ret)
		ret = fill_block(classes, cover, numbers[PB_NODE_MIX], error);
	if (!ret)
		ret = pb_lists_add(&classes->blocks, scratch->at, scratch->nr,
				   &numbers[PB_NODE_BLOCK]);
	if (!ret)
		ret = pb_classes_check(classes, classes->blocks.numbers.nr, error);
	if (!ret)
		ret = pb_lists_add(&classes->nodes, numbers, PB_NODE_NUMBERS, node);
	return ret;
}

/* What the node depends on: the rules that can win, and by which range. */
static int describe(struct pb_classes *classes, const struct pb_cover *cover, __u32 *list)
{
	classes->scratch.nr = 0;
	for (size_t i = 0; i < cover->nr_items; i++) {
		__u32 numbers[2] = { cover->items[i]->part - classes->parts,
				     cover->items[i]->rank };

		if (pb_vector_add(&classes->scratch, numbers, 2))
			return -ENOMEM;
	}
	return pb_lists_add(&classes->covers, classes->scratch.at, classes->scratch.nr, list);
}

/* The node with which the chain of a port begins. */
static int head_node(struct pb_classes *classes, const struct pb_cover *cover, __u32 *node,
		     struct pb_error *error)
{
	size_t known = pb_lists_nr(&classes->covers), last = cover->nr_stairs - 1;
	__u32 list;
	int ret;

	*node = 0;
	if (!cover->nr_stairs)
		return 0;
	if (!cover->stairs[last].group) {
		stream_init(&classes->streams[0], cover, 0, 0);
		return merge(classes, cover, 1, node, error);
	}
	ret = describe(classes, cover, &list);
	if (ret)
		return ret;
	if (list < known) {
		*node = classes->cover_node.at[list];
		return 0;
	}
	ret = source_node(classes, cover, node, error);
	return ret ? ret : pb_vector_push(&classes->cover_node, *node);
}

int pb_classes_find(struct pb_classes *classes, const struct pb_cover *cover, __u16 *class,
		    struct pb_error *error)
{
	__u32 node, head;
	int ret = head_node(classes, cover, &node, error);

	if (!ret)
		ret = pb_lists_add(&classes->heads, &node, 1, &head);
	if (ret)
		return ret;
	if (head >= PB_PORTS)
		return pb_fail(error, ENOSPC,
			       "the ports of these rules fall into %u or more classes, at most %d "
			       "fit: merge rules over neighbouring ports, or those that differ "
			       "only in protocol or side",
			       head, PB_PORTS - 1);
	*class = head;
	return 0;
}

/* ---- All of them --------------------------------------------------------------------------- */

int pb_classes_init(struct pb_classes *classes, const struct pb_parts *parts,
		    const struct pb_limits *limits)
{
	static const __u32 none[PB_NODE_NUMBERS];
	size_t groups = parts->nr + 1;
	__u32 node, head;

	classes->parts = parts->part;
	classes->limits = limits;
	classes->stair_of = calloc(groups, sizeof(*classes->stair_of));
	classes->excepted = calloc(groups, sizeof(*classes->excepted));
	classes->streams = calloc(groups, sizeof(*classes->streams));
	if (!classes->stair_of || !classes->excepted || !classes->streams)
		return -ENOMEM;
	if (pb_lists_add(&classes->nodes, none, PB_NODE_NUMBERS, &node) ||
	    pb_lists_add(&classes->heads, &node, 1, &head))
		return -ENOMEM;
	return pb_sources_init(&classes->sources, groups);
}

void pb_classes_free(struct pb_classes *classes)
{
	pb_sources_free(&classes->sources);
	pb_lists_free(&classes->nodes);
	pb_lists_free(&classes->blocks);
	pb_lists_free(&classes->covers);
	pb_lists_free(&classes->heads);
	pb_vector_free(&classes->cover_node);
	pb_vector_free(&classes->scratch);
	pb_vector_free(&classes->any);
	free(classes->stair_of);
	free(classes->excepted);
	free(classes->streams);
}
