/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Compare-and-swap in BPF objects, for kernels that have none, and changes of a frame's size, which not all take. */
#ifndef PB_SWAP_H
#define PB_SWAP_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>

/* The instruction: BPF_STX | BPF_ATOMIC | BPF_DW, BPF_CMPXCHG. Debian 11's headers are older. */
#define PB_INSN_SWAP 0xdb
#define PB_INSN_SWAP_IMM 0xf1

/*
 * Makes a copy of an ELF object in which each compare-and-swap of 64 bits is a plain store: for programs that hold a
 * lock around it. (It leaves the old value in the register that says what was there, as if it had been as
 * expected.) And one in which each attempt to change the size of a frame fails. The caller frees. NULL with errno: no memory, or no such object.
 */
void *pb_swap_take_out(const void *elf, size_t size, bool swap, bool resize);

#endif
