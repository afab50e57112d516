// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fleet/before.h"
#include "fleet/error.h"
#include "fleet/memory.h"

#define BEFORE ".before"

static void path_of(const char *folder, const char *local, char path[FLEET_PATH_MAX])
{
	snprintf(path, FLEET_PATH_MAX, "%s/%s" BEFORE, folder, local);
}

bool fleet_before_is_there(const char *folder, const char *local)
{
	char path[FLEET_PATH_MAX];

	path_of(folder, local, path);
	return !access(path, F_OK);
}

int fleet_before_keep(const char *folder, const char *local, const struct pb_rules *now,
		      struct pb_error *error)
{
	char path[FLEET_PATH_MAX], *text;
	int err = pb_rules_format(now, pb_clock(), &text);

	if (err)
		return fleet_fail_memory(error);
	err = fleet_file_write(folder, local, BEFORE, text, true, path, error);
	free(text);
	return err;
}

void fleet_before_forget(const char *folder, const char *local)
{
	fleet_file_remove(folder, local, BEFORE);
}

/* All of it, however large. */
static char *text_of(const char *folder, const char *local)
{
	char path[FLEET_PATH_MAX], *text = NULL;
	size_t room = 0;
	FILE *file;

	path_of(folder, local, path);
	file = fopen(path, "re");
	if (!file)
		return NULL;
	if (getdelim(&text, &room, '\0', file) < 0) {
		free(text);
		text = ferror(file) ? NULL : strdup("");
	}
	fclose(file);
	return text;
}

struct fleet_revision *fleet_before_revision(const char *folder, const char *local,
					     const char *ruleset)
{
	struct fleet_revision *made = calloc(1, sizeof(*made));

	if (!made)
		return NULL;
	snprintf(made->ruleset, sizeof(made->ruleset), "%s", ruleset);
	made->author = strdup("");
	made->file = text_of(folder, local);
	if (made->author && made->file && !fleet_revision_id(made, made->id))
		return made;
	fleet_revision_free(made);
	return NULL;
}

int fleet_before_read(const char *folder, const char *local, struct pb_rules **rules,
		      struct pb_error *error)
{
	struct pb_problems *problems = calloc(1, sizeof(*problems));
	char path[FLEET_PATH_MAX];
	int err = 0;

	if (!problems)
		return fleet_fail_memory(error);
	path_of(folder, local, path);
	if (pb_rules_read(path, pb_clock(), rules, problems, NULL))
		err = fleet_fail(error, EIO, "the rules from before cannot be read: %.800s",
				 problems->nr ? problems->list[0].text : path);
	free(problems);
	return err;
}
