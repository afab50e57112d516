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
#include <stdlib.h>
#include <string.h>
#include "maps/declared.h"
#include "maps/rights.h"
#include "maps/set-change.h"
#include "rule/element.h"
#include "util/array.h"
#include "util/error.h"
#include "util/log.h"

/* ---- Elements ------------------------------------------------------------------------------ */

/* Of these elements, how many are not in the set; all that are not are counted for each family. */
static int count_new(const struct pb_set_change *change, int number,
		     const struct pb_element *elements, size_t nr, __u64 count[PB_FAMILIES])
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

static int recount(struct pb_set_change *change)
{
	__u32 of_set[PB_SETS_MAX] = { 0 };
	int ret = pb_sets_count(change, of_set);

	if (ret)
		return pb_fail_tables(ret, change->error);
	for (int i = 0; i < PB_SETS_MAX; i++)
		change->sets->record[i].nr = of_set[i];
	return 0;
}

static int check_max(struct pb_set_change *change, int number, __u64 more)
{
	const struct pb_set_record *record = &change->sets->record[number];
	int ret = 0;

	if (record->nr + more > record->max)
		ret = recount(change);
	if (!ret && record->nr + more > record->max)
		ret = pb_set_fail_full(change, number, record->nr + more);
	return ret;
}

/* So many words are more than what a table is made for: it grows before its rows fill up. */
static bool has_room(const struct pb_table *table, __u64 used, __u64 more)
{
	__u64 words = (__u64)table->nr_segments * PB_BUCKETS * PB_BUCKET_ELEMENTS;

	return !more || (used + more) * 4 <= words * 3;
}

/* As large again as what is there, so that growing costs each element little. */
static int grow(struct pb_set_change *change, const __u64 more[PB_FAMILIES])
{
	const __u64 room[PB_FAMILIES] = { more[PB_FAMILY_4] + change->sets->nr4 / 4,
					  more[PB_FAMILY_6] + change->sets->nr6 / 4 };
	struct pb_rebuild rebuild;
	int ret;

	pb_set_change_as_is(&rebuild, change);
	ret = pb_rebuild_make(&rebuild, room);
	return ret ?: pb_set_change_publish(change, &rebuild);
}

static int make_room(struct pb_set_change *change, const __u64 more[PB_FAMILIES])
{
	const struct pb_table *table = change->tables->table;

	if (has_room(&table[PB_FAMILY_4], change->sets->nr4, more[PB_FAMILY_4]) &&
	    has_room(&table[PB_FAMILY_6], change->sets->nr6, more[PB_FAMILY_6]))
		return 0;
	return grow(change, more);
}

/* Words in use in the table of a prefix. */
static __u32 *words_of(const struct pb_set_change *change, const struct pb_prefix *prefix)
{
	return prefix->family == 4 ? &change->sets->nr4 : &change->sets->nr6;
}

/* Counted before it is published: whoever is killed in between leaves a number that is too high. */
static int add_element(struct pb_set_change *change, int number, const struct pb_element *element,
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
static int add_or_grow(struct pb_set_change *change, int number, const struct pb_element *element,
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

static void remove_element(struct pb_set_change *change, int number, const struct pb_prefix *prefix,
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
static int add_elements(struct pb_set_change *change, int number, const struct pb_element *elements,
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
	struct pb_set_change change;
	int number = pb_set_change_begin_with(&change, ruleset, name, PB_LOCK_ELEMENTS, error), ret;

	if (number < 0)
		return number;
	ret = count_new(&change, number, elements, nr, count);
	if (!ret)
		ret = check_max(&change, number, count[PB_FAMILY_4] + count[PB_FAMILY_6]);
	if (!ret)
		ret = make_room(&change, count);
	if (!ret && nr)
		ret = add_elements(&change, number, elements, nr);
	pb_set_change_end(&change);
	return ret;
}

int pb_set_del(struct pb_ruleset *ruleset, const char *name, const struct pb_prefix *prefixes,
	       size_t nr, struct pb_error *error)
{
	PB_LOG_HERE();
	struct pb_set_change change;
	int number = pb_set_change_begin_with(&change, ruleset, name, PB_LOCK_ELEMENTS, error),
	    ret = 0;
	bool removed;

	if (number < 0)
		return number;
	for (size_t i = 0; !ret && i < nr; i++)
		remove_element(&change, number, &prefixes[i], &removed, &ret);
	if (ret)
		ret = pb_fail_tables(ret, error);
	pb_set_change_end(&change);
	return ret;
}

static int replace(struct pb_set_change *change, const struct pb_incoming *incoming)
{
	const __u32 max = change->sets->record[incoming->number].max;
	struct pb_rebuild rebuild;
	int ret;

	pb_set_change_as_is(&rebuild, change);
	rebuild.to[incoming->number] = -1;
	rebuild.incoming = incoming;
	rebuild.nr_incoming = 1;
	ret = pb_rebuild_make(&rebuild, NULL);
	if (!ret && rebuild.of_set[incoming->number] > max) {
		ret = pb_set_fail_full(change, incoming->number, rebuild.of_set[incoming->number]);
		pb_set_tables_free(rebuild.made);
	}
	return ret ?: pb_set_change_publish(change, &rebuild);
}

int pb_set_replace(struct pb_ruleset *ruleset, const char *name, const struct pb_element *elements,
		   size_t nr, struct pb_error *error)
{
	PB_LOG_HERE();
	struct pb_incoming incoming = { .elements = elements, .nr = nr };
	struct pb_set_change change;
	int ret = pb_set_change_begin_with(&change, ruleset, name, PB_LOCK_ELEMENTS, error);

	if (ret < 0)
		return ret;
	incoming.number = ret;
	ret = replace(&change, &incoming);
	pb_set_change_end(&change);
	return ret;
}

static int rebuild_tables(struct pb_set_change *change, struct pb_rebuild *rebuild)
{
	int ret = pb_rebuild_make(rebuild, NULL);

	return ret ?: pb_set_change_publish(change, rebuild);
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
	struct pb_set_change change;
	int ret = pb_set_change_begin(&change, ruleset, true, PB_LOCK_ELEMENTS, error), a, b;

	if (ret)
		return ret;
	a = pb_set_change_find(&change, name);
	b = a < 0 ? a : pb_set_change_find(&change, other);
	if (b < 0)
		ret = b;
	if (!ret && a != b) {
		pb_set_change_as_is(&rebuild, &change);
		rebuild.to[a] = b;
		rebuild.to[b] = a;
		ret = rebuild_tables(&change, &rebuild);
	}
	if (!ret && a != b)
		swap_limits(&change.sets->record[a], &change.sets->record[b]);
	pb_set_change_end(&change);
	return ret;
}

/* ---- Looking ------------------------------------------------------------------------------- */

int pb_set_test(struct pb_ruleset *ruleset, const char *name, const struct pb_prefix *host,
		struct pb_element *element, struct pb_error *error)
{
	PB_LOG_HERE();
	struct pb_element found = {};
	struct pb_table *table;
	struct pb_set_change change;
	int number = pb_set_change_begin_with(&change, ruleset, name, PB_LOCK_ELEMENTS_READ, error),
	    ret = 0;
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
	pb_set_change_end(&change);
	return ret;
}

int pb_set_timeout(struct pb_ruleset *ruleset, const char *name, __u64 *ns, struct pb_error *error)
{
	PB_LOG_HERE();
	struct pb_set_change change;
	int number = pb_set_change_begin_with(&change, ruleset, name, PB_LOCK_ELEMENTS_READ, error);

	if (number < 0)
		return number;
	*ns = change.sets->record[number].timeout;
	pb_set_change_end(&change);
	return 0;
}

int pb_set_file(struct pb_ruleset *ruleset, const char *name, char file[PB_SET_FILE_LEN],
		struct pb_error *error)
{
	PB_LOG_HERE();
	struct pb_set_change change;
	struct pb_set set;
	int number = pb_set_change_begin_with(&change, ruleset, name, PB_LOCK_ELEMENTS_READ, error);

	if (number < 0)
		return number;
	pb_set_get(change.sets, number, &set);
	memcpy(file, set.file, sizeof(set.file));
	pb_set_change_end(&change);
	return 0;
}

static int compare(struct pb_set_change *change, int number, const struct pb_element *elements,
		   size_t nr, size_t *come, size_t *go)
{
	__u32 of_set[PB_SETS_MAX] = { 0 };
	__u64 count[PB_FAMILIES];
	size_t stay;
	int ret = count_new(change, number, elements, nr, count);

	if (ret)
		return ret;
	ret = pb_sets_count(change, of_set);
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
	struct pb_set_change change;
	int number = pb_set_change_begin_with(&change, ruleset, name, PB_LOCK_ELEMENTS_READ, error),
	    ret;

	if (number < 0)
		return number;
	ret = compare(&change, number, elements, nr, come, go);
	pb_set_change_end(&change);
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
	struct pb_set_change change;
	int ret = pb_set_change_begin_with(&change, ruleset, name, PB_LOCK_ELEMENTS_READ, error);

	if (ret < 0)
		return ret;
	all.number = ret;
	ret = pb_set_tables_each(change.tables, change.now, collect, &all);
	if (ret)
		ret = pb_fail_tables(ret, error);
	pb_set_change_end(&change);
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

/* ---- Sets come and go ---------------------------------------------------------------------- */

static int same_or_fail(const struct pb_set_change *change, int number, __u64 timeout, __u32 max)
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
static int find_free(const struct pb_set_change *change)
{
	int number = pb_set_free_number(change->sets), ret;

	if (number >= 0)
		return number;
	ret = pb_sets_sweep(&change->ruleset->maps, change->error);
	return ret ?: pb_set_free_number(change->sets);
}

int pb_set_make(const struct pb_set_change *change, const char *name, __u64 timeout, __u32 max)
{
	int number = pb_set_number(change->sets, change->slot, name);

	if (number >= 0)
		return pb_set_refuse_file(change, number) ?:
			       same_or_fail(change, number, timeout, max);
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
	struct pb_set_change change;
	int ret = pb_set_name_check(name, error);

	if (!ret && max > PB_SET_LIMIT)
		ret = pb_fail(error, E2BIG, "--max %u is too large: at most %u", max, PB_SET_LIMIT);
	if (!ret)
		ret = pb_set_change_begin(&change, ruleset, true, PB_LOCK_ELEMENTS, error);
	if (ret)
		return ret;
	ret = pb_set_make(&change, name, timeout, max ?: PB_SET_DEFAULT);
	pb_set_change_end(&change);
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
static int check_unused(const struct pb_set_change *change, int number)
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

static int destroy(struct pb_set_change *change, int number)
{
	struct pb_rebuild rebuild;
	int ret = check_unused(change, number);

	if (!ret && change->sets->tables) {
		pb_set_change_as_is(&rebuild, change);
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
	struct pb_set_change change;
	int ret = pb_set_change_begin(&change, ruleset, true, PB_LOCK_ELEMENTS, error), number;

	if (ret)
		return ret;
	number = pb_set_change_find(&change, name);
	ret = number < 0 ? number : destroy(&change, number);
	pb_set_change_end(&change);
	return ret;
}
