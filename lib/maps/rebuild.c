// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <string.h>
#include "maps/rebuild.h"
#include "maps/rights.h"
#include "util/error.h"

int pb_fail_tables(int code, struct pb_error *error)
{
	if (code == -ENOMEM)
		return pb_fail_memory(error);
	return pb_fail_permission(error, -code, "open the elements of the sets");
}

void pb_rebuild_as_is(struct pb_rebuild *rebuild, const struct pb_maps *maps,
		      const struct pb_set_tables *from, __u64 now, struct pb_error *error)
{
	*rebuild = (struct pb_rebuild){ .maps = maps, .from = from, .now = now, .error = error };
	for (int i = 0; i < PB_SETS_MAX; i++)
		rebuild->to[i] = maps->sets->record[i].name[0] ? i : -1;
}

static bool is_kept(const struct pb_rebuild *rebuild, __u8 set, const struct pb_element *element)
{
	return set < PB_SETS_MAX && rebuild->to[set] >= 0 &&
	       (!rebuild->stays || rebuild->stays(rebuild->context, set, element));
}

static int count_kept(void *context, __u8 set, const struct pb_element *element)
{
	struct pb_rebuild *rebuild = context;

	if (is_kept(rebuild, set, element))
		rebuild->count[pb_family_of(&element->prefix)]++;
	return 0;
}

static int put(struct pb_rebuild *rebuild, int set, const struct pb_element *element)
{
	struct pb_table *table = pb_table_of(rebuild->made, element->prefix.family);
	bool added;
	int ret = pb_elements_put(table, set, &element->prefix, element->expires, rebuild->now,
				  &added);

	if (!ret && added) {
		rebuild->of_set[set]++;
		rebuild->count[pb_family_of(&element->prefix)]++;
	}
	return ret;
}

static int put_kept(void *context, __u8 set, const struct pb_element *element)
{
	struct pb_rebuild *rebuild = context;

	return is_kept(rebuild, set, element) ? put(rebuild, rebuild->to[set], element) : 0;
}

static bool counts(const struct pb_element *element, __u64 now)
{
	return !element->expires || now < element->expires;
}

/* Does the first one last longer? 0 lasts for ever. */
static bool lasts_longer(__u64 expires, __u64 other)
{
	return other && (!expires || expires > other);
}

/* 1: it is there, and lasts as long as this one, or longer. */
static int has_longer(const struct pb_rebuild *rebuild, int set, const struct pb_element *element)
{
	struct pb_table *table = pb_table_of(rebuild->made, element->prefix.family);
	__u64 there;
	int ret = pb_elements_get(table, set, &element->prefix, rebuild->now, &there);

	return ret > 0 ? !lasts_longer(element->expires, there) : ret;
}

static int put_incoming(struct pb_rebuild *rebuild, const struct pb_incoming *incoming)
{
	int ret = 0;

	for (size_t i = 0; ret >= 0 && i < incoming->nr; i++) {
		const struct pb_element *element = &incoming->elements[i];

		if (!counts(element, rebuild->now))
			continue;
		ret = incoming->longer ? has_longer(rebuild, incoming->number, element) : 0;
		if (!ret)
			ret = put(rebuild, incoming->number, element);
	}
	return ret < 0 ? ret : 0;
}

static int fill(struct pb_rebuild *rebuild)
{
	int ret;

	memset(rebuild->count, 0, sizeof(rebuild->count));
	memset(rebuild->of_set, 0, sizeof(rebuild->of_set));
	ret = pb_set_tables_each(rebuild->from, rebuild->now, put_kept, rebuild);
	for (size_t i = 0; !ret && i < rebuild->nr_incoming; i++)
		ret = put_incoming(rebuild, &rebuild->incoming[i]);
	return ret;
}

/* More room for a table in which some element found none. */
static __u32 larger(__u32 segments)
{
	__u32 more = segments + segments / 4 + 1;

	return more < PB_SEGMENTS_MAX ? more : PB_SEGMENTS_MAX;
}

static int fail_no_room(const struct pb_rebuild *rebuild)
{
	return pb_fail(
		rebuild->error, ENOSPC,
		"the sets of this ruleset have no room for so many elements: %llu are more "
		"than fit, or one prefix is in too many sets",
		(unsigned long long)(rebuild->count[PB_FAMILY_4] + rebuild->count[PB_FAMILY_6]));
}

/* Fills tables of so many segments, or of more if they do not do. */
static int make(struct pb_rebuild *rebuild, __u32 segments[PB_FAMILIES])
{
	int ret;

	for (;;) {
		ret = pb_set_tables_make(rebuild->maps, segments, &rebuild->made);
		if (ret)
			return pb_fail_tables(ret, rebuild->error);
		ret = fill(rebuild);
		if (!ret)
			return 0;
		pb_set_tables_free(rebuild->made);
		rebuild->made = NULL;
		if (ret != -ENOSPC)
			return pb_fail_tables(ret, rebuild->error);
		if (segments[PB_FAMILY_4] >= PB_SEGMENTS_MAX ||
		    segments[PB_FAMILY_6] >= PB_SEGMENTS_MAX)
			return fail_no_room(rebuild);
		for (int family = 0; family < PB_FAMILIES; family++)
			if (segments[family])
				segments[family] = larger(segments[family]);
	}
}

static void count_incoming(struct pb_rebuild *rebuild, const struct pb_incoming *incoming)
{
	for (size_t i = 0; i < incoming->nr; i++)
		rebuild->count[pb_family_of(&incoming->elements[i].prefix)]++;
}

int pb_rebuild_make(struct pb_rebuild *rebuild, const __u64 more[PB_FAMILIES])
{
	__u32 segments[PB_FAMILIES];
	int ret = pb_set_tables_each(rebuild->from, rebuild->now, count_kept, rebuild);

	if (ret)
		return pb_fail_tables(ret, rebuild->error);
	for (size_t i = 0; i < rebuild->nr_incoming; i++)
		count_incoming(rebuild, &rebuild->incoming[i]);
	for (int family = 0; family < PB_FAMILIES; family++) {
		__u64 nr = rebuild->count[family] + (more ? more[family] : 0);

		segments[family] = nr ? pb_elements_segments(nr) : 0;
		if (nr && !segments[family])
			return fail_no_room(rebuild);
	}
	return make(rebuild, segments);
}

static void set_counts(const struct pb_rebuild *rebuild)
{
	struct pb_sets *sets = rebuild->maps->sets;

	for (int i = 0; i < PB_SETS_MAX; i++)
		sets->record[i].nr = rebuild->of_set[i];
	sets->nr4 = rebuild->count[PB_FAMILY_4];
	sets->nr6 = rebuild->count[PB_FAMILY_6];
}

/* After the store nothing can fail any more. */
int pb_rebuild_publish(struct pb_rebuild *rebuild)
{
	int ret = pb_set_tables_publish(rebuild->made, rebuild->error);

	if (ret) {
		pb_set_tables_free(rebuild->made);
		rebuild->made = NULL;
		return ret;
	}
	set_counts(rebuild);
	return 0;
}

int pb_rebuild_replace(struct pb_rebuild *rebuild)
{
	int ret = pb_rebuild_make(rebuild, NULL);

	if (!ret)
		ret = pb_rebuild_publish(rebuild);
	if (!ret)
		pb_set_tables_free(rebuild->made);
	return ret;
}
