// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "util/error.h"
#include "util/lines.h"

#define BUFFER 262144 /* twice the longest line */

struct reader {
	const char *path;
	unsigned long line;
	pb_line_function *function;
	void *context;
};

static int hand_on(struct reader *in, char *line, bool cut, struct pb_error *error)
{
	return in->function(line, ++in->line, cut, in->context, error);
}

/* The lines that have ended; `len` becomes what is left over, at the buffer's beginning. */
static int read_lines(struct reader *in, char *buffer, size_t *len, struct pb_error *error)
{
	char *line = buffer, *end;
	int err = 0;

	while (!err && (end = memchr(line, '\n', buffer + *len - line))) {
		*end = '\0';
		err = hand_on(in, line, false, error);
		line = end + 1;
	}
	*len -= line - buffer;
	memmove(buffer, line, *len);
	return err;
}

static int check_text(const struct reader *in, const char *text, size_t len, size_t left,
		      struct pb_error *error)
{
	if (memchr(text, '\0', len))
		return pb_fail(
			error, EINVAL,
			"%.400s is no text: it holds a NUL byte. Is it compressed, or UTF-16?",
			in->path);
	if (left + len > BUFFER / 2 && !memchr(text, '\n', len))
		return pb_fail(error, EINVAL, "%.400s:%lu: a line far too long", in->path,
			       in->line + 1);
	return 0;
}

/* Editors of another system begin a file so. */
static size_t mark_of(const char *text, size_t len)
{
	return len > 2 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
}

static int read_buffered(struct reader *in, int fd, char *buffer, struct pb_error *error)
{
	size_t len = 0, mark;
	ssize_t more = 1;
	int err = 0;

	while (!err && more) {
		more = read(fd, buffer + len, BUFFER - len);
		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			return pb_fail(error, errno, "%.400s: cannot read it: %s", in->path,
				       strerror(errno));
		err = check_text(in, buffer + len, more, len, error);
		len += more;
		mark = in->line ? 0 : mark_of(buffer, len);
		memmove(buffer, buffer + mark, len -= mark);
		if (!err)
			err = read_lines(in, buffer, &len, error);
	}
	buffer[len] = '\0';
	return err || !len ? err : hand_on(in, buffer, true, error);
}

int pb_lines_each(int fd, const char *path, pb_line_function *function, void *context,
		  struct pb_error *error)
{
	struct reader in = { .path = path, .function = function, .context = context };
	char *buffer = malloc(BUFFER + 1);
	int err = buffer ? read_buffered(&in, fd, buffer, error) : pb_fail_memory(error);

	free(buffer);
	return err;
}
