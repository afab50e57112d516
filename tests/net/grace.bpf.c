// SPDX-License-Identifier: GPL-2.0-only
/*
 * A packet that takes long: it looks at `first` when it begins and at `second` when it ends. Somebody stores a number
 * in `first`, waits for packets under way, and stores it in `second`: whoever still had the old one is done by then.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "grace.h"

#define ROUNDS 20000

volatile struct grace grace;

SEC("xdp")
int takes_long(struct xdp_md *ctx)
{
	__u64 seen = grace.first;

	(void)ctx;
	__sync_fetch_and_add(&grace.packets, 1);
	for (int i = 0; i < ROUNDS; i++)
		asm volatile("" ::: "memory");
	if (grace.second > seen)
		__sync_fetch_and_add(&grace.not_waited_for, 1);
	if (grace.first != seen)
		__sync_fetch_and_add(&grace.overlapped, 1);
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
