/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Does a packet belong to a connection of this host? */
#ifndef PB_BPF_CONNECTION_H
#define PB_BPF_CONNECTION_H

#include "frame.h"

/* RFC 9293 section 3.1: a segment that opens a connection. */
#define TCP_FLAGS_OFFSET 13
#define TCP_FLAG_SYN 0x02
#define TCP_FLAG_ACK 0x10

/*
 * Where the IP packet ends by its own length; what the frame holds behind that is padding. 0: the
 * frame cannot be read.
 */
PB_INLINE __u32 packet_end(struct xdp_md *ctx, __u64 found)
{
	__u32 offset = FOUND_NETWORK(found);
	__be16 length;

	if (FOUND_FAMILY(found) == 4) {
		offset += offsetof(struct pb_ipv4_header, total_length);
		if (!copy_frame(ctx, offset, &length, sizeof(length)))
			return 0;
		return FOUND_NETWORK(found) + bpf_ntohs(length);
	}
	offset += offsetof(struct pb_ipv6_header, payload_length);
	if (!copy_frame(ctx, offset, &length, sizeof(length)))
		return 0;
	return FOUND_NETWORK(found) + sizeof(struct pb_ipv6_header) + bpf_ntohs(length);
}

/*
 * True also where the packet ends before the flags: the next fragment brings them, which is not
 * read here.
 */
static __noinline bool opens_connection(struct xdp_md *ctx, __u64 found)
{
	__u32 at = FOUND_TRANSPORT(found) + TCP_FLAGS_OFFSET;
	__u8 flags = 0;

	if (packet_end(ctx, found) <= at || !copy_frame(ctx, at, &flags, sizeof(flags)))
		return true;
	return (flags & (TCP_FLAG_SYN | TCP_FLAG_ACK)) == TCP_FLAG_SYN;
}

/*
 * TIME_WAIT is a connection to what still comes of it, the peer's FIN above all: the kernel keeps
 * FIN_WAIT2 as TIME_WAIT, too. But a SYN that meets it opens a new connection.
 */
PB_INLINE bool tcp_connected(struct xdp_md *ctx, struct bpf_sock_tuple *tuple, __u32 size,
			     __u64 found)
{
	struct bpf_sock *sk = bpf_skc_lookup_tcp(ctx, tuple, size, BPF_F_CURRENT_NETNS, 0);
	__u32 state;

	if (!sk)
		return false;
	state = sk->state;
	bpf_sk_release(sk);
	if (state == BPF_TCP_TIME_WAIT)
		return !opens_connection(ctx, found);
	return state != BPF_TCP_LISTEN;
}

PB_INLINE bool udp_connected(struct xdp_md *ctx, struct bpf_sock_tuple *tuple, __u32 size)
{
	struct bpf_sock *sk = bpf_sk_lookup_udp(ctx, tuple, size, BPF_F_CURRENT_NETNS, 0);
	bool connected;

	if (!sk)
		return false;
	connected = sk->state == BPF_TCP_ESTABLISHED; /* connect() was called on it */
	bpf_sk_release(sk);
	return connected;
}

/* Fills the tuple of a packet and returns its size, 0: the frame cannot be read. */
PB_INLINE __u32 socket_tuple(struct xdp_md *ctx, __u64 found, __u32 ports,
			     struct bpf_sock_tuple *tuple)
{
	__builtin_memset(tuple, 0, sizeof(*tuple));
	if (FOUND_FAMILY(found) == 4) {
		if (!copy_source(ctx, found, &tuple->ipv4.saddr) ||
		    !copy_destination(ctx, found, &tuple->ipv4.daddr))
			return 0;
		tuple->ipv4.sport = PORTS_SOURCE(ports);
		tuple->ipv4.dport = PORTS_DESTINATION(ports);
		return sizeof(tuple->ipv4);
	}
	if (!copy_source(ctx, found, tuple->ipv6.saddr) ||
	    !copy_destination(ctx, found, tuple->ipv6.daddr))
		return 0;
	tuple->ipv6.sport = PORTS_SOURCE(ports);
	tuple->ipv6.dport = PORTS_DESTINATION(ports);
	return sizeof(tuple->ipv6);
}

/*
 * Does the packet belong to a connection of this host? By the kernel's own socket lookup in the
 * device's namespace. It knows TCP and UDP; of the other protocols no packet belongs to one.
 */
__noinline int is_connected(struct xdp_md *ctx, __u64 found, __u32 ports)
{
	struct bpf_sock_tuple tuple;
	__u32 size;

	if (!pb_connections || FOUND_PROTO(found) > PB_PROTO_UDP)
		return false;
	size = socket_tuple(ctx, found, ports, &tuple);
	if (!size)
		return false;
	if (FOUND_PROTO(found) == PB_PROTO_TCP)
		return tcp_connected(ctx, &tuple, size, found);
	return udp_connected(ctx, &tuple, size);
}

#endif
