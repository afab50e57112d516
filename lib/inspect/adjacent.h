/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Which interface stands on which: a bridge on its ports, a VLAN on its card. */
#ifndef PB_ADJACENT_H
#define PB_ADJACENT_H

#include <stdbool.h>
#include <stddef.h>

struct pb_adjacent {
	int upper;
	int lower;
};

/* All pairs of this network namespace, by rtnetlink. The caller frees. 0 or a negative errno. */
int pb_adjacent_list(struct pb_adjacent **pairs, size_t *nr);

/* Do frames that come in on `lower` reach `upper`, perhaps over others, or are they the same? */
bool pb_adjacent_reach(const struct pb_adjacent *pairs, size_t nr, int lower, int upper);

#endif
