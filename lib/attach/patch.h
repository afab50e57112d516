/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Instructions of BPF objects that are replaced before libbpf reads them: those that not every kernel, or not every
 * dispatcher, takes, and those that say what is known before load.
 */
#ifndef PB_PATCH_H
#define PB_PATCH_H

#include <stdbool.h>
#include <stddef.h>

struct pb_patches {
	bool cmpxchg, resize;	    /* the kernel has them */
	bool linear, ip, many_cpus; /* which branches are taken */
	unsigned int count_row;
};

/*
 * A copy of an ELF object of BPF, in which the instructions of portblock/patched.h are what `patches` say. Without `cmpxchg`,
 * plain stores are in the place of compare-and-swaps: a kernel before 5.12 takes these for another instruction with a
 * number where there is none, and that before it asks what is ever reached. They find what they expect, as the register
 * that would have what was there keeps what was expected; the program holds a lock around them then (pb_cmpxchg).
 * Without `resize`, each attempt to change the size of a frame fails. The caller frees. NULL with errno: no memory, or
 * no such object.
 */
void *pb_elf_patch(const void *elf, size_t size, const struct pb_patches *patches);

#endif
