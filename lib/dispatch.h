/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What libxdp pins for a dispatcher: one folder each, <bpffs>/xdp/dispatch-IFINDEX-ID. */
#ifndef PB_DISPATCH_H
#define PB_DISPATCH_H

#include "portblock.h"

/*
 * Removes the folders that a process which was killed in libxdp has left for an interface: of
 * dispatchers that are not attached to it, and which hold one of those programs of ours. They would
 * keep it in the kernel. (libxdp_clean_references() removes those of interfaces with the same index
 * in other network namespaces, too.)
 */
int pb_dispatch_clean(int ifindex, const __u32 *programs, size_t nr, struct pb_error *error);

#endif
