/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Sets that rules come with: what they are called, and how large they may grow. No elements. */
#ifndef PB_RULES_SETS_H
#define PB_RULES_SETS_H

#include <stdio.h>
#include "rules/rules.h"

/* Reads `NAME [timeout DURATION] [max N]`. -EINVAL. */
int pb_set_read(char *const *words, size_t nr, struct pb_set *set, struct pb_error *error);
/* The same as text. */
void pb_set_print(FILE *out, const struct pb_set *set);

/* The parts of it, from their text. -EINVAL. */
int pb_set_read_name(struct pb_set *set, const char *text, struct pb_error *error);
int pb_set_read_timeout(struct pb_set *set, const char *text, struct pb_error *error);
int pb_set_read_max(struct pb_set *set, const char *text, struct pb_error *error);

/*
 * Puts a copy of it to the sets of the rules, by name. One that is there as it is is no error.
 * -EEXIST: it is there otherwise. -ENOSPC: PB_SETS_MAX are there.
 */
int pb_rules_declare(struct pb_rules *rules, const struct pb_set *set, struct pb_error *error);
/* Puts those of `wanted` to them; where they differ, those hold. */
int pb_rules_declare_all(struct pb_rules *rules, const struct pb_rules *wanted,
			 struct pb_error *error);
void pb_rules_forget_sets(struct pb_rules *rules);

#endif
