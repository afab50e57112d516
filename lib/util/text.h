/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the readers and writers of text share: numbers, lists, streams. */
#ifndef PB_TEXT_H
#define PB_TEXT_H

#include <stdio.h>
#include <portblock/portblock.h>

/*
 * A decimal number of `len` digits, without sign, spaces and leading zeros.
 * -EINVAL: it is no such number; -ERANGE: it is larger than `max`.
 */
int pb_number_parse(const char *text, size_t len, unsigned long max, unsigned long *value);

/*
 * Calls `item` for each word between the commas of `text`, until one fails. `what` names the list
 * in messages ("ports"). -EINVAL: the list or one of its words is empty.
 */
typedef int pb_list_item(const char *word, void *ctx, struct pb_error *error);
int pb_list_each(const char *text, const char *what, pb_list_item *item, void *ctx,
		 struct pb_error *error);

/*
 * Letters, digits, - and _, at most PB_NAME_LEN - 1 of them? `what` is what has that name, for
 * -EINVAL ("ruleset").
 */
int pb_name_check(const char *name, const char *what, struct pb_error *error);

/* Closes a stream of open_memstream(); returns its text, or NULL when memory ran out. */
char *pb_stream_take(FILE *stream, char **text);

#endif
