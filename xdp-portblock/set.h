/* SPDX-License-Identifier: GPL-2.0-only */
/* What the commands `set ...` share. */
#ifndef SET_H
#define SET_H

#include "tool.h"

/* set-words.c */

/*
 * NAME, and what a command wants behind it: so many words, or `more` than those. WRONG_USAGE after a message, which
 * asks for what is missing by `what`.
 */
int set_words(const struct arguments *arguments, size_t wanted, bool more, const char *what);
/* The elements of the words from the second on, which the caller frees; FAILED or WRONG_USAGE after a message. */
int set_elements(const struct arguments *arguments, struct pb_element **elements, size_t *nr);
/* --timeout; `ns` is left alone where it is not given. WRONG_USAGE after a message. */
int set_timeout(const struct arguments *arguments, __u64 *ns);
/* When an element ends that is added now. */
__u64 set_expiry(__u64 timeout);
/* The prefixes of elements, which the caller frees; NULL: no memory. */
struct pb_prefix *set_prefixes(const struct pb_element *elements, size_t nr);

/* "192.0.2.1", or with `whole` "192.0.2.1/32" */
#define ELEMENT_TEXT 56
const char *element_text(const struct pb_prefix *prefix, bool whole, char text[ELEMENT_TEXT]);
/* Whole seconds until then, rounded up. */
__u64 seconds_left(__u64 expires, __u64 now);

/* set-guard.c */

/* What is to be known of the SSH connection through which the command is given: asked for once. */
struct set_guard {
	struct pb_ruleset *ruleset;
	struct pb_prefix sources[GUARD_SOURCES]; /* from which its packets come */
	size_t nr;				 /* 0: there is none, or --force is given */
};

/* An error, as guard() gives it, where that cannot be found out. */
int set_guard_begin(struct set_guard *guard, const struct arguments *arguments,
		    struct pb_ruleset *ruleset, struct pb_error *error);
/* May a change of this element cut the connection? Else nothing need be asked of it. */
bool set_guard_concerns(const struct set_guard *guard, const struct pb_prefix *prefix);
/* An error, as guard() gives it, where the change would cut it; or what the set itself is refused for. */
int set_guard_ask(const struct set_guard *guard, const struct pb_set_prospect *set,
		  struct pb_error *error);
/* The same of elements that are brought back. */
int set_guard_ask_saved(const struct set_guard *guard, const struct pb_saved *saved,
			struct pb_error *error);

/* set-stream.c */

struct set_stream {
	struct pb_ruleset *ruleset;
	struct set_guard guard;
	const char *name;
	bool add;	/* else they are taken out */
	__u64 timeout;	/* of a line that has none; 0: it does not expire */
	size_t applied; /* elements */
};

/*
 * Adds or takes out what standard input says, a line each, until its end. What is there when it is read is
 * applied at once. FAILED after a message for each line that is wrong or that the guard refuses, which is left out,
 * or for what ended it.
 */
int set_stream(struct set_stream *stream);

#endif
