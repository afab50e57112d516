/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A list of elements in chunks, each known by the SHA-256 of its text: a line each, as `set load` reads them. Where one
 * ends says the line at its end, not how many came before: a line more or less is one other chunk (or two, where it is such
 * a line).
 */
#ifndef FLEET_CHUNKS_H
#define FLEET_CHUNKS_H

#include "fleet/sign.h"

#define FLEET_CHUNK_MAX (256 * 1024) /* bytes */
#define FLEET_CHUNKS_MAX 15000	     /* of a list: their digests are one value of etcd */

struct fleet_chunk {
	char digest[FLEET_HASH_LEN];
	char *text;
};

/* `elements`: sorted, each once; their times are not looked at. The caller frees by fleet_chunks_free(). -ENOMEM. */
int fleet_chunks_cut(const struct pb_element *elements, size_t nr, struct fleet_chunk **chunks,
		     size_t *nr_chunks);
void fleet_chunks_free(struct fleet_chunk *chunks, size_t nr);

/*
 * Checks a text against its digest, and reads it. `what` names it in messages. -EINVAL: it is another text, or no list.
 * The caller frees `prefixes`.
 */
int fleet_chunk_read(const char *text, size_t len, const char *digest, const char *what,
		     struct pb_prefix **prefixes, size_t *nr, struct pb_error *error);

/* What sets/NAME/list says. */
struct fleet_set_list {
	char **digests; /* each once */
	size_t nr_digests;
	__u32 nr; /* elements of all of them */
};

int fleet_set_list_read(const char *text, size_t len, const char *what,
			struct fleet_set_list **list, struct pb_error *error);
/* The caller frees. NULL: no memory. */
char *fleet_set_list_text(const struct fleet_set_list *list);
void fleet_set_list_free(struct fleet_set_list *list);

#endif
