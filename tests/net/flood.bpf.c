// SPDX-License-Identifier: GPL-2.0-only
/* Sends what it is run on out of a device, each packet with a number of its own, and from many sources in turn. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

/* Where the number goes: the first eight bytes behind Ethernet, IPv4 and UDP. */
#define NUMBER_OFFSET 42

/* The source of IPv4: its last bytes */
#define SOURCE_OFFSET 28

const volatile __u32 target = 0;  /* ifindex */
const volatile __u32 sources = 0; /* up to 65536; 0: the packet's own */
__u64 next = 0;

SEC("xdp")
int flood(struct xdp_md *ctx)
{
	unsigned char *frame = (void *)(long)ctx->data;

	if (frame + NUMBER_OFFSET + 8 <= (unsigned char *)(long)ctx->data_end) {
		if (sources)
			*(__be16 *)(frame + SOURCE_OFFSET) = bpf_htons(next % sources);
		*(__be64 *)(frame + NUMBER_OFFSET) = bpf_cpu_to_be64(next++);
	}
	return bpf_redirect(target, 0);
}

char _license[] SEC("license") = "GPL";
