// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "rules/rules.h"
#include "rules/saved.h"
#include "rules/sets.h"
#include "util/array.h"
#include "util/error.h"

#define NS 1000000000ULL

/* Both within a millisecond, unless the machine is too busy for that. */
struct pb_clocks pb_clocks_now(void)
{
	struct pb_clocks now;
	struct timespec wall;

	for (int i = 0; i < 100; i++) {
		now.boot = pb_clock();
		clock_gettime(CLOCK_REALTIME, &wall);
		if (pb_clock() - now.boot < NS / 1000)
			break;
	}
	now.wall = wall.tv_sec * NS + wall.tv_nsec;
	return now;
}

struct pb_saved *pb_saved_new(void)
{
	return calloc(1, sizeof(struct pb_saved));
}

void pb_saved_free(struct pb_saved *saved)
{
	if (!saved)
		return;
	for (size_t i = 0; i < saved->nr; i++)
		free(saved->sets[i].list);
	free(saved->sets);
	free(saved->path);
	free(saved);
}

const struct pb_saved_set *pb_saved_at(const struct pb_saved *saved, size_t place)
{
	return place < saved->nr ? &saved->sets[place].about : NULL;
}

struct pb_saved_elements *pb_saved_add_set(struct pb_saved *saved, const struct pb_set *set)
{
	struct pb_saved_elements *grown =
		pb_grow(saved->sets, saved->nr, &saved->room, sizeof(*grown));

	if (!grown)
		return NULL;
	saved->sets = grown;
	grown += saved->nr++;
	memset(grown, 0, sizeof(*grown));
	memcpy(grown->about.name, set->name, sizeof(grown->about.name));
	grown->about.timeout = set->timeout;
	grown->about.max = set->max;
	return grown;
}

struct pb_saved_elements *pb_saved_find(const struct pb_saved *saved, const char *name)
{
	for (size_t i = 0; i < saved->nr; i++)
		if (!strcmp(saved->sets[i].about.name, name))
			return &saved->sets[i];
	return NULL;
}

int pb_saved_add(struct pb_saved_elements *set, const struct pb_element *element)
{
	struct pb_element *grown =
		pb_grow(set->list, set->about.elements, &set->room, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	set->list = grown;
	grown[set->about.elements++] = *element;
	return 0;
}

int pb_saved_fail(const struct pb_saved *saved, const struct pb_saved_elements *set, int err,
		  const char *message, struct pb_error *error)
{
	if (!saved->path || !set->line || err == -ENOMEM)
		return pb_fail(error, -err, "%s", message);
	return pb_fail(error, -err, "%.400s:%lu: %s", saved->path, set->line, message);
}

/* ---- With rules ---------------------------------------------------------------------------- */

static const struct pb_set *find_declared(const struct pb_rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->nr_sets; i++)
		if (!strcmp(rules->sets[i]->name, name))
			return rules->sets[i];
	return NULL;
}

static int declare(struct pb_rules *rules, const struct pb_saved_set *about, struct pb_error *error)
{
	const struct pb_set *declared = find_declared(rules, about->name);
	struct pb_set set = { .timeout = about->timeout, .max = about->max };

	if (declared && *declared->file)
		return pb_fail(error, EPERM,
			       "the elements of the set '%s' are those of the file %s: no others "
			       "can be brought back to it",
			       about->name, declared->file);
	if (declared)
		return 0;
	memcpy(set.name, about->name, sizeof(set.name));
	return pb_rules_declare(rules, &set, NULL, -1, error);
}

int pb_rules_restore(struct pb_rules *rules, const struct pb_saved *saved, struct pb_error *error)
{
	struct pb_error inner;

	for (size_t i = 0; i < saved->nr; i++) {
		int err = declare(rules, &saved->sets[i].about, &inner);

		if (err)
			return pb_saved_fail(saved, &saved->sets[i], err, inner.text, error);
	}
	rules->saved = saved;
	return 0;
}
