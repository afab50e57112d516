// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Open addressing, at most half full. Slots hold ids, not places: those move when a rule before
 * them comes or goes.
 */
#include <stdlib.h>
#include "rule/fields.h"
#include "rules/index.h"

struct slot {
	__u32 hash;
	__u32 id; /* 0: free */
};

struct pb_index {
	size_t nr;   /* rules in it; another number than the set's: out of date */
	size_t mask; /* slots - 1 */
	struct slot slots[];
};

static void put(struct pb_index *index, struct slot slot)
{
	size_t i = slot.hash & index->mask;

	while (index->slots[i].id)
		i = (i + 1) & index->mask;
	index->slots[i] = slot;
	index->nr++;
}

static struct pb_index *build(const struct pb_set *set)
{
	struct pb_index *index;
	size_t slots = 64;

	while (slots < set->nr_rules * 4)
		slots *= 2;
	index = calloc(1, sizeof(*index) + slots * sizeof(index->slots[0]));
	if (!index)
		return NULL;
	index->mask = slots - 1;
	for (size_t i = 0; i < set->nr_rules; i++)
		put(index, (struct slot){ pb_rule_hash(&set->rules[i]), set->rules[i].id });
	return index;
}

/* The index is a cache: making it changes nothing that a const set promises. */
static const struct pb_index *current(const struct pb_set *set)
{
	struct pb_set *cache = (struct pb_set *)set;

	if (set->index && set->index->nr == set->nr_rules)
		return set->index;
	pb_index_drop(cache);
	cache->index = build(set);
	return cache->index;
}

static struct pb_rule *find_slowly(const struct pb_set *set, const struct pb_rule *rule)
{
	for (size_t i = 0; i < set->nr_rules; i++)
		if (pb_rule_same(&set->rules[i], rule))
			return &set->rules[i];
	return NULL;
}

struct pb_rule *pb_index_find(const struct pb_set *set, const struct pb_rule *rule)
{
	const struct pb_index *index = current(set);
	__u32 hash = pb_rule_hash(rule);

	if (!index)
		return find_slowly(set, rule);
	for (size_t i = hash & index->mask; index->slots[i].id; i = (i + 1) & index->mask) {
		struct pb_rule *found;

		if (index->slots[i].hash != hash)
			continue;
		found = pb_set_find(set, index->slots[i].id);
		if (found && pb_rule_same(found, rule))
			return found;
	}
	return NULL;
}

void pb_index_add(struct pb_set *set, const struct pb_rule *rule, __u32 id)
{
	struct pb_index *index = set->index;

	if (!index)
		return;
	if (index->nr != set->nr_rules || (index->nr + 1) * 2 > index->mask + 1)
		pb_index_drop(set);
	else
		put(index, (struct slot){ pb_rule_hash(rule), id });
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

void pb_index_del(struct pb_set *set, const struct pb_rule *rule)
{
	struct pb_index *index = set->index;
	size_t i;

	if (!index)
		return;
	i = pb_rule_hash(rule) & index->mask;
	while (index->slots[i].id && index->slots[i].id != rule->id)
		i = (i + 1) & index->mask;
	if (!index->slots[i].id || index->nr != set->nr_rules) {
		pb_index_drop(set);
		return;
	}
	index->slots[i].id = 0;
	index->nr--;
	close_gap(index, i);
}

void pb_index_drop(struct pb_set *set)
{
	free(set->index);
	set->index = NULL;
}
