/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Telling the sender of a packet that is rejected: a TCP reset (RFC 9293 section 3.10.7.1), else ICMP (RFC 792, 1122)
 * or ICMPv6 (RFC 4443) port unreachable. The frame itself is turned into that, and goes out where it came in. Where
 * nothing is to be told, or more than so much a second, it is dropped in silence.
 *
 * Fields are read and written by two bytes, since no IP header lies at a multiple of four.
 */
#ifndef PB_BPF_REJECT_H
#define PB_BPF_REJECT_H

#include "frame.h"

#define LINK_MAX 0x3e /* a mask: Ethernet, four tags and PPPoE are 38 bytes */
#define HOPS 64
#define LOOPBACK_IFINDEX 1 /* in each network namespace */
#define FRAME_MIN 60	   /* of Ethernet, without the frame check sequence */

#define IPV4_DONT_FRAGMENT 0x4000
#define TOS_CONTROL 0xc0 /* RFC 1812 section 4.3.2.5: internetwork control */
#define QUOTED4_MAX (576 - 28)
#define QUOTED6_MAX (1280 - 48)

#define NEXT_ICMP 1
#define NEXT_ICMPV6 58
#define NEXT_NONE 59

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

struct tcp_header {
	__be16 source;
	__be16 destination;
	__be16 sequence[2];
	__be16 acknowledgment[2];
	__u8 offset; /* its upper half: of data, in four bytes */
	__u8 flags;
	__be16 window;
	__be16 checksum;
	__be16 urgent;
};

struct icmp_header {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be16 unused[2];
};

PB_INLINE void *frame_end(struct xdp_md *ctx)
{
	barrier_var(ctx); /* read anew: with what clang has, it would compute */
	return (void *)(long)ctx->data_end;
}

/* Where something lies that does so at an even place, at most at `mask`. */
PB_INLINE void *frame_at(struct xdp_md *ctx, __u64 offset, __u64 mask)
{
	return (unsigned char *)(long)ctx->data + masked(offset, mask);
}

PB_INLINE __u32 load32(const __be16 half[2])
{
	return (__u32)bpf_ntohs(half[0]) << 16 | bpf_ntohs(half[1]);
}

PB_INLINE void store32(__be16 half[2], __u32 value)
{
	half[0] = bpf_htons(value >> 16);
	half[1] = bpf_htons(value & 0xffff);
}

/* ---- Checksums: RFC 1071 -------------------------------------------------------------------- */

#define SUM(sum, from, bytes)                                        \
	_Pragma("unroll") for (int i = 0; i < (int)(bytes) / 2; i++) \
		sum += ((const __be16 *)(from))[i]

PB_INLINE __be16 folded(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

#define SUM_STEP 32

/* Of so many bytes; those that the frame does not have count as zero. */
__noinline int sum_of(struct xdp_md *ctx, __u32 offset, __u32 bytes)
{
	const __be16 *at = frame_at(ctx, offset, 0x7e);
	__u32 end = offset + bytes;
	__u64 sum = 0;

	PB_NO_UNROLL
	for (int step = 0; step < 1280 / SUM_STEP; step++) {
		if (bytes < SUM_STEP || (void *)(at + SUM_STEP / 2) > frame_end(ctx))
			break;
		SUM(sum, at, SUM_STEP);
		at += SUM_STEP / 2;
		bytes -= SUM_STEP;
	}
	at = frame_at(ctx, end - bytes, 0x7fe); /* the same: the verifier is to forget the steps */
	PB_NO_UNROLL
	for (int step = 0; step < SUM_STEP / 2 - 1; step++) {
		if (bytes < 2 || (void *)(at + 1) > frame_end(ctx))
			break;
		sum += *at++;
		bytes -= 2;
	}
	if (bytes && (const __u8 *)at + 1 <= (const __u8 *)frame_end(ctx))
		sum += bpf_htons(*(const __u8 *)at << 8);
	return (__u16)~folded(sum);
}

/* ---- To whom nothing is told ---------------------------------------------------------------- */

enum link { LINK_GROUP, LINK_HOST, LINK_LOOPBACK };

/* RFC 1122 section 3.2.2: neither to a group nor from one, by the link layer. */
PB_INLINE enum link link_of(struct xdp_md *ctx)
{
	const struct pb_eth_header *eth = (void *)(long)ctx->data;
	__u16 all = 0;

	if (!is_ethernet())
		return LINK_HOST;
	if ((void *)(eth + 1) > frame_end(ctx))
		return LINK_GROUP;
	if ((*(const __u8 *)&eth->addresses[0] | *(const __u8 *)&eth->addresses[3]) & 1)
		return LINK_GROUP;
	_Pragma("unroll") for (int i = 0; i < 6; i++) all |= eth->addresses[i];
	/* Of `lo` all are zero. Anybody can send such a frame. */
	return all || ctx->ingress_ifindex != LOOPBACK_IFINDEX ? LINK_HOST : LINK_LOOPBACK;
}

/* A host's own address: no group's, nobody's, and that of the loopback only there. */
PB_INLINE bool is_host4(const __be16 address[2], enum link link)
{
	__u8 first = *(const __u8 *)address;

	return first && first < 224 && (first != 127 || link == LINK_LOOPBACK);
}

/* Below 80 bits of zeros are IPv4's addresses in other forms, which no host has on a wire, and ::1. */
PB_INLINE bool is_host6(const __be16 address[8], enum link link)
{
	__u16 upper = 0, middle;

	if (*(const __u8 *)address == 0xff)
		return false;
	_Pragma("unroll") for (int i = 0; i < 5; i++) upper |= address[i];
	middle = address[5] | address[6];
	return upper || (!middle && address[7] == bpf_htons(1) && link == LINK_LOOPBACK);
}

/* From where it goes to: but on `lo` that is a lie, and the answer would come to nobody. */
PB_INLINE bool is_to_itself(const __be16 *source, const __be16 *destination, int halves,
			    enum link link)
{
	__u16 differ = 0;

	_Pragma("unroll") for (int i = 0; i < halves; i++) differ |= source[i] ^ destination[i];
	return !differ && link != LINK_LOOPBACK;
}

/* RFC 1122 section 3.2.2: no error about an error, and of what nobody knows it may be one. */
PB_INLINE bool is_icmp_query(__u8 type)
{
	return type == 0 || type == 8 || (type >= 13 && type <= 18);
}

/* RFC 4443 section 2.4 (e): no error about an error, or a redirect; and none about what neighbours tell each other. */
PB_INLINE bool is_icmpv6_query(__u8 type)
{
	return type == 128 || type == 129;
}

/* Bytes of a transport header that make it whole, but for TCP's options. */
PB_INLINE __u32 header_of(__u32 proto)
{
	if (proto == PB_PROTO_TCP)
		return sizeof(struct tcp_header);
	return proto == PB_PROTO_SCTP || proto == PB_PROTO_DCCP ? 12 : 8;
}

/* May the sender be told, as far as the transport header says? `next`: its protocol number, where no ports are. */
PB_INLINE bool is_transport_right(struct xdp_md *ctx, __u32 proto, __u8 next, __u32 transport,
				  __u32 end)
{
	const struct tcp_header *tcp = frame_at(ctx, transport, HEADERS_MAX - 1);
	__u32 header = header_of(proto);

	if (transport + header > end || (__u8 *)tcp + 8 > (__u8 *)frame_end(ctx))
		return false;
	if (proto == PB_PROTO_TCP) {
		if ((void *)(tcp + 1) > frame_end(ctx) || tcp->flags & TCP_RST)
			return false;
		header = (tcp->offset >> 4) * 4;
		return header >= sizeof(*tcp) && transport + header <= end;
	}
	if (proto < PB_PROTO_MAX)
		return true;
	if (next == NEXT_ICMP)
		return is_icmp_query(*(const __u8 *)tcp);
	return next != NEXT_ICMPV6 || is_icmpv6_query(*(const __u8 *)tcp);
}

/* Is the sum of the header right? The stack would have asked. */
PB_INLINE bool is_header_right(struct xdp_md *ctx, const struct pb_ipv4_header *ip)
{
	const __be16 *option = (const __be16 *)(ip + 1);
	__u32 options = (ip->version_ihl & 15) - 5;
	__u64 sum = 0;

	SUM(sum, ip, sizeof(*ip));
	PB_NO_UNROLL
	for (__u32 i = 0; i < 10; i++, option += 2) {
		if (i >= options)
			break;
		if ((void *)(option + 2) > frame_end(ctx))
			return false;
		sum += option[0];
		sum += option[1];
	}
	return !folded(sum);
}

/*
 * Where the packet ends, by its IP header; 0: nothing is to be told. What is longer than the frame, the stack would
 * have discarded.
 */
__noinline int end_to_tell4(struct xdp_md *ctx, __u64 found, __u32 length)
{
	const struct pb_ipv4_header *ip = frame_at(ctx, FOUND_NETWORK(found), LINK_MAX);
	__u32 proto = FOUND_PROTO(found), transport = FOUND_TRANSPORT(found), header, end;
	enum link link = link_of(ctx);

	if (link == LINK_GROUP || (void *)(ip + 1) > frame_end(ctx) || ip->version_ihl >> 4 != 4 ||
	    ip->flags_offset & PB_BE16(PB_IPV4_OFFSET))
		return 0;
	header = (ip->version_ihl & 15) * 4;
	end = FOUND_NETWORK(found) + bpf_ntohs(ip->total_length);
	if (header < sizeof(*ip) || end > length || !is_host4(ip->source, link) ||
	    !is_host4(ip->destination, link) ||
	    is_to_itself(ip->source, ip->destination, 2, link) || !is_header_right(ctx, ip))
		return 0;
	if (proto >= PB_PROTO_MAX) {
		transport = FOUND_NETWORK(found) + header;
		/* What is behind AH may be an error. */
		if (ip->protocol == PB_NEXT_AH || pb_proto_of(ip->protocol) != PB_PROTO_MAX)
			return 0;
	}
	return is_transport_right(ctx, proto, ip->protocol, transport, end) ? end : 0;
}

__noinline int end_to_tell6(struct xdp_md *ctx, __u64 found, __u32 length)
{
	const struct pb_ipv6_header *ip = frame_at(ctx, FOUND_NETWORK(found), LINK_MAX);
	__u32 proto = FOUND_PROTO(found), transport = FOUND_TRANSPORT(found), end;
	enum link link = link_of(ctx);

	if (link == LINK_GROUP || (void *)(ip + 1) > frame_end(ctx) || ip->version_class >> 4 != 6)
		return 0;
	end = FOUND_NETWORK(found) + sizeof(*ip) + bpf_ntohs(ip->payload_length);
	if (end > length || !is_host6(ip->source, link) || !is_host6(ip->destination, link) ||
	    is_to_itself(ip->source, ip->destination, 8, link))
		return 0;
	if (proto >= PB_PROTO_MAX) {
		transport = FOUND_NETWORK(found) + sizeof(*ip);
		if (pb_is_extension(6, ip->next_header) || ip->next_header == NEXT_NONE ||
		    pb_proto_of(ip->next_header) != PB_PROTO_MAX)
			return 0;
	}
	return is_transport_right(ctx, proto, ip->next_header, transport, end) ? end : 0;
}

/* ---- How often ------------------------------------------------------------------------------ */

#define TICKS_OF_SECOND (1000000000ULL << PB_TICKS_SHIFT)

PB_INLINE struct pb_rate_meter *rate_meter(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	if (cpu >= PB_CPU_ROWS)
		cpu = PB_CPU_ROWS - 1;
	return &pb_rates.row[masked(cpu, PB_CPU_ROWS - 1)];
}

/*
 * Takes one out of the CPU's bucket, which holds those of a second. Nobody else of this CPU comes in between; those
 * that share the last row may let go some more.
 */
__noinline int is_held_back(void)
{
	__u32 slot = PB_STATE_ACTIVE(read_state()) & PB_ACTIVE_SLOT;
	__u32 answers = pb_config.slots[slot].answers;
	__u64 now = bpf_ktime_get_ns() << PB_TICKS_SHIFT;
	__u64 cost = answers ? TICKS_OF_SECOND / answers : TICKS_OF_SECOND + 1;
	struct pb_rate_meter *meter = rate_meter();
	__s64 ahead = (__s64)(meter->answers_until - now);

	if (pb_quiet)
		return false;
	if (ahead < 0)
		ahead = 0;
	if (ahead + cost > TICKS_OF_SECOND) {
		meter->held_back++;
		return true;
	}
	meter->answers_until = now + ahead + cost;
	return false;
}

/* ---- The frame ------------------------------------------------------------------------------ */

/* Cuts off what is behind `length`. Where that can't be done it stays there as padding, which IP does not mind. */
PB_INLINE void cut_frame(struct xdp_md *ctx, __u32 before, __u32 length)
{
	if (length < before)
		bpf_xdp_adjust_tail(ctx, (int)length - (int)before);
}

/* What is before the IP header, for the way back; it lies `from` bytes further on, and the IP packet has `length`. */
PB_INLINE bool turn_link(struct xdp_md *ctx, __u32 network, __u32 from, __u32 length)
{
	__be16 *to = (void *)(long)ctx->data, *link = (void *)to + from;

	if (!is_ethernet())
		return true;
	if ((void *)(to + 19) > frame_end(ctx) || (void *)(link + 7) > frame_end(ctx))
		return false;
	_Pragma("unroll") for (int i = 0; i < 3; i++)
	{
		__be16 source = link[i + 3];

		to[i + 3] = link[i];
		to[i] = source;
	}
	to[6] = link[6];
	PB_NO_UNROLL
	for (__u32 i = 7; i < 19; i++) {
		if (i >= network / 2)
			break;
		if ((void *)(link + i + 1) > frame_end(ctx))
			return false;
		to[i] = link[i];
	}
	if (network < 22)
		return true;
	to = frame_at(ctx, network - 10, LINK_MAX);
	if ((void *)(to + 5) > frame_end(ctx))
		return false;
	if (to[0] == PB_BE16(ETH_P_PPP_SES))
		to[3] = bpf_htons(length + 2);
	return true;
}

PB_INLINE void write_ipv4(struct pb_ipv4_header *ip, __u16 length, __u8 protocol, __u8 tos,
			  __u16 flags, const __be16 source[2], const __be16 destination[2])
{
	__be16 from[2] = { source[0], source[1] };
	__u64 sum = 0;

	ip->version_ihl = 0x45;
	ip->tos = tos;
	ip->total_length = bpf_htons(length);
	ip->identification = 0;
	ip->flags_offset = bpf_htons(flags);
	ip->ttl = HOPS;
	ip->protocol = protocol;
	ip->checksum = 0;
	ip->source[0] = destination[0];
	ip->source[1] = destination[1];
	ip->destination[0] = from[0];
	ip->destination[1] = from[1];
	SUM(sum, ip, sizeof(*ip));
	ip->checksum = folded(sum);
}

/* `source`, `destination`: of the packet that is rejected. They may be the header's own. */
PB_INLINE void write_ipv6(struct pb_ipv6_header *ip, __u16 length, __u8 next, const __be16 *source,
			  const __be16 *destination)
{
	ip->version_class = 0x60;
	ip->class_flow = 0;
	ip->flow = 0;
	ip->payload_length = bpf_htons(length);
	ip->next_header = next;
	ip->hop_limit = HOPS;
	_Pragma("unroll") for (int i = 0; i < 8; i++)
	{
		__be16 from = source[i];

		ip->source[i] = destination[i];
		ip->destination[i] = from;
	}
}

/* ---- A reset -------------------------------------------------------------------------------- */

/* RFC 9293 section 3.10.7.1. `addresses`: their sum, and that of the rest of the pseudo header. */
PB_INLINE void write_reset(struct tcp_header *reset, const struct tcp_header *tcp, __u32 transport,
			   __u32 end, __u64 sum)
{
	__u32 sequence = load32(tcp->sequence), acknowledgment = load32(tcp->acknowledgment);
	__be16 source = tcp->source, destination = tcp->destination;
	__u8 flags = tcp->flags;

	sequence += end - transport - (tcp->offset >> 4) * 4 + !!(flags & TCP_SYN) +
		    !!(flags & TCP_FIN);
	reset->source = destination;
	reset->destination = source;
	store32(reset->sequence, flags & TCP_ACK ? acknowledgment : 0);
	store32(reset->acknowledgment, flags & TCP_ACK ? 0 : sequence);
	reset->offset = sizeof(*reset) / 4 << 4;
	reset->flags = flags & TCP_ACK ? TCP_RST : TCP_RST | TCP_ACK;
	reset->window = 0;
	reset->checksum = 0;
	reset->urgent = 0;
	sum += bpf_htons(PB_NEXT_TCP) + bpf_htons(sizeof(*reset));
	SUM(sum, reset, sizeof(*reset));
	reset->checksum = folded(sum);
}

/* The least of Ethernet frames is filled up by zeros, where it was there. */
PB_INLINE void cut_behind(struct xdp_md *ctx, __be16 *behind, __u32 length, __u32 packet_end)
{
	if (is_ethernet() && length >= FRAME_MIN && packet_end < FRAME_MIN) {
		if ((void *)(behind + 3) <= frame_end(ctx))
			behind[0] = behind[1] = behind[2] = 0;
		packet_end = FRAME_MIN;
	}
	cut_frame(ctx, length, packet_end);
}

__noinline int reset4(struct xdp_md *ctx, __u64 found, __u32 length, __u32 end)
{
	const struct tcp_header *tcp = frame_at(ctx, FOUND_TRANSPORT(found), HEADERS_MAX - 1);
	struct pb_ipv4_header *ip = frame_at(ctx, FOUND_NETWORK(found), LINK_MAX);
	struct tcp_header *reset = (void *)(ip + 1);
	__u32 size = sizeof(*ip) + sizeof(*reset);
	__u64 sum = 0;

	if ((void *)(reset + 1) > frame_end(ctx) || (void *)(tcp + 1) > frame_end(ctx) ||
	    !turn_link(ctx, FOUND_NETWORK(found), 0, size))
		return false;
	SUM(sum, ip->source, 8);
	write_reset(reset, tcp, FOUND_TRANSPORT(found), end, sum);
	write_ipv4(ip, size, PB_NEXT_TCP, 0, IPV4_DONT_FRAGMENT, ip->source, ip->destination);
	cut_behind(ctx, (void *)(reset + 1), length, FOUND_NETWORK(found) + size);
	return true;
}

__noinline int reset6(struct xdp_md *ctx, __u64 found, __u32 length, __u32 end)
{
	const struct tcp_header *tcp = frame_at(ctx, FOUND_TRANSPORT(found), HEADERS_MAX - 1);
	struct pb_ipv6_header *ip = frame_at(ctx, FOUND_NETWORK(found), LINK_MAX);
	struct tcp_header *reset = (void *)(ip + 1);
	__u64 sum = 0;

	if ((void *)(reset + 1) > frame_end(ctx) || (void *)(tcp + 1) > frame_end(ctx) ||
	    !turn_link(ctx, FOUND_NETWORK(found), 0, sizeof(*ip) + sizeof(*reset)))
		return false;
	SUM(sum, ip->source, 32);
	write_reset(reset, tcp, FOUND_TRANSPORT(found), end, sum);
	write_ipv6(ip, sizeof(*reset), PB_NEXT_TCP, ip->source, ip->destination);
	cut_frame(ctx, length, FOUND_NETWORK(found) + sizeof(*ip) + sizeof(*reset));
	return true;
}

/* ---- Port unreachable ----------------------------------------------------------------------- */

#define MOVED_MAX 128

/* Moves so many bytes of the packet, an even number, further on by `size`, within the frame. The last ones first. */
__noinline int move_packet(struct xdp_md *ctx, __u32 network, __u32 size, __u32 bytes)
{
	size = masked(size, 0x3e);
	PB_NO_UNROLL
	for (int i = 0; i < MOVED_MAX / 2; i++) {
		__be16 *from, *to;

		if (!bytes)
			return true;
		bytes -= 2;
		from = frame_at(ctx, network + bytes, 0xfe);
		to = (void *)from + size;
		if ((void *)(from + 1) > frame_end(ctx) || (void *)(to + 1) > frame_end(ctx))
			return false;
		*to = *from;
	}
	return !bytes;
}

/*
 * Makes room for two headers of `size` bytes before the packet, and turns what is before that. Returns how much of the
 * packet is behind them, to be quoted; 0: it can't be done. Where the frame can't grow, that is what it has room for.
 */
__noinline int make_room(struct xdp_md *ctx, __u64 found, __u32 length, __u32 end, __u32 size)
{
	__u32 network = FOUND_NETWORK(found), here = ctx->data_end - ctx->data, quoted;
	__u32 max = FOUND_FAMILY(found) == 4 ? QUOTED4_MAX : QUOTED6_MAX;

	if (end > here) /* no more than the first buffer has */
		end = here;
	quoted = end - network < max ? end - network : max;
	size = masked(size, 0x3e);
	if (!bpf_xdp_adjust_head(ctx, -(int)size)) {
		if (!turn_link(ctx, network, size, size + quoted))
			return 0;
		cut_frame(ctx, length + size, network + size + quoted);
		return quoted;
	}
	if (here < network + size)
		return 0;
	here -= network + size;
	if (quoted > here)
		quoted = here;
	if (quoted > MOVED_MAX)
		quoted = MOVED_MAX;
	quoted &= ~1U;
	/* At least the IP header, of which an option may be part, and eight bytes: RFC 792 */
	if (quoted < end - network && quoted < (FOUND_FAMILY(found) == 4 ? 68 : 48)) {
		const struct pb_ipv4_header *ip = frame_at(ctx, network, LINK_MAX);

		if (FOUND_FAMILY(found) != 4 || (void *)(ip + 1) > frame_end(ctx) ||
		    quoted < (ip->version_ihl & 15) * 4 + 8)
			return 0;
	}
	if (!move_packet(ctx, network, size, quoted) || !turn_link(ctx, network, 0, size + quoted))
		return 0;
	return quoted;
}

__noinline int unreachable4(struct xdp_md *ctx, __u64 found, __u32 length, __u32 end)
{
	__u32 network = FOUND_NETWORK(found), size = sizeof(struct pb_ipv4_header) + 8;
	__u32 quoted = make_room(ctx, found, length, end, size);
	struct pb_ipv4_header *ip = frame_at(ctx, network, LINK_MAX), *rejected;
	struct icmp_header *icmp = (void *)(ip + 1);

	rejected = (void *)(icmp + 1);
	if (!quoted || (void *)(rejected + 1) > frame_end(ctx))
		return false;
	write_ipv4(ip, size + quoted, NEXT_ICMP, TOS_CONTROL, 0, rejected->source,
		   rejected->destination);
	icmp->type = 3;
	icmp->code = 3;
	icmp->checksum = 0;
	store32(icmp->unused, 0);
	size = sum_of(ctx, network + sizeof(*ip), sizeof(*icmp) + quoted);
	icmp = frame_at(ctx, network, LINK_MAX) + sizeof(*ip);
	if ((void *)(icmp + 1) > frame_end(ctx))
		return false;
	icmp->checksum = folded(size);
	return true;
}

__noinline int unreachable6(struct xdp_md *ctx, __u64 found, __u32 length, __u32 end)
{
	__u32 network = FOUND_NETWORK(found), size = sizeof(struct pb_ipv6_header) + 8;
	__u32 quoted = make_room(ctx, found, length, end, size);
	struct pb_ipv6_header *ip = frame_at(ctx, network, LINK_MAX), *rejected;
	struct icmp_header *icmp = (void *)(ip + 1);
	__u64 sum;

	rejected = (void *)(icmp + 1);
	if (!quoted || (void *)(rejected + 1) > frame_end(ctx))
		return false;
	write_ipv6(ip, sizeof(*icmp) + quoted, NEXT_ICMPV6, rejected->source,
		   rejected->destination);
	icmp->type = 1;
	icmp->code = 4;
	icmp->checksum = 0;
	store32(icmp->unused, 0);
	/* That begins with the addresses, which the pseudo header has, too. */
	sum = (__u32)sum_of(ctx, network + offsetof(struct pb_ipv6_header, source),
			    32 + sizeof(*icmp) + quoted);
	sum += bpf_htons(NEXT_ICMPV6) + bpf_htons(sizeof(*icmp) + quoted);
	icmp = frame_at(ctx, network, LINK_MAX) + sizeof(*ip);
	if ((void *)(icmp + 1) > frame_end(ctx))
		return false;
	icmp->checksum = folded(sum);
	return true;
}

/* Makes the answer to a rejected packet out of its frame; false: nothing is told. */
PB_INLINE bool tell_sender(struct xdp_md *ctx, __u64 found, __u32 length)
{
	__u32 end;

	if (!FOUND_FAMILY(found) || FOUND_NETWORK(found) & 1)
		return false; /* no IP; or PPP's protocol field is of one byte */
	end = FOUND_FAMILY(found) == 4 ? end_to_tell4(ctx, found, length) :
					 end_to_tell6(ctx, found, length);
	if (!end || is_held_back())
		return false;
	if (FOUND_PROTO(found) == PB_PROTO_TCP)
		return FOUND_FAMILY(found) == 4 ? reset4(ctx, found, length, end) :
						  reset6(ctx, found, length, end);
	return FOUND_FAMILY(found) == 4 ? unreachable4(ctx, found, length, end) :
					  unreachable6(ctx, found, length, end);
}

/*
 * The end of a rejected packet's way, as answer(). What was found in it the judge has left behind, so that others need
 * not keep it. The counters and the listener have the packet as it was.
 */
__noinline int refuse(struct xdp_md *ctx, __u32 cpu, __u32 length, __u32 entry)
{
	const struct rejected *rejected = rejected_packet();

	if (!rejected)
		return XDP_DROP;
	answer(ctx, cpu, length, entry, rejected->ports);
	if (!tell_sender(ctx, rejected->found, length))
		return XDP_DROP;
	if (!pb_quiet)
		rate_meter()->answered++;
	return XDP_TX;
}

#endif
