/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Interfaces that stand on another, and the sockets that the program does not find for it. */
#ifndef PB_UPPER_H
#define PB_UPPER_H

#include <net/if.h>
#include "inspect/bound.h"

struct pb_upper {
	int ifindex;
	char name[IF_NAMESIZE];
	size_t nr_bound;       /* connected sockets that are bound to it */
	struct pb_bound bound; /* one of them */
};

/* Lists those that stand on it, of this network namespace; free() takes the list back. 0 or a negative errno. */
int pb_uppers_list(int ifindex, struct pb_upper **uppers, size_t *nr);

#endif
