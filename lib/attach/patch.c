// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>
#include <portblock/patched.h>
#include "attach/patch.h"

#define ATOMIC 0xc0 /* BPF_ATOMIC: Debian 11's headers are older */
#define CMPXCHG 0xf1

static bool is_resize(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && !insn->src_reg &&
	       (insn->imm == BPF_FUNC_xdp_adjust_head || insn->imm == BPF_FUNC_xdp_adjust_tail);
}

static bool is_cmpxchg(const struct bpf_insn *insn)
{
	return insn->code == (BPF_STX | ATOMIC | BPF_DW) && insn->imm == CMPXCHG;
}

/* A branch that is always taken, or never: the comparison is unsigned. */
static void decide(struct bpf_insn *insn, bool taken)
{
	insn->code = BPF_JMP | (taken ? BPF_JGE : BPF_JLT) | BPF_K;
	insn->imm = 0;
}

static void decide_branch(struct bpf_insn *insn, const struct pb_patches *patches)
{
	if (insn->code != (BPF_JMP | BPF_JEQ | BPF_K))
		return;
	if (insn->imm == PB_PATCH_LINEAR)
		decide(insn, patches->linear);
	else if (insn->imm == PB_PATCH_IP)
		decide(insn, patches->ip);
	else if (insn->imm == PB_PATCH_MANY_CPUS)
		decide(insn, patches->many_cpus);
}

static bool is_count_row(const struct bpf_insn *insn)
{
	return insn->code == (BPF_ALU64 | BPF_MUL | BPF_K) && insn->imm == PB_PATCH_COUNT_ROW;
}

/* The second half of an instruction of 16 bytes has the code 0, so it is none of these. */
static void patch(struct bpf_insn *insns, size_t nr, const struct pb_patches *patches)
{
	for (size_t i = 0; i < nr; i++) {
		decide_branch(&insns[i], patches);
		if (is_count_row(&insns[i]))
			insns[i].imm = patches->count_row;
		if (!patches->resize && is_resize(&insns[i]))
			insns[i] =
				(struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = -1 };
		if (!patches->cmpxchg && is_cmpxchg(&insns[i])) {
			insns[i].code = BPF_STX | BPF_MEM | BPF_DW;
			insns[i].imm = 0;
		}
	}
}

/* In all sections that have instructions. */
static int patch_all(Elf *elf, char *copy, size_t size, const struct pb_patches *patches)
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
		patch((void *)(copy + header.sh_offset), header.sh_size / sizeof(struct bpf_insn),
		      patches);
	}
	return 0;
}

void *pb_elf_patch(const void *elf, size_t size, const struct pb_patches *patches)
{
	char *copy = malloc(size);
	Elf *read;
	int ret;

	if (!copy)
		return NULL;
	memcpy(copy, elf, size);
	elf_version(EV_CURRENT);
	read = elf_memory(copy, size);
	ret = elf_kind(read) == ELF_K_ELF ? patch_all(read, copy, size, patches) : -EINVAL;
	elf_end(read);
	if (!ret)
		return copy;
	free(copy);
	errno = -ret;
	return NULL;
}
