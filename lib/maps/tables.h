/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The tables of elements of a ruleset's sets, as maps: made, mapped into memory, published. */
#ifndef PB_MAPS_TABLES_H
#define PB_MAPS_TABLES_H

#include "compile/elements.h"
#include "maps/maps.h"

enum pb_family { PB_FAMILY_4, PB_FAMILY_6, PB_FAMILIES };

/* A segment: its memory once it was asked for, and its descriptor until it is in force; -1: none. */
struct pb_segment {
	void *memory;
	int fd;
};

/* One generation of the tables of both families. */
struct pb_set_tables {
	const struct pb_maps *maps;
	__u32 generation;
	struct pb_lengths *lengths;
	int lengths_fd;			    /* until it is in force; -1: none */
	struct pb_table table[PB_FAMILIES]; /* with 0 segments: no table */
	struct pb_segment segments[PB_FAMILIES][PB_SEGMENTS_MAX];
};

/*
 * The tables in force, whose segments are mapped as they are asked for; none of them, if there are none. The
 * lock of the elements is held. The caller frees, as what the next one makes. -ENOMEM, -EPERM: no message.
 */
int pb_set_tables_open(const struct pb_maps *maps, struct pb_set_tables **tables);

/* Empty tables of so many segments, which nobody sees until they are published. */
int pb_set_tables_make(const struct pb_maps *maps, const __u32 segments[PB_FAMILIES],
		       struct pb_set_tables **tables);

/*
 * Puts made tables in force by one store, in the place of all that there was; then waits until no packet is
 * judged by those, and lets their memory go. On failure they are in force still.
 */
int pb_set_tables_publish(struct pb_set_tables *tables, struct pb_error *error);

void pb_set_tables_free(struct pb_set_tables *tables);

/* All elements that count, of both families: as pb_elements_each(). */
int pb_set_tables_each(const struct pb_set_tables *tables, __u64 now,
		       pb_elements_function *function, void *context);

/* The table of a prefix's family. */
static inline struct pb_table *pb_table_of(struct pb_set_tables *tables, __u8 family)
{
	return &tables->table[family == 4 ? PB_FAMILY_4 : PB_FAMILY_6];
}

#endif
