/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Tables of elements that are made anew, aside: some of what there is, and what comes to it. */
#ifndef PB_MAPS_REBUILD_H
#define PB_MAPS_REBUILD_H

#include "maps/tables.h"

/* What comes to a set. */
struct pb_incoming {
	int number; /* of the set */
	const struct pb_element *elements;
	size_t nr;
	bool longer; /* of an element that is there the later end holds, else the one that comes */
};

struct pb_rebuild {
	const struct pb_maps *maps;	  /* whose tables are made */
	const struct pb_set_tables *from; /* the elements there are */
	__u64 now;
	struct pb_error *error;
	int to[PB_SETS_MAX]; /* the number that a set's elements get; less than 0: they go */
	/* Of these, does an element of the set stay? NULL: all do. */
	bool (*stays)(const void *context, int set, const struct pb_element *element);
	const void *context;
	const struct pb_incoming *incoming;
	size_t nr_incoming;
	struct pb_set_tables *made;
	__u64 count[PB_FAMILIES]; /* elements in what was made */
	__u32 of_set[PB_SETS_MAX];
};

/* All that have a name in the sets of `maps` keep their elements, and none come. */
void pb_rebuild_as_is(struct pb_rebuild *rebuild, const struct pb_maps *maps,
		      const struct pb_set_tables *from, __u64 now, struct pb_error *error);

/*
 * Makes tables for what is kept, what comes, and as many more of each family as `more` says; NULL: none. Nobody
 * sees them yet. -ENOSPC: there is no room for so many.
 */
int pb_rebuild_make(struct pb_rebuild *rebuild, const __u64 more[PB_FAMILIES]);

/*
 * Puts what was made in force by one store, and counts the elements of the sets. The caller frees `made`, which
 * is NULL after a failure.
 */
int pb_rebuild_publish(struct pb_rebuild *rebuild);

/* Both, with no more room than is wanted, and frees what was made. */
int pb_rebuild_replace(struct pb_rebuild *rebuild);

/* -ENOMEM, -EPERM: with a message. */
int pb_fail_tables(int code, struct pb_error *error);

static inline enum pb_family pb_family_of(const struct pb_prefix *prefix)
{
	return prefix->family == 4 ? PB_FAMILY_4 : PB_FAMILY_6;
}

#endif
