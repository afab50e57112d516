/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Prefixes: their order, which holds which, and lists of them. */
#ifndef PB_PREFIX_H
#define PB_PREFIX_H

#include <stdio.h>
#include <portblock/portblock.h>
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

/*
 * Prefixes, or @FILE, which is relative to the file `from` (NULL: a command line); sorted, without
 * duplicates. `note` (may be NULL) is added to.
 */
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
