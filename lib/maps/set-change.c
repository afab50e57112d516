// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include "maps/declared.h"
#include "maps/set-change.h"
#include "util/error.h"
#include "util/escape.h"

/* ---- Begin and end ------------------------------------------------------------------------- */

void pb_set_change_end(struct pb_set_change *change)
{
	pb_set_tables_free(change->tables);
	pb_unlock(change->locks[1]);
	pb_unlock(change->locks[0]);
}

/* Who reads goes on without a lock where the ruleset was unloaded: then nobody changes it any more. */
static int take_elements(struct pb_set_change *change, enum pb_lock_kind kind)
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
int pb_set_change_open(struct pb_set_change *change)
{
	struct pb_ruleset *ruleset = change->ruleset;
	int ret = pb_set_tables_open(&ruleset->maps, &change->tables);

	change->sets = ruleset->maps.sets;
	change->slot = pb_config_slot(ruleset->maps.config);
	change->now = pb_clock();
	if (!ret)
		return 0;
	pb_set_change_end(change);
	return pb_fail_tables(ret, change->error);
}

/* `names`: they change, too. */
int pb_set_change_begin(struct pb_set_change *change, struct pb_ruleset *ruleset, bool names,
			enum pb_lock_kind kind, struct pb_error *error)
{
	int ret;

	*change = (struct pb_set_change){ .ruleset = ruleset, .locks = { -1, -1 }, .error = error };
	if (names) {
		change->locks[0] = pb_ruleset_lock(ruleset, PB_LOCK_CHANGE, error);
		if (change->locks[0] < 0)
			return change->locks[0];
	}
	ret = take_elements(change, kind);
	if (!ret)
		return pb_set_change_open(change);
	pb_set_change_end(change);
	return ret;
}

/* ---- Names --------------------------------------------------------------------------------- */

/* The names there are, as far as there is room for them: "bans, friends". */
static void list_names(const struct pb_set_change *change, char *text, size_t room)
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

int pb_set_fail_none(const struct pb_set_change *change, const char *name)
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
static int find_set(const struct pb_set_change *change, const char *name)
{
	int number = pb_set_name_check(name, change->error);

	if (number)
		return number;
	number = pb_set_number(change->sets, change->slot, name);
	return number < 0 ? pb_set_fail_none(change, name) : number;
}

/* What a generation has is not for others to change. */
int pb_set_refuse_file(const struct pb_set_change *change, int number)
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
int pb_set_change_find(const struct pb_set_change *change, const char *name)
{
	int number = find_set(change, name);

	return number < 0 ? number : pb_set_refuse_file(change, number) ?: number;
}

/* As pb_set_change_begin(), of one set that is there; returns its number. */
int pb_set_change_begin_with(struct pb_set_change *change, struct pb_ruleset *ruleset,
			     const char *name, enum pb_lock_kind kind, struct pb_error *error)
{
	int ret = pb_set_change_begin(change, ruleset, false, kind, error);

	if (ret)
		return ret;
	ret = kind == PB_LOCK_ELEMENTS ? pb_set_change_find(change, name) : find_set(change, name);
	if (ret < 0)
		pb_set_change_end(change);
	return ret;
}

/* ---- Tables made anew ---------------------------------------------------------------------- */

int pb_set_fail_full(const struct pb_set_change *change, int number, __u64 nr)
{
	const struct pb_set_record *record = &change->sets->record[number];

	return pb_fail(
		change->error, ENOSPC,
		"the set '%.*s' would have %llu elements, at most %u fit (--max): make a "
		"larger one (`xdp-portblock set create NAME --max N`), fill it and `set swap` "
		"the two, or delete some",
		PB_NAME_LEN, record->name, (unsigned long long)nr, record->max);
}

void pb_set_change_as_is(struct pb_rebuild *rebuild, struct pb_set_change *change)
{
	pb_rebuild_as_is(rebuild, &change->ruleset->maps, change->tables, change->now,
			 change->error);
}

/* Puts what was made in force; the change goes on with that. */
int pb_set_change_publish(struct pb_set_change *change, struct pb_rebuild *rebuild)
{
	int ret = pb_rebuild_publish(rebuild);

	if (ret)
		return ret;
	pb_set_tables_free(change->tables);
	change->tables = rebuild->made;
	return 0;
}

/* ---- Counted ------------------------------------------------------------------------------- */

static int count_one(void *context, __u8 set, const struct pb_element *element)
{
	__u32 *of_set = context;

	(void)element;
	if (set < PB_SETS_MAX)
		of_set[set]++;
	return 0;
}

int pb_sets_count(const struct pb_set_change *change, __u32 of_set[PB_SETS_MAX])
{
	return pb_set_tables_each(change->tables, change->now, count_one, of_set);
}
