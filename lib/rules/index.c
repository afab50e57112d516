// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Open addressing, at most half full. Slots hold ids, not places: those move when a rule before
 * them comes or goes.
 */
#include <stdlib.h>
#include "rules/index.h"

struct slot {
	__u32 hash;
	__u32 id; /* 0: free */
};

struct pb_index {
	size_t nr;
	size_t mask; /* slots - 1 */
	struct slot slots[];
};

struct pb_index *pb_index_new(size_t nr)
{
	struct pb_index *index;
	size_t slots = 64;

	while (slots < nr * 4)
		slots *= 2;
	index = calloc(1, sizeof(*index) + slots * sizeof(index->slots[0]));
	if (index)
		index->mask = slots - 1;
	return index;
}

size_t pb_index_nr(const struct pb_index *index)
{
	return index->nr;
}

static void put(struct pb_index *index, struct slot slot)
{
	size_t i = slot.hash & index->mask;

	while (index->slots[i].id)
		i = (i + 1) & index->mask;
	index->slots[i] = slot;
	index->nr++;
}

bool pb_index_add(struct pb_index *index, __u32 hash, __u32 id)
{
	if ((index->nr + 1) * 2 > index->mask + 1)
		return false;
	put(index, (struct slot){ hash, id });
	return true;
}

/* Puts back what follows a slot that became free, up to the next free one. */
static void close_gap(struct pb_index *index, size_t i)
{
	struct slot slot;

	for (i = (i + 1) & index->mask; index->slots[i].id; i = (i + 1) & index->mask) {
		slot = index->slots[i];
		index->slots[i].id = 0;
		index->nr--;
		put(index, slot);
	}
}

bool pb_index_del(struct pb_index *index, __u32 hash, __u32 id)
{
	size_t i = hash & index->mask;

	while (index->slots[i].id && index->slots[i].id != id)
		i = (i + 1) & index->mask;
	if (!index->slots[i].id)
		return false;
	index->slots[i].id = 0;
	index->nr--;
	close_gap(index, i);
	return true;
}

__u32 pb_index_next(const struct pb_index *index, __u32 hash, size_t *at)
{
	const struct slot *slot;

	do {
		slot = &index->slots[(hash + (*at)++) & index->mask];
	} while (slot->id && slot->hash != hash);
	return slot->id;
}
