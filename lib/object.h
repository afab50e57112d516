/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The embedded BPF object, opened with the constants of one interface. */
#ifndef PB_OBJECT_H
#define PB_OBJECT_H

#include "maps.h"
#include "portblock.skel.h"

/* Constants of an interface, fixed in the program's read-only data. */
struct pb_constants {
	bool ethernet;	  /* frames begin with an Ethernet header */
	bool frags;	  /* frames may come in several buffers */
	bool connections; /* the kernel can look sockets up from XDP */
};

/*
 * Opens the object (not loaded yet) so that its program uses `maps`; its outcome counters are its
 * own. With `private_counts` its rule counters are, too: it then leaves no trace. The caller
 * loads it, or hands it to libxdp, and ends it with portblock_bpf__destroy().
 */
int pb_object_open(const struct pb_maps *maps, const struct pb_constants *constants,
		   bool private_counts, struct portblock_bpf **object, struct pb_error *error);

#endif
