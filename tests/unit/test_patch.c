// SPDX-License-Identifier: GPL-2.0-only
/* What pb_elf_patch() makes of each engine's object: nothing that is to be replaced is left, and branches are decided. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <linux/bpf.h>
#include <portblock/abi.h>
#include <portblock/patched.h>
#include "attach/patch.h"
#include "portblock.skel.h"
#include "portblock_kern_ctx.skel.h"
#include "portblock_native.skel.h"

/* Instructions with a number, anywhere in the object: each has its own four bytes. */
static size_t count(const void *elf, size_t size, __u8 code, __s32 imm)
{
	const struct bpf_insn *insns = elf;
	size_t nr = 0;

	for (size_t i = 0; i < size / sizeof(*insns); i++)
		nr += insns[i].imm == imm && (!code || insns[i].code == code);
	return nr;
}

static void try_object(const void *elf, size_t size, bool has_branches)
{
	const struct pb_patches patches = {
		.cmpxchg = true, .resize = true, .linear = true, .count_row = 0x70629999
	};
	const size_t factors = count(elf, size, 0, PB_PATCH_COUNT_ROW);
	void *patched = pb_elf_patch(elf, size, &patches);

	assert_non_null(patched);
	assert_true(factors > 0);
	assert_int_equal(count(elf, size, 0, PB_PATCH_LINEAR) > 0, has_branches);
	assert_int_equal(count(elf, size, 0, PB_PATCH_IP) > 0, has_branches);
	assert_true(count(elf, size, 0, PB_PATCH_MANY_CPUS) > 0);
	for (int number = PB_PATCH_LINEAR; number <= PB_PATCH_COUNT_ROW; number++)
		assert_int_equal(count(patched, size, 0, number), 0);
	assert_int_equal(count(patched, size, BPF_ALU64 | BPF_MUL | BPF_K, 0x70629999), factors);
	free(patched);
}

static void test_objects(void **state)
{
	size_t size;
	const void *elf = portblock_bpf__elf_bytes(&size);

	(void)state;
	try_object(elf, size, true);
	elf = portblock_kern_ctx_bpf__elf_bytes(&size);
	try_object(elf, size, true);
	elf = portblock_native_bpf__elf_bytes(&size);
	try_object(elf, size, false);
}

/* Of what `decided` says of a branch: the comparisons with 0 that are there in its place. */
static size_t branches(const void *elf, size_t size, const struct pb_patches *patches, __u8 op)
{
	void *patched = pb_elf_patch(elf, size, patches);
	size_t nr;

	assert_non_null(patched);
	nr = count(patched, size, BPF_JMP | op | BPF_K, 0);
	free(patched);
	return nr;
}

static void test_branches(void **state)
{
	const struct pb_patches none = { .cmpxchg = true, .resize = true };
	struct pb_patches all = none;
	size_t size, nr;
	const void *elf = portblock_bpf__elf_bytes(&size);

	(void)state;
	all.linear = all.ip = all.many_cpus = true;
	nr = branches(elf, size, &all, BPF_JGE) - branches(elf, size, &none, BPF_JGE);
	assert_int_equal(nr, count(elf, size, 0, PB_PATCH_LINEAR) +
				     count(elf, size, 0, PB_PATCH_IP) +
				     count(elf, size, 0, PB_PATCH_MANY_CPUS));
	assert_int_equal(nr,
			 branches(elf, size, &none, BPF_JLT) - branches(elf, size, &all, BPF_JLT));
}

/* Kernels before 5.12 know one atomic instruction, the addition that returns nothing. Which one it is, clang decides. */
static void try_atomics(const void *elf, size_t size)
{
	const struct pb_patches patches = { .resize = true };
	const __u8 atomic = BPF_STX | 0xc0 | BPF_DW; /* BPF_ATOMIC: Debian 11's headers are older */
	void *patched = pb_elf_patch(elf, size, &patches);

	assert_non_null(patched);
	assert_true(count(elf, size, atomic, 0xf1 /* BPF_CMPXCHG */) > 0);
	assert_true(count(patched, size, atomic, BPF_ADD) > 0);
	assert_int_equal(count(patched, size, atomic, 0xf1), 0);
	assert_int_equal(count(patched, size, atomic, BPF_ADD | 1 /* BPF_FETCH */), 0);
	free(patched);
}

static void test_atomics(void **state)
{
	size_t size;
	const void *elf = portblock_bpf__elf_bytes(&size);

	(void)state;
	try_atomics(elf, size);
	elf = portblock_native_bpf__elf_bytes(&size);
	try_atomics(elf, size);
}

static void test_no_object(void **state)
{
	const struct pb_patches patches = {};

	(void)state;
	assert_null(pb_elf_patch("no object at all", 16, &patches));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_branches),
		cmocka_unit_test(test_atomics),
		cmocka_unit_test(test_no_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
