// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fleet-rules.h"
#include "fleet/file-rules.h"

/* ---- Text to rules --------------------------------------------------------------------------- */

/* The library reads files: here is one that has no name and no neighbours. -1: errno. */
static int file_of(const char *text)
{
	int fd = memfd_create("rules", MFD_CLOEXEC);
	size_t len = strlen(text), done = 0;
	ssize_t wrote = 0;

	while (fd >= 0 && done < len && wrote >= 0) {
		wrote = write(fd, text + done, len - done);
		done += wrote > 0 ? wrote : 0;
	}
	if (wrote >= 0 && fd >= 0 && !lseek(fd, 0, SEEK_SET))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* "/proc/self/fd/7:3: ..." is "NAME:3: ..." */
static void print_problems(const struct pb_problems *problems, const char *path, const char *name)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < problems->nr; i++) {
		const char *text = problems->list[i].text;
		bool ours = !strncmp(text, path, len);

		note("%s%s", ours ? name : "", ours ? text + len : text);
	}
	if (problems->more)
		note("and %zu more like these", problems->more);
}

static int read_alone(const char *text, const char *name, struct pb_rules **rules)
{
	struct pb_problems *problems = calloc(1, sizeof(*problems));
	int fd = file_of(text), ret = FAILED;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!problems)
		out_of_memory();
	else if (fd < 0)
		note("%s: %s", name, strerror(errno));
	else if (pb_rules_read(path, pb_clock(), rules, problems, NULL))
		print_problems(problems, path, name);
	else
		ret = DONE;
	if (fd >= 0)
		close(fd);
	free(problems);
	return ret;
}

/* Whoever wrote it into etcd is not to have files of this host read. */
int rules_of_text(const char *text, const char *name, struct pb_rules **rules)
{
	struct pb_error error;

	if (!fleet_rules_alone(text, &error))
		return read_alone(text, name, rules);
	note("%s: %s", name, error.text);
	return FAILED;
}

/* ---- File to text ---------------------------------------------------------------------------- */

static bool ends_in_json(const char *path)
{
	size_t len = strlen(path);

	return len > 5 && !strcmp(path + len - 5, ".json");
}

static int too_large(const char *path)
{
	note("%s has more than the %d bytes that fit into etcd", path, FLEET_VALUE_MAX);
	return FAILED;
}

/* All of it, as it is. */
static int read_text(const char *path, char **text)
{
	char *made = malloc(FLEET_VALUE_MAX + 1);
	FILE *file = fopen(path, "re");
	size_t len = made && file ? fread(made, 1, FLEET_VALUE_MAX + 1, file) : 0;
	int ret = DONE;

	if (!made)
		ret = out_of_memory();
	else if (!file || ferror(file))
		ret = (note("%s: %s", path, strerror(errno)), FAILED);
	else if (len > FLEET_VALUE_MAX)
		ret = too_large(path);
	else
		made[len] = '\0';
	if (file)
		fclose(file);
	if (ret == DONE)
		*text = made;
	else
		free(made);
	return ret;
}

static int format(const struct pb_rules *rules, char **text)
{
	return pb_rules_format(rules, pb_clock(), text) ? out_of_memory() : DONE;
}

/* As hosts will read it. */
static int check_text(const char *path, const char *text)
{
	struct pb_error error;
	struct pb_rules *rules;
	int ret;

	ret = rules_of_text(text, path, &rules);
	if (ret != DONE)
		return ret;
	if (pb_rules_check(rules, PB_RULES_LIMIT, &error))
		ret = fail(&error);
	pb_rules_free(rules);
	return ret;
}

int fleet_file_read(const char *path, char **text)
{
	struct pb_rules *rules;
	char *made = NULL;
	int ret = read_file(path, &rules);

	if (ret != DONE)
		return ret;
	if (!strcmp(path, "-") || ends_in_json(path))
		ret = format(rules, &made);
	else
		ret = read_text(path, &made);
	pb_rules_free(rules);
	if (ret == DONE)
		ret = check_text(path, made);
	if (ret == DONE)
		*text = made;
	else
		free(made);
	return ret;
}
