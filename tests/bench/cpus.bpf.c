// SPDX-License-Identifier: GPL-2.0-only
/*
 * What bench_cpus is to see: programs that drop and count, in one place for all CPUs, and in a place for each with a
 * cache line of its own.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define CPUS 256

struct line {
	__u64 packets;
	__u64 reserved[7];
};
volatile struct line shared[1] SEC(".data.shared");
volatile struct line apart[CPUS] SEC(".data.apart");

SEC("xdp")
int count_shared(struct xdp_md *ctx __attribute__((unused)))
{
	shared[0].packets++;
	return XDP_DROP;
}

SEC("xdp")
int count_apart(struct xdp_md *ctx __attribute__((unused)))
{
	apart[bpf_get_smp_processor_id() % CPUS].packets++;
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
