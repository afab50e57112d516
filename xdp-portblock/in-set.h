/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IN_SET_H
#define IN_SET_H

#include <portblock/portblock.h>

/* The set through which a rule has matched a source, and its element. */
struct in_set {
	char name[PB_NAME_LEN]; /* "": through none */
	char *element;		/* its text; NULL: memory ran out */
};

/* A pb_set_holds_function; the context is the ruleset. What cannot be looked at holds nothing. */
bool set_holds(const char *name, const struct pb_prefix *source, void *ruleset);

/* The first set of the rule's `from` that holds the source now. The caller frees in->element. */
void find_in_set(struct pb_ruleset *ruleset, const struct pb_rule *rule,
		 const struct pb_prefix *source, struct in_set *in);

#endif
