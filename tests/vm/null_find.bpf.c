// SPDX-License-Identifier: GPL-2.0-only
/* Hands a null pointer to the native engine's module, as no program of ours does: see guest-native.sh. */
#include <linux/bpf.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>
#include <portblock/native.h>

extern __u32 bpf_portblock_find_v11(struct xdp_md *ctx, const struct pb_native_ports *ports,
				    struct pb_native_found *found, __u32 flags) __ksym;

SEC("xdp")
int null_find(struct xdp_md *ctx)
{
	struct pb_native_found found = {};
	int without_tables = bpf_portblock_find_v11(ctx, NULL, &found, PB_NATIVE_ETHERNET);

	return without_tables == PB_OUTCOME_UNPARSABLE ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
