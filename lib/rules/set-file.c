// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Sets whose elements a file has. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "rule/element.h"
#include "rules/sets.h"
#include "util/error.h"
#include "util/escape.h"
#include "util/files.h"

/* ---- Lists ---------------------------------------------------------------------------------- */

/* A list that is empty is most often one that did not come. */
static void note_empty(const struct pb_set_list *list, const char *path, struct pb_error *note)
{
	if (!list->nr && note && !*note->text)
		pb_fail(note, ENODATA, "%s holds no addresses", PB_Q(path));
}

int pb_set_list_read(const char *path, const char *from, struct pb_set_list **list,
		     struct pb_error *note, struct pb_error *error)
{
	struct pb_set_list *made = calloc(1, sizeof(*made));
	int err = made ? pb_elements_read_beside(path, from, &made->elements, &made->nr, note,
						 error) :
			 pb_fail_memory(error);

	if (err) {
		free(made);
		return err;
	}
	made->holders = 1;
	note_empty(made, path, note);
	*list = made;
	return 0;
}

/* Rules of several threads may share one. */
struct pb_set_list *pb_set_list_hold(struct pb_set_list *list)
{
	if (list)
		__atomic_add_fetch(&list->holders, 1, __ATOMIC_RELAXED);
	return list;
}

void pb_set_list_let_go(struct pb_set_list *list)
{
	if (!list || __atomic_sub_fetch(&list->holders, 1, __ATOMIC_ACQ_REL))
		return;
	free(list->elements);
	free(list);
}

/* ---- Declared by a file of rules -------------------------------------------------------------- */

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
