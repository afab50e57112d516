/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The frame: how long it is, and what is read of it beside the ports. */
#ifndef PB_BPF_FRAME_H
#define PB_BPF_FRAME_H

#include <portblock/elements.h>
#include "maps.h"
#include "verifier.h"

/* More than all headers together can take: 8 extension headers of 2,048 bytes, and the rest. */
#define HEADERS_MAX 0x7fff

/*
 * What the parser found, as scalars for the functions off the common path: a global function
 * takes no more than that before 5.12. Global ones are verified once for all packets, rather than
 * again for each way through the parser; that keeps the verifier's work small.
 *   found: enum pb_proto, 4 or 6, where in the frame the IP and the transport header begin
 *   ports: source and destination port as in the packet
 */
#define FOUND(proto, family, network, transport) \
	((proto) | (family) << 8 | (__u64)(network) << 16 | (__u64)(transport) << 32)
#define FOUND_PROTO(found) ((found)&7)
#define FOUND_FAMILY(found) ((found) >> 8 & 7)
#define FOUND_NETWORK(found) ((__u32)(found) >> 16)
#define FOUND_TRANSPORT(found) ((__u32)((found) >> 32))
#define PORTS(source, destination) ((__u32)(source) << 16 | (destination))
#define PORTS_SOURCE(ports) ((__be16)((ports) >> 16))
#define PORTS_DESTINATION(ports) ((__be16)(ports))

/* NULL, which never is: the verifier is to be told. */
PB_INLINE struct rejected *rejected_packet(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&pb_rejected, &zero);
}

/* From the judge of a packet that is rejected to whoever tells its sender. */
PB_INLINE void keep_rejected(__u64 found, __u32 ports)
{
	struct rejected *rejected = rejected_packet();

	if (rejected)
		*rejected = (struct rejected){ .found = found, .ports = ports };
}

PB_INLINE bool is_ethernet(void)
{
	return PB_FRAMES_HAVE_ETHERNET(pb_frames);
}

/* May a frame have more than the buffer between ctx->data and ctx->data_end? */
PB_INLINE bool may_have_frags(void)
{
#ifdef PB_KERN_CTX
	return true; /* PB_GIVEN() */
#else
	enum pb_frames frames = pb_frames;

	return PB_FRAMES_MAY_HAVE_FRAGS(frames);
#endif
}

#ifdef PB_KERN_CTX
/* Kernel: struct xdp_buff and enum xdp_buff_flags (<net/xdp.h>), by CO-RE. */
struct xdp_buff {
	__u32 flags;
} __attribute__((preserve_access_index));
#define XDP_FLAGS_HAS_FRAGS (1U << 0)

/* Since 6.2, and no call: the verifier puts its argument in the place of it. */
extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym;
#endif

/*
 * All bytes of a frame that may have frags. A call and its return are most of what a plain packet
 * costs where returns are guarded (safe RET of AMD processors: 7 of 11 ns), so the object is built
 * a second time for kernels on which the frame itself can be asked whether it has any.
 */
PB_INLINE __u64 frame_length(struct xdp_md *ctx)
{
#ifdef PB_KERN_CTX
	const struct xdp_buff *frame = bpf_cast_to_kern_ctx(ctx);

	if (!(frame->flags & XDP_FLAGS_HAS_FRAGS))
		return ctx->data_end - ctx->data;
#endif
	return bpf_xdp_get_buff_len(ctx);
}

PB_INLINE __u64 length_of_frame(struct xdp_md *ctx)
{
	return may_have_frags() ? frame_length(ctx) : ctx->data_end - ctx->data;
}

/* Which IP a plain frame has: pb_parse_plain(). */
PB_INLINE bool is_plain_ipv4(struct xdp_md *ctx)
{
	const struct pb_eth_header *eth = (void *)(long)ctx->data;

	return (void *)(eth + 1) <= (void *)(long)ctx->data_end && eth->type == PB_BE16(ETH_P_IP);
}

/* The source port of a plain frame of TCP or UDP, and which it is; only the verifier has to be told that they are there. */
PB_INLINE __be16 plain_sport(struct xdp_md *ctx, __u32 *proto)
{
	const struct pb_plain_ipv6 *v6 = (void *)(long)ctx->data;
	const struct pb_plain_ipv4 *v4 = (void *)v6;
	bool is_ipv4;

	if ((void *)(v6 + 1) > (void *)(long)ctx->data_end)
		return 0;
	is_ipv4 = v4->eth.type == PB_BE16(ETH_P_IP);
	*proto = (is_ipv4 ? v4->ip.protocol : v6->ip.next_header) == PB_NEXT_UDP;
	return is_ipv4 ? v4->ports.source : v6->ports.source;
}

/* The source of a plain frame of IPv4, which it is known to be: only the verifier has to be told. */
PB_INLINE __be32 plain_source4(struct xdp_md *ctx)
{
	const struct pb_plain_ipv4 *v4 = (void *)(long)ctx->data;
	__be32 source = 0;

	if ((void *)(v4 + 1) <= (void *)(long)ctx->data_end)
		__builtin_memcpy(&source, v4->ip.source, sizeof(source));
	return source;
}

PB_INLINE bool plain_source6(struct xdp_md *ctx, struct pb_address *source)
{
	const struct pb_plain_ipv6 *v6 = (void *)(long)ctx->data;
	__be64 halves[2];

	if ((void *)(v6 + 1) > (void *)(long)ctx->data_end)
		return false;
	__builtin_memcpy(halves, v6->ip.source, sizeof(halves));
	source->high = bpf_be64_to_cpu(halves[0]);
	source->low = bpf_be64_to_cpu(halves[1]);
	return true;
}

/*
 * Copies `len` bytes of the frame, wherever they lie: in the first buffer nearly always. Byte by byte, for an IP header
 * may begin at an odd place: behind PPPoE whose protocol field is of one byte.
 */
PB_INLINE bool copy_frame(struct xdp_md *ctx, __u64 offset, void *to, __u32 len)
{
	const unsigned char *from = (void *)(long)ctx->data;

	/* The parser was there: only the verifier has to be told. */
	from += masked(offset, HEADERS_MAX);
	if (from + len <= (unsigned char *)(long)ctx->data_end) {
		__builtin_memcpy(to, from, len);
		return true;
	}
	return may_have_frags() && !bpf_xdp_load_bytes(ctx, offset, to, len);
}

PB_INLINE bool copy_source(struct xdp_md *ctx, __u64 found, __be32 address[4])
{
	__u32 offset = FOUND_NETWORK(found);

	if (FOUND_FAMILY(found) == 6)
		return copy_frame(ctx, offset + offsetof(struct pb_ipv6_header, source), address,
				  16);
	return copy_frame(ctx, offset + offsetof(struct pb_ipv4_header, source), address, 4);
}

PB_INLINE bool copy_destination(struct xdp_md *ctx, __u64 found, __be32 address[4])
{
	__u32 offset = FOUND_NETWORK(found);

	if (FOUND_FAMILY(found) == 6)
		return copy_frame(ctx, offset + offsetof(struct pb_ipv6_header, destination),
				  address, 16);
	return copy_frame(ctx, offset + offsetof(struct pb_ipv4_header, destination), address, 4);
}

#endif
