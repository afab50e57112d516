// SPDX-License-Identifier: GPL-2.0-only
/* A line a change: "+ PREFIX EXPIRES BEFORE" (ns; BEFORE -: the host had it not) or "- PREFIX". */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fleet/error.h"
#include "fleet/journal.h"
#include "fleet/memory.h"
#include "fleet/set-keys.h"

#define HEAD "xdp-portblock set 1 "
#define END ".set"
#define LINE_ROOM 160
#define NAME_ROOM (2 * PB_NAME_LEN + 1)

static void name_of(const struct fleet_shared *names, char name[NAME_ROOM])
{
	snprintf(name, NAME_ROOM, "%s.%s", names->ruleset, names->local);
}

static void path_of(const struct fleet_conf *conf, const struct fleet_shared *names,
		    char path[FLEET_PATH_MAX])
{
	snprintf(path, FLEET_PATH_MAX, "%s/%s.%s" END, conf->state, names->ruleset, names->local);
}

/* ---- Lines --------------------------------------------------------------------------------- */

static int add_text(struct fleet_lines *lines, const char *text, size_t len)
{
	size_t room = lines->room ?: 4096;
	char *grown;

	while (room < lines->len + len + 1)
		room *= 2;
	if (room != lines->room) {
		grown = realloc(lines->text, room);
		if (!grown)
			return -ENOMEM;
		lines->text = grown;
		lines->room = room;
	}
	memcpy(lines->text + lines->len, text, len + 1);
	lines->len += len;
	return 0;
}

int fleet_lines_add(struct fleet_lines *lines, const struct fleet_entry *entry)
{
	char prefix[FLEET_PREFIX_TEXT], before[24] = "-", line[LINE_ROOM];
	int len;

	fleet_prefix_text(&entry->prefix, prefix);
	if (entry->had)
		snprintf(before, sizeof(before), "%llu", entry->before);
	if (entry->applied)
		len = snprintf(line, sizeof(line), "+ %s %llu %s\n", prefix, entry->expires,
			       before);
	else
		len = snprintf(line, sizeof(line), "- %s\n", prefix);
	return add_text(lines, line, len);
}

void fleet_lines_free(struct fleet_lines *lines)
{
	free(lines->text);
	*lines = (struct fleet_lines){};
}

/* ---- Writing ------------------------------------------------------------------------------- */

int fleet_journal_write(const struct fleet_conf *conf, const struct fleet_shared *names,
			const struct fleet_entries *entries, struct pb_error *error)
{
	char name[NAME_ROOM], path[FLEET_PATH_MAX], head[128];
	struct fleet_lines lines = {};
	int len = snprintf(head, sizeof(head), HEAD "%.80s\n", fleet_boot());
	int err = add_text(&lines, head, len);

	name_of(names, name);
	for (size_t i = 0; !err && i < entries->nr; i++)
		if (entries->list[i].applied)
			err = fleet_lines_add(&lines, &entries->list[i]);
	if (err)
		fleet_fail_memory(error);
	else
		err = fleet_file_write(conf->state, name, END, lines.text, false, path, error);
	fleet_lines_free(&lines);
	return err;
}

int fleet_journal_append(const struct fleet_conf *conf, const struct fleet_shared *names,
			 const struct fleet_lines *lines, struct pb_error *error)
{
	char path[FLEET_PATH_MAX];
	size_t done = 0;
	int fd, err = 0;

	path_of(conf, names, path);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return fleet_fail(error, errno, "cannot write %s: %s", path, strerror(errno));
	while (!err && done < lines->len) {
		ssize_t wrote = write(fd, lines->text + done, lines->len - done);

		if (wrote > 0)
			done += wrote;
		else if (wrote < 0 && errno != EINTR)
			err = fleet_fail(error, errno, "cannot write %s: %s", path,
					 strerror(errno));
	}
	close(fd);
	return err;
}

/* ---- Reading ------------------------------------------------------------------------------- */

static int take_line(const char *line, bool otherwise, struct fleet_entries *entries)
{
	char sign, prefix[FLEET_PREFIX_TEXT], before[24] = "-";
	struct fleet_entry *entry;
	struct pb_prefix read;
	unsigned long long expires = 0;
	int nr = sscanf(line, "%c %55s %llu %23s", &sign, prefix, &expires, before);

	if (nr < 2 || (sign != '+' && sign != '-') || (sign == '+' && nr != 4) ||
	    fleet_prefix_read(prefix, &read, NULL))
		return 0;
	entry = fleet_entries_make(entries, &read);
	if (!entry)
		return -ENOMEM;
	entry->applied = entry->restored = sign == '+';
	entry->otherwise = otherwise;
	entry->expires = expires;
	/* A time of another life of the kernel says nothing here. */
	entry->had = *before != '-' && (!otherwise || !strcmp(before, "0"));
	entry->before = strtoull(before, NULL, 10);
	return 0;
}

static int read_lines(FILE *file, struct fleet_entries *entries)
{
	char line[LINE_ROOM], *end;
	bool otherwise;
	int err = 0;

	if (!fgets(line, sizeof(line), file) || strncmp(line, HEAD, strlen(HEAD)))
		return 0;
	end = strchrnul(line, '\n');
	*end = '\0';
	otherwise = strcmp(line + strlen(HEAD), fleet_boot());
	while (!err && fgets(line, sizeof(line), file))
		err = take_line(line, otherwise, entries);
	return err;
}

int fleet_journal_read(const struct fleet_conf *conf, const struct fleet_shared *names,
		       struct fleet_entries *entries)
{
	char path[FLEET_PATH_MAX];
	FILE *file;
	int err;

	path_of(conf, names, path);
	file = fopen(path, "re");
	if (!file)
		return 0;
	err = read_lines(file, entries);
	fclose(file);
	return err;
}
