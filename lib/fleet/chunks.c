// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fleet/chunks.h"
#include "fleet/error.h"
#include "fleet/records.h"
#include "fleet/set-keys.h"
#include "fleet/shape.h"

/* A chunk ends behind one line of so many, more or less. */
#define LINES 1024

/* ---- Cutting ------------------------------------------------------------------------------- */

struct cutter {
	struct fleet_chunk *chunks;
	size_t nr, room;
	char text[FLEET_CHUNK_MAX + 1];
	size_t len;
};

/* FNV-1a: it is to be the same on all hosts and for ever, and nothing more. */
static bool ends_chunk(const char *line, size_t len)
{
	__u64 hash = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)line[i]) * 0x100000001b3ULL;
	return !((hash ^ hash >> 32) % LINES);
}

static int end_chunk(struct cutter *cutter)
{
	const char *const text = cutter->text;
	struct fleet_chunk *chunk;

	if (!cutter->len)
		return 0;
	if (cutter->nr == cutter->room) {
		size_t room = cutter->room ? cutter->room * 2 : 16;

		chunk = reallocarray(cutter->chunks, room, sizeof(*chunk));
		if (!chunk)
			return -ENOMEM;
		cutter->chunks = chunk;
		cutter->room = room;
	}
	cutter->text[cutter->len] = '\0';
	chunk = &cutter->chunks[cutter->nr];
	if (fleet_hash(&text, 1, chunk->digest))
		return -ENOMEM;
	chunk->text = strdup(text);
	if (!chunk->text)
		return -ENOMEM;
	cutter->nr++;
	cutter->len = 0;
	return 0;
}

static int add_line(struct cutter *cutter, const struct pb_prefix *prefix)
{
	char line[FLEET_PREFIX_TEXT + 1];
	size_t len;
	int err = 0;

	fleet_prefix_text(prefix, line);
	len = strlen(line);
	line[len++] = '\n';
	if (cutter->len + len > FLEET_CHUNK_MAX)
		err = end_chunk(cutter);
	if (err)
		return err;
	memcpy(cutter->text + cutter->len, line, len);
	cutter->len += len;
	return ends_chunk(line, len) ? end_chunk(cutter) : 0;
}

int fleet_chunks_cut(const struct pb_element *elements, size_t nr, struct fleet_chunk **chunks,
		     size_t *nr_chunks)
{
	struct cutter *cutter = calloc(1, sizeof(*cutter));
	int err = cutter ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < nr; i++)
		err = add_line(cutter, &elements[i].prefix);
	if (!err)
		err = end_chunk(cutter);
	if (!err) {
		*chunks = cutter->chunks;
		*nr_chunks = cutter->nr;
	} else if (cutter) {
		fleet_chunks_free(cutter->chunks, cutter->nr);
	}
	free(cutter);
	return err;
}

void fleet_chunks_free(struct fleet_chunk *chunks, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		free(chunks[i].text);
	free(chunks);
}

/* ---- Reading ------------------------------------------------------------------------------- */

/* Nothing stands behind an address in what `fleet set load` has written. */
static int read_lines(char *text, struct pb_prefix *prefixes, size_t *nr, const char *what,
		      struct pb_error *error)
{
	struct pb_error why;
	unsigned long at = 0;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		at++;
		if (!*line && !text)
			break;
		if (fleet_prefix_read(line, &prefixes[*nr], &why))
			return fleet_fail(error, EINVAL, "%s:%lu: %s", what, at, why.text);
		++*nr;
	}
	return 0;
}

static size_t count_lines(const char *text)
{
	size_t nr = 1;

	while ((text = strchr(text, '\n'))) {
		nr++;
		text++;
	}
	return nr;
}

static int check(const char *text, size_t len, const char *digest, const char *what,
		 struct pb_error *error)
{
	char hash[FLEET_HASH_LEN];

	if (len > FLEET_CHUNK_MAX)
		return fleet_fail(error, EINVAL, "%s has %zu bytes, and may have %d", what, len,
				  FLEET_CHUNK_MAX);
	if (strlen(text) != len)
		return fleet_fail(error, EINVAL, "%s is no text", what);
	if (fleet_hash(&text, 1, hash))
		return fleet_fail_memory(error);
	if (strcmp(hash, digest))
		return fleet_fail(error, EINVAL, "%s is not what it was: its SHA-256 is %s now",
				  what, hash);
	return 0;
}

int fleet_chunk_read(const char *text, size_t len, const char *digest, const char *what,
		     struct pb_prefix **prefixes, size_t *nr, struct pb_error *error)
{
	int err = check(text, len, digest, what, error);
	struct pb_prefix *made;
	size_t nr_made = 0;
	char *copy;

	if (err)
		return err;
	copy = strdup(text);
	made = calloc(count_lines(text), sizeof(*made));
	if (copy && made)
		err = read_lines(copy, made, &nr_made, what, error);
	else
		err = fleet_fail_memory(error);
	free(copy);
	if (err) {
		free(made);
		return err;
	}
	*prefixes = made;
	*nr = nr_made;
	return 0;
}

/* ---- The list ------------------------------------------------------------------------------ */

static const struct fleet_field fields[] = {
	{ "digests", FLEET_WORDS, true, offsetof(struct fleet_set_list, digests), FLEET_CHUNKS_MAX,
	  NULL, NULL },
	{ "nr", FLEET_COUNT, true, offsetof(struct fleet_set_list, nr), PB_SET_LIMIT, NULL, NULL },
	{ NULL, 0, false, 0, 0, NULL, NULL },
};
static const struct fleet_shape shape = { sizeof(struct fleet_set_list), fields };

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_digests(const struct fleet_set_list *list, const char *what,
			 struct pb_error *error)
{
	size_t nr = list->nr_digests;
	char **sorted = calloc(nr + 1, sizeof(*sorted));
	int err = sorted ? 0 : fleet_fail_memory(error);

	for (size_t i = 0; !err && i < nr; i++) {
		sorted[i] = list->digests[i];
		if (!fleet_is_hash(sorted[i]))
			err = fleet_fail(error, EINVAL, "%s: '%.80s' is no digest", what,
					 sorted[i]);
	}
	if (!err)
		qsort(sorted, nr, sizeof(*sorted), compare);
	for (size_t i = 1; !err && i < nr; i++)
		if (!strcmp(sorted[i - 1], sorted[i]))
			err = fleet_fail(error, EINVAL, "%s: chunk %s is there twice", what,
					 sorted[i]);
	free(sorted);
	return err;
}

int fleet_set_list_read(const char *text, size_t len, const char *what,
			struct fleet_set_list **list, struct pb_error *error)
{
	void *record;
	int err = fleet_shape_read(&shape, text, len, what, &record, error);

	if (err)
		return err;
	err = check_digests(record, what, error);
	if (err)
		fleet_set_list_free(record);
	else
		*list = record;
	return err;
}

char *fleet_set_list_text(const struct fleet_set_list *list)
{
	return fleet_shape_text(&shape, list);
}

void fleet_set_list_free(struct fleet_set_list *list)
{
	fleet_shape_free(&shape, list);
}
