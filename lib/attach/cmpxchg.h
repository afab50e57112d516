/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The program for kernels that have no compare-and-swap. */
#ifndef PB_CMPXCHG_H
#define PB_CMPXCHG_H

#include <stddef.h>

/*
 * A copy of an ELF object of BPF in which plain stores are in the place of compare-and-swaps. These find what they
 * expect, as the register that would have what was there keeps what was expected. The caller frees; NULL: no memory.
 */
void *pb_cmpxchg_replace(const void *elf, size_t size);

#endif
