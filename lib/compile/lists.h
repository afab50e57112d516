/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Numbers, and lists of them that are kept once each. */
#ifndef PB_LISTS_H
#define PB_LISTS_H

#include <linux/types.h>
#include <stddef.h>

#define PB_NONE (~0U) /* no number */

struct pb_vector {
	__u32 *at;
	size_t nr;
	size_t room;
};

int pb_vector_add(struct pb_vector *vector, const __u32 *numbers, size_t nr);
int pb_vector_push(struct pb_vector *vector, __u32 number);
void pb_vector_free(struct pb_vector *vector);

/* Lists that are kept once each and numbered from 0 in the order in which they came. */
struct pb_lists {
	struct pb_vector numbers; /* of all lists */
	struct pb_vector ends;	  /* [list]: where in `numbers` it ends */
	__u32 *table;		  /* hash table, list + 1 */
	size_t size;		  /* of the table, a power of two */
};

int pb_lists_add(struct pb_lists *lists, const __u32 *numbers, size_t nr, __u32 *list);
void pb_lists_free(struct pb_lists *lists);

static inline size_t pb_lists_nr(const struct pb_lists *lists)
{
	return lists->ends.nr;
}

static inline size_t pb_lists_start(const struct pb_lists *lists, __u32 list)
{
	return list ? lists->ends.at[list - 1] : 0;
}

static inline const __u32 *pb_lists_get(const struct pb_lists *lists, __u32 list, size_t *nr)
{
	size_t start = pb_lists_start(lists, list);

	*nr = lists->ends.at[list] - start;
	return lists->numbers.at + start;
}

#endif
