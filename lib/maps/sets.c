// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Sets: elements that change one by one while packets are judged. Each function takes the lock of the
 * elements, and, where the names of sets change, that of the rules before it, since rules name them.
 *
 * What concerns one element is one store into the tables in force (lib/compile/elements.c). All else (a set
 * replaced, removed or exchanged; tables that grow) makes tables anew, aside, and puts them in force by one
 * store (lib/maps/tables.c). So whoever is killed leaves each element in or out. Numbers of elements are
 * counted before an element is published, and so may be too high, never too low: where one is too high for
 * the limit, elements are counted in the table.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "maps/declared.h"
#include "maps/rebuild.h"
#include "maps/restored.h"
#include "maps/rights.h"
#include "maps/ruleset.h"
#include "rule/element.h"
#include "util/array.h"
#include "util/error.h"
#include "util/escape.h"
#include "util/log.h"

/* What a function does to the sets of a ruleset, under their lock. */
struct change {
	struct pb_ruleset *ruleset;
	struct pb_sets *sets;
	__u32 slot;		      /* in force */
	struct pb_set_tables *tables; /* in force */
	int locks[2];
	__u64 now;
	struct pb_error *error;
};

/* ---- Begin and end ------------------------------------------------------------------------- */

static void end(struct change *change)
{
	pb_set_tables_free(change->tables);
	pb_unlock(change->locks[1]);
	pb_unlock(change->locks[0]);
}

/* Who reads goes on without a lock where the ruleset was unloaded: then nobody changes it any more. */
static int take_elements(struct change *change, enum pb_lock_kind kind)
{
	struct pb_ruleset *ruleset = change->ruleset;
	int lock;

	if (kind == PB_LOCK_ELEMENTS)
		lock = pb_ruleset_lock(ruleset, kind, change->error);
	else
		lock = pb_lock(pb_ruleset_name(ruleset), kind, change->error);
	if (lock == -ENOENT && kind == PB_LOCK_ELEMENTS_READ)
		return 0;
	change->locks[1] = lock;
	return lock < 0 ? lock : 0;
}

/* Under whatever locks there are, which are let go if this fails. */
static int open_tables(struct change *change)
{
	struct pb_ruleset *ruleset = change->ruleset;
	int ret = pb_set_tables_open(&ruleset->maps, &change->tables);

	change->sets = ruleset->maps.sets;
	change->slot = pb_config_slot(ruleset->maps.config);
	change->now = pb_clock();
	if (!ret)
		return 0;
	end(change);
	return pb_fail_tables(ret, change->error);
}

/* `names`: they change, too. */
static int begin(struct change *change, struct pb_ruleset *ruleset, bool names,
		 enum pb_lock_kind kind, struct pb_error *error)
{
	int ret;

	*change = (struct change){ .ruleset = ruleset, .locks = { -1, -1 }, .error = error };
	if (names) {
		change->locks[0] = pb_ruleset_lock(ruleset, PB_LOCK_CHANGE, error);
		if (change->locks[0] < 0)
			return change->locks[0];
	}
	ret = take_elements(change, kind);
	if (!ret)
		return open_tables(change);
	end(change);
	return ret;
}

/* ---- Names --------------------------------------------------------------------------------- */

/* The names there are, as far as there is room for them: "bans, friends". */
static void list_names(const struct change *change, char *text, size_t room)
{
	size_t used = 0;

	*text = '\0';
	for (int i = 0; i < PB_SETS_MAX; i++) {
		if (!pb_set_is_seen(change->sets, change->slot, i) || used + PB_NAME_LEN + 8 > room)
			continue;
		used += snprintf(text + used, room - used, "%s%.*s", used ? ", " : "",
				 PB_NAME_LEN - 1, change->sets->record[i].name);
	}
}

static int fail_no_set(const struct change *change, const char *name)
{
	char option[PB_RULESET_OPTION_LEN], names[600];
	const char *ruleset = pb_ruleset_name(change->ruleset);

	list_names(change, names, sizeof(names));
	pb_ruleset_option(ruleset, option);
	if (!*names)
		return pb_fail(change->error, ENOENT,
			       "there is no set '%.*s' in the ruleset '%s', nor any other: "
			       "`xdp-portblock set create %.*s%s` makes it",
			       PB_NAME_LEN, name, ruleset, PB_NAME_LEN, name, option);
	return pb_fail(change->error, ENOENT,
		       "there is no set '%.*s' in the ruleset '%s': there are %s; `xdp-portblock "
		       "set create %.*s%s` makes one",
		       PB_NAME_LEN, name, ruleset, names, PB_NAME_LEN, name, option);
}

/* The number of a set that is to be there. */
static int find_set(const struct change *change, const char *name)
{
	int number = pb_set_name_check(name, change->error);

	if (number)
		return number;
	number = pb_set_number(change->sets, change->slot, name);
	return number < 0 ? fail_no_set(change, name) : number;
}

/* What a generation has is not for others to change. */
static int refuse_file(const struct change *change, int number)
{
	const struct pb_set_record *record = &change->sets->record[number];
	char option[PB_RULESET_OPTION_LEN];

	if (!(record->flags & PB_SET_FILE))
		return 0;
	return pb_fail(change->error, EROFS,
		       "the set '%.*s' has the elements of the file %s: change that, and apply the "
		       "rules again (`xdp-portblock apply FILE%s`)",
		       PB_NAME_LEN, record->name, PB_Q(change->sets->file[number]),
		       pb_ruleset_option(pb_ruleset_name(change->ruleset), option));
}

/* The number of a set that is to be there, and may change. */
static int find_own(const struct change *change, const char *name)
{
	int number = find_set(change, name);

	return number < 0 ? number : refuse_file(change, number) ?: number;
}

/* As begin(), of one set that is there; returns its number. */
static int begin_with(struct change *change, struct pb_ruleset *ruleset, const char *name,
		      enum pb_lock_kind kind, struct pb_error *error)
{
	int ret = begin(change, ruleset, false, kind, error);

	if (ret)
		return ret;
	ret = kind == PB_LOCK_ELEMENTS ? find_own(change, name) : find_set(change, name);
	if (ret < 0)
		end(change);
	return ret;
}

/* ---- Tables made anew ---------------------------------------------------------------------- */

static int fail_full(const struct change *change, int number, __u64 nr)
{
	const struct pb_set_record *record = &change->sets->record[number];

	return pb_fail(
		change->error, ENOSPC,
		"the set '%.*s' would have %llu elements, at most %u fit (--max): make a "
		"larger one (`xdp-portblock set create NAME --max N`), fill it and `set swap` "
		"the two, or delete some",
		PB_NAME_LEN, record->name, (unsigned long long)nr, record->max);
}

static void as_is(struct pb_rebuild *rebuild, struct change *change)
{
	pb_rebuild_as_is(rebuild, &change->ruleset->maps, change->tables, change->now,
			 change->error);
}

/* Puts what was made in force; the change goes on with that. */
static int publish(struct change *change, struct pb_rebuild *rebuild)
{
	int ret = pb_rebuild_publish(rebuild);

	if (ret)
		return ret;
	pb_set_tables_free(change->tables);
	change->tables = rebuild->made;
	return 0;
}

static int rebuild_tables(struct change *change, struct pb_rebuild *rebuild)
{
	int ret = pb_rebuild_make(rebuild, NULL);

	return ret ?: publish(change, rebuild);
}

/* ---- Elements ------------------------------------------------------------------------------ */

/* Of these elements, how many are not in the set; all that are not are counted for each family. */
static int count_new(const struct change *change, int number, const struct pb_element *elements,
		     size_t nr, __u64 count[PB_FAMILIES])
{
	__u64 expires;
	int ret;

	memset(count, 0, PB_FAMILIES * sizeof(*count));
	for (size_t i = 0; i < nr; i++) {
		struct pb_table *table = pb_table_of(change->tables, elements[i].prefix.family);

		ret = table->nr_segments ? pb_elements_get(table, number, &elements[i].prefix,
							   change->now, &expires) :
					   0;
		if (ret < 0)
			return pb_fail_tables(ret, change->error);
		count[pb_family_of(&elements[i].prefix)] += !ret;
	}
	return 0;
}

/* How many elements of each set count now, since a number in a record may be too high. */
static int count_one(void *context, __u8 set, const struct pb_element *element)
{
	__u32 *of_set = context;

	(void)element;
	if (set < PB_SETS_MAX)
		of_set[set]++;
	return 0;
}

static int recount(struct change *change)
{
	__u32 of_set[PB_SETS_MAX] = { 0 };
	int ret = pb_set_tables_each(change->tables, change->now, count_one, of_set);

	if (ret)
		return pb_fail_tables(ret, change->error);
	for (int i = 0; i < PB_SETS_MAX; i++)
		change->sets->record[i].nr = of_set[i];
	return 0;
}

static int check_max(struct change *change, int number, __u64 more)
{
	const struct pb_set_record *record = &change->sets->record[number];
	int ret = 0;

	if (record->nr + more > record->max)
		ret = recount(change);
	if (!ret && record->nr + more > record->max)
		ret = fail_full(change, number, record->nr + more);
	return ret;
}

/* So many words are more than what a table is made for: it grows before its rows fill up. */
static bool has_room(const struct pb_table *table, __u64 used, __u64 more)
{
	__u64 words = (__u64)table->nr_segments * PB_BUCKETS * PB_BUCKET_ELEMENTS;

	return !more || (used + more) * 4 <= words * 3;
}

/* As large again as what is there, so that growing costs each element little. */
static int grow(struct change *change, const __u64 more[PB_FAMILIES])
{
	const __u64 room[PB_FAMILIES] = { more[PB_FAMILY_4] + change->sets->nr4 / 4,
					  more[PB_FAMILY_6] + change->sets->nr6 / 4 };
	struct pb_rebuild rebuild;
	int ret;

	as_is(&rebuild, change);
	ret = pb_rebuild_make(&rebuild, room);
	return ret ?: publish(change, &rebuild);
}

static int make_room(struct change *change, const __u64 more[PB_FAMILIES])
{
	const struct pb_table *table = change->tables->table;

	if (has_room(&table[PB_FAMILY_4], change->sets->nr4, more[PB_FAMILY_4]) &&
	    has_room(&table[PB_FAMILY_6], change->sets->nr6, more[PB_FAMILY_6]))
		return 0;
	return grow(change, more);
}

/* Words in use in the table of a prefix. */
static __u32 *words_of(const struct change *change, const struct pb_prefix *prefix)
{
	return prefix->family == 4 ? &change->sets->nr4 : &change->sets->nr6;
}

/* Counted before it is published: whoever is killed in between leaves a number that is too high. */
static int add_element(struct change *change, int number, const struct pb_element *element,
		       bool *added)
{
	struct pb_table *table = pb_table_of(change->tables, element->prefix.family);
	__u32 *words = words_of(change, &element->prefix);
	int ret;

	change->sets->record[number].nr++;
	++*words;
	*added = false;
	ret = pb_elements_put(table, number, &element->prefix, element->expires, change->now,
			      added);
	if (!*added) {
		change->sets->record[number].nr--;
		--*words;
	}
	return ret;
}

/* An element for whose row there is no room is rare: then tables are made larger for its sake. */
static int add_or_grow(struct change *change, int number, const struct pb_element *element,
		       bool *added)
{
	const __u64 more[PB_FAMILIES] = {
		[PB_FAMILY_4] = element->prefix.family == 4 ? PB_BUCKETS : 0,
		[PB_FAMILY_6] = element->prefix.family == 6 ? PB_BUCKETS : 0,
	};
	int ret = add_element(change, number, element, added);

	for (int i = 0; ret == -ENOSPC && i < 3; i++) {
		ret = grow(change, more);
		if (!ret)
			ret = add_element(change, number, element, added);
		if (ret && ret != -ENOSPC)
			return ret;
	}
	if (ret == -ENOSPC)
		return pb_fail(change->error, ENOSPC,
			       "no room for an element of the set '%.*s': its prefix is in too "
			       "many sets",
			       PB_NAME_LEN, change->sets->record[number].name);
	return ret ? pb_fail_tables(ret, change->error) : 0;
}

static void count_down(__u32 *count)
{
	if (*count)
		--*count;
}

static void remove_element(struct change *change, int number, const struct pb_prefix *prefix,
			   bool *removed, int *ret)
{
	struct pb_table *table = pb_table_of(change->tables, prefix->family);

	*removed = false;
	if (table->nr_segments)
		*ret = pb_elements_remove(table, number, prefix, change->now, removed);
	if (!*removed)
		return;
	count_down(&change->sets->record[number].nr);
	count_down(words_of(change, prefix));
}

/* All or none: those that were added go again; a time that was renewed stays so. */
static int add_elements(struct change *change, int number, const struct pb_element *elements,
			size_t nr)
{
	bool *added = calloc(nr, sizeof(*added)), removed;
	int ret = added ? 0 : pb_fail_memory(change->error), ignored = 0;
	size_t done = 0;

	while (!ret && done < nr) {
		ret = add_or_grow(change, number, &elements[done], &added[done]);
		done += !ret;
	}
	for (size_t i = 0; ret && i < done; i++)
		if (added[i])
			remove_element(change, number, &elements[i].prefix, &removed, &ignored);
	free(added);
	return ret;
}

int pb_set_add(struct pb_ruleset *ruleset, const char *name, const struct pb_element *elements,
	       size_t nr, struct pb_error *error)
{
	PB_LOG_HERE();
	__u64 count[PB_FAMILIES];
	struct change change;
	int number = begin_with(&change, ruleset, name, PB_LOCK_ELEMENTS, error), ret;

	if (number < 0)
		return number;
	ret = count_new(&change, number, elements, nr, count);
	if (!ret)
		ret = check_max(&change, number, count[PB_FAMILY_4] + count[PB_FAMILY_6]);
	if (!ret)
		ret = make_room(&change, count);
	if (!ret && nr)
		ret = add_elements(&change, number, elements, nr);
	end(&change);
	return ret;
}

int pb_set_del(struct pb_ruleset *ruleset, const char *name, const struct pb_prefix *prefixes,
	       size_t nr, struct pb_error *error)
{
	PB_LOG_HERE();
	struct change change;
	int number = begin_with(&change, ruleset, name, PB_LOCK_ELEMENTS, error), ret = 0;
	bool removed;

	if (number < 0)
		return number;
	for (size_t i = 0; !ret && i < nr; i++)
		remove_element(&change, number, &prefixes[i], &removed, &ret);
	if (ret)
		ret = pb_fail_tables(ret, error);
	end(&change);
	return ret;
}

static int replace(struct change *change, const struct pb_incoming *incoming)
{
	const __u32 max = change->sets->record[incoming->number].max;
	struct pb_rebuild rebuild;
	int ret;

	as_is(&rebuild, change);
	rebuild.to[incoming->number] = -1;
	rebuild.incoming = incoming;
	rebuild.nr_incoming = 1;
	ret = pb_rebuild_make(&rebuild, NULL);
	if (!ret && rebuild.of_set[incoming->number] > max) {
		ret = fail_full(change, incoming->number, rebuild.of_set[incoming->number]);
		pb_set_tables_free(rebuild.made);
	}
	return ret ?: publish(change, &rebuild);
}

int pb_set_replace(struct pb_ruleset *ruleset, const char *name, const struct pb_element *elements,
		   size_t nr, struct pb_error *error)
{
	PB_LOG_HERE();
	struct pb_incoming incoming = { .elements = elements, .nr = nr };
	struct change change;
	int ret = begin_with(&change, ruleset, name, PB_LOCK_ELEMENTS, error);

	if (ret < 0)
		return ret;
	incoming.number = ret;
	ret = replace(&change, &incoming);
	end(&change);
	return ret;
}

static void swap_limits(struct pb_set_record *a, struct pb_set_record *b)
{
	struct pb_set_record was = *a;

	a->timeout = b->timeout;
	a->max = b->max;
	b->timeout = was.timeout;
	b->max = was.max;
}

int pb_set_swap(struct pb_ruleset *ruleset, const char *name, const char *other,
		struct pb_error *error)
{
	PB_LOG_HERE();
	struct pb_rebuild rebuild;
	struct change change;
	int ret = begin(&change, ruleset, true, PB_LOCK_ELEMENTS, error), a, b;

	if (ret)
		return ret;
	a = find_own(&change, name);
	b = a < 0 ? a : find_own(&change, other);
	if (b < 0)
		ret = b;
	if (!ret && a != b) {
		as_is(&rebuild, &change);
		rebuild.to[a] = b;
		rebuild.to[b] = a;
		ret = rebuild_tables(&change, &rebuild);
	}
	if (!ret && a != b)
		swap_limits(&change.sets->record[a], &change.sets->record[b]);
	end(&change);
	return ret;
}

/* ---- Looking ------------------------------------------------------------------------------- */

int pb_set_test(struct pb_ruleset *ruleset, const char *name, const struct pb_prefix *host,
		struct pb_element *element, struct pb_error *error)
{
	PB_LOG_HERE();
	struct pb_element found = {};
	struct pb_table *table;
	struct change change;
	int number = begin_with(&change, ruleset, name, PB_LOCK_ELEMENTS_READ, error), ret = 0;
	__u8 set;

	if (number < 0)
		return number;
	table = pb_table_of(change.tables, host->family);
	if (table->nr_segments)
		ret = pb_elements_look(table, 1ULL << number, host, change.now, &found, &set);
	if (ret > 0 && element)
		*element = found;
	if (ret < 0)
		ret = pb_fail_tables(ret, error);
	end(&change);
	return ret;
}

int pb_set_timeout(struct pb_ruleset *ruleset, const char *name, __u64 *ns, struct pb_error *error)
{
	PB_LOG_HERE();
	struct change change;
	int number = begin_with(&change, ruleset, name, PB_LOCK_ELEMENTS_READ, error);

	if (number < 0)
		return number;
	*ns = change.sets->record[number].timeout;
	end(&change);
	return 0;
}

int pb_set_file(struct pb_ruleset *ruleset, const char *name, char file[PB_SET_FILE_LEN],
		struct pb_error *error)
{
	PB_LOG_HERE();
	struct change change;
	struct pb_set set;
	int number = begin_with(&change, ruleset, name, PB_LOCK_ELEMENTS_READ, error);

	if (number < 0)
		return number;
	pb_set_get(change.sets, number, &set);
	memcpy(file, set.file, sizeof(set.file));
	end(&change);
	return 0;
}

static int compare(struct change *change, int number, const struct pb_element *elements, size_t nr,
		   size_t *come, size_t *go)
{
	__u32 of_set[PB_SETS_MAX] = { 0 };
	__u64 count[PB_FAMILIES];
	size_t stay;
	int ret = count_new(change, number, elements, nr, count);

	if (ret)
		return ret;
	ret = pb_set_tables_each(change->tables, change->now, count_one, of_set);
	if (ret)
		return pb_fail_tables(ret, change->error);
	*come = count[PB_FAMILY_4] + count[PB_FAMILY_6];
	stay = nr - *come;
	*go = of_set[number] - stay;
	return 0;
}

int pb_set_compare(struct pb_ruleset *ruleset, const char *name, const struct pb_element *elements,
		   size_t nr, size_t *come, size_t *go, struct pb_error *error)
{
	PB_LOG_HERE();
	struct change change;
	int number = begin_with(&change, ruleset, name, PB_LOCK_ELEMENTS_READ, error), ret;

	if (number < 0)
		return number;
	ret = compare(&change, number, elements, nr, come, go);
	end(&change);
	return ret;
}

struct collection {
	int number;
	struct pb_element *elements;
	size_t nr, room;
};

static int collect(void *context, __u8 set, const struct pb_element *element)
{
	struct collection *all = context;
	struct pb_element *grown;

	if (set != all->number)
		return 0;
	grown = pb_grow(all->elements, all->nr, &all->room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	all->elements = grown;
	grown[all->nr++] = *element;
	return 0;
}

int pb_set_elements(struct pb_ruleset *ruleset, const char *name, struct pb_element **elements,
		    size_t *nr, struct pb_error *error)
{
	PB_LOG_HERE();
	struct collection all = { 0 };
	struct change change;
	int ret = begin_with(&change, ruleset, name, PB_LOCK_ELEMENTS_READ, error);

	if (ret < 0)
		return ret;
	all.number = ret;
	ret = pb_set_tables_each(change.tables, change.now, collect, &all);
	if (ret)
		ret = pb_fail_tables(ret, error);
	end(&change);
	if (ret) {
		free(all.elements);
		return ret;
	}
	if (all.nr)
		qsort(all.elements, all.nr, sizeof(*all.elements), pb_element_order);
	*elements = all.elements;
	*nr = all.nr;
	return 0;
}

static int compare_sets(const void *a, const void *b)
{
	return strcmp((*(struct pb_set *const *)a)->name, (*(struct pb_set *const *)b)->name);
}

static int list_sets(const struct change *change, const __u32 *of_set, struct pb_set **list,
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
	struct change change;
	size_t listed = 0;
	int ret = list ? begin(&change, ruleset, false, PB_LOCK_ELEMENTS_READ, error) :
			 pb_fail_memory(error);

	if (ret) {
		free(list);
		return ret;
	}
	ret = pb_set_tables_each(change.tables, change.now, count_one, of_set);
	if (!ret)
		ret = list_sets(&change, of_set, list, &listed);
	end(&change);
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

/* ---- All sets at once ---------------------------------------------------------------------- */

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
static int list_all(const struct change *change, struct all *all)
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
	struct change change;
	int ret = all.saved ? begin(&change, ruleset, false, PB_LOCK_ELEMENTS_READ, error) :
			      pb_fail_memory(error);

	if (!ret) {
		ret = list_all(&change, &all);
		if (!ret)
			ret = pb_set_tables_each(change.tables, change.now, collect_all, &all);
		if (ret)
			ret = pb_fail_tables(ret, error);
		end(&change);
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
static int find_saved(const struct change *change, const struct pb_saved *saved,
		      const struct pb_saved_elements *set)
{
	int number = pb_set_plain_number(change->sets, set->about.name);
	struct change inner = *change;
	struct pb_error message;

	if (number >= 0)
		return number;
	inner.error = &message;
	return pb_saved_fail(saved, set, fail_no_set(&inner, set->about.name), message.text,
			     change->error);
}

static int set_incoming(const struct change *change, const struct pb_saved *saved,
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
static int check_saved(const struct change *change, const struct pb_rebuild *rebuild,
		       const struct pb_saved *saved)
{
	struct change inner = *change;
	struct pb_error message;

	inner.error = &message;
	for (size_t i = 0; i < saved->nr; i++) {
		int number = rebuild->incoming[i].number;
		__u32 nr = rebuild->of_set[number];

		if (nr > change->sets->record[number].max)
			return pb_saved_fail(saved, &saved->sets[i], fail_full(&inner, number, nr),
					     message.text, change->error);
	}
	return 0;
}

static int merge_incoming(struct change *change, const struct pb_saved *saved,
			  const struct pb_incoming *incoming)
{
	struct pb_rebuild rebuild;
	int ret;

	as_is(&rebuild, change);
	rebuild.incoming = incoming;
	rebuild.nr_incoming = saved->nr;
	ret = pb_rebuild_make(&rebuild, NULL);
	if (ret)
		return ret;
	ret = check_saved(change, &rebuild, saved);
	if (!ret)
		return publish(change, &rebuild);
	pb_set_tables_free(rebuild.made);
	return ret;
}

static int merge(struct change *change, const struct pb_saved *saved)
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
	struct change change = { .ruleset = ruleset, .locks = { -1, lock }, .error = error };
	int ret = open_tables(&change);

	if (ret)
		return ret;
	ret = merge(&change, saved);
	end(&change);
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

/* ---- Sets come and go ---------------------------------------------------------------------- */

static int same_or_fail(const struct change *change, int number, __u64 timeout, __u32 max)
{
	const struct pb_set_record *record = &change->sets->record[number];
	char *text;

	if (record->timeout == timeout && record->max == max)
		return 0;
	text = record->timeout ? pb_duration_text(record->timeout) : strdup("none");
	pb_fail(change->error, EEXIST,
		"the set '%.*s' is there with other options (timeout %s, max %u): `set destroy` it "
		"first, or make another one and `set swap` the two",
		PB_NAME_LEN, record->name, text ?: "?", record->max);
	free(text);
	return -EEXIST;
}

/* Sets of files that no generation has any more may go for it. */
static int find_free(const struct change *change)
{
	int number = pb_set_free_number(change->sets), ret;

	if (number >= 0)
		return number;
	ret = pb_sets_sweep(&change->ruleset->maps, change->error);
	return ret ?: pb_set_free_number(change->sets);
}

static int create(const struct change *change, const char *name, __u64 timeout, __u32 max)
{
	int number = pb_set_number(change->sets, change->slot, name);

	if (number >= 0)
		return refuse_file(change, number) ?: same_or_fail(change, number, timeout, max);
	number = find_free(change);
	if (number < 0 && number != -ENOSPC)
		return number;
	if (number < 0)
		return pb_fail(change->error, ENOSPC,
			       "there are %d sets in the ruleset already, as many as can be: "
			       "destroy one that no rule names",
			       PB_SETS_MAX);
	pb_set_record_write(&change->sets->record[number], name, timeout, max);
	return 0;
}

int pb_set_create(struct pb_ruleset *ruleset, const char *name, __u64 timeout, __u32 max,
		  struct pb_error *error)
{
	PB_LOG_HERE();
	struct change change;
	int ret = pb_set_name_check(name, error);

	if (!ret && max > PB_SET_LIMIT)
		ret = pb_fail(error, E2BIG, "--max %u is too large: at most %u", max, PB_SET_LIMIT);
	if (!ret)
		ret = begin(&change, ruleset, true, PB_LOCK_ELEMENTS, error);
	if (ret)
		return ret;
	ret = create(&change, name, timeout, max ?: PB_SET_DEFAULT);
	end(&change);
	return ret;
}

/* 1: it was made. */
static int create_missing(struct change *change, const struct pb_saved *saved,
			  const struct pb_saved_elements *set)
{
	int number = pb_set_number(change->sets, change->slot, set->about.name), ret;
	struct change inner = *change;
	struct pb_error message;

	inner.error = &message;
	if (number >= 0)
		ret = refuse_file(&inner, number);
	else
		ret = create(&inner, set->about.name, set->about.timeout, set->about.max) ?: 1;
	return ret < 0 ? pb_saved_fail(saved, set, ret, message.text, change->error) : ret;
}

/* Makes those that are not there; returns them, bit 1 << number. */
static int create_all(struct change *change, const struct pb_saved *saved, __u64 *made)
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
static int reopen(struct change *change)
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
	struct change change;
	__u64 made = 0;
	int ret = begin(&change, ruleset, true, PB_LOCK_ELEMENTS, error);

	if (ret)
		return ret;
	ret = create_all(&change, saved, &made) ?: reopen(&change) ?: merge(&change, saved);
	if (ret)
		unmake(change.sets, made);
	end(&change);
	return ret;
}

/* A rule of the slot that names the set; 0: none. */
static __u32 rule_with_set(const struct pb_maps *maps, __u32 slot, int number)
{
	for (__u32 id = 1; id <= maps->config->max_rules; id++) {
		const struct pb_rule_record *record = &maps->rules[id * PB_SLOTS + slot];

		if (record->id && (record->from_sets | record->except_sets) >> number & 1)
			return id;
	}
	return 0;
}

/* In force, or about to come back when nobody confirms. */
static int check_unused(const struct change *change, int number)
{
	struct pb_maps *maps = &change->ruleset->maps;
	__u32 slot = pb_config_slot(maps->config), rule;
	int ret = pb_maps_map_rules(maps);

	if (ret)
		return pb_fail_permission(change->error, -ret, "map the rules into memory");
	rule = rule_with_set(maps, slot, number);
	if (!rule && pb_config_pending(maps->config))
		rule = rule_with_set(maps, !slot, number);
	if (!rule)
		return 0;
	return pb_fail(change->error, EBUSY,
		       "the set '%.*s' is in use: rule %u names it, and has to go first "
		       "(`xdp-portblock rule del %u`)",
		       PB_NAME_LEN, change->sets->record[number].name, rule, rule);
}

static int destroy(struct change *change, int number)
{
	struct pb_rebuild rebuild;
	int ret = check_unused(change, number);

	if (!ret && change->sets->tables) {
		as_is(&rebuild, change);
		rebuild.to[number] = -1;
		ret = rebuild_tables(change, &rebuild);
	}
	if (!ret)
		__atomic_store_n(&change->sets->record[number].name[0], '\0', __ATOMIC_RELEASE);
	return ret;
}

int pb_set_destroy(struct pb_ruleset *ruleset, const char *name, struct pb_error *error)
{
	PB_LOG_HERE();
	struct change change;
	int ret = begin(&change, ruleset, true, PB_LOCK_ELEMENTS, error), number;

	if (ret)
		return ret;
	number = find_own(&change, name);
	ret = number < 0 ? number : destroy(&change, number);
	end(&change);
	return ret;
}
