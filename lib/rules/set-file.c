// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Sets whose elements a file has, as a file of rules declares them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "rules/sets.h"
#include "util/error.h"
#include "util/escape.h"
#include "util/files.h"

static int read_absolute(struct pb_set *set, const char *path, struct pb_error *error)
{
	char *folder = *path == '/' ? strdup("") : getcwd(NULL, 0), *whole;
	int err;

	if (!folder)
		return pb_fail(error, errno, "where the file %s of set %s is cannot be told: %s",
			       PB_Q(path), set->name, strerror(errno));
	if (*path != '/' && !strncmp(path, "./", 2))
		path += 2;
	if (asprintf(&whole, "%s%s%s", folder, *path == '/' || !folder[1] ? "" : "/", path) < 0)
		whole = NULL;
	err = whole ? pb_set_read_file(set, whole, error) : pb_fail_memory(error);
	free(whole);
	free(folder);
	return err;
}

/* One that stands there twice is read once. */
static int declare_file(struct pb_rules *rules, const struct pb_set *set, const char *name,
			const char *from, struct pb_error *note, struct pb_error *error)
{
	const struct pb_set *there = pb_rules_find_set(rules, set->name);
	struct pb_set_list *list = NULL;
	int err = 0;

	if (!there || !pb_set_same(there, set))
		err = pb_set_list_read(name, from, &list, note, error);
	if (!err)
		err = pb_rules_declare(rules, set, list, -1, error);
	pb_set_list_let_go(list);
	return err;
}

int pb_rules_declare_read(struct pb_rules *rules, const struct pb_set *set, const char *from,
			  struct pb_error *note, struct pb_error *error)
{
	struct pb_set made = *set;
	char *path;
	int err;

	if (!*set->file)
		return pb_rules_declare(rules, set, NULL, -1, error);
	path = pb_file_beside(set->file, from);
	err = path ? read_absolute(&made, path, error) : pb_fail_memory(error);
	free(path);
	return err ?: declare_file(rules, &made, set->file, from, note, error);
}
