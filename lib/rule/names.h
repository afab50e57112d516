/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Names of numbers, and what to say where a word is none of them. */
#ifndef PB_NAMES_H
#define PB_NAMES_H

#include <stdio.h>
#include <portblock/portblock.h>

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

#endif
