/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What struct pb_saved is: sets with their elements, on the way from a file or to one. */
#ifndef PB_RULES_SAVED_H
#define PB_RULES_SAVED_H

#include <portblock/portblock.h>

struct pb_saved_elements {
	struct pb_saved_set about; /* `elements` and `ended` are counted */
	unsigned long line;	   /* where it stands; 0: in no file */
	struct pb_element *list;
	size_t room;
};

struct pb_saved {
	char *path; /* as in messages; NULL: from no file */
	struct pb_saved_elements *sets;
	size_t nr;
	size_t room;
};

/* The clocks at one moment, ns: the one that elements end by, and that of the wall, since 1970. */
struct pb_clocks {
	__u64 boot;
	__u64 wall;
};
struct pb_clocks pb_clocks_now(void);

/* NULL: no memory. */
struct pb_saved *pb_saved_new(void);
/* A copy of the set, without elements; they come behind those that are there. NULL: no memory. */
struct pb_saved_elements *pb_saved_add_set(struct pb_saved *saved, const struct pb_set *set);
struct pb_saved_elements *pb_saved_find(const struct pb_saved *saved, const char *name);
/* -ENOMEM, without a message. */
int pb_saved_add(struct pb_saved_elements *set, const struct pb_element *element);

/* An error of a set: begins with where it stands. */
int pb_saved_fail(const struct pb_saved *saved, const struct pb_saved_elements *set, int err,
		  const char *message, struct pb_error *error);

/*
 * Reads what pb_saved_write() writes. Times of the wall clock become those of the other one; elements that have ended
 * are counted, and left out.
 */
int pb_saved_read_at(const char *path, const struct pb_clocks *now, struct pb_saved **saved,
		     struct pb_error *note, struct pb_error *error);
/* All of it, to an open file. */
int pb_saved_write(const struct pb_saved *saved, const struct pb_clocks *now, const char *ruleset,
		   int fd, struct pb_error *error);

#endif
