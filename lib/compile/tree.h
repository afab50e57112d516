/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* How long something holds. */
#ifndef PB_TREE_H
#define PB_TREE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

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

#endif
