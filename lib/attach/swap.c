// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include "attach/swap.h"

static bool is_resize(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && !insn->src_reg &&
	       (insn->imm == BPF_FUNC_xdp_adjust_head || insn->imm == BPF_FUNC_xdp_adjust_tail);
}

static void take_out(struct bpf_insn *insns, size_t nr, bool swap, bool resize)
{
	for (size_t i = 0; i < nr; i++) {
		if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW)) {
			i++; /* the next one is the rest of the constant */
			continue;
		}
		if (resize && is_resize(&insns[i]))
			insns[i] =
				(struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = -1 };
		if (!swap || insns[i].code != PB_INSN_SWAP || insns[i].imm != PB_INSN_SWAP_IMM)
			continue;
		insns[i].code = BPF_STX | BPF_MEM | BPF_DW;
		insns[i].imm = 0;
	}
}

/* In all sections that have instructions. */
static int take_out_of(Elf *elf, char *copy, size_t size, bool swap, bool resize)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf, section))) {
		if (!gelf_getshdr(section, &header))
			return -EINVAL;
		if (header.sh_type != SHT_PROGBITS || !(header.sh_flags & SHF_EXECINSTR))
			continue;
		if (header.sh_offset > size || header.sh_size > size - header.sh_offset)
			return -EINVAL;
		take_out((void *)(copy + header.sh_offset),
			 header.sh_size / sizeof(struct bpf_insn), swap, resize);
	}
	return 0;
}

void *pb_swap_take_out(const void *elf, size_t size, bool swap, bool resize)
{
	char *copy = malloc(size);
	Elf *read;
	int ret;

	if (!copy)
		return NULL;
	memcpy(copy, elf, size);
	elf_version(EV_CURRENT);
	read = elf_memory(copy, size);
	ret = read ? take_out_of(read, copy, size, swap, resize) : -EINVAL;
	elf_end(read);
	if (!ret)
		return copy;
	free(copy);
	errno = -ret;
	return NULL;
}
