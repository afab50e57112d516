/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Prefixes: their order, which holds which, and lists of them. */
#ifndef PB_PREFIX_H
#define PB_PREFIX_H

#include <stdio.h>
#include <portblock/portblock.h>
#include "util/escape.h"
#include "util/text.h"

/* By family, address and length: a prefix comes before those within it. As for qsort(). */
int pb_prefix_order(const struct pb_prefix *a, const struct pb_prefix *b);
/* Are all addresses of `inner` in `outer`? */
bool pb_prefix_holds(const struct pb_prefix *outer, const struct pb_prefix *inner);
/* The length that decides between rules: IPv4 as IPv4-mapped IPv6 (RFC 4291 2.5.5.2). */
static inline unsigned int pb_prefix_mapped_len(const struct pb_prefix *prefix)
{
	return prefix->len + (prefix->family == 4 ? 96 : 0);
}

/* What a list of sources names: prefixes and sets, each sorted, without duplicates. */
struct pb_source_list {
	struct pb_prefix *prefixes;
	size_t nr;
	char **sets;
	size_t nr_sets;
};

/* Those of a list that had bits behind their length. */
struct pb_masked {
	size_t nr;
	struct pb_quoted first; /* as it was written */
	struct pb_prefix taken; /* as what that was taken */
};

/* As pb_prefix_parse(); one that had bits behind its length is added to `masked`. */
int pb_prefix_read(const char *word, struct pb_prefix *prefix, struct pb_masked *masked,
		   struct pb_error *error);
/* Adds to `note` (may be NULL) what there is to tell of them. -ENOMEM. */
int pb_masked_note(const struct pb_masked *masked, struct pb_error *note, struct pb_error *error);

/*
 * Prefixes, @NAME of sets, and @FILE, which has a slash in it and is relative to the file `from`
 * (NULL: a command line). `note` (may be NULL) is added to. The caller frees both lists.
 */
int pb_source_list_parse(const char *text, const char *from, struct pb_source_list *list,
			 struct pb_error *note, struct pb_error *error);
/* Prefixes and @FILE alone. */
int pb_prefixes_parse(const char *text, const char *from, struct pb_prefix **prefixes, size_t *nr,
		      struct pb_error *note, struct pb_error *error);
void pb_prefixes_print(FILE *out, const struct pb_prefix *prefixes, size_t nr);

/* Is each address of `inner` (none: each address there is) in `outer`? Both are sorted. */
bool pb_prefixes_cover(const struct pb_prefix *outer, size_t nr_outer,
		       const struct pb_prefix *inner, size_t nr_inner);

/*
 * prefix-file.c: calls `item` for each word of the file that `from` calls `name`, until one fails;
 * messages name FILE:LINE.
 */
int pb_prefix_file_each(const char *name, const char *from, pb_list_item *item, void *ctx,
			struct pb_error *error);

#endif
