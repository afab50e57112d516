/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What guard.c needs of a twin beyond portblock.h. */
#ifndef PB_TWIN_H
#define PB_TWIN_H

#include "maps/maps.h"

/* As pb_twin_open(); with `sockets` false no packet belongs to a connection of the host. */
int pb_twin_make(const struct pb_maps *maps, bool ethernet, bool sockets, struct pb_twin **twin,
		 struct pb_error *error);

/*
 * As pb_twin_run(), of a packet that comes in on an interface of this network namespace (0: none of
 * them): a socket that is bound to another is not its own. Before 5.14 the kernel takes none.
 */
int pb_twin_run_on(struct pb_twin *twin, int ifindex, const void *frame, size_t length,
		   struct pb_explanation *explanation, struct pb_error *error);

#endif
