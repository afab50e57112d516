// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <string.h>
#include <unistd.h>
#include "maps/declared.h"
#include "maps/lock.h"
#include "maps/pins.h"
#include "maps/rights.h"
#include "rules/sets.h"
#include "util/error.h"

int pb_set_number(const struct pb_sets *sets, const char *name)
{
	for (int i = 0; i < PB_SETS_MAX; i++)
		if (sets->record[i].name[0] && !strncmp(sets->record[i].name, name, PB_NAME_LEN))
			return i;
	return -ENOENT;
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
	memcpy(record->name + 1, text + 1, sizeof(text) - 1);
	__atomic_store_n(&record->name[0], text[0], __ATOMIC_RELEASE);
}

static int fail_too_many(const struct pb_set *set, struct pb_error *error)
{
	return pb_fail(
		error, ENOSPC,
		"set %.*s is one too many: a ruleset has at most %d (`xdp-portblock set destroy` "
		"removes one that no rule names)",
		PB_NAME_LEN, set->name, PB_SETS_MAX);
}

static int declare(struct pb_sets *sets, const struct pb_set *set, struct pb_error *error)
{
	int number = pb_set_number(sets, set->name);

	if (number < 0) {
		number = pb_set_free_number(sets);
		if (number < 0)
			return fail_too_many(set, error);
		pb_set_record_write(&sets->record[number], set->name, set->timeout, set->max);
		return 0;
	}
	if (sets->record[number].nr > set->max && sets->record[number].max > set->max)
		return pb_fail(error, ENOSPC,
			       "the set '%.*s' has %u elements, more than the max %u that it is to "
			       "have: write a larger one (set %.*s max %u)",
			       PB_NAME_LEN, set->name, sets->record[number].nr, set->max,
			       PB_NAME_LEN, set->name, sets->record[number].max);
	sets->record[number].timeout = set->timeout;
	sets->record[number].max = set->max;
	return 0;
}

int pb_sets_declare(const struct pb_maps *maps, const struct pb_rules *rules,
		    struct pb_set_record before[PB_SETS_MAX], struct pb_error *error)
{
	int ret = 0;

	memcpy(before, maps->sets->record, sizeof(maps->sets->record));
	for (size_t i = 0; !ret && i < rules->nr_sets; i++)
		ret = declare(maps->sets, rules->sets[i], error);
	if (ret)
		pb_sets_undo(maps, before);
	return ret;
}

/*
 * Numbers of elements are not of what was declared: others may have changed them since. So a set that was made
 * stays where somebody has put elements into it meanwhile.
 */
void pb_sets_undo(const struct pb_maps *maps, const struct pb_set_record before[PB_SETS_MAX])
{
	for (int i = 0; i < PB_SETS_MAX; i++) {
		struct pb_set_record *record = &maps->sets->record[i];

		record->timeout = before[i].timeout;
		record->max = before[i].max;
		if (!before[i].name[0] && !record->nr)
			__atomic_store_n(&record->name[0], '\0', __ATOMIC_RELEASE);
	}
}

int pb_sets_read(const struct pb_maps *maps, struct pb_rules *rules, struct pb_error *error)
{
	struct pb_set set;
	int ret = 0;

	for (int i = 0; !ret && i < PB_SETS_MAX; i++) {
		const struct pb_set_record *record = &maps->sets->record[i];

		if (!record->name[0])
			continue;
		memset(&set, 0, sizeof(set));
		memcpy(set.name, record->name, sizeof(set.name) - 1);
		set.timeout = record->timeout;
		set.max = record->max;
		ret = pb_rules_declare(rules, &set, error);
	}
	return ret;
}

static int share(struct pb_maps *maps, const struct pb_maps *from)
{
	static const enum pb_map shared[] = { PB_MAP_ELEMENTS4, PB_MAP_ELEMENTS6, PB_MAP_LENGTHS };

	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		int fd = dup(from->fd[shared[i]]);

		if (fd < 0)
			return -errno;
		close(maps->fd[shared[i]]);
		maps->fd[shared[i]] = fd;
	}
	*maps->sets = *from->sets;
	return 0;
}

int pb_sets_share(struct pb_maps *maps, const char *ruleset, struct pb_error *error)
{
	int lock = pb_lock(ruleset, PB_LOCK_ELEMENTS_READ, error), ret;
	struct pb_maps from;
	__u32 id;

	if (lock < 0)
		return lock;
	ret = pb_pins_id(ruleset, &id);
	if (!ret)
		ret = pb_maps_open_by_id(id, &from);
	if (!ret) {
		ret = share(maps, &from);
		pb_maps_close(&from);
	}
	if (!ret)
		return lock;
	pb_unlock(lock);
	return pb_fail_permission(error, -ret, "look at the sets of the ruleset");
}
