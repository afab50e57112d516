/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Lists of names of sets: sorted, without duplicates, each name with memory of its own. */
#ifndef PB_SET_NAMES_H
#define PB_SET_NAMES_H

#include <stdio.h>
#include <portblock/portblock.h>

struct pb_set_names {
	char **names;
	size_t nr;
	size_t room;
};

/* Puts a copy of the name in its place; one that is there is no error. -EINVAL: it is no name. */
int pb_set_names_add(struct pb_set_names *list, const char *name, struct pb_error *error);
/* Names with commas between. `list` begins empty; the caller frees it, also when this fails. */
int pb_set_names_parse(const char *text, struct pb_set_names *list, struct pb_error *error);

/* NULL, and `failed` set, when memory runs out; NULL for none. */
char **pb_set_names_copy(char *const *names, size_t nr, bool *failed);
void pb_set_names_free(char **names, size_t nr);
bool pb_set_names_hold(char *const *names, size_t nr, const char *name);

/* With `before` before each, and commas between; the first is not the first of its list if `more`. */
void pb_set_names_print(FILE *out, char *const *names, size_t nr, const char *before, bool more);

#endif
