/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the readers and writers of text share: words quoted back, numbers, lists, names. */
#ifndef PB_TEXT_H
#define PB_TEXT_H

#include <stdio.h>
#include <portblock/portblock.h>

/* ---- text.c ------------------------------------------------------------------------------ */

struct pb_quoted {
	char text[104];
};

/*
 * A word of the user's in double quotes, for a message: escaped as by PB_ESCAPE_LINE, a long word
 * is cut and ends in "...".
 */
struct pb_quoted pb_quote(const char *word);
/* Lives until the end of the expression it stands in. */
#define PB_Q(word) (pb_quote(word).text)

/* Is there nothing for pb_text_escape() to escape? */
bool pb_text_is_clean(const char *text);

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

/* Closes a stream of open_memstream(); returns its text, or NULL when memory ran out. */
char *pb_stream_take(FILE *stream, char **text);

/* ---- names.c ----------------------------------------------------------------------------- */

/* Words that mean 0, 1, 2, ...; `what` is what each of them is ("a protocol"). */
struct pb_names {
	const char *what;
	const char *const *words;
	size_t nr;
};
extern const struct pb_names pb_action_names;
extern const struct pb_names pb_side_names;
extern const struct pb_names pb_proto_names;

/* Looks a word up: its number, or -EINVAL with the known words and the nearest one. */
int pb_names_find(const struct pb_names *names, const char *word, struct pb_error *error);
/* The word meant by one that is nearly it; NULL: none is near. */
const char *pb_names_near(const struct pb_names *names, const char *word);
void pb_names_print(FILE *out, const struct pb_names *names);

/* ---- ports.c, protocols.c, prefix.c: lists of a rule --------------------------------------- */

/*
 * PORTS: numbers, ranges and service names of `protocols` (0: of any). The result is sorted and
 * without duplicates. The caller frees.
 */
int pb_ports_parse(const char *text, unsigned int protocols, struct pb_range **ports, size_t *nr,
		   struct pb_error *error);
void pb_ports_print(FILE *out, const struct pb_range *ports, size_t nr);

int pb_protocols_parse(const char *text, unsigned int *protocols, struct pb_error *error);
void pb_protocols_print(FILE *out, unsigned int protocols);

/* Prefixes, or @FILE; sorted, without duplicates. `note` (may be NULL) is added to. */
int pb_prefixes_parse(const char *text, struct pb_prefix **prefixes, size_t *nr,
		      struct pb_error *note, struct pb_error *error);
void pb_prefixes_print(FILE *out, const struct pb_prefix *prefixes, size_t nr);

/* prefix-file.c: calls `item` for each word of a file, until one fails; messages name FILE:LINE. */
int pb_prefix_file_each(const char *path, pb_list_item *item, void *ctx, struct pb_error *error);

/* prefix-cover.c: is each address of `inner` (none: each address there is) in `outer`? */
bool pb_prefixes_cover(const struct pb_prefix *outer, size_t nr_outer,
		       const struct pb_prefix *inner, size_t nr_inner);

/* ---- duration.c -------------------------------------------------------------------------- */

void pb_duration_print(FILE *out, __u64 ns);
/* Whole seconds, rounded up. */
__u64 pb_duration_seconds(__u64 ns);

#endif
