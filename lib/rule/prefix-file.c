// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Words of a file of prefixes: white space or commas between, # comments. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "rule/prefix.h"
#include "util/error.h"
#include "util/files.h"
#include "util/text.h"

#define SPACE " \t\n\v\f\r,"

#define WORD_MAX 127

struct reader {
	const char *path;
	char *at;
	unsigned long line;
};

static int fail_here(const struct reader *in, const char *message, struct pb_error *error)
{
	return pb_fail(error, EINVAL, "%.400s:%lu: %s", in->path, in->line, message);
}

/* Moves behind white space, commas and comments. */
static void skip(struct reader *in)
{
	while (*in->at && strchr(SPACE "#", *in->at)) {
		in->line += *in->at == '\n';
		in->at += *in->at == '#' ? strcspn(in->at, "\n") : 1;
	}
}

/* Hands the next word to `item`. */
static int read_word(struct reader *in, pb_list_item *item, void *ctx, struct pb_error *error)
{
	size_t len = strcspn(in->at, SPACE "#");
	char end = in->at[len];
	struct pb_error inner;
	int err;

	if (len > WORD_MAX)
		return fail_here(in, "a word far too long for a prefix", error);
	in->at[len] = '\0';
	err = item(in->at, ctx, &inner);
	in->at[len] = end;
	in->at += len;
	return err == -EINVAL ? fail_here(in, inner.text, error) :
	       err	      ? pb_fail(error, -err, "%s", inner.text) :
				0;
}

static int read_words(struct reader *in, pb_list_item *item, void *ctx, struct pb_error *error)
{
	int err = 0;

	for (skip(in); *in->at && !err; skip(in))
		err = read_word(in, item, ctx, error);
	return err;
}

static int read_open(int fd, const char *path, pb_list_item *item, void *ctx,
		     struct pb_error *error)
{
	struct reader in = { .path = path, .line = 1 };
	struct pb_error inner;
	unsigned long line;
	char *text;
	int err = pb_file_read(fd, path, &text, &line, &inner);

	if (err && line)
		return pb_fail(error, -err, "%.400s:%lu: %s", path, line, inner.text);
	if (err)
		return pb_fail(error, -err, "%.400s: %s", path, inner.text);
	in.at = text;
	err = read_words(&in, item, ctx, error);
	free(text);
	return err;
}

static int read_path(const char *path, pb_list_item *item, void *ctx, struct pb_error *error)
{
	struct pb_error inner;
	struct stat about;
	int fd, err = pb_file_open(path, false, &fd, &about, &inner);

	if (err)
		return pb_fail(error, -err, "a file of prefixes: %s", inner.text);
	err = read_open(fd, path, item, ctx, error);
	close(fd);
	return err;
}

int pb_prefix_file_each(const char *name, const char *from, pb_list_item *item, void *ctx,
			struct pb_error *error)
{
	char *path;
	int err;

	path = pb_file_beside(name, from);
	if (!path)
		return pb_fail_memory(error);
	err = read_path(path, item, ctx, error);
	free(path);
	return err;
}
