// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A kernel before 5.12 refuses each program with a compare-and-swap, which it takes for another instruction with a
 * number where there is none, and before it asks what is ever reached. So they are replaced before libbpf reads them:
 * with a constant (pb_cmpxchg) the program takes locks then, under which a store is all that they would do.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>
#include "attach/cmpxchg.h"

#define ATOMIC 0xc0 /* BPF_ATOMIC: Debian 11's headers are older */
#define CMPXCHG 0xf1

/* The second half of an instruction of 16 bytes has the code 0, so it is none of these. */
static void replace(struct bpf_insn *insn, size_t nr)
{
	for (; nr; insn++, nr--) {
		if (insn->code != (BPF_STX | ATOMIC | BPF_DW) || insn->imm != CMPXCHG)
			continue;
		insn->code = BPF_STX | BPF_MEM | BPF_DW;
		insn->imm = 0;
	}
}

/* Sections begin at multiples of 8 bytes where they hold instructions. */
void *pb_cmpxchg_replace(const void *elf, size_t size)
{
	unsigned char *copy = malloc(size);
	const Elf64_Shdr *sections;
	const Elf64_Ehdr *header = elf;

	if (!copy)
		return NULL;
	memcpy(copy, elf, size);
	sections = (const void *)(copy + header->e_shoff);
	for (int i = 0; i < header->e_shnum; i++)
		if (sections[i].sh_type == SHT_PROGBITS && sections[i].sh_flags & SHF_EXECINSTR)
			replace((void *)(copy + sections[i].sh_offset),
				sections[i].sh_size / sizeof(struct bpf_insn));
	return copy;
}
