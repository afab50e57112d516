// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "maps/declared.h"
#include "maps/grace.h"
#include "maps/lock.h"
#include "maps/pins.h"
#include "maps/rebuild.h"
#include "maps/rights.h"
#include "util/error.h"

/* ---- Records --------------------------------------------------------------------------------- */

static bool is_file(const struct pb_set_record *record)
{
	return record->flags & PB_SET_FILE;
}

/* Acquire: who sees the first byte of a name, which comes last, sees all of the record. */
static bool is_named(const struct pb_set_record *record, const char *name)
{
	return __atomic_load_n(&record->name[0], __ATOMIC_ACQUIRE) &&
	       !strncmp(record->name, name, PB_NAME_LEN);
}

/* One of a file hides another one of its name. */
int pb_set_number(const struct pb_sets *sets, __u32 slot, const char *name)
{
	int number = -ENOENT;

	for (int i = 0; i < PB_SETS_MAX; i++) {
		if (!is_named(&sets->record[i], name))
			continue;
		if (sets->files[slot] >> i & 1)
			return i;
		if (!is_file(&sets->record[i]))
			number = i;
	}
	return number;
}

int pb_set_plain_number(const struct pb_sets *sets, const char *name)
{
	int number = -ENOENT;

	for (int i = 0; i < PB_SETS_MAX; i++)
		if (is_named(&sets->record[i], name) && !is_file(&sets->record[i]))
			number = i;
	return number;
}

bool pb_set_is_seen(const struct pb_sets *sets, __u32 slot, int number)
{
	const char *name = sets->record[number].name;

	return *name && pb_set_number(sets, slot, name) == number;
}

void pb_set_get(const struct pb_sets *sets, int number, struct pb_set *set)
{
	const struct pb_set_record *record = &sets->record[number];

	memset(set, 0, sizeof(*set));
	memcpy(set->name, record->name, sizeof(set->name) - 1);
	set->timeout = record->timeout;
	set->max = record->max;
	if (is_file(record))
		memcpy(set->file, sets->file[number], sizeof(set->file) - 1);
}

int pb_set_free_number(const struct pb_sets *sets)
{
	for (int i = 0; i < PB_SETS_MAX; i++)
		if (!sets->record[i].name[0])
			return i;
	return -ENOSPC;
}

/* The first byte of the name comes last. */
void pb_set_record_write(struct pb_set_record *record, const char *name, __u64 timeout, __u32 max)
{
	char text[PB_NAME_LEN] = "";

	memcpy(text, name, strnlen(name, sizeof(text) - 1));
	record->timeout = timeout;
	record->max = max;
	record->nr = 0;
	record->flags = 0;
	memcpy(record->name + 1, text + 1, sizeof(text) - 1);
	__atomic_store_n(&record->name[0], text[0], __ATOMIC_RELEASE);
}

/*
 * Of no slot, it is nobody's at once, and its name may be whatever it is meanwhile. But it has one from then on,
 * since its elements may still be there, or come.
 */
static void write_file_record(struct pb_sets *sets, int number, const struct pb_set *set)
{
	struct pb_set_record *record = &sets->record[number];

	record->flags = PB_SET_FILE;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	memcpy(sets->file[number], set->file, sizeof(set->file));
	record->timeout = 0;
	record->max = set->max;
	memcpy(record->name + 1, set->name + 1, sizeof(set->name) - 1);
	__atomic_store_n(&record->name[0], set->name[0], __ATOMIC_RELEASE);
}

int pb_sets_read(const struct pb_maps *maps, __u32 slot, struct pb_rules *rules,
		 struct pb_error *error)
{
	const struct pb_sets *sets = maps->sets;
	struct pb_set set;
	int ret = 0;

	for (int i = 0; !ret && i < PB_SETS_MAX; i++) {
		if (!pb_set_is_seen(sets, slot, i))
			continue;
		pb_set_get(sets, i, &set);
		ret = pb_rules_declare(rules, &set, NULL, *set.file ? i : -1, error);
	}
	return ret;
}

/* ---- A plan ---------------------------------------------------------------------------------- */

struct planner {
	const struct pb_maps *maps;
	const struct pb_sets *sets;
	__u32 slot; /* in force */
	bool sweep;
	struct pb_sets_plan *plan;
	struct pb_error *error;
};

static bool has_same_file(const struct planner *planner, int number, const struct pb_set *set)
{
	const struct pb_sets *sets = planner->sets;

	return is_file(&sets->record[number]) && is_named(&sets->record[number], set->name) &&
	       !strncmp(sets->file[number], set->file, sizeof(set->file));
}

/* Nobody's: no slot sees them that is in force, or could be again. */
static __u64 find_gone(const struct pb_maps *maps)
{
	const struct pb_sets *sets = maps->sets;
	__u32 slot = pb_config_slot(maps->config);
	bool both = pb_config_pending(maps->config);
	__u64 gone = 0;

	for (int i = 0; i < PB_SETS_MAX; i++)
		if (sets->record[i].name[0] && !pb_set_is_seen(sets, slot, i) &&
		    !(both && pb_set_is_seen(sets, !slot, i)))
			gone |= 1ULL << i;
	return gone;
}

/* Free ones first: the others need their elements taken out. */
static int take_number(struct planner *planner, const struct pb_set *set)
{
	struct pb_sets_plan *plan = planner->plan;
	__u64 taken = plan->fresh | plan->made;

	for (int i = 0; i < PB_SETS_MAX; i++)
		if (!planner->sets->record[i].name[0] && !(taken >> i & 1))
			return i;
	for (int i = 0; planner->sweep && i < PB_SETS_MAX; i++) {
		if (!((plan->gone & ~taken) >> i & 1))
			continue;
		plan->reused = true;
		return i;
	}
	return pb_fail(
		planner->error, ENOSPC,
		"set %s is one too many: a ruleset has at most %d (`xdp-portblock set destroy` "
		"removes one that no rule names; one of a file counts twice while its elements "
		"change)",
		set->name, PB_SETS_MAX);
}

/* The elements of a file's set as they are in the tables; 1: they are those of the list. */
static int compare_elements(const struct planner *planner, struct pb_set_tables *tables, int number,
			    const struct pb_set_list *list)
{
	__u64 now = pb_clock(), expires;
	int ret = 1;

	for (size_t i = 0; ret == 1 && i < list->nr; i++) {
		const struct pb_prefix *prefix = &list->elements[i].prefix;
		struct pb_table *table = pb_table_of(tables, prefix->family);

		ret = table->nr_segments ? pb_elements_get(table, number, prefix, now, &expires) :
					   0;
	}
	return ret < 0 ? pb_fail_tables(ret, planner->error) : ret;
}

/* 1: the set with that number has what the file has now. */
static int has_elements(const struct planner *planner, int number, const struct pb_set_list *list)
{
	struct pb_set_tables *tables;
	int ret;

	if (planner->sets->record[number].nr != list->nr)
		return 0;
	ret = pb_set_tables_open(planner->maps, &tables);
	if (ret)
		return pb_fail_tables(ret, planner->error);
	ret = compare_elements(planner, tables, number, list);
	pb_set_tables_free(tables);
	return ret;
}

/* That of the rules that were read from this ruleset; or of the set in force, where nothing has changed. */
static int find_file(const struct planner *planner, const struct pb_declared *declared)
{
	int number = declared->number, ret;

	if (number >= 0 && has_same_file(planner, number, &declared->set) &&
	    !planner->plan->declared[number])
		return number;
	number = pb_set_number(planner->sets, planner->slot, declared->set.name);
	if (number < 0 || !has_same_file(planner, number, &declared->set))
		return -ENOENT;
	if (!declared->list)
		return number;
	ret = has_elements(planner, number, declared->list);
	if (ret < 0)
		return ret;
	return ret ? number : -ENOENT;
}

/* Rules of another ruleset have no elements with them. */
static int read_list(const struct planner *planner, struct pb_declared *declared)
{
	const char *path = declared->set.file;

	return declared->list ? 0 :
				pb_set_list_read(path, NULL, &declared->list, NULL, planner->error);
}

static int plan_file(struct planner *planner, struct pb_declared *declared)
{
	struct pb_sets_plan *plan = planner->plan;
	int number = find_file(planner, declared), ret;

	if (number == -ENOENT) {
		ret = read_list(planner, declared);
		number = ret ?: take_number(planner, &declared->set);
		if (number >= 0)
			plan->fresh |= 1ULL << number;
	}
	if (number < 0)
		return number;
	plan->files |= 1ULL << number;
	plan->gone &= ~(1ULL << number);
	plan->declared[number] = declared;
	return 0;
}

static int fail_max(const struct planner *planner, const struct pb_set *set, int number)
{
	const struct pb_set_record *record = &planner->sets->record[number];

	return pb_fail(planner->error, ENOSPC,
		       "the set '%s' has %u elements, more than the max %u that it is to "
		       "have: write a larger one (set %s max %u)",
		       set->name, record->nr, set->max, set->name, record->max);
}

/* The set of that name which is no file's; -ENOENT. */
static int find_plain(const struct planner *planner, const char *name)
{
	for (int i = 0; i < PB_SETS_MAX; i++)
		if (is_named(&planner->sets->record[i], name) &&
		    !is_file(&planner->sets->record[i]) && !(planner->plan->gone >> i & 1))
			return i;
	return -ENOENT;
}

static int plan_plain(struct planner *planner, struct pb_declared *declared)
{
	const struct pb_set *set = &declared->set;
	int number = find_plain(planner, set->name);

	if (number == -ENOENT) {
		number = take_number(planner, set);
		if (number >= 0)
			planner->plan->made |= 1ULL << number;
	} else if (planner->sets->record[number].nr > set->max &&
		   planner->sets->record[number].max > set->max) {
		return fail_max(planner, set, number);
	}
	if (number < 0)
		return number;
	planner->plan->declared[number] = declared;
	return 0;
}

/* What the rules to come see: what they declare, and other sets that are no file's. */
static void set_records(struct planner *planner)
{
	const struct pb_sets *sets = planner->sets;
	struct pb_sets_plan *plan = planner->plan;

	for (int i = 0; i < PB_SETS_MAX; i++)
		if (plan->declared[i])
			pb_set_record_write(&plan->record[i], plan->declared[i]->set.name,
					    plan->declared[i]->set.timeout,
					    plan->declared[i]->set.max);
	for (int i = 0; i < PB_SETS_MAX; i++) {
		const struct pb_set_record *record = &sets->record[i];
		bool hidden = false;

		if (plan->declared[i] || is_file(record) || plan->gone >> i & 1)
			continue;
		for (int j = 0; j < PB_SETS_MAX; j++)
			hidden |= plan->declared[j] && is_named(&plan->record[j], record->name);
		if (!hidden)
			plan->record[i] = *record;
	}
}

/* Those that are as they were come first: no other is to take their number. */
static int plan_sets(struct planner *planner, const struct pb_rules *rules)
{
	int ret = 0;

	for (int known = 1; known >= 0; known--)
		for (size_t i = 0; !ret && i < rules->nr_sets; i++) {
			struct pb_declared *declared = pb_declared_of(rules->sets[i]);

			if (known != (declared->number >= 0))
				continue;
			ret = *declared->set.file ? plan_file(planner, declared) :
						    plan_plain(planner, declared);
		}
	return ret;
}

int pb_sets_plan(const struct pb_maps *maps, const struct pb_rules *rules, bool sweep,
		 struct pb_sets_plan *plan, struct pb_error *error)
{
	struct planner planner = { .maps = maps,
				   .sets = maps->sets,
				   .slot = pb_config_slot(maps->config),
				   .sweep = sweep,
				   .plan = plan,
				   .error = error };
	int ret;

	memset(plan, 0, sizeof(*plan));
	memcpy(plan->before, maps->sets->record, sizeof(plan->before));
	plan->gone = find_gone(maps);
	ret = plan_sets(&planner, rules);
	if (!ret)
		set_records(&planner);
	if (!sweep)
		plan->gone = 0;
	return ret;
}

/* ---- Carried out ------------------------------------------------------------------------------ */

static size_t set_incoming(const struct pb_sets_plan *plan, struct pb_incoming *incoming)
{
	size_t nr = 0;

	for (int i = 0; i < PB_SETS_MAX; i++) {
		const struct pb_set_list *list;

		if (!(plan->fresh >> i & 1))
			continue;
		list = plan->declared[i]->list;
		incoming[nr] = (struct pb_incoming){ .number = i,
						     .elements = list->elements,
						     .nr = list->nr };
		nr++;
	}
	return nr;
}

static int rebuild(const struct pb_maps *maps, const struct pb_set_tables *tables,
		   const struct pb_sets_plan *plan, struct pb_error *error)
{
	struct pb_incoming incoming[PB_SETS_MAX];
	struct pb_rebuild rebuild;

	pb_rebuild_as_is(&rebuild, maps, tables, pb_clock(), error);
	for (int i = 0; i < PB_SETS_MAX; i++)
		if ((plan->gone | plan->fresh) >> i & 1)
			rebuild.to[i] = -1;
	rebuild.incoming = incoming;
	rebuild.nr_incoming = set_incoming(plan, incoming);
	return pb_rebuild_replace(&rebuild);
}

static int rebuild_from(const struct pb_maps *maps, const struct pb_maps *from,
			const struct pb_sets_plan *plan, struct pb_error *error)
{
	struct pb_set_tables *tables;
	int ret = pb_set_tables_open(from, &tables);

	if (ret)
		return pb_fail_tables(ret, error);
	ret = rebuild(maps, tables, plan, error);
	pb_set_tables_free(tables);
	return ret;
}

/* Their elements are out of the tables. */
static void free_numbers(struct pb_sets *sets, __u64 numbers)
{
	for (int i = 0; i < PB_SETS_MAX; i++) {
		if (!(numbers >> i & 1))
			continue;
		__atomic_store_n(&sets->record[i].name[0], '\0', __ATOMIC_RELEASE);
		sets->record[i].flags = 0;
	}
}

static void write_records(struct pb_sets *sets, const struct pb_sets_plan *plan)
{
	for (int i = 0; i < PB_SETS_MAX; i++) {
		const struct pb_declared *declared = plan->declared[i];

		if (plan->made >> i & 1) {
			pb_set_record_write(&sets->record[i], declared->set.name,
					    declared->set.timeout, declared->set.max);
		} else if (declared && !*declared->set.file) {
			sets->record[i].timeout = declared->set.timeout;
			sets->record[i].max = declared->set.max;
		}
	}
}

void pb_sets_tell_numbers(const struct pb_sets_plan *plan)
{
	for (int i = 0; i < PB_SETS_MAX; i++)
		if (plan->files >> i & 1)
			plan->declared[i]->number = i;
}

/* What there was has to be there until it is exchanged, and for a way back. */
static int fail_side_by_side(struct pb_error *error)
{
	struct pb_error full;

	if (!error)
		return -ENOSPC;
	full = *error;
	return pb_fail(
		error, ENOSPC,
		"%.600s; the elements in force and those of the files have to fit side by side: "
		"apply shorter lists first, and these then",
		full.text);
}

/*
 * A number is nobody's from its name on, and its elements come after that: whoever is killed leaves none that
 * nobody would take out again.
 */
int pb_sets_carry_out(const struct pb_maps *maps, const struct pb_maps *from,
		      const struct pb_sets_plan *plan, struct pb_error *error)
{
	struct pb_sets *sets = maps->sets;
	int ret = 0;

	for (int i = 0; i < PB_SETS_MAX; i++)
		if (plan->fresh >> i & 1)
			write_file_record(sets, i, &plan->declared[i]->set);
	if (pb_sets_plan_rebuilds(plan))
		ret = rebuild_from(maps, from, plan, error);
	if (ret && pb_sets_plan_must_rebuild(plan))
		return ret == -ENOSPC ? fail_side_by_side(error) : ret;
	if (!ret) /* else they stay nobody's, until there is memory for it */
		free_numbers(sets, plan->gone & ~plan->fresh);
	write_records(sets, plan);
	pb_sets_tell_numbers(plan);
	return 0;
}

/* Packets that are judged by the idle slot may ask for what goes. */
int pb_sets_sweep(const struct pb_maps *maps, struct pb_error *error)
{
	struct pb_sets_plan plan = {};
	int ret;

	if (pb_config_pending(maps->config))
		return 0;
	plan.gone = find_gone(maps);
	if (!plan.gone)
		return 0;
	ret = pb_grace_period(maps, error);
	if (!ret)
		ret = rebuild_from(maps, maps, &plan, error);
	if (!ret)
		free_numbers(maps->sets, plan.gone);
	return ret;
}

/*
 * Numbers of elements are not of what was declared: others may have changed them since. So a set that was made
 * stays where somebody has put elements into it meanwhile.
 */
void pb_sets_undo(const struct pb_maps *maps, const struct pb_sets_plan *plan)
{
	for (int i = 0; i < PB_SETS_MAX; i++) {
		struct pb_set_record *record = &maps->sets->record[i];

		if (plan->made >> i & 1) {
			if (!record->nr)
				__atomic_store_n(&record->name[0], '\0', __ATOMIC_RELEASE);
		} else if (plan->declared[i] && !is_file(record)) {
			record->timeout = plan->before[i].timeout;
			record->max = plan->before[i].max;
		}
	}
}
