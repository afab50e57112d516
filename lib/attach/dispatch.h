/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What libxdp pins for a dispatcher: one folder each, <bpffs>/xdp/dispatch-IFINDEX-ID. */
#ifndef PB_DISPATCH_H
#define PB_DISPATCH_H

#include <portblock/portblock.h>

/* What makes a folder one of ours. */
struct pb_dispatch_programs {
	const __u32 *ids; /* programs that are, or were, in the interface's chain */
	size_t nr;
	__u32 exchange_id; /* or a program of that exchange, whose id nobody has noted; 0: none */
};

/*
 * Removes the folders that a process which was killed in libxdp has left for an interface: of
 * dispatchers that are not attached to it, and which hold one of those programs or are gone before
 * they held any. They would keep it in the kernel. (libxdp_clean_references() removes those of
 * interfaces with the same index in other network namespaces, too.)
 */
int pb_dispatch_clean(int ifindex, const struct pb_dispatch_programs *programs,
		      struct pb_error *error);

/*
 * Calls a function with the path of each folder that holds a program of ours by a dispatcher that is on no interface
 * of this network namespace: the interface has gone, has lost it, or is in another one, which nothing tells. 0, or an error.
 */
typedef void pb_dispatch_function(const char *path, void *context);
int pb_dispatch_elsewhere(pb_dispatch_function *function, void *context);

/*
 * Gives the folder of the dispatcher that is attached to root, as ours are: a unit's root, who has no right to others'
 * files, could not look into that of a user who loaded first. -errno without a message: who may not give it keeps it.
 */
int pb_dispatch_give(int ifindex);

#endif
