// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Elements of sets as a file had them. */
#include <stdlib.h>
#include "rule/element.h"
#include "rules/sets.h"
#include "util/error.h"
#include "util/escape.h"

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
