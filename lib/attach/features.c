// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <linux/btf.h>
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

#define VMLINUX_BTF "/sys/kernel/btf/vmlinux"

/* The names that the kernel's BTF has; NULL: they can't be had. */
static char *read_names(int fd, const struct btf_header *header)
{
	char *names = malloc(header->str_len);
	off_t begin = header->hdr_len + header->str_off;
	size_t done = 0;
	ssize_t got;

	while (names && done < header->str_len) {
		got = pread(fd, names + done, header->str_len - done, begin + done);
		if (got <= 0) {
			free(names);
			return NULL;
		}
		done += got;
	}
	return names;
}

/*
 * By its name alone, which no other function, variable or type has: to have libbpf find it takes all of the kernel's
 * types, and as long as to load the program.
 */
static bool kernel_has_kern_ctx(void)
{
	static const char name[] = "\0bpf_cast_to_kern_ctx"; /* and the one that ends it */
	int fd = open(VMLINUX_BTF, O_RDONLY | O_CLOEXEC);
	struct btf_header header;
	char *names = NULL;
	bool has;

	if (fd < 0)
		return false;
	if (pread(fd, &header, sizeof(header), 0) == sizeof(header) && header.magic == BTF_MAGIC)
		names = read_names(fd, &header);
	has = names && memmem(names, header.str_len, name, sizeof(name));
	free(names);
	close(fd);
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
