/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* From the hash of a rule to the ids that may be its own. Knows no rules. */
#ifndef PB_INDEX_H
#define PB_INDEX_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct pb_index;

/* With room for so many ids, and as many more before it is full. NULL when memory runs out. */
struct pb_index *pb_index_new(size_t nr);

/* How many are in it. */
size_t pb_index_nr(const struct pb_index *index);

/* Puts an id in; false: it is full. */
bool pb_index_add(struct pb_index *index, __u32 hash, __u32 id);

/* Takes an id out; false: it is not in it. */
bool pb_index_del(struct pb_index *index, __u32 hash, __u32 id);

/* The next id of that hash, 0 behind the last; `at` is zeroed before the first call. */
__u32 pb_index_next(const struct pb_index *index, __u32 hash, size_t *at);

#endif
