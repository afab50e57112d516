// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that gives each packet another source, of those drawn before, and goes on to the program under
 * test, and one that sends such packets to a device. Each source comes once until all have come.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "sources.h"

const volatile __u32 family = 4;
const volatile __u32 nr_sources = 1; /* a power of two */
const volatile __u32 target = 0;     /* ifindex to send to */
__u32 next_source;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct source);
} sources SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} next SEC(".maps");

/* The checksum of the header with it, too: the kernel's stack looks at it. */
static __always_inline void write4(unsigned char *frame, const struct source *source)
{
	*(__u16 *)(frame + AT_CHECKSUM4) = source->checksum;
	*(__u32 *)(frame + AT_SOURCE4) = source->addr[0];
}

static __always_inline void write6(unsigned char *frame, const struct source *source)
{
	__builtin_memcpy(frame + AT_SOURCE6, source->addr, sizeof(source->addr));
}

static __always_inline void set_source(struct xdp_md *ctx)
{
	unsigned char *frame = (void *)(long)ctx->data;
	__u32 number = next_source++ & (nr_sources - 1);
	const struct source *source = bpf_map_lookup_elem(&sources, &number);

	if (!source || frame + AT_SOURCE6 + 16 > (unsigned char *)(long)ctx->data_end)
		return;
	if (family == 4)
		write4(frame, source);
	else
		write6(frame, source);
}

SEC("xdp")
int any_source(struct xdp_md *ctx)
{
	set_source(ctx);
	bpf_tail_call(ctx, &next, 0);
	return XDP_ABORTED;
}

SEC("xdp")
int send_sources(struct xdp_md *ctx)
{
	set_source(ctx);
	return bpf_redirect(target, 0);
}

char _license[] SEC("license") = "GPL";
