// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "compile/tree.h"

int pb_tree_init(struct pb_tree *tree, size_t leaves)
{
	tree->size = 1;
	while (tree->size < leaves)
		tree->size *= 2;
	tree->nodes = calloc(tree->size * 2, sizeof(*tree->nodes));
	return tree->nodes ? 0 : -ENOMEM;
}

void pb_tree_clear(struct pb_tree *tree)
{
	memset(tree->nodes, 0, tree->size * 2 * sizeof(*tree->nodes));
}

void pb_tree_free(struct pb_tree *tree)
{
	free(tree->nodes);
}

void pb_tree_set(struct pb_tree *tree, size_t leaf, bool only_new, __u64 until)
{
	struct pb_until *nodes = tree->nodes;
	size_t i = tree->size + leaf;

	nodes[i].at[only_new] = until;
	for (; i > 1; i /= 2) {
		__u64 a = nodes[i].at[only_new], b = nodes[i ^ 1].at[only_new];
		__u64 *parent = &nodes[i / 2].at[only_new];

		if (*parent == (a > b ? a : b))
			break;
		*parent = a > b ? a : b;
	}
}

static bool holds_longer(const struct pb_until *node, const struct pb_until *until)
{
	return node->at[0] > until->at[0] || node->at[1] > until->at[1];
}

size_t pb_tree_find(const struct pb_tree *tree, size_t leaf, const struct pb_until *until)
{
	size_t i = tree->size + leaf;

	if (leaf >= tree->size)
		return tree->size;
	/* To the right, over larger and larger subtrees, to one that has such a leaf... */
	while (!holds_longer(&tree->nodes[i], until)) {
		while (i & 1)
			i /= 2;
		if (!i)
			return tree->size;
		i++;
	}
	/* ...and down to its first one. */
	while (i < tree->size) {
		i *= 2;
		if (!holds_longer(&tree->nodes[i], until))
			i++;
	}
	return i - tree->size;
}
