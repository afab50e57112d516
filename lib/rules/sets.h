/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Sets that rules come with: what they are called, and how large they may grow; and of those whose elements a
 * file has, these elements.
 */
#ifndef PB_RULES_SETS_H
#define PB_RULES_SETS_H

#include <stdio.h>
#include "rules/rules.h"

/* Elements as a file had them: nobody changes them any more, and several rules may have them. */
struct pb_set_list {
	unsigned int holders;
	struct pb_element *elements; /* sorted, each once */
	size_t nr;
};

/* What is behind a pointer of pb_rules.sets. */
struct pb_declared {
	struct pb_set set;
	struct pb_set_list *list; /* NULL: of no file, or of a ruleset that has them */
	int number; /* in the ruleset that the set of a file was read from; -1: in none */
};

static inline struct pb_declared *pb_declared_of(const struct pb_set *set)
{
	return (struct pb_declared *)set;
}

/* Reads `NAME [timeout DURATION] [max N]` or `NAME file PATH`, the path as it is written. -EINVAL. */
int pb_set_read(char *const *words, size_t nr, struct pb_set *set, struct pb_error *error);
/* The same as text. */
void pb_set_print(FILE *out, const struct pb_set *set);

/* The parts of it, from their text. -EINVAL. */
int pb_set_read_name(struct pb_set *set, const char *text, struct pb_error *error);
int pb_set_read_timeout(struct pb_set *set, const char *text, struct pb_error *error);
int pb_set_read_max(struct pb_set *set, const char *text, struct pb_error *error);
int pb_set_read_file(struct pb_set *set, const char *text, struct pb_error *error);
/* When all of them are read (max 0: it was not given): do they go together? -EINVAL. */
int pb_set_complete(struct pb_set *set, struct pb_error *error);

/*
 * Puts a copy of it to the sets of the rules, by name; `list`, as it is held by the caller, too, and `number`:
 * as in struct pb_declared. One that is there as it is is no error. -EEXIST: it is there otherwise.
 * -ENOSPC: PB_SETS_MAX are there.
 */
int pb_rules_declare(struct pb_rules *rules, const struct pb_set *set, struct pb_set_list *list,
		     int number, struct pb_error *error);
/*
 * The same of a set that was read from a file of rules, `from`: where its elements are another file's, that is
 * read, and its path made absolute. `note` is added to, as pb_rule_set() does.
 */
int pb_rules_declare_read(struct pb_rules *rules, const struct pb_set *set, const char *from,
			  struct pb_error *note, struct pb_error *error);
/*
 * Puts those of `wanted` to them; where they differ, those hold. A set of a file that is not among them goes.
 */
int pb_rules_declare_all(struct pb_rules *rules, const struct pb_rules *wanted,
			 struct pb_error *error);
void pb_rules_forget_sets(struct pb_rules *rules);
/* NULL: there is none of that name. */
const struct pb_set *pb_rules_find_set(const struct pb_rules *rules, const char *name);
bool pb_set_same(const struct pb_set *a, const struct pb_set *b);
/* Do they come with elements that a file has, and that no ruleset is known to have? */
bool pb_rules_bring_elements(const struct pb_rules *rules);

/* Reads a file by the path that the set has, as `from` names it. The caller lets go. */
int pb_set_list_read(const char *path, const char *from, struct pb_set_list **list,
		     struct pb_error *note, struct pb_error *error);
struct pb_set_list *pb_set_list_hold(struct pb_set_list *list);
void pb_set_list_let_go(struct pb_set_list *list);

#endif
