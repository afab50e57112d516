/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The parts of the compiler. Words used in all of them:
 *
 * item    one port range of a rule
 * group   the rules with the same `from` and `except`; group 0: those with neither
 * cover   the items over one port that can win there, group by group
 * set     the groups of sources that meet over a port; they share the entries of the trie
 * region  sources that lie in the same prefixes of a set; region 0: in none
 * node    a decision before it is numbered: a candidate and the node that follows it
 *
 * Functions return 0, -ENOMEM without a message, or -ENOSPC with one.
 */
#ifndef PB_COMPILE_PARTS_H
#define PB_COMPILE_PARTS_H

#include "compile/compile.h"

#define PB_FOREVER (~0ULL)
#define PB_NONE (~0U)

/* ---- Numbers and lists of them (lists.c) ------------------------------------------ */

struct pb_vector {
	__u32 *at;
	size_t nr;
	size_t room;
};

int pb_vector_add(struct pb_vector *vector, const __u32 *numbers, size_t nr);
int pb_vector_push(struct pb_vector *vector, __u32 number);
void pb_vector_free(struct pb_vector *vector);

/* Lists that are kept once each and numbered from 0 in the order in which they came. */
struct pb_lists {
	struct pb_vector numbers; /* of all lists */
	struct pb_vector ends;	  /* [list]: where in `numbers` it ends */
	__u32 *table;		  /* hash table, list + 1 */
	size_t size;		  /* of the table, a power of two */
};

int pb_lists_add(struct pb_lists *lists, const __u32 *numbers, size_t nr, __u32 *list);
void pb_lists_free(struct pb_lists *lists);

static inline size_t pb_lists_nr(const struct pb_lists *lists)
{
	return lists->ends.nr;
}

static inline size_t pb_lists_start(const struct pb_lists *lists, __u32 list)
{
	return list ? lists->ends.at[list - 1] : 0;
}

static inline const __u32 *pb_lists_get(const struct pb_lists *lists, __u32 list, size_t *nr)
{
	size_t start = pb_lists_start(lists, list);

	*nr = lists->ends.at[list] - start;
	return lists->numbers.at + start;
}

/* ---- How long something holds (tree.c) --------------------------------------------- */

/*
 * Two times: [0] for any packet, [1] for packets of no connection. Of a row of candidates that
 * come before: a candidate that ends no later than they do can never win.
 */
struct pb_until {
	__u64 at[2];
};

/* A segment tree over the items: which of them hold at this port, and how long. */
struct pb_tree {
	struct pb_until *nodes; /* [1] is the root, [size] the first leaf; each the later of both */
	size_t size;		/* leaves, a power of two */
};

int pb_tree_init(struct pb_tree *tree, size_t leaves);
void pb_tree_clear(struct pb_tree *tree);
void pb_tree_set(struct pb_tree *tree, size_t leaf, bool only_new, __u64 until);
/* The first leaf from `leaf` on that holds longer than `until`; at least `size`: none. */
size_t pb_tree_find(const struct pb_tree *tree, size_t leaf, const struct pb_until *until);
void pb_tree_free(struct pb_tree *tree);

/* ---- Sources (sources.c) ----------------------------------------------------------- */

/* An element of a region's list: the group, and the length of its longest `from` there. */
#define PB_REGION(group, len) ((__u32)(group) << 8 | (len))
#define PB_REGION_EXCEPT 255 /* instead of a length: the group does not match there */
#define PB_REGION_GROUP(element) ((element) >> 8)
#define PB_REGION_LEN(element) ((element)&255)

struct pb_sources {
	struct pb_lists groups;	     /* their prefixes as numbers */
	const struct pb_rule **rule; /* [group]: one of its rules */
	struct pb_lists sets;	     /* of groups; set 0 is empty */
	struct pb_lists *regions;    /* [set]: PB_REGION() of the groups whose state differs from
				      * that in region 0 */
	struct pb_source *trie;
	size_t nr_trie;
	size_t room_trie;
};

int pb_sources_init(struct pb_sources *sources, size_t max_groups);
/* The group of a rule. */
int pb_sources_group(struct pb_sources *sources, const struct pb_rule *rule, __u32 *group);
/* The set of these groups, which are sorted. A new one gets its regions and trie entries. */
int pb_sources_set(struct pb_sources *sources, const __u32 *groups, size_t nr, size_t limit,
		   __u32 *set, struct pb_error *error);
void pb_sources_free(struct pb_sources *sources);

/* ---- Classes (classes.c) ------------------------------------------------------------- */

struct pb_item {
	const struct pb_rule *rule;
	__u32 id;
	__u32 rank; /* without `from` */
	__u32 group;
	__u32 next_first; /* another item that begins at the same port */
	__u32 next_last;  /* another item that ends at the same port */
	__u16 first;
	__u16 last;
};

/* The items of a group over one port that can win there, the best first. */
struct pb_stair {
	__u32 group;
	size_t first; /* in pb_cover.items */
	size_t nr;
};

struct pb_cover {
	enum pb_proto proto;
	enum pb_side side;
	unsigned int port;
	struct pb_stair *stairs; /* sorted by group */
	size_t nr_stairs;
	const struct pb_item **items;
	size_t nr_items;
};

/* A node is a list of three numbers; the rank of a class by source is 0, that of a rule is not. */
enum { PB_NODE_RULE, PB_NODE_RANK, PB_NODE_NEXT, PB_NODE_NUMBERS };
#define PB_NODE_SET PB_NODE_RULE
#define PB_NODE_BLOCK PB_NODE_NEXT

struct pb_stream;

struct pb_classes {
	const struct pb_rule *rules; /* of the set: nodes hold an index */
	const struct pb_limits *limits;
	struct pb_sources sources;
	struct pb_lists nodes;	     /* node 0: no rule */
	struct pb_lists blocks;	     /* a node for each region of a set */
	struct pb_lists covers;	     /* those seen that ask for the source */
	struct pb_vector cover_node; /* their nodes */
	/* For the cover at hand: */
	__u32 *stair_of;	   /* [group] */
	bool *excepted;		   /* [group], in the region at hand */
	struct pb_stream *streams; /* as many as there are groups */
	struct pb_vector scratch;
	struct pb_vector any;  /* stairs of groups without `from` */
	struct pb_lists heads; /* [class]: its node */
};

/* Its rank when it matches by a `from` of this length: PB_RANK() of that and of nothing else. */
static inline __u32 pb_item_rank(const struct pb_item *item, __u32 len)
{
	return item->rank + PB_RANK(len, PB_PORTS, PB_ACTION_MAX);
}

/* Does `a` come before `b` over the same port, with these lengths of `from`? */
bool pb_item_beats(const struct pb_item *a, __u32 len_a, const struct pb_item *b, __u32 len_b);
/* How long an item holds, and whether that is no longer than `until`. */
__u64 pb_item_until(const struct pb_item *item);
bool pb_item_within(const struct pb_item *item, const struct pb_until *until);
void pb_until_add(struct pb_until *until, const struct pb_item *item);

int pb_classes_init(struct pb_classes *classes, const struct pb_set *set,
		    const struct pb_limits *limits);
int pb_classes_find(struct pb_classes *classes, const struct pb_cover *cover, __u16 *class,
		    struct pb_error *error);
/* -ENOSPC if so many decisions are more than fit. */
int pb_classes_check(const struct pb_classes *classes, size_t decisions, struct pb_error *error);
/* Numbers the nodes (decisions.c). The caller frees. */
int pb_classes_decisions(const struct pb_classes *classes, struct pb_decision **decisions,
			 size_t *nr_decisions, struct pb_error *error);
void pb_classes_free(struct pb_classes *classes);

/* ---- What the program looks ports up in (ports.c) ----------------------------------- */

/* Makes `ports` and `heads` of `classes` and `decisions`. The caller frees, on failure too. */
int pb_ports_make(struct pb_tables *tables, const struct pb_settings *settings,
		  const struct pb_limits *limits, struct pb_error *error);

#endif
