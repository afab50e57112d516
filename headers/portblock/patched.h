/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Instructions of the program that the library replaces before it is loaded are found by these numbers, which no other
 * has: lib/attach/patch.h.
 */
#ifndef PORTBLOCK_PATCHED_H
#define PORTBLOCK_PATCHED_H

enum {
	/* Branches: taken where no frame comes in several buffers; where frames begin with the IP header; ... */
	PB_PATCH_LINEAR = 0x70620001,
	PB_PATCH_IP = 0x70620002,
	/* ... and where not each CPU has a row of counters of its own. */
	PB_PATCH_MANY_CPUS = 0x70620003,
	/* A factor: PB_COUNT_ROW() */
	PB_PATCH_COUNT_ROW = 0x70620004,
};

#endif
