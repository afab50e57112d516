/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What guard.c needs of a test run beyond portblock.h. */
#ifndef PB_EXPLAIN_H
#define PB_EXPLAIN_H

#include "maps/maps.h"

/* As pb_test_run_open(); with `sockets` false no packet belongs to a connection of the host. */
int pb_test_run_make(const struct pb_maps *maps, bool ethernet, bool native, bool sockets,
		     struct pb_test_run **run, struct pb_error *error);

/*
 * As pb_test_run_frame(), of a packet that comes in on an interface of this network namespace (0: none of
 * them): a socket that is bound to another is not its own. Before 5.14 the kernel takes none.
 */
int pb_test_run_frame_on(struct pb_test_run *run, int ifindex, const void *frame, size_t length,
			 struct pb_explanation *explanation, struct pb_error *error);

#endif
