// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Elements of sets as they are written: words, and lists as they are published, which may have a million
 * lines and are not held in memory.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "rule/element.h"
#include "rule/prefix.h"
#include "util/array.h"
#include "util/error.h"
#include "util/files.h"
#include "util/lines.h"

struct elements {
	struct pb_element *list;
	size_t nr;
	size_t room;
	struct pb_masked masked;
};

/* ---- In memory ----------------------------------------------------------------------------- */

int pb_element_order(const void *a, const void *b)
{
	const struct pb_element *left = a, *right = b;

	return pb_prefix_order(&left->prefix, &right->prefix);
}

static bool is_sorted(const struct elements *elements)
{
	for (size_t i = 1; i < elements->nr; i++)
		if (pb_element_order(&elements->list[i - 1], &elements->list[i]) > 0)
			return false;
	return true;
}

/* Sorted, each once. Published lists are sorted already, most of them. */
static void put_in_order(struct elements *elements)
{
	size_t nr = 0;

	if (!is_sorted(elements))
		qsort(elements->list, elements->nr, sizeof(*elements->list), pb_element_order);
	for (size_t i = 0; i < elements->nr; i++)
		if (!nr || pb_element_order(&elements->list[nr - 1], &elements->list[i]))
			elements->list[nr++] = elements->list[i];
	elements->nr = nr;
}

/* Where there are `most` of them, puts them in order: lists that were put together name many twice. */
static int settle(struct elements *elements, size_t most, struct pb_error *error)
{
	if (elements->nr < most)
		return 0;
	put_in_order(elements);
	if (elements->nr <= PB_SET_LIMIT)
		return 0;
	return pb_fail(error, E2BIG, "more than %u elements: no set has room for them",
		       PB_SET_LIMIT);
}

static int add(const char *word, void *ctx, struct pb_error *error)
{
	struct elements *elements = ctx;
	struct pb_element element = { .expires = 0 }, *grown;
	int err = pb_prefix_read(word, &element.prefix, &elements->masked, error);

	if (!err)
		err = settle(elements, 2 * (size_t)PB_SET_LIMIT, error);
	if (err)
		return err;
	grown = pb_grow(elements->list, elements->nr, &elements->room, sizeof(*grown));
	if (!grown)
		return pb_fail_memory(error);
	elements->list = grown;
	grown[elements->nr++] = element;
	return 0;
}

/* ---- Words of a line: by hand, since strcspn() makes its table each time --------------------- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static char *skip_space(char *at)
{
	while (is_space(*at))
		at++;
	return at;
}

static char *skip_word(char *at)
{
	static const bool ends[256] = {
		['\0'] = true, [' '] = true, ['\t'] = true, ['\r'] = true, ['\v'] = true,
		['\f'] = true, [','] = true, [';'] = true,  ['#'] = true
	};

	while (!ends[(unsigned char)*at])
		at++;
	return at;
}

/* ---- Lists --------------------------------------------------------------------------------- */

struct list_reader {
	const char *path;
	unsigned long line;
	struct elements *elements;
};

static int fail_here(const struct list_reader *in, int err, const char *message,
		     struct pb_error *error)
{
	if (err != -EINVAL)
		return pb_fail(error, -err, "%.400s: %s", in->path, message);
	return pb_fail(error, EINVAL, "%.400s:%lu: %s", in->path, in->line, message);
}

static int fail_cut(const struct list_reader *in, const char *word, struct pb_error *error)
{
	struct pb_error message;

	return fail_here(in,
			 pb_fail(&message, EINVAL,
				 "%s has bits behind its length, and its line has no end: the list "
				 "may have been cut off there",
				 PB_Q(word)),
			 message.text, error);
}

/* Whoever writes two addresses in a line means both, or all between them. */
static int check_rest(const struct list_reader *in, char *rest, struct pb_error *error)
{
	struct pb_prefix other;
	struct pb_error message;
	char *word = rest, *end;

	while (is_space(*word) || *word == ',' || *word == '-')
		word++;
	end = skip_word(word);
	if (end == word)
		return 0;
	*end = '\0';
	if (pb_prefix_parse(word, &other, NULL, NULL))
		return 0;
	return fail_here(
		in, pb_fail(&message, EINVAL, "a second address, %s: a line has one", PB_Q(word)),
		message.text, error);
}

/* One line, without its end; `cut`: it had none. */
static int read_line(char *line, unsigned long number, bool cut, void *context,
		     struct pb_error *error)
{
	struct list_reader *in = context;
	char *word = skip_space(line), *end = skip_word(word), after = *end;
	size_t masked = in->elements->masked.nr;
	struct pb_error inner;
	int err;

	in->line = number;
	if (end == word && after != ',')
		return 0;
	*end = '\0';
	err = add(end == word ? "," : word, in->elements, &inner);
	if (err)
		return fail_here(in, err, inner.text, error);
	if (cut && masked < in->elements->masked.nr)
		return fail_cut(in, word, error);
	*end = after;
	return check_rest(in, end, error);
}

static int read_open(struct list_reader *in, int fd, struct pb_error *error)
{
	int err = pb_lines_each(fd, in->path, read_line, in, error);
	struct pb_error inner;

	if (err)
		return err;
	err = settle(in->elements, 0, &inner);
	return err ? fail_here(in, err, inner.text, error) : 0;
}

static int open_path(const char *path, bool any, int *fd, struct pb_error *error)
{
	struct stat about;

	return any ? pb_file_open_stream(path, fd, error) :
		     pb_file_open(path, false, fd, &about, error);
}

static int read_path(const char *path, bool any, struct elements *elements, struct pb_error *error)
{
	bool standard = !strcmp(path, "-");
	struct list_reader in = { .path = standard ? "standard input" : path,
				  .elements = elements };
	int fd = STDIN_FILENO, err = standard ? 0 : open_path(path, any, &fd, error);

	if (!err)
		err = read_open(&in, fd, error);
	if (!standard && fd != STDIN_FILENO)
		close(fd);
	return err;
}

/* ---- Handed over --------------------------------------------------------------------------- */

static int finish(struct elements *made, int err, struct pb_element **elements, size_t *nr,
		  struct pb_error *note, struct pb_error *error)
{
	if (!err)
		err = pb_masked_note(&made->masked, note, error);
	if (err) {
		free(made->list);
		return err;
	}
	*elements = made->list;
	*nr = made->nr;
	return 0;
}

int pb_elements_read_beside(const char *name, const char *from, struct pb_element **elements,
			    size_t *nr, struct pb_error *note, struct pb_error *error)
{
	struct elements made = { 0 };
	char *path = pb_file_beside(name, from);
	int err = path ? read_path(path, false, &made, error) : pb_fail_memory(error);

	free(path);
	return finish(&made, err, elements, nr, note, error);
}

int pb_elements_read(const char *path, struct pb_element **elements, size_t *nr,
		     struct pb_error *note, struct pb_error *error)
{
	struct elements made = { 0 };
	int err = read_path(path, true, &made, error);

	return finish(&made, err, elements, nr, note, error);
}

static int check_file(const char *text, struct pb_error *error)
{
	if (strchr(text, '/'))
		return 0;
	return pb_fail(error, EINVAL, "%s has no slash, and so is no file: write as in @./FILE",
		       PB_Q(text));
}

int pb_elements_parse(const char *text, struct pb_element **elements, size_t *nr,
		      struct pb_error *note, struct pb_error *error)
{
	struct elements made = { 0 };
	int err;

	if (*text == '@') {
		err = check_file(text, error);
		return err ?: pb_elements_read(text + 1, elements, nr, note, error);
	}
	err = pb_list_each(text, "elements", add, &made, error) ?: settle(&made, 0, error);
	return finish(&made, err, elements, nr, note, error);
}
