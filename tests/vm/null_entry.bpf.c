// SPDX-License-Identifier: GPL-2.0-only
/* Hands a null pointer to the native engine's module, as no program of ours does: see guest-native.sh. */
#include <linux/bpf.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>
#include <portblock/native.h>

extern __u32 bpf_portblock_entry_v11(struct xdp_md *ctx, const struct pb_native_ports *ports,
				     __u32 slot) __ksym;

SEC("xdp")
int null_entry(struct xdp_md *ctx)
{
	return bpf_portblock_entry_v11(ctx, NULL, 0) ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
