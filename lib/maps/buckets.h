/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Token buckets in memory, out of which the program takes while they are filled. */
#ifndef PB_BUCKETS_H
#define PB_BUCKETS_H

#include "maps/maps.h"

/* The rule's own one. */
void pb_buckets_refill_rule(const struct pb_maps *maps, __u32 id);
/* All of them, those of sources too. */
void pb_buckets_refill(const struct pb_maps *maps);

#endif
