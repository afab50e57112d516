// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "attach/features.h"
#include "util/error.h"

/* Can the kernel load programs for frames in several buffers (5.18)? By trying one. */
static bool kernel_has_frags(void)
{
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_XDP_HAS_FRAGS);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "pb_frags", "GPL", pass, 2, &options);

	if (fd < 0) /* by another failure it is not told, and what is loaded then fails as well */
		return errno != EINVAL;
	close(fd);
	return true;
}

/* Does the kernel know that instruction (5.12)? Of another failure as above. */
static bool kernel_has_cmpxchg(void)
{
	const struct bpf_insn swap[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_STX | BPF_MEM | BPF_DW,
		  .dst_reg = BPF_REG_10,
		  .src_reg = BPF_REG_0,
		  .off = -8 },
		{ .code = BPF_STX | 0xc0 | BPF_DW, /* BPF_ATOMIC: Debian 11's headers are older */
		  .dst_reg = BPF_REG_10,
		  .src_reg = BPF_REG_0,
		  .off = -8,
		  .imm = 0xf1 /* BPF_CMPXCHG */ },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "pb_cmpxchg", "GPL", swap,
			       sizeof(swap) / sizeof(swap[0]), NULL);

	if (fd < 0)
		return errno != EINVAL;
	close(fd);
	return true;
}

#define KTIME_GET_COARSE_NS 160 /* BPF_FUNC_ktime_get_coarse_ns: 5.11 */

static bool kernel_has_kern_ctx(void)
{
	struct btf *btf;
	bool has;

	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return false;
	btf = btf__load_vmlinux_btf();
	has = !libbpf_get_error(btf) &&
	      btf__find_by_name_kind(btf, "bpf_cast_to_kern_ctx", BTF_KIND_FUNC) > 0;
	btf__free(btf);
	return has;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct pb_features features;  /* as they are after that */
static atomic_bool without_kern_ctx; /* found out later, by a thread that tried */
static atomic_bool without_resize;   /* likewise */

static void find_out(void)
{
	features.frags = kernel_has_frags();
	features.kern_ctx = features.frags && kernel_has_kern_ctx();
	features.cmpxchg = kernel_has_cmpxchg();
	features.coarse = libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, KTIME_GET_COARSE_NS, NULL) ==
			  1;
	features.connections =
		libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_skc_lookup_tcp, NULL) == 1;
}

struct pb_features pb_features(void)
{
	struct pb_features found;

	pthread_once(&once, find_out);
	found = features;
	found.kern_ctx = found.kern_ctx && !without_kern_ctx;
	found.resize = !without_resize;
	return found;
}

void pb_features_do_without_resize(void)
{
	without_resize = true;
}

void pb_features_do_without_kern_ctx(void)
{
	without_kern_ctx = true;
}
