// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * All sets of a ruleset at once: listed, read with their elements, and brought back. What is brought back comes in one
 * step: tables with all of it are made aside (rebuild.h), and one store puts them in force.
 */
#include <stdlib.h>
#include <string.h>
#include "maps/declared.h"
#include "maps/restored.h"
#include "maps/set-change.h"
#include "rule/element.h"
#include "util/error.h"
#include "util/log.h"

/* ---- Listed -------------------------------------------------------------------------------- */

static int compare_sets(const void *a, const void *b)
{
	return strcmp((*(struct pb_set *const *)a)->name, (*(struct pb_set *const *)b)->name);
}

static int list_sets(const struct pb_set_change *change, const __u32 *of_set, struct pb_set **list,
		     size_t *nr)
{
	for (int i = 0; i < PB_SETS_MAX; i++) {
		struct pb_set *set;

		if (!pb_set_is_seen(change->sets, change->slot, i))
			continue;
		set = malloc(sizeof(*set));
		if (!set)
			return -ENOMEM;
		pb_set_get(change->sets, i, set);
		set->nr = of_set[i];
		list[(*nr)++] = set;
	}
	return 0;
}

int pb_sets_list(struct pb_ruleset *ruleset, struct pb_set ***sets, size_t *nr,
		 struct pb_error *error)
{
	PB_LOG_HERE();
	struct pb_set **list = calloc(PB_SETS_MAX + 1, sizeof(*list));
	__u32 of_set[PB_SETS_MAX] = { 0 };
	struct pb_set_change change;
	size_t listed = 0;
	int ret =
		list ? pb_set_change_begin(&change, ruleset, false, PB_LOCK_ELEMENTS_READ, error) :
		       pb_fail_memory(error);

	if (ret) {
		free(list);
		return ret;
	}
	ret = pb_sets_count(&change, of_set);
	if (!ret)
		ret = list_sets(&change, of_set, list, &listed);
	pb_set_change_end(&change);
	if (ret) {
		pb_sets_free(list, listed);
		return pb_fail_tables(ret, error);
	}
	qsort(list, listed, sizeof(*list), compare_sets);
	*sets = list;
	*nr = listed;
	return 0;
}

void pb_sets_free(struct pb_set **sets, size_t nr)
{
	for (size_t i = 0; sets && i < nr; i++)
		free(sets[i]);
	free(sets);
}

/* ---- Read with their elements --------------------------------------------------------------- */

struct all {
	struct pb_saved *saved;
	int place[PB_SETS_MAX]; /* of a set in it, by its number; -1: it is not there */
};

static int collect_all(void *context, __u8 set, const struct pb_element *element)
{
	struct all *all = context;

	if (set >= PB_SETS_MAX || all->place[set] < 0)
		return 0;
	return pb_saved_add(&all->saved->sets[all->place[set]], element);
}

static int compare_saved(const void *a, const void *b)
{
	const struct pb_saved_elements *left = a, *right = b;

	return strcmp(left->about.name, right->about.name);
}

/* Sets without elements, by name. Those of files are of the files. */
static int list_all(const struct pb_set_change *change, struct all *all)
{
	struct pb_saved *saved = all->saved;
	struct pb_set set;

	for (int i = 0; i < PB_SETS_MAX; i++) {
		all->place[i] = -1;
		if (!pb_set_is_seen(change->sets, change->slot, i))
			continue;
		pb_set_get(change->sets, i, &set);
		if (!*set.file && !pb_saved_add_set(saved, &set))
			return -ENOMEM;
	}
	if (saved->nr)
		qsort(saved->sets, saved->nr, sizeof(*saved->sets), compare_saved);
	for (size_t i = 0; i < saved->nr; i++)
		all->place[pb_set_number(change->sets, change->slot, saved->sets[i].about.name)] =
			i;
	return 0;
}

static void sort_all(struct pb_saved *saved)
{
	for (size_t i = 0; i < saved->nr; i++)
		if (saved->sets[i].about.elements)
			qsort(saved->sets[i].list, saved->sets[i].about.elements,
			      sizeof(struct pb_element), pb_element_order);
}

int pb_sets_read_all(struct pb_ruleset *ruleset, struct pb_saved **saved, struct pb_error *error)
{
	struct all all = { .saved = pb_saved_new() };
	struct pb_set_change change;
	int ret = all.saved ? pb_set_change_begin(&change, ruleset, false, PB_LOCK_ELEMENTS_READ,
						  error) :
			      pb_fail_memory(error);

	if (!ret) {
		ret = list_all(&change, &all);
		if (!ret)
			ret = pb_set_tables_each(change.tables, change.now, collect_all, &all);
		if (ret)
			ret = pb_fail_tables(ret, error);
		pb_set_change_end(&change);
	}
	if (ret) {
		pb_saved_free(all.saved);
		return ret;
	}
	sort_all(all.saved);
	*saved = all.saved;
	return 0;
}

/* The number of the set into which elements are brought back; the message is of the line that names it. */
static int find_saved(const struct pb_set_change *change, const struct pb_saved *saved,
		      const struct pb_saved_elements *set)
{
	int number = pb_set_plain_number(change->sets, set->about.name);
	struct pb_set_change inner = *change;
	struct pb_error message;

	if (number >= 0)
		return number;
	inner.error = &message;
	return pb_saved_fail(saved, set, pb_set_fail_none(&inner, set->about.name), message.text,
			     change->error);
}

static int set_incoming(const struct pb_set_change *change, const struct pb_saved *saved,
			struct pb_incoming *incoming)
{
	for (size_t i = 0; i < saved->nr; i++) {
		int number = find_saved(change, saved, &saved->sets[i]);

		if (number < 0)
			return number;
		incoming[i] = (struct pb_incoming){ .number = number,
						    .elements = saved->sets[i].list,
						    .nr = saved->sets[i].about.elements,
						    .longer = true };
	}
	return 0;
}

/* The first set that would become too large. */
static int check_saved(const struct pb_set_change *change, const struct pb_rebuild *rebuild,
		       const struct pb_saved *saved)
{
	struct pb_set_change inner = *change;
	struct pb_error message;

	inner.error = &message;
	for (size_t i = 0; i < saved->nr; i++) {
		int number = rebuild->incoming[i].number;
		__u32 nr = rebuild->of_set[number];

		if (nr > change->sets->record[number].max)
			return pb_saved_fail(saved, &saved->sets[i],
					     pb_set_fail_full(&inner, number, nr), message.text,
					     change->error);
	}
	return 0;
}

static int merge_incoming(struct pb_set_change *change, const struct pb_saved *saved,
			  const struct pb_incoming *incoming)
{
	struct pb_rebuild rebuild;
	int ret;

	pb_set_change_as_is(&rebuild, change);
	rebuild.incoming = incoming;
	rebuild.nr_incoming = saved->nr;
	ret = pb_rebuild_make(&rebuild, NULL);
	if (ret)
		return ret;
	ret = check_saved(change, &rebuild, saved);
	if (!ret)
		return pb_set_change_publish(change, &rebuild);
	pb_set_tables_free(rebuild.made);
	return ret;
}

static int merge(struct pb_set_change *change, const struct pb_saved *saved)
{
	struct pb_incoming *incoming = calloc(saved->nr + 1, sizeof(*incoming));
	int ret = incoming ? set_incoming(change, saved, incoming) : pb_fail_memory(change->error);

	if (!ret)
		ret = merge_incoming(change, saved, incoming);
	free(incoming);
	return ret;
}

static int merge_under(int lock, struct pb_ruleset *ruleset, const struct pb_saved *saved,
		       struct pb_error *error)
{
	struct pb_set_change change = { .ruleset = ruleset, .locks = { -1, lock }, .error = error };
	int ret = pb_set_change_open(&change);

	if (ret)
		return ret;
	ret = merge(&change, saved);
	pb_set_change_end(&change);
	return ret;
}

/* By pb_lock(): whoever holds the lock of the rules knows that the ruleset is this one, and points into its maps. */
int pb_sets_merge(struct pb_ruleset *ruleset, const struct pb_saved *saved, struct pb_error *error)
{
	int lock = pb_lock(pb_ruleset_name(ruleset), PB_LOCK_ELEMENTS, error);

	return lock < 0 ? lock : merge_under(lock, ruleset, saved, error);
}

int pb_sets_merge_unseen(struct pb_ruleset *ruleset, const struct pb_saved *saved,
			 struct pb_error *error)
{
	return merge_under(-1, ruleset, saved, error);
}

/* ---- Brought back, with the sets that are not there ------------------------------------------- */

/* 1: it was made. */
static int create_missing(struct pb_set_change *change, const struct pb_saved *saved,
			  const struct pb_saved_elements *set)
{
	int number = pb_set_number(change->sets, change->slot, set->about.name), ret;
	struct pb_set_change inner = *change;
	struct pb_error message;

	inner.error = &message;
	if (number >= 0)
		ret = pb_set_refuse_file(&inner, number);
	else
		ret = pb_set_make(&inner, set->about.name, set->about.timeout, set->about.max) ?: 1;
	return ret < 0 ? pb_saved_fail(saved, set, ret, message.text, change->error) : ret;
}

/* Makes those that are not there; returns them, bit 1 << number. */
static int create_all(struct pb_set_change *change, const struct pb_saved *saved, __u64 *made)
{
	int ret = 0;

	for (size_t i = 0; ret >= 0 && i < saved->nr; i++) {
		ret = create_missing(change, saved, &saved->sets[i]);
		if (ret > 0)
			*made |= 1ULL
				 << pb_set_plain_number(change->sets, saved->sets[i].about.name);
	}
	return ret < 0 ? ret : 0;
}

/* To make room for a set, numbers may have been taken whose elements are in the tables that were opened first. */
static int reopen(struct pb_set_change *change)
{
	struct pb_set_tables *tables;
	int ret = pb_set_tables_open(&change->ruleset->maps, &tables);

	if (ret)
		return pb_fail_tables(ret, change->error);
	pb_set_tables_free(change->tables);
	change->tables = tables;
	return 0;
}

/* Nobody else can have put elements into them: the locks are held since they were made. */
static void unmake(struct pb_sets *sets, __u64 made)
{
	for (int i = 0; i < PB_SETS_MAX; i++)
		if (made >> i & 1)
			__atomic_store_n(&sets->record[i].name[0], '\0', __ATOMIC_RELEASE);
}

int pb_sets_restore(struct pb_ruleset *ruleset, const struct pb_saved *saved,
		    struct pb_error *error)
{
	PB_LOG_HERE();
	struct pb_set_change change;
	__u64 made = 0;
	int ret = pb_set_change_begin(&change, ruleset, true, PB_LOCK_ELEMENTS, error);

	if (ret)
		return ret;
	ret = create_all(&change, saved, &made) ?: reopen(&change) ?: merge(&change, saved);
	if (ret)
		unmake(change.sets, made);
	pb_set_change_end(&change);
	return ret;
}
