/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What all functions on sets begin and end with: their locks, the tables in force, and the set that is meant. */
#ifndef PB_MAPS_SET_CHANGE_H
#define PB_MAPS_SET_CHANGE_H

#include "maps/rebuild.h"
#include "maps/ruleset.h"

/* What a function does to the sets of a ruleset, or reads of them, under their lock. */
struct pb_set_change {
	struct pb_ruleset *ruleset;
	struct pb_sets *sets;
	__u32 slot;		      /* in force */
	struct pb_set_tables *tables; /* in force */
	int locks[2];		      /* of the rules, of the elements; less than 0: not held */
	__u64 now;
	struct pb_error *error;
};

/* Takes the lock of the elements, and before it that of the rules where names of sets change, too (`names`). */
int pb_set_change_begin(struct pb_set_change *change, struct pb_ruleset *ruleset, bool names,
			enum pb_lock_kind kind, struct pb_error *error);
/* The same of one set that is there and, unless it is only read, may change; returns its number. */
int pb_set_change_begin_with(struct pb_set_change *change, struct pb_ruleset *ruleset,
			     const char *name, enum pb_lock_kind kind, struct pb_error *error);
/* The part of it behind the locks: under whatever locks there are, which are let go if this fails. */
int pb_set_change_open(struct pb_set_change *change);
void pb_set_change_end(struct pb_set_change *change);

/* The number of a set that is to be there, and may change. */
int pb_set_change_find(const struct pb_set_change *change, const char *name);
/* -EROFS where the elements are those of a file, which are part of the rules: these change, or nothing does. */
int pb_set_refuse_file(const struct pb_set_change *change, int number);
/* sets.c: makes a set; one that is there as it is wanted is no error. Names change. */
int pb_set_make(const struct pb_set_change *change, const char *name, __u64 timeout, __u32 max);

/* How many elements of each set count now, since a number in a record may be too high. -errno without a message. */
int pb_sets_count(const struct pb_set_change *change, __u32 of_set[PB_SETS_MAX]);

/* For tables that are made anew, as pb_rebuild_as_is(). */
void pb_set_change_as_is(struct pb_rebuild *rebuild, struct pb_set_change *change);
/* Puts what was made in force; the change goes on with that. */
int pb_set_change_publish(struct pb_set_change *change, struct pb_rebuild *rebuild);

/* Messages: there is no such set; so many elements are more than its limit. */
int pb_set_fail_none(const struct pb_set_change *change, const char *name);
int pb_set_fail_full(const struct pb_set_change *change, int number, __u64 nr);

#endif
