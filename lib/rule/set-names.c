// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include "rule/set-names.h"
#include "util/array.h"
#include "util/error.h"
#include "util/text.h"

int pb_set_name_check(const char *name, struct pb_error *error)
{
	return pb_name_check(name, "set", error);
}

/* Where the name is or would be. */
static size_t place_of(char *const *names, size_t nr, const char *name)
{
	size_t low = 0, high = nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(names[middle], name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool pb_set_names_hold(char *const *names, size_t nr, const char *name)
{
	size_t place = place_of(names, nr, name);

	return place < nr && !strcmp(names[place], name);
}

static int insert(struct pb_set_names *list, size_t place, const char *name, struct pb_error *error)
{
	char **grown = pb_grow(list->names, list->nr, &list->room, sizeof(*grown));
	char *copy = grown ? strdup(name) : NULL;

	if (grown)
		list->names = grown;
	if (!copy)
		return pb_fail_memory(error);
	memmove(&grown[place + 1], &grown[place], (list->nr - place) * sizeof(*grown));
	grown[place] = copy;
	list->nr++;
	return 0;
}

int pb_set_names_add(struct pb_set_names *list, const char *name, struct pb_error *error)
{
	size_t place = place_of(list->names, list->nr, name);
	int err = pb_set_name_check(name, error);

	if (err || (place < list->nr && !strcmp(list->names[place], name)))
		return err;
	if (list->nr == PB_SETS_MAX)
		return pb_fail(error, EINVAL,
			       "more than %d sets in one list: a ruleset has no more", PB_SETS_MAX);
	return insert(list, place, name, error);
}

static int add_word(const char *word, void *list, struct pb_error *error)
{
	return pb_set_names_add(list, word, error);
}

int pb_set_names_parse(const char *text, struct pb_set_names *list, struct pb_error *error)
{
	return pb_list_each(text, "sets", add_word, list, error);
}

char **pb_set_names_copy(char *const *names, size_t nr, bool *failed)
{
	char **copy = nr ? calloc(nr, sizeof(*copy)) : NULL;
	bool all = !nr || copy;

	for (size_t i = 0; copy && i < nr; i++) {
		copy[i] = strdup(names[i]);
		all = all && copy[i];
	}
	if (all)
		return copy;
	pb_set_names_free(copy, copy ? nr : 0);
	*failed = true;
	return NULL;
}

void pb_set_names_free(char **names, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		free(names[i]);
	free(names);
}

void pb_set_names_print(FILE *out, char *const *names, size_t nr, const char *before, bool more)
{
	for (size_t i = 0; i < nr; i++)
		fprintf(out, "%s%s%s", i || more ? "," : "", before, names[i]);
}
