/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * From a frame to its ports, by the outermost headers only: pure C, no map, no helper. It is
 * compiled unchanged into the XDP program and into user space (tests, `explain`).
 *
 * A cursor stands before the next header; pb_peek() shows a header only if the frame holds all
 * of it. Lengths inside headers never extend the frame and, but in first fragments, never shorten
 * it: padding and offloaded (too long, or zero) lengths are the stack's business.
 *
 * What is passed unjudged must be something that the stack can deliver to no port. A first fragment
 * is one part of what the stack delivers: see pb_parse_again().
 *
 * A frame in several buffers is read in two attempts. The first sees the first buffer only and
 * may say PB_OUTCOME_MALFORMED (pb_parse(): or PB_OUTCOME_UNPARSABLE); the caller then tries again
 * with `frags` set, which reads each header through PB_FRAME_LOAD(ctx, offset, to, len) (0 on
 * success) into a copy.
 */
#ifndef PORTBLOCK_PARSE_H
#define PORTBLOCK_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <portblock/abi.h>

#define PB_INLINE static inline __attribute__((always_inline))

/*
 * In user space a frame may start at any address. In the kernel the headers are aligned to two
 * bytes, and saying so makes a field one load instead of two loads and a shift.
 */
#ifdef __bpf__
#define PB_WIRE
#else
#define PB_WIRE __attribute__((packed))
#endif

/* A loop that stays one is checked by the verifier in far fewer steps than its unrolled copies. */
#ifdef __clang__
#define PB_NO_UNROLL _Pragma("clang loop unroll(disable)")
#else
#define PB_NO_UNROLL
#endif

/*
 * Keeps a load where it stands: clang would merge those of both families into one by pointer, or
 * put what it knows of the value in its place.
 */
#ifndef barrier_var /* <bpf/bpf_helpers.h> has it */
#define barrier_var(value) __asm__ volatile("" : "+r"(value))
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PB_BE16(x) ((__be16)__builtin_bswap16(x))
#else
#define PB_BE16(x) ((__be16)(x))
#endif

/* IEEE 802.3 */
struct pb_eth_header {
	__u16 addresses[6];
	__be16 type;
} PB_WIRE;

/* IEEE 802.1Q: what follows the tag's own type */
struct pb_tag_header {
	__be16 tci;
	__be16 type;
} PB_WIRE;

/* RFC 2516 section 4, then RFC 1661 section 2 */
struct pb_pppoe_header {
	__be16 version_type_code;
	__be16 session;
	__be16 length;
	__u8 protocol;	   /* odd: all of it (RFC 1661 section 6.5); else its upper half */
	__u8 protocol_low; /* not there if that is odd */
} PB_WIRE;

/* RFC 791 section 3.1 */
struct pb_ipv4_header {
	__u8 version_ihl;
	__u8 tos;
	__be16 total_length;
	__be16 identification;
	__be16 flags_offset;
	__u8 ttl;
	__u8 protocol;
	__be16 checksum;
	__be16 source[2];
	__be16 destination[2];
} PB_WIRE;

/* RFC 8200 section 3 */
struct pb_ipv6_header {
	__u8 version_class;
	__u8 class_flow;
	__be16 flow;
	__be16 payload_length;
	__u8 next_header;
	__u8 hop_limit;
	__be16 source[8];
	__be16 destination[8];
} PB_WIRE;

/* What all IPv6 extension headers begin with; `offset_flags` in the fragment header only. */
struct pb_extension_header {
	__u8 next_header;
	__u8 length;
	__be16 offset_flags;
	__be16 rest[2];
} PB_WIRE;

/* RFC 9293, 768, 9260, 4340, 3828: their first four bytes */
struct pb_ports_header {
	__be16 source;
	__be16 destination;
} PB_WIRE;

#define PB_PPP_IPV4 0x0021
#define PB_PPP_IPV6 0x0057
#define PB_IPV4_OFFSET 0x1fff
#define PB_IPV4_MORE 0x2000
#define PB_IPV6_OFFSET 0xfff8
#define PB_IPV6_MORE 0x0001
#define PB_TAGS_END 0x1e  /* a mask: an Ethernet header and four tags are 30 bytes */
#define PB_PPPOE_END 0x3f /* likewise, and 8 bytes of PPPoE */

/* Not an outcome: pb_parse_again() is to find it. */
#define PB_AGAIN PB_OUTCOME_MAX

/* Protocol numbers (IANA); <linux/in.h> and <netinet/in.h> exclude each other. */
#define PB_NEXT_TCP 6
#define PB_NEXT_UDP 17
#define PB_NEXT_DCCP 33
#define PB_NEXT_SCTP 132
#define PB_NEXT_UDPLITE 136
#define PB_NEXT_HOP_BY_HOP 0
#define PB_NEXT_ROUTING 43
#define PB_NEXT_FRAGMENT 44
#define PB_NEXT_AH 51
#define PB_NEXT_DESTINATION 60
#define PB_NEXT_MOBILITY 135
#define PB_NEXT_HIP 139
#define PB_NEXT_SHIM6 140

/* Room for a copy of the header at hand, used where the frame is split. */
union pb_copy {
	struct pb_eth_header eth;
	struct pb_tag_header tag;
	struct pb_pppoe_header pppoe;
	struct pb_ipv4_header ipv4;
	struct pb_ipv6_header ipv6;
	struct pb_extension_header extension;
	struct pb_ports_header ports;
};

struct pb_cursor {
	const unsigned char *pos; /* the next header, where the frame is one buffer */
	const unsigned char *end; /* behind the last byte of that buffer */
	__u32 offset;		  /* the next header, counted from the frame's first byte */
	__u32 length;		  /* of a frame with frags */
	void *ctx;		  /* for PB_FRAME_LOAD */
	bool frags;
};

/* What was found. Ports are set only with PB_OUTCOME_PASS. */
struct pb_packet {
	__be16 sport;
	__be16 dport;
	__u32 network;	 /* where the IP header begins, counted from the frame's first byte */
	__u32 transport; /* likewise, the header with the ports */
	__u8 family;	 /* 4, 6; 0: no IP header was read */
	__u8 proto;	 /* enum pb_proto */
	__u8 tags;
	__u8 extensions;
	__u8 next; /* the protocol number at which the search ended */
	bool first_fragment;
	bool cut; /* PB_OUTCOME_UNPARSABLE: a first fragment that does not hold its ports */
};

/* Returns the next `len` bytes, as what `copy` is, or NULL where the frame ends before. */
#define pb_peek(cursor, copy, len) \
	((const __typeof__(*(copy)) *)pb_peek_bytes((cursor), (copy), (len)))
PB_INLINE const void *pb_peek_bytes(const struct pb_cursor *cursor, void *copy, __u32 len)
{
#ifdef PB_FRAME_LOAD
	if (cursor->frags)
		return PB_FRAME_LOAD(cursor->ctx, cursor->offset, copy, len) ? NULL : copy;
#endif
	(void)copy;
	/* cppcheck-suppress nullPointerArithmeticRedundantCheck */
	if (cursor->pos + len > cursor->end)
		return NULL;
	if (!cursor->pos)
		__builtin_unreachable(); /* else callers ask that of each header that is there */
	return cursor->pos;
}

/* Moves over `len` bytes; false where the frame ends before. */
PB_INLINE bool pb_skip(struct pb_cursor *cursor, __u32 len)
{
	cursor->pos += len;
	cursor->offset += len;
	if (cursor->frags)
		return cursor->offset <= cursor->length;
	return cursor->pos <= cursor->end;
}

/*
 * The value, of which the verifier now knows the mask alone. Where several ways lead to the same
 * place it then checks what follows once, and not again for each value that it can tell apart.
 * `noise` is something of the frame, of which it knows nothing.
 */
PB_INLINE __u32 pb_forget(__u32 noise, __u32 value, __u32 mask)
{
#ifdef __bpf__
	value ^= noise;
	barrier_var(value);
	value ^= noise;
	barrier_var(value);
	return value & mask;
#else
	(void)noise;
	(void)mask;
	return value;
#endif
}

/* The frame's first byte, where the frame is one buffer. */
PB_INLINE const unsigned char *pb_frame_start(const struct pb_cursor *cursor)
{
#ifdef __bpf__
	const struct xdp_md *ctx = cursor->ctx;

	/* Loaded anew: of a copy clang may make a number. */
	barrier_var(ctx);
	return (const unsigned char *)(long)ctx->data;
#else
	return cursor->pos - cursor->offset;
#endif
}

/* As pb_forget(): where in the frame the cursor stands. */
PB_INLINE void pb_forget_way(struct pb_cursor *cursor, __u32 noise, __u32 mask)
{
	__u32 offset = pb_forget(noise, cursor->offset, mask);

	cursor->pos = pb_frame_start(cursor) + offset;
	cursor->offset = offset;
}

/* Returns the index of a protocol that has ports, PB_PROTO_MAX for all others. */
PB_INLINE enum pb_proto pb_proto_of(__u8 protocol)
{
	switch (protocol) {
	case PB_NEXT_TCP:
		return PB_PROTO_TCP;
	case PB_NEXT_UDP:
		return PB_PROTO_UDP;
	case PB_NEXT_SCTP:
		return PB_PROTO_SCTP;
	case PB_NEXT_DCCP:
		return PB_PROTO_DCCP;
	case PB_NEXT_UDPLITE:
		return PB_PROTO_UDPLITE;
	default:
		return PB_PROTO_MAX;
	}
}

PB_INLINE enum pb_outcome pb_parse_ports(struct pb_cursor *cursor, struct pb_packet *packet,
					 union pb_copy *copy)
{
	const struct pb_ports_header *ports;
	enum pb_proto proto = pb_proto_of(packet->next);

	if (proto == PB_PROTO_MAX)
		return PB_OUTCOME_NOPORT;
	ports = pb_peek(cursor, &copy->ports, sizeof(*ports));
	if (!ports)
		return PB_OUTCOME_MALFORMED;
	packet->proto = proto;
	packet->transport = cursor->offset;
	packet->sport = ports->source;
	packet->dport = ports->destination;
	return PB_OUTCOME_PASS;
}

/* RFC 8200 section 4, RFC 4302 (AH), 6275 (mobility), 7401 (HIP), 5533 (shim6) */
PB_INLINE bool pb_is_extension(__u8 family, __u8 next)
{
	switch (next) {
	case PB_NEXT_AH:
		return true;
	case PB_NEXT_HOP_BY_HOP:
	case PB_NEXT_ROUTING:
	case PB_NEXT_FRAGMENT:
	case PB_NEXT_DESTINATION:
	case PB_NEXT_MOBILITY:
	case PB_NEXT_HIP:
	case PB_NEXT_SHIM6:
		return family == 6;
	default:
		return false;
	}
}

/* Bytes of an extension header: AH counts 4-byte words, less two; the others 8, less one. */
PB_INLINE __u32 pb_extension_length(__u8 type, const struct pb_extension_header *header)
{
	if (type == PB_NEXT_FRAGMENT)
		return sizeof(*header);
	if (type == PB_NEXT_AH)
		return (header->length + 2) * 4;
	return (header->length + 1) * 8;
}

/* Steps over one extension header; PB_OUTCOME_PASS where the search goes on behind it. */
PB_INLINE enum pb_outcome pb_parse_extension(struct pb_cursor *cursor, struct pb_packet *packet,
					     union pb_copy *copy, bool again)
{
	const struct pb_extension_header *header;
	__u8 type = packet->next;
	bool later = false;
	__u32 length;

	header = pb_peek(cursor, &copy->extension, sizeof(*header));
	if (!header)
		return PB_OUTCOME_MALFORMED;
	if (type == PB_NEXT_FRAGMENT) {
		later = header->offset_flags & PB_BE16(PB_IPV6_OFFSET);
		packet->first_fragment = !later;
		if (!again && !later && header->offset_flags & PB_BE16(PB_IPV6_MORE))
			return PB_AGAIN;
	}
	packet->next = header->next_header;
	packet->extensions++;
	length = pb_forget(header->offset_flags, pb_extension_length(type, header), 0xffc);
	if (!pb_skip(cursor, length))
		return PB_OUTCOME_MALFORMED;
	/*
	 * Else clang joins both questions and asks the first one once more to tell them apart.
	 * Where a pointer is compared with the frame's end twice, 5.10 may take the answer that it
	 * had on one way for that of all ways, and removes the other.
	 */
	barrier_var(later);
	return later ? PB_OUTCOME_FRAGMENT : PB_OUTCOME_PASS;
}

/* From behind the IP header over all extension headers to the ports. */
PB_INLINE enum pb_outcome pb_parse_chain(struct pb_cursor *cursor, struct pb_packet *packet,
					 union pb_copy *copy, __u8 family, bool again)
{
	enum pb_outcome outcome;

	PB_NO_UNROLL
	for (int i = 0; i < PB_EXTENSIONS_MAX; i++) {
		if (!pb_is_extension(family, packet->next))
			return pb_parse_ports(cursor, packet, copy);
		outcome = pb_parse_extension(cursor, packet, copy, again);
		if (outcome != PB_OUTCOME_PASS)
			return outcome;
	}
	if (pb_is_extension(family, packet->next))
		return PB_OUTCOME_UNPARSABLE;
	return pb_parse_ports(cursor, packet, copy);
}

PB_INLINE enum pb_outcome pb_parse_ipv4(struct pb_cursor *cursor, struct pb_packet *packet,
					union pb_copy *copy)
{
	const struct pb_ipv4_header *ip = pb_peek(cursor, &copy->ipv4, sizeof(*ip));
	enum pb_outcome outcome;
	__be16 flags_offset;
	__u32 length;

	if (!ip || ip->version_ihl >> 4 != 4)
		return PB_OUTCOME_MALFORMED;
	length = (ip->version_ihl & 15) * 4;
	if (length < sizeof(*ip))
		return PB_OUTCOME_MALFORMED;
	packet->family = 4;
	packet->network = cursor->offset;
	packet->next = ip->protocol;
	flags_offset = ip->flags_offset;
	if (!pb_skip(cursor, length))
		return PB_OUTCOME_MALFORMED;
	if (flags_offset & PB_BE16(PB_IPV4_OFFSET))
		return PB_OUTCOME_FRAGMENT;
	packet->first_fragment = flags_offset & PB_BE16(PB_IPV4_MORE);
	outcome = pb_parse_ports(cursor, packet, copy);
	if (outcome == PB_OUTCOME_NOPORT && packet->next == PB_NEXT_AH)
		return PB_AGAIN;
	return outcome;
}

PB_INLINE enum pb_outcome pb_parse_ipv6(struct pb_cursor *cursor, struct pb_packet *packet,
					union pb_copy *copy)
{
	const struct pb_ipv6_header *ip = pb_peek(cursor, &copy->ipv6, sizeof(*ip));

	if (!ip || ip->version_class >> 4 != 6)
		return PB_OUTCOME_MALFORMED;
	packet->family = 6;
	packet->network = cursor->offset;
	packet->next = ip->next_header;
	pb_skip(cursor, sizeof(*ip));
	return pb_parse_chain(cursor, packet, copy, 6, false);
}

/*
 * Steps once more over the IP header. Returns where the packet ends by it, counted from the frame's
 * first byte; 0: never, it was there before.
 */
PB_INLINE int pb_again_ipv4(struct pb_cursor *cursor, struct pb_packet *packet, union pb_copy *copy)
{
	const struct pb_ipv4_header *ip = pb_peek(cursor, &copy->ipv4, sizeof(*ip));
	int length, payload;

	if (!ip)
		return 0;
	length = (ip->version_ihl & 15) * 4;
	payload = PB_BE16(ip->total_length) - length;
	packet->next = ip->protocol;
	pb_skip(cursor, length);
	/* Of a fragment that others follow, Linux keeps a multiple of eight. */
	return cursor->offset + (payload & ~7);
}

PB_INLINE int pb_again_ipv6(struct pb_cursor *cursor, struct pb_packet *packet, union pb_copy *copy)
{
	const struct pb_ipv6_header *ip = pb_peek(cursor, &copy->ipv6, sizeof(*ip));
	int payload;

	if (!ip)
		return 0;
	payload = PB_BE16(ip->payload_length);
	packet->next = ip->next_header;
	pb_skip(cursor, sizeof(*ip));
	return cursor->offset + payload;
}

/*
 * What is rare, from the IP header on: AH in IPv4, and first fragments that others follow, if there
 * are headers before their ports (else the ports are in the eight bytes that the least of fragments
 * has).
 *
 * RFC 7112: a first fragment holds all headers. Of one that does not, the next fragments bring the
 * rest, which is never read here, and the stack delivers what it puts together. What the frame
 * holds behind the end of the fragment is cut off by the stack, and the next fragment's bytes come
 * in its place.
 */
PB_INLINE enum pb_outcome pb_parse_again(struct pb_cursor *cursor, struct pb_packet *packet,
					 union pb_copy *copy)
{
	enum pb_outcome outcome;
	bool more;
	int end;

	cursor->pos = pb_frame_start(cursor) + packet->network;
	cursor->offset = packet->network;
	packet->extensions = 0;
	more = packet->family == 6 || packet->first_fragment;
	if (packet->family == 4)
		end = pb_again_ipv4(cursor, packet, copy);
	else
		end = pb_again_ipv6(cursor, packet, copy);
	outcome = pb_parse_chain(cursor, packet, copy, packet->family, true);
	if (outcome == PB_OUTCOME_PASS)
		end -= sizeof(struct pb_ports_header);
	if (!more || (outcome != PB_OUTCOME_MALFORMED && (int)cursor->offset <= end))
		return outcome;
	packet->cut = true;
	return PB_OUTCOME_UNPARSABLE;
}

/* A frame without link-layer header: the version says which IP it is. */
PB_INLINE enum pb_outcome pb_parse_network(struct pb_cursor *cursor, struct pb_packet *packet,
					   union pb_copy *copy)
{
	const __u8 *version = pb_peek(cursor, (__u8 *)copy, 1);

	if (!version)
		return PB_OUTCOME_MALFORMED;
	if (*version >> 4 == 4)
		return pb_parse_ipv4(cursor, packet, copy);
	return pb_parse_ipv6(cursor, packet, copy);
}

/* The ethertype of what PPP carries; 0 for all that is not IP. */
PB_INLINE __be16 pb_type_of_ppp(__u32 protocol)
{
	if (protocol == PB_PPP_IPV4)
		return PB_BE16(ETH_P_IP);
	return protocol == PB_PPP_IPV6 ? PB_BE16(ETH_P_IPV6) : 0;
}

/*
 * Steps over a PPPoE session header and gives the ethertype of what it carries. The protocol
 * field may be compressed to one byte: RFC 2516 advises against it, and yet Linux takes it.
 */
PB_INLINE bool pb_parse_pppoe(struct pb_cursor *cursor, union pb_copy *copy, __be16 *type)
{
	__u32 length = offsetof(struct pb_pppoe_header, protocol_low), protocol, session;
	const struct pb_pppoe_header *pppoe = pb_peek(cursor, &copy->pppoe, length);

	if (!pppoe)
		return false;
	protocol = pppoe->protocol;
	if (!(protocol & 1)) {
		length = sizeof(*pppoe);
		pppoe = pb_peek(cursor, &copy->pppoe, length);
		if (!pppoe)
			return false;
		protocol = protocol << 8 | pppoe->protocol_low;
	}
	*type = pb_type_of_ppp(protocol);
	session = pppoe->session;
	if (!pb_skip(cursor, length))
		return false;
	pb_forget_way(cursor, session, PB_PPPOE_END);
	return true;
}

PB_INLINE bool pb_is_tag(__be16 type)
{
	return type == PB_BE16(ETH_P_8021Q) || type == PB_BE16(ETH_P_8021AD);
}

/*
 * Steps over tags and PPPoE to the type of the network header. PB_OUTCOME_PASS where the search
 * goes on behind it.
 */
PB_INLINE enum pb_outcome pb_parse_shims(struct pb_cursor *cursor, struct pb_packet *packet,
					 union pb_copy *copy, __be16 *type)
{
	const struct pb_tag_header *tag;

	PB_NO_UNROLL
	for (int i = 0; pb_is_tag(*type); i++) {
		if (i == PB_TAGS_MAX)
			return PB_OUTCOME_UNPARSABLE;
		tag = pb_peek(cursor, &copy->tag, sizeof(*tag));
		if (!tag)
			return PB_OUTCOME_MALFORMED;
		*type = tag->type;
		packet->tags++;
		pb_skip(cursor, sizeof(*tag));
	}
	pb_forget_way(cursor, *type, PB_TAGS_END);
	if (*type == PB_BE16(ETH_P_PPP_SES) && !pb_parse_pppoe(cursor, copy, type))
		return PB_OUTCOME_MALFORMED;
	return PB_OUTCOME_PASS;
}

PB_INLINE bool pb_is_ip(__be16 type)
{
	return type == PB_BE16(ETH_P_IP) || type == PB_BE16(ETH_P_IPV6);
}

PB_INLINE enum pb_outcome pb_parse_ethernet(struct pb_cursor *cursor, struct pb_packet *packet,
					    union pb_copy *copy)
{
	const struct pb_eth_header *eth = pb_peek(cursor, &copy->eth, sizeof(*eth));
	enum pb_outcome outcome;
	__be16 type;

	if (!eth)
		return PB_OUTCOME_MALFORMED;
	type = eth->type;
	pb_skip(cursor, sizeof(*eth));
	/* Most frames carry IP at once: these are asked for nothing else. */
	if (!pb_is_ip(type)) {
		outcome = pb_parse_shims(cursor, packet, copy, &type);
		if (outcome != PB_OUTCOME_PASS)
			return outcome;
	}
	if (type == PB_BE16(ETH_P_IP))
		return pb_parse_ipv4(cursor, packet, copy);
	if (type == PB_BE16(ETH_P_IPV6))
		return pb_parse_ipv6(cursor, packet, copy);
	return PB_OUTCOME_NOPORT;
}

/* ---- The frames that most are ------------------------------------------------------------- */

struct pb_plain_ipv4 {
	struct pb_eth_header eth;
	struct pb_ipv4_header ip;
	struct pb_ports_header ports;
} PB_WIRE;

struct pb_plain_ipv6 {
	struct pb_eth_header eth;
	struct pb_ipv6_header ip;
	struct pb_ports_header ports;
} PB_WIRE;

struct pb_plain {
	__u64 sport; /* as __be16; as wide as a register, since clang cuts anything else once more */
	__u64 dport;
	__u32 network;	 /* where the headers begin, as in struct pb_packet */
	__u32 transport; /* likewise */
	__u8 family;	 /* 4 or 6 */
	__u8 proto;	 /* enum pb_proto */
	bool rare;	 /* where it is not plain: nor nearly so (pb_parse_near()) */
};

/* Of extension headers, the one that a nearly plain frame may have: of those whose length is in units of eight bytes. */
PB_INLINE bool pb_is_near_extension(__u32 next)
{
	return next == PB_NEXT_HOP_BY_HOP || next == PB_NEXT_DESTINATION || next == PB_NEXT_ROUTING;
}

/*
 * Ethernet, IP without options or extension headers, a protocol with ports: all in known places, so that one
 * comparison with the frame's end does; it is of at least 58 bytes, as all are of 60 and more on a wire. true: `plain`
 * has what pb_parse() would find. false says of the frame what `plain->rare` says.
 */
PB_INLINE bool pb_parse_plain(const unsigned char *frame, const unsigned char *end,
			      struct pb_plain *plain)
{
	const struct pb_plain_ipv4 *v4 = (const struct pb_plain_ipv4 *)frame;
	const struct pb_plain_ipv6 *v6 = (const struct pb_plain_ipv6 *)frame;
	__u32 next;

	plain->rare = false;
	if (frame + sizeof(*v6) > end)
		return false;
	if (__builtin_expect(v4->eth.type == PB_BE16(ETH_P_IP), 1)) {
		plain->rare = true;
		if (v4->ip.version_ihl != 0x45 || v4->ip.flags_offset & PB_BE16(PB_IPV4_OFFSET))
			return false;
		plain->family = 4;
		plain->sport = v4->ports.source;
		plain->dport = v4->ports.destination;
		plain->transport = offsetof(struct pb_plain_ipv4, ports);
		next = v4->ip.protocol;
		barrier_var(plain->dport);
		barrier_var(next);
	} else {
		if (v4->eth.type != PB_BE16(ETH_P_IPV6) || v6->ip.version_class >> 4 != 6)
			return false;
		plain->family = 6;
		plain->sport = v6->ports.source;
		plain->dport = v6->ports.destination;
		plain->transport = offsetof(struct pb_plain_ipv6, ports);
		next = v6->ip.next_header;
		barrier_var(plain->dport);
		barrier_var(next);
	}
	plain->network = sizeof(struct pb_eth_header);
	/* These two are most: nothing else is asked of them. */
	if (next == PB_NEXT_TCP)
		plain->proto = PB_PROTO_TCP;
	else if (next == PB_NEXT_UDP)
		plain->proto = PB_PROTO_UDP;
	else
		plain->proto = pb_proto_of(next);
	if (plain->proto != PB_PROTO_MAX)
		return true;
	/* Read once more: what it was would be kept for all. */
	plain->rare = ((const volatile struct pb_eth_header *)frame)->type == PB_BE16(ETH_P_IP);
	return false;
}

/* ---- And those that nearly are ------------------------------------------------------------ */

/*
 * From an IPv6 header, at `ip`, over one extension header at most. The protocol number of what follows, at `*ports`;
 * PB_NEXT_FRAGMENT, which has no ports, of what is no such packet.
 */
PB_INLINE __u32 pb_near_ipv6(const unsigned char *ip, const unsigned char *end,
			     const unsigned char **ports)
{
	const struct pb_ipv6_header *v6 = (const struct pb_ipv6_header *)ip;
	const struct pb_extension_header *header = (const struct pb_extension_header *)(v6 + 1);
	__u32 next;

	if ((const unsigned char *)(header + 1) > end || v6->version_class >> 4 != 6)
		return PB_NEXT_FRAGMENT;
	*ports = (const unsigned char *)header;
	next = v6->next_header;
	if (!pb_is_near_extension(next))
		return next;
	*ports += (header->length + 1) * 8;
	return header->next_header;
}

/*
 * As pb_parse_plain(), behind one VLAN tag or none, and in IPv6 behind one extension header or none; frames that are
 * shorter, too.
 */
PB_INLINE bool pb_parse_near(const unsigned char *frame, const unsigned char *end,
			     struct pb_plain *plain)
{
	const struct pb_eth_header *eth = (const struct pb_eth_header *)frame;
	const struct pb_tag_header *tag = (const struct pb_tag_header *)(eth + 1);
	const struct pb_ports_header *ports;
	const unsigned char *ip = frame + sizeof(*eth), *found;
	__u32 next;
	__be16 type;

	if (frame + sizeof(*eth) + sizeof(*tag) + sizeof(struct pb_ipv4_header) + sizeof(*ports) >
	    end)
		return false;
	type = eth->type;
	if (pb_is_tag(type)) {
		type = tag->type;
		ip += sizeof(*tag);
	}
	if (type == PB_BE16(ETH_P_IP)) {
		const struct pb_ipv4_header *v4 = (const struct pb_ipv4_header *)ip;

		if (v4->version_ihl != 0x45 || v4->flags_offset & PB_BE16(PB_IPV4_OFFSET))
			return false;
		plain->family = 4;
		next = v4->protocol;
		found = ip + sizeof(*v4);
	} else {
		if (type != PB_BE16(ETH_P_IPV6))
			return false;
		plain->family = 6;
		next = pb_near_ipv6(ip, end, &found);
	}
	plain->proto = pb_proto_of(next);
	ports = (const struct pb_ports_header *)found;
	if (plain->proto == PB_PROTO_MAX || found + sizeof(*ports) > end)
		return false;
	plain->sport = ports->source;
	plain->dport = ports->destination;
	plain->network = ip - frame;
	plain->transport = found - frame;
	return true;
}

/* As pb_parse(), but PB_AGAIN of what is rare: the caller calls pb_parse() then. */
PB_INLINE enum pb_outcome pb_parse_common(struct pb_cursor *cursor, bool ethernet,
					  struct pb_packet *packet, union pb_copy *copy)
{
	if (ethernet)
		return pb_parse_ethernet(cursor, packet, copy);
	return pb_parse_network(cursor, packet, copy);
}

/*
 * Finds the ports of the frame at the cursor. PB_OUTCOME_PASS: `packet` has them; any other
 * outcome (NOPORT, FRAGMENT, MALFORMED, UNPARSABLE) is final. `packet` must be zeroed before.
 */
PB_INLINE enum pb_outcome pb_parse(struct pb_cursor *cursor, bool ethernet,
				   struct pb_packet *packet, union pb_copy *copy)
{
	enum pb_outcome outcome = pb_parse_common(cursor, ethernet, packet, copy);

	return outcome == PB_AGAIN ? pb_parse_again(cursor, packet, copy) : outcome;
}

/*
 * Where the IP header of a frame begins, in `packet->network`, without a look into it: its family, 0 where there is
 * none. The same as pb_parse() finds, if that does not call the frame malformed.
 */
PB_INLINE __u32 pb_find_network(struct pb_cursor *cursor, bool ethernet, struct pb_packet *packet,
				union pb_copy *copy)
{
	const struct pb_eth_header *eth;
	const __u8 *version;
	__be16 type;

	if (!ethernet) {
		version = pb_peek(cursor, (__u8 *)copy, 1);
		return version ? *version >> 4 : 0;
	}
	eth = pb_peek(cursor, &copy->eth, sizeof(*eth));
	if (!eth)
		return 0;
	type = eth->type;
	pb_skip(cursor, sizeof(*eth));
	if (!pb_is_ip(type) && pb_parse_shims(cursor, packet, copy, &type) != PB_OUTCOME_PASS)
		return 0;
	packet->network = cursor->offset;
	if (type == PB_BE16(ETH_P_IP))
		return 4;
	return type == PB_BE16(ETH_P_IPV6) ? 6 : 0;
}

#endif
