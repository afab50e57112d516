// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ours is measured against, and what sends: a program that only drops, one that only reads the ports of plain
 * frames, one that looks up a socket beside, one that parses all frames, one that gives each packet another port before
 * the program under test, two that redirect, one that only passes.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include <portblock/parse.h>

#define PORT_OFFSET_MAX 255
#define ADDRESSES4 26 /* from the first byte of a plain frame */
#define CHUNK 4096    /* as in bench.h */
#define CHUNKS_MAX 1024

const volatile __u32 port_offset = 36; /* the destination port, from the frame's first byte */
const volatile __u32 first_port = 0;
const volatile __u32 nr_ports = 65536; /* at random from that many; 0: as the packet has it */
const volatile __u32 target = 0;       /* ifindex to send to */
const volatile __u32 gap =
	0; /* of sender_anew: nanoseconds from a packet to the next, on the average */
__u32 seed = 1;
unsigned char first[60]; /* frame that sender_anew had */
bool has_first;
__u64 due;
/* Of sender_timed: what it has sent, and when each chunk was. */
__u64 stamps[CHUNKS_MAX];
__u32 sent;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} next SEC(".maps");

SEC("xdp")
int bare(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_DROP;
}

SEC("xdp")
int pass(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_PASS;
}

/*
 * The limit of a filter of ports: Ethernet, IP, TCP or UDP and both ports are read, as ours reads a plain frame, which
 * is then dropped. No table, no counter, no length, nothing that is asked of the ports.
 */
SEC("xdp")
int ports(struct xdp_md *ctx)
{
	struct pb_plain plain;

	if (!pb_parse_plain((void *)(long)ctx->data, (void *)(long)ctx->data_end, &plain))
		return XDP_PASS;
	asm volatile("" : : "r"(plain.proto), "r"(plain.sport), "r"(plain.dport));
	return XDP_DROP;
}

/* The same, of IPv4 alone, and then the kernel's look-up of the socket that `new` asks for, of whom there is none. */
SEC("xdp")
int socket(struct xdp_md *ctx)
{
	unsigned char *frame = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct bpf_sock_tuple tuple;
	struct pb_plain plain;
	struct bpf_sock *sk;

	if (!pb_parse_plain(frame, end, &plain) || frame + ADDRESSES4 + 8 > end)
		return XDP_PASS;
	__builtin_memset(&tuple, 0, sizeof(tuple));
	__builtin_memcpy(&tuple.ipv4, frame + ADDRESSES4, 8);
	tuple.ipv4.sport = plain.sport;
	tuple.ipv4.dport = plain.dport;
	sk = bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return XDP_DROP;
	bpf_sk_release(sk);
	return XDP_PASS;
}

/* The verdict depends on all that the parser is to find: nothing of it can be left out. */
SEC("xdp")
int parse(struct xdp_md *ctx)
{
	struct pb_packet packet;
	struct pb_cursor cursor;
	union pb_copy copy;

	__builtin_memset(&packet, 0, sizeof(packet));
	__builtin_memset(&cursor, 0, sizeof(cursor));
	cursor.ctx = ctx;
	cursor.pos = (void *)(long)ctx->data;
	cursor.end = (void *)(long)ctx->data_end;
	if (pb_parse_common(&cursor, true, &packet, &copy) != PB_OUTCOME_PASS)
		return XDP_PASS;
	return packet.dport == bpf_htons(80) && packet.sport && packet.proto < PB_PROTO_MAX ?
		       XDP_DROP :
		       XDP_PASS;
}

/* A linear congruential generator: each port comes once in 65536, in an order that looks random. */
static __always_inline void set_port(struct xdp_md *ctx)
{
	unsigned char *frame = (void *)(long)ctx->data;
	__u32 offset = port_offset;

	if (!nr_ports || offset > PORT_OFFSET_MAX)
		return;
	frame += offset;
	if (frame + 2 > (unsigned char *)(long)ctx->data_end)
		return;
	seed = seed * 1664525 + 1013904223;
	*(__be16 *)frame = bpf_htons(first_port + ((__u64)(seed >> 16) * nr_ports >> 16));
}

SEC("xdp")
int any_port(struct xdp_md *ctx)
{
	set_port(ctx);
	bpf_tail_call(ctx, &next, 0);
	return XDP_ABORTED;
}

SEC("xdp")
int sender(struct xdp_md *ctx)
{
	set_port(ctx);
	return bpf_redirect(target, 0);
}

SEC("xdp")
int sender_timed(struct xdp_md *ctx)
{
	__u32 chunk;

	set_port(ctx);
	sent++;
	if (!(sent % CHUNK)) {
		chunk = sent / CHUNK;
		barrier_var(chunk);
		if (chunk < CHUNKS_MAX)
			stamps[chunk] = bpf_ktime_get_ns();
	}
	return bpf_redirect(target, 0);
}

/* Until it is this packet's time. Those that are late have theirs all the same, so that the average is kept. */
static __always_inline void wait(void)
{
	__u64 now = bpf_ktime_get_ns();

	if (!due)
		due = now;
	for (int i = 0; i < 1000 && now < due; i++)
		now = bpf_ktime_get_ns();
	due += gap;
}

/*
 * As it was at first: the receiver may have made an answer of it, and live frames are sent again and again. Of the
 * least length, for others were not there at first.
 */
SEC("xdp")
int sender_anew(struct xdp_md *ctx)
{
	unsigned char *frame = (void *)(long)ctx->data;

	if (frame + sizeof(first) > (unsigned char *)(long)ctx->data_end)
		return XDP_ABORTED;
	if (!has_first)
		__builtin_memcpy(first, frame, sizeof(first));
	has_first = true;
	if (gap)
		wait();
	__builtin_memcpy(frame, first, sizeof(first));
	return bpf_redirect(target, 0);
}

char _license[] SEC("license") = "GPL";
