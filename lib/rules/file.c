// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Rulesets in files: opening them and what they include, and which form they are in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "rules/file.h"
#include "util/error.h"
#include "util/escape.h"
#include "util/files.h"

#define INCLUDES_MAX 16

/* The files being read, each included by the one behind it: to refuse circles. */
struct chain {
	dev_t device;
	ino_t inode;
};
static __thread struct chain chain[INCLUDES_MAX];
static __thread size_t chain_length;

static bool enter(const struct stat *about)
{
	if (chain_length == INCLUDES_MAX)
		return false;
	for (size_t i = 0; i < chain_length; i++)
		if (S_ISREG(about->st_mode) && chain[i].device == about->st_dev &&
		    chain[i].inode == about->st_ino)
			return false;
	chain[chain_length++] = (struct chain){ about->st_dev, about->st_ino };
	return true;
}

static bool is_json(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && !strcmp(dot, ".json");
}

static void read_open(struct pb_reading *reading, int fd, const char *path)
{
	struct pb_error error;
	unsigned long line;
	char *text;

	if (pb_file_read(fd, path, &text, &line, &error)) {
		pb_problem_add(reading->problems, path, line, error.text);
		return;
	}
	(is_json(path) ? pb_read_json : pb_read_text)(reading, path, text);
	free(text);
}

/* A file that is included is one; what the user himself names may be a pipe or a terminal. */
static int open_path(const char *path, bool included, int *fd, struct stat *about,
		     struct pb_error *error)
{
	if (included || strcmp(path, "-"))
		return pb_file_open(path, !included, fd, about, error);
	*fd = STDIN_FILENO;
	if (fstat(*fd, about))
		return pb_fail(error, errno, "no standard input: %s", strerror(errno));
	return 0;
}

static void read_path(struct pb_reading *reading, const char *path, const char *from,
		      unsigned long line)
{
	struct pb_error error;
	struct stat about;
	int fd;

	if (open_path(path, from, &fd, &about, &error)) {
		pb_problem_add(reading->problems, from ?: path, line, error.text);
		return;
	}
	if (enter(&about)) {
		read_open(reading, fd, fd == STDIN_FILENO ? "standard input" : path);
		chain_length--;
	} else {
		pb_fail(&error, ELOOP,
			"include %s leads back to a file that is being read, or "
			"includes are deeper than %d",
			PB_Q(path), INCLUDES_MAX);
		pb_problem_add(reading->problems, from ?: path, line, error.text);
	}
	if (fd != STDIN_FILENO)
		close(fd);
}

int pb_rules_read(const char *path, __u64 now, struct pb_rules **rules,
		  struct pb_problems *problems, struct pb_problems *notes)
{
	struct pb_reading reading = { pb_rules_new(), now, problems, notes, read_path };

	memset(problems, 0, sizeof(*problems));
	if (notes)
		memset(notes, 0, sizeof(*notes));
	pb_files_begin();
	if (reading.rules)
		read_path(&reading, path, NULL, 0);
	else
		pb_problem_add(problems, path, 0, "out of memory");
	pb_files_end();
	if (problems->nr) {
		pb_rules_free(reading.rules);
		return -EINVAL;
	}
	*rules = reading.rules;
	return 0;
}
