// SPDX-License-Identifier: GPL-2.0-only
/* Elements of sets that are brought back, by several commands. */
#include <stdio.h>
#include <string.h>
#include "tool.h"

int read_saved(const char *path, struct pb_saved **saved)
{
	struct pb_error error, remark = { "" };

	if (pb_saved_read(path, saved, &remark, &error))
		return fail(&error);
	if (*remark.text)
		note("%s", remark.text);
	return DONE;
}

int read_elements(const struct arguments *arguments, const char *rules, struct pb_saved **saved)
{
	const char *path = arguments->values[OPT_ELEMENTS];

	if (!path)
		return DONE;
	if (rules && !strcmp(path, "-") && !strcmp(rules, "-"))
		return wrong(arguments, "rules and elements cannot both come from standard input");
	return read_saved(path, saved);
}

void print_restored(const struct pb_saved *saved)
{
	const struct pb_saved_set *set;

	for (size_t i = 0; saved && (set = pb_saved_at(saved, i)); i++) {
		printf("Set %s: %zu element%s brought back", set->name, set->elements,
		       set->elements == 1 ? "" : "s");
		if (set->ended)
			printf(", %zu ended meanwhile", set->ended);
		printf("\n");
	}
}
