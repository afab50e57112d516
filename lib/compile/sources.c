// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include "compile/sources.h"
#include "rule/prefix.h"
#include "util/error.h"

#define LEVELS_MAX 130 /* no prefix, and those of length 0 to 128 */

/* A prefix of a group in a mix. */
struct entry {
	const struct pb_prefix *prefix;
	__u32 element; /* PB_REGION() */
};

/* A prefix around the one at hand, and what holds in it. */
struct level {
	const struct pb_prefix *prefix; /* NULL: all sources */
	size_t first;			/* of its elements */
	__u32 region;
};

/* A walk over the prefixes of a mix, each before those within it. */
struct walk {
	struct level levels[LEVELS_MAX];
	size_t depth;
	struct pb_vector elements; /* of all levels */
	struct pb_vector list;	   /* of the region at hand */
};

/* ---- Groups -------------------------------------------------------------------------------- */

int pb_sources_init(struct pb_sources *sources, size_t max_groups)
{
	static const struct pb_rule rule;
	static const struct pb_rule_part plain = { .rule = &rule };
	__u32 group, mix;

	sources->part = calloc(max_groups, sizeof(*sources->part));
	sources->regions = calloc(PB_MIXES_MAX, sizeof(*sources->regions));
	if (!sources->part || !sources->regions)
		return -ENOMEM;
	if (pb_sources_group(sources, &plain, &group))
		return -ENOMEM;
	return pb_lists_add(&sources->mixes, NULL, 0, &mix);
}

static int add_prefixes(struct pb_vector *numbers, const struct pb_prefix *prefixes, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		__u32 n[5] = { prefixes[i].family << 8 | prefixes[i].len };

		memcpy(n + 1, prefixes[i].addr, sizeof(prefixes[i].addr));
		if (pb_vector_add(numbers, n, 5))
			return -ENOMEM;
	}
	return 0;
}

int pb_sources_group(struct pb_sources *sources, const struct pb_rule_part *part, __u32 *group)
{
	const struct pb_rule *rule = part->rule;
	struct pb_vector numbers = { 0 };
	int ret;

	ret = pb_vector_push(&numbers, pb_part_nr_from(part));
	if (!ret)
		ret = add_prefixes(&numbers, rule->from, pb_part_nr_from(part));
	if (!ret)
		ret = add_prefixes(&numbers, rule->except, rule->nr_except);
	if (!ret)
		ret = pb_lists_add(&sources->groups, numbers.at, numbers.nr, group);
	if (!ret)
		sources->part[*group] = part;
	pb_vector_free(&numbers);
	return ret;
}

void pb_sources_free(struct pb_sources *sources)
{
	for (size_t i = 0; i < pb_lists_nr(&sources->mixes) && i < PB_MIXES_MAX; i++)
		pb_lists_free(&sources->regions[i]);
	free(sources->regions);
	free(sources->part);
	free(sources->entries);
	pb_lists_free(&sources->groups);
	pb_lists_free(&sources->mixes);
}

/* ---- Prefixes of a mix --------------------------------------------------------------------- */

static struct entry *add_entries(struct entry *entries, __u32 group, bool except,
				 const struct pb_prefix *prefixes, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		__u32 len = pb_prefix_mapped_len(&prefixes[i]);

		entries->prefix = &prefixes[i];
		entries->element = PB_REGION(group, except ? PB_REGION_EXCEPT : len);
		entries++;
	}
	return entries;
}

/* A prefix comes before those within it. */
static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int ret = pb_prefix_order(a->prefix, b->prefix);

	return ret ? ret : (a->element > b->element) - (a->element < b->element);
}

static int collect(const struct pb_sources *sources, const __u32 *groups, size_t nr,
		   struct entry **entries, size_t *nr_entries)
{
	struct entry *end;

	*nr_entries = 0;
	for (size_t i = 0; i < nr; i++) {
		const struct pb_rule_part *part = sources->part[groups[i]];

		*nr_entries += pb_part_nr_from(part) + part->rule->nr_except;
	}
	end = *entries = calloc(*nr_entries, sizeof(*end));
	if (!end)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		const struct pb_rule_part *part = sources->part[groups[i]];
		const struct pb_rule *rule = part->rule;

		end = add_entries(end, groups[i], false, rule->from, pb_part_nr_from(part));
		end = add_entries(end, groups[i], true, rule->except, rule->nr_except);
	}
	qsort(*entries, *nr_entries, sizeof(**entries), compare_entries);
	return 0;
}

/* ---- Regions of a mix ---------------------------------------------------------------------- */

/* Elements come in ascending order: of one group the longest `from` is last, then `except`. */
static int push_element(struct walk *walk, size_t first, __u32 element)
{
	struct pb_vector *elements = &walk->elements;

	if (elements->nr > first &&
	    PB_REGION_GROUP(elements->at[elements->nr - 1]) == PB_REGION_GROUP(element)) {
		elements->at[elements->nr - 1] = element;
		return 0;
	}
	return pb_vector_push(elements, element);
}

/* What holds in the level around this one, and what the entries of this prefix add. */
static int push_level(struct walk *walk, const struct entry *entries, size_t nr)
{
	size_t outer = walk->levels[walk->depth - 1].first, end = walk->elements.nr, i = 0;
	int ret = 0;

	while (!ret && (outer < end || i < nr)) {
		bool around = outer < end &&
			      (i == nr || walk->elements.at[outer] < entries[i].element);

		if (around) {
			ret = push_element(walk, end, walk->elements.at[outer]);
			outer++;
		} else {
			ret = push_element(walk, end, entries[i++].element);
		}
	}
	walk->levels[walk->depth++] = (struct level){ entries->prefix, end, 0 };
	return ret;
}

static void pop_levels(struct walk *walk, const struct pb_prefix *prefix)
{
	while (walk->depth > 1 && !pb_prefix_holds(walk->levels[walk->depth - 1].prefix, prefix))
		walk->elements.nr = walk->levels[--walk->depth].first;
}

/* The region of the innermost level. A group with `from` does not match anyway in region 0. */
static int find_region(const struct pb_sources *sources, struct pb_lists *regions,
		       struct walk *walk)
{
	struct level *level = &walk->levels[walk->depth - 1];

	walk->list.nr = 0;
	for (size_t i = level->first; i < walk->elements.nr; i++) {
		__u32 element = walk->elements.at[i];

		if (PB_REGION_LEN(element) == PB_REGION_EXCEPT &&
		    pb_part_nr_from(sources->part[PB_REGION_GROUP(element)]))
			continue;
		if (pb_vector_push(&walk->list, element))
			return -ENOMEM;
	}
	return pb_lists_add(regions, walk->list.at, walk->list.nr, &level->region);
}

static int add_source(struct pb_sources *sources, const struct pb_prefix *prefix, __u32 mix,
		      __u32 offset)
{
	if (sources->nr_entries == sources->room_entries) {
		size_t room = sources->room_entries ? sources->room_entries * 2 : 64;
		struct pb_source *entries = reallocarray(sources->entries, room, sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		sources->entries = entries;
		sources->room_entries = room;
	}
	sources->entries[sources->nr_entries++] = (struct pb_source){ *prefix, mix, offset };
	return 0;
}

/* A prefix in which nothing else holds than around it needs no entry. */
static int walk_prefix(struct pb_sources *sources, __u32 mix, struct walk *walk,
		       const struct entry *entries, size_t nr)
{
	const struct level *level;
	int ret;

	pop_levels(walk, entries->prefix);
	ret = push_level(walk, entries, nr);
	if (!ret)
		ret = find_region(sources, &sources->regions[mix], walk);
	level = &walk->levels[walk->depth - 1];
	if (ret || level->region == level[-1].region)
		return ret;
	return add_source(sources, level->prefix, mix, level->region);
}

static int walk_prefixes(struct pb_sources *sources, __u32 mix, const struct entry *entries,
			 size_t nr)
{
	struct walk walk = { .depth = 1 };
	__u32 none;
	int ret = pb_lists_add(&sources->regions[mix], NULL, 0, &none);

	for (size_t i = 0, next; !ret && i < nr; i = next) {
		next = i + 1;
		while (next < nr && !pb_prefix_order(entries[i].prefix, entries[next].prefix))
			next++;
		ret = walk_prefix(sources, mix, &walk, entries + i, next - i);
	}
	pb_vector_free(&walk.elements);
	pb_vector_free(&walk.list);
	return ret;
}

/* ---- Mixes --------------------------------------------------------------------------------- */

static int new_mix(struct pb_sources *sources, const __u32 *groups, size_t nr, __u32 mix)
{
	struct entry *entries;
	size_t nr_entries;
	int ret = collect(sources, groups, nr, &entries, &nr_entries);

	if (!ret)
		ret = walk_prefixes(sources, mix, entries, nr_entries);
	free(entries);
	return ret;
}

int pb_sources_mix(struct pb_sources *sources, const __u32 *groups, size_t nr, size_t limit,
		   __u32 *mix, struct pb_error *error)
{
	size_t known = pb_lists_nr(&sources->mixes);
	int ret = pb_lists_add(&sources->mixes, groups, nr, mix);

	if (ret || *mix < known)
		return ret;
	if (*mix >= PB_MIXES_MAX)
		return pb_fail(
			error, ENOSPC,
			"source lists meet over ports in %zu or more different ways, at most "
			"%d fit: let rules with sources share port ranges or source lists",
			known, PB_MIXES_MAX - 1);
	ret = new_mix(sources, groups, nr, *mix);
	if (!ret && sources->nr_entries > limit)
		return pb_fail(
			error, ENOSPC,
			"the sources of these rules need at least %zu prefixes in the "
			"kernel's table, %zu fit: load with a higher --max-sources (prefixes "
			"count again for each mix of source lists that meet over a port)",
			sources->nr_entries, limit);
	return ret;
}
