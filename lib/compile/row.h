/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The row of buckets in which the elements with one prefix lie, a word for each set that has it. */
#ifndef PB_ROW_H
#define PB_ROW_H

#include <portblock/elements.h>
#include "compile/elements.h"

/* Eight bytes of an address, as they lie beside the word: one load, one store. */
typedef __u64 __attribute__((may_alias)) pb_half;

struct pb_row {
	__u64 hash;
	__u64 key;	 /* that of the word, PB_ELEMENT_KEY */
	pb_half half[2]; /* and what is beside it, of IPv6 */
	__u64 (*word)[PB_BUCKET_ELEMENTS];
	__u64 (*ends)[PB_BUCKET_ELEMENTS];
	__u8 (*addr)[PB_BUCKET_ELEMENTS][16]; /* NULL: IPv4 */
};

/* Room for an element. */
struct pb_spot {
	__u64 *word;
	__u64 *ends;
	pb_half *addr; /* NULL: IPv4 */
};

/* An element as it was at one moment. */
struct pb_seen {
	__u64 word;
	__u64 expires; /* 0: it does not */
	pb_half half[2];
};

/* Sets that have the prefix of a row. */
struct pb_in_sets {
	__u64 sets;
	__u8 first;    /* the lowest number of them */
	__u64 expires; /* of the element of that one */
};

/* The arrays of a segment. */
void pb_row_segment(struct pb_row *row, __u8 family, void *segment);

static inline struct pb_spot pb_row_spot(const struct pb_row *row, __u32 bucket, __u32 i)
{
	return (struct pb_spot){ &row->word[bucket][i], &row->ends[bucket][i],
				 row->addr ? (pb_half *)row->addr[bucket][i] : NULL };
}

/* Does an element lie there that counts? Without a lock. */
bool pb_spot_read(const struct pb_spot *spot, __u64 now, struct pb_seen *seen);

/* Which of these sets have the prefix? Without a lock. */
void pb_row_read(const struct pb_row *row, __u64 sets, __u64 now, struct pb_in_sets *in);

/* For those who hold the lock: */

bool pb_row_find(const struct pb_row *row, __u8 set, struct pb_spot *spot);
/* The first room for one more; `place` of its bucket in the row. */
bool pb_row_find_free(const struct pb_row *row, __u64 now, struct pb_spot *spot, __u32 *place);
/* Has readers go on behind the buckets before this one. */
void pb_row_overflow(const struct pb_row *row, __u32 place);

void pb_spot_publish(const struct pb_spot *spot, const struct pb_row *row, __u8 set, __u64 expires);
void pb_spot_renew(const struct pb_spot *spot, __u64 expires);
void pb_spot_clear(const struct pb_spot *spot);

#endif
