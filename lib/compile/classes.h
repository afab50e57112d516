/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Classes of ports: what the rules over a port come to. */
#ifndef PB_CLASSES_H
#define PB_CLASSES_H

#include "compile/item.h"
#include "compile/sources.h"

/* The items of a group over one port that can win there, the best first. */
struct pb_stair {
	__u32 group;
	size_t first; /* in pb_cover.items */
	size_t nr;
};

struct pb_cover {
	enum pb_proto proto; /* PB_PROTO_MAX: what has no ports */
	enum pb_side side;
	unsigned int port;
	struct pb_stair *stairs; /* sorted by group */
	size_t nr_stairs;
	const struct pb_item **items;
	size_t nr_items;
};

/* A node is a list of three numbers; the rank of a class by source is 0, that of a rule is not. */
enum { PB_NODE_PART, PB_NODE_RANK, PB_NODE_NEXT, PB_NODE_NUMBERS };
#define PB_NODE_MIX PB_NODE_PART
#define PB_NODE_BLOCK PB_NODE_NEXT

struct pb_stream;

struct pb_classes {
	const struct pb_rule_part *parts; /* all: nodes hold an index */
	const struct pb_limits *limits;
	struct pb_sources sources;
	struct pb_lists nodes;	     /* node 0: no rule */
	struct pb_lists blocks;	     /* a node for each region of a mix */
	struct pb_lists covers;	     /* those seen that ask for the source */
	struct pb_vector cover_node; /* their nodes */
	/* For the cover at hand: */
	__u32 *stair_of;	   /* [group] */
	bool *excepted;		   /* [group], in the region at hand */
	struct pb_stream *streams; /* as many as there are groups */
	struct pb_vector scratch;
	struct pb_vector any;  /* stairs of groups without prefixes in `from` */
	struct pb_lists heads; /* [class]: its node */
};

int pb_classes_init(struct pb_classes *classes, const struct pb_parts *parts,
		    const struct pb_limits *limits);
int pb_classes_find(struct pb_classes *classes, const struct pb_cover *cover, __u16 *class,
		    struct pb_error *error);
void pb_classes_free(struct pb_classes *classes);

#endif
