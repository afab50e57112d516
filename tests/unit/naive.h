/* SPDX-License-Identifier: GPL-2.0-only */
/* A table of elements in memory, and a naive judge of it: a plain list, compared bit by bit. */
#ifndef NAIVE_H
#define NAIVE_H

#include "compile/elements.h"

struct memory {
	struct pb_table table;
	__u64 seed[2];
	void *segments[PB_SEGMENTS_MAX]; /* NULL: not asked for yet */
	size_t segment_size;
	bool refuse;	    /* the next segment cannot be had */
	unsigned int asked; /* for a segment, so many times */
};

void memory_init(struct memory *memory, __u8 family, __u32 nr_segments, __u64 seed);
void memory_free(struct memory *memory);

/* All of it that is there, for memory_is(). */
struct image {
	void *segments[PB_SEGMENTS_MAX];
	struct pb_lengths lengths;
	struct pb_shorter shorter;
};
struct image *memory_copy(const struct memory *memory);
bool memory_is(const struct memory *memory, const struct image *image);
void image_free(struct image *image);

/* "10.0.0.0/8" */
struct pb_prefix prefix_of(const char *text);

/* ---- The judge ----------------------------------------------------------------------------- */

#define NAIVE_MAX 4096

struct naive {
	struct naive_element {
		bool bits[128];
		__u32 len;
		__u8 set;
		__u64 expires;
		bool seen; /* naive_check() */
	} element[NAIVE_MAX];
	size_t nr;
};

/* Did it not count before? */
bool naive_put(struct naive *naive, __u8 set, const struct pb_prefix *prefix, __u64 expires,
	       __u64 now);
/* Did it count? */
bool naive_remove(struct naive *naive, __u8 set, const struct pb_prefix *prefix, __u64 now);
/* The element itself, if it counts; else NULL */
const struct naive_element *naive_get(const struct naive *naive, __u8 set,
				      const struct pb_prefix *prefix, __u64 now);
/* The longest that holds the host, of the lowest set */
const struct naive_element *naive_look(const struct naive *naive, __u64 sets,
				       const struct pb_prefix *host, __u64 now);
__u64 naive_sets(const struct naive *naive, const struct pb_prefix *host, __u64 now);
size_t naive_nr(const struct naive *naive, __u64 now);
/* It is one that counts, and was not seen before since naive_unsee(). */
bool naive_see(struct naive *naive, __u8 set, const struct pb_element *element, __u64 now);
void naive_unsee(struct naive *naive);

#endif
