/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The embedded BPF object, opened with the constants of one interface. */
#ifndef PB_OBJECT_H
#define PB_OBJECT_H

#include "maps/maps.h"
#include "portblock.skel.h"

/* Constants of an interface, fixed in the program's read-only data. */
struct pb_constants {
	bool ethernet;	  /* frames begin with an Ethernet header */
	bool frags;	  /* frames may come in several buffers */
	bool kern_ctx;	  /* with `frags`: the kernel has bpf_cast_to_kern_ctx() (6.2) */
	bool native;	  /* the engine in the kernel module */
	bool connections; /* the kernel can look sockets up from XDP */
	bool resize;	  /* the program may change the size of a frame, for answers of `reject` */
	bool private_counts; /* of rules, by number, and no reports: it leaves no trace */
	__u32 outcomes_id;   /* the map of outcome counters; 0: one of its own */
	__u32 exchange_id;   /* likewise, of the turns in an exchange */
	__u32 number;	     /* its own there */
};

/*
 * Opens the object (not loaded yet) so that its program uses `maps`. The caller loads it, or hands
 * it to libxdp, and ends it with portblock_bpf__destroy().
 */
int pb_object_open(const struct pb_maps *maps, const struct pb_constants *constants,
		   struct portblock_bpf **object, struct pb_error *error);

#endif
