/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Elements of sets in the tables of abi.h ("Sets"), in memory that the caller gives: no system call.
 *
 * Who writes holds a lock, so one does at a time. Who reads needs none: the XDP program does so all the
 * while, and each element that it sees is whole. See row.c.
 */
#ifndef PB_ELEMENTS_H
#define PB_ELEMENTS_H

#include <portblock/portblock.h>

/* A generation of the table of one family. */
struct pb_table {
	__u8 family;	   /* 4 or 6: that of all prefixes that come with this table */
	__u32 nr_segments; /* 0: there are no elements, and no room for any */
	/* A struct pb_segment4 or pb_segment6, aligned to 64; asked for a few times by each function, for
	 * the row and for cells. NULL: it cannot be had. */
	void *(*segment)(void *context, __u32 number);
	void *context;
	struct pb_lengths *lengths;
	struct pb_shorter *shorter;
	const __u64 *seed; /* [2] */
};

/*
 * Segments for so many elements, filled to three fifths at most, at least 1. 0: more than there can be. A row
 * may be full all the same: where many sets have the same prefix, for these share a row. Then a table
 * of more segments has room, if no prefix is in PB_BUCKET_ROW * PB_BUCKET_ELEMENTS sets or nearly so.
 */
__u32 pb_elements_segments(__u64 nr);

/*
 * Adds an element, or gives it this time: it counts before `expires` (0: always) from the next look on.
 * `added`: it did not count at `now`. -ENOSPC: its row is full, all is as it was; -ENOMEM: no segment;
 * -EINVAL: no such set.
 */
int pb_elements_put(const struct pb_table *table, __u8 set, const struct pb_prefix *prefix,
		    __u64 expires, __u64 now, bool *added);

/* Takes an element out. `removed`: it counted at `now`. -ENOMEM. */
int pb_elements_remove(const struct pb_table *table, __u8 set, const struct pb_prefix *prefix,
		       __u64 now, bool *removed);

/* Is this prefix itself an element that counts? 1: yes, and `expires` is filled; 0: no; -ENOMEM. */
int pb_elements_get(const struct pb_table *table, __u8 set, const struct pb_prefix *prefix,
		    __u64 now, __u64 *expires);

/*
 * The longest element that holds all of `host`, of these sets (bit 1 << number); of several sets with the
 * same the one with the lowest number. 1: `found` and `set` are filled; 0: there is none; -ENOMEM.
 */
int pb_elements_look(const struct pb_table *table, __u64 sets, const struct pb_prefix *host,
		     __u64 now, struct pb_element *found, __u8 *set);

/* All sets that have an element that holds it. -ENOMEM. */
int pb_elements_sets(const struct pb_table *table, const struct pb_prefix *host, __u64 now,
		     __u64 *sets);

/* An element that counts; other than 0 ends the walk with it. It may remove the element. */
typedef int pb_elements_function(void *context, __u8 set, const struct pb_element *element);

/* All of them, in no order. 0, -ENOMEM, or what the function returned. */
int pb_elements_each(const struct pb_table *table, __u64 now, pb_elements_function *function,
		     void *context);

#endif
