// SPDX-License-Identifier: GPL-2.0-only
/*
 * Elements on standard input, from whatever watches a host: a line each, in force when it was read. The lines that
 * one read(2) gives are applied together, so that a long list costs a few changes, and one line none but its own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "set.h"

#define BUFFER 262144
#define BATCH (BUFFER / 2)

#define SPACE " \t\r\v\f"

struct reader {
	struct set_stream *stream;
	char *buffer;
	size_t len;
	bool skips;	    /* the rest of a line that was too long */
	unsigned long line; /* as is counted in messages */
	bool bad;	    /* a line was */
	bool noted;	    /* that bits behind the length do not count */
	struct pb_element *batch;
	unsigned long *lines; /* of which each of them is */
	size_t nr;
};

static void complain(struct reader *in, unsigned long line, const char *text)
{
	note("standard input:%lu: %s", line, text);
	in->bad = true;
}

/* ---- What was read -------------------------------------------------------------------------- */

static int apply(struct reader *in, const struct pb_element *elements, size_t nr,
		 struct pb_error *error)
{
	struct set_stream *stream = in->stream;
	struct pb_prefix *prefixes;
	int err;

	if (stream->add) {
		err = pb_set_add(stream->ruleset, stream->name, elements, nr, error);
	} else {
		prefixes = set_prefixes(elements, nr);
		err = prefixes ? pb_set_del(stream->ruleset, stream->name, prefixes, nr, error) :
				 lack_memory(error);
		free(prefixes);
	}
	if (!err)
		stream->applied += nr;
	return err;
}

/* There is no room for all of them: for some there is, and the others are named. */
static int apply_each(struct reader *in, size_t first, size_t end, struct pb_error *error)
{
	int err = 0;

	for (size_t i = first; !err && i < end; i++) {
		err = apply(in, &in->batch[i], 1, error);
		if (err != -ENOSPC)
			continue;
		complain(in, in->lines[i], error->text);
		err = 0;
	}
	return err;
}

static int apply_some(struct reader *in, size_t first, size_t end)
{
	struct pb_error error;
	int err = end > first ? apply(in, &in->batch[first], end - first, &error) : 0;

	if (err == -ENOSPC)
		err = apply_each(in, first, end, &error);
	return err ? fail(&error) : DONE;
}

/* Is this one left out, since it would cut the SSH connection in use? What is before it is applied. */
static bool is_refused(struct reader *in, size_t i)
{
	const struct set_stream *stream = in->stream;
	const struct pb_set_prospect set = {
		.name = stream->name,
		.elements = &in->batch[i],
		.nr = stream->add,
		.gone = &in->batch[i].prefix,
		.nr_gone = !stream->add,
	};
	struct pb_error error;

	if (!set_guard_ask(&stream->guard, &set, &error))
		return false;
	complain(in, in->lines[i], error.text);
	return true;
}

static int apply_batch(struct reader *in)
{
	size_t done = 0;
	int ret = DONE;

	for (size_t i = 0; ret == DONE && i < in->nr; i++) {
		if (!set_guard_concerns(&in->stream->guard, &in->batch[i].prefix))
			continue;
		ret = apply_some(in, done, i);
		done = ret == DONE && is_refused(in, i) ? i + 1 : i;
	}
	if (ret == DONE)
		ret = apply_some(in, done, in->nr);
	in->nr = 0;
	return ret;
}

/* ---- Lines ---------------------------------------------------------------------------------- */

/* The next word, ended; NULL: there is none, or it begins a comment. */
static char *next_word(char **at)
{
	char *word = *at + strspn(*at, SPACE);

	*at = word + strcspn(word, SPACE "#;");
	if (*at == word)
		return NULL;
	if (**at == '#' || **at == ';')
		**at = '\0';
	else if (**at)
		*(*at)++ = '\0';
	return word;
}

static int not_wanted(const char *word, const char *what, struct pb_error *error)
{
	snprintf(error->text, sizeof(error->text), "'%.100s' is not wanted here: a line has %s",
		 word, what);
	return -EINVAL;
}

/* What stands behind the prefix: how long it counts; where it is taken out that does not matter. */
static int read_rest(struct reader *in, char *at, __u64 *expires, struct pb_error *error)
{
	__u64 timeout = in->stream->timeout;
	char *word = next_word(&at), *other = word ? next_word(&at) : NULL;
	struct pb_prefix prefix;
	int err = 0;

	if (!in->stream->add)
		return word && !pb_prefix_parse(word, &prefix, NULL, NULL) ?
			       not_wanted(word, "one address", error) :
			       0;
	if (word)
		err = pb_timeout_parse(word, &timeout, error);
	if (!err && other)
		err = not_wanted(other, "an address and, at most, its time", error);
	*expires = set_expiry(timeout);
	return err;
}

static int check_masked(struct reader *in, const char *word, const struct pb_prefix *prefix,
			bool cut, struct pb_error *error)
{
	char text[ELEMENT_TEXT];

	if (cut) {
		snprintf(
			error->text, sizeof(error->text),
			"'%.100s' has bits behind its length, and its line has no end: it may have "
			"been cut off there",
			word);
		return -EINVAL;
	}
	if (!in->noted)
		note("standard input:%lu: '%.100s' is taken as %s (bits behind the length do not "
		     "count), and others like it likewise",
		     in->line, word, element_text(prefix, false, text));
	in->noted = true;
	return 0;
}

static int read_element(struct reader *in, char *line, bool cut, struct pb_element *element,
			struct pb_error *error)
{
	char *word = next_word(&line);
	bool masked = false;
	int err = pb_prefix_parse(word, &element->prefix, &masked, error);

	if (!err)
		err = read_rest(in, line, &element->expires, error);
	if (!err && masked)
		err = check_masked(in, word, &element->prefix, cut, error);
	return err;
}

static void read_line(struct reader *in, char *line, size_t len, bool cut)
{
	struct pb_element element = {};
	struct pb_error error;

	in->line++;
	if (strlen(line) < len) {
		complain(in, in->line, "a NUL byte: this is no text");
		return;
	}
	if (!line[strspn(line, SPACE)] || strchr("#;", line[strspn(line, SPACE)]))
		return;
	if (read_element(in, line, cut, &element, &error)) {
		complain(in, in->line, error.text);
		return;
	}
	in->batch[in->nr] = element;
	in->lines[in->nr++] = in->line;
}

/* Takes the lines that have ended; what is left over moves to the buffer's beginning. */
static void read_lines(struct reader *in)
{
	char *line = in->buffer, *end;

	while ((end = memchr(line, '\n', in->buffer + in->len - line))) {
		*end = '\0';
		if (!in->skips)
			read_line(in, line, end - line, false);
		in->skips = false;
		line = end + 1;
	}
	in->len -= line - in->buffer;
	memmove(in->buffer, line, in->len);
	if (in->len < BUFFER)
		return;
	if (!in->skips)
		complain(in, ++in->line, "a line far too long");
	in->skips = true;
	in->len = 0;
}

static int read_all(struct reader *in)
{
	ssize_t more;

	while ((more = read(STDIN_FILENO, in->buffer + in->len, BUFFER - in->len))) {
		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0) {
			note("cannot read standard input: %s", strerror(errno));
			return FAILED;
		}
		in->len += more;
		read_lines(in);
		if (apply_batch(in) != DONE)
			return FAILED;
	}
	in->buffer[in->len] = '\0';
	if (in->len && !in->skips)
		read_line(in, in->buffer, in->len, true);
	return apply_batch(in);
}

int set_stream(struct set_stream *stream)
{
	struct reader in = { .stream = stream };
	int ret;

	in.buffer = malloc(BUFFER + 1);
	in.batch = calloc(BATCH, sizeof(*in.batch));
	in.lines = calloc(BATCH, sizeof(*in.lines));
	if (in.buffer && in.batch && in.lines)
		ret = read_all(&in);
	else
		ret = out_of_memory();
	free(in.buffer);
	free(in.batch);
	free(in.lines);
	return in.bad ? FAILED : ret;
}
