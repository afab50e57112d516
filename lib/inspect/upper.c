// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include "inspect/adjacent.h"
#include "inspect/upper.h"
#include "util/array.h"

struct list {
	struct pb_upper *uppers;
	size_t nr, room;
};

static bool has(const struct list *list, int ifindex)
{
	for (size_t i = 0; i < list->nr; i++)
		if (list->uppers[i].ifindex == ifindex)
			return true;
	return false;
}

static int add(struct list *list, int ifindex)
{
	struct pb_upper *grown = pb_grow(list->uppers, list->nr, &list->room, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	list->uppers = grown;
	grown += list->nr++;
	*grown = (struct pb_upper){ .ifindex = ifindex };
	if (!if_indextoname(ifindex, grown->name))
		snprintf(grown->name, sizeof(grown->name), "%d", ifindex);
	return 0;
}

/* Those that the pairs name above it; the other end of a veth is its equal. */
static int find(const struct pb_adjacent *pairs, size_t nr, int ifindex, struct list *list)
{
	int ret = 0, upper;

	for (size_t i = 0; !ret && i < nr; i++) {
		upper = pairs[i].upper;
		if (!has(list, upper) && pb_adjacent_reach(pairs, nr, ifindex, upper) &&
		    !pb_adjacent_reach(pairs, nr, upper, ifindex))
			ret = add(list, upper);
	}
	return ret;
}

static int count_bound(struct list *list)
{
	struct pb_bound *sockets = NULL;
	size_t nr = 0;
	int ret = list->nr ? pb_bound_list(&sockets, &nr) : 0;

	for (size_t i = 0; !ret && i < nr; i++)
		for (size_t j = 0; j < list->nr; j++)
			if (list->uppers[j].ifindex == sockets[i].ifindex) {
				list->uppers[j].nr_bound++;
				list->uppers[j].bound = sockets[i];
			}
	free(sockets);
	return ret;
}

int pb_uppers_list(int ifindex, struct pb_upper **uppers, size_t *nr)
{
	struct pb_adjacent *pairs = NULL;
	struct list list = {};
	size_t nr_pairs = 0;
	int ret = pb_adjacent_list(&pairs, &nr_pairs);

	if (!ret)
		ret = find(pairs, nr_pairs, ifindex, &list);
	free(pairs);
	if (!ret)
		ret = count_bound(&list);
	if (ret) {
		free(list.uppers);
		return ret;
	}
	*uppers = list.uppers;
	*nr = list.nr;
	return 0;
}
