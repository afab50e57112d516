// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Words of a file of prefixes: white space or commas between, # comments. */
#include <stdlib.h>
#include <string.h>
#include "error.h"
#include "text.h"

struct reader {
	const char *path;
	FILE *file;
	unsigned long line;
	char word[128];
	size_t len;
};

static int fail_here(const struct reader *in, const char *message, struct pb_error *error)
{
	return pb_fail(error, EINVAL, "%.400s:%lu: %s", in->path, in->line, message);
}

/* Hands the word that has ended to `item`. */
static int end_word(struct reader *in, pb_list_item *item, void *ctx, struct pb_error *error)
{
	struct pb_error inner = { 0 };
	int err;

	if (!in->len)
		return 0;
	in->word[in->len] = '\0';
	in->len = 0;
	err = item(in->word, ctx, &inner);
	return err == -EINVAL ? fail_here(in, inner.text, error) :
	       err	      ? pb_fail(error, -err, "%s", inner.text) :
				0;
}

static int add_char(struct reader *in, int c, struct pb_error *error)
{
	if (!c)
		return fail_here(in, "a NUL byte: this is not a text file", error);
	if (in->len == sizeof(in->word) - 1)
		return fail_here(in, "a word far too long for a prefix", error);
	in->word[in->len++] = c;
	return 0;
}

static int skip_comment(struct reader *in)
{
	int c;

	do
		c = getc_unlocked(in->file);
	while (c != EOF && c != '\n');
	return c;
}

static int read_words(struct reader *in, pb_list_item *item, void *ctx, struct pb_error *error)
{
	int c, err = 0;

	do {
		c = getc_unlocked(in->file);
		if (c == '#')
			c = skip_comment(in);
		if (c == EOF || (c && strchr(" \t\n\v\f\r,", c)))
			err = end_word(in, item, ctx, error);
		else
			err = add_char(in, c, error);
		in->line += c == '\n';
	} while (c != EOF && !err);
	return err;
}

int pb_prefix_file_each(const char *path, pb_list_item *item, void *ctx, struct pb_error *error)
{
	struct reader in = { .path = path, .line = 1 };
	int err;

	if (!*path)
		return pb_fail(error, EINVAL, "\"@\" lacks a file name: write @FILE");
	in.file = fopen(path, "re");
	if (!in.file)
		return pb_fail(error, errno, "cannot open %s, a file of prefixes: %s", PB_Q(path),
			       strerror(errno));
	err = read_words(&in, item, ctx, error);
	if (!err && ferror(in.file))
		err = pb_fail(error, errno, "cannot read %s: %s", PB_Q(path), strerror(errno));
	fclose(in.file);
	return err;
}
