/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which rule decides, where the port's entry does not say: sources, both sides, conditions. */
#ifndef PB_BPF_JUDGE_H
#define PB_BPF_JUDGE_H

#include "maps.h"

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

/*
 * An index that the verifier is to know the bound of. In assembly, since clang knows it already, and
 * removes the mask or compares other bits of the same value: of a copy that was compared before, and
 * of a byte-swapped value on 6.1 and older, the verifier learns nothing.
 */
PB_INLINE __u64 masked(__u64 index, __u64 mask)
{
	asm volatile("%0 &= %1" : "+r"(index) : "i"(mask));
	return index;
}

/* Is the packet one for the other program of ours in the chain? */
static __noinline int is_of_other(__u32 cpu)
{
	volatile struct pb_exchange *exchange = &pb_exchange;
	__u32 turn = exchange->turn, phase = turn & PB_TURN_PHASE, whose = PB_TURN_ACTING(turn);
	volatile __u8 *latch = &exchange->latch[masked(cpu, PB_LATCHES - 1)];

	if (phase == PB_PHASE_NONE)
		return false;
	if (pb_number == PB_TURN_FIRST_OF(turn))
		*latch = whose;
	else if (phase == PB_PHASE_LATCH)
		whose = *latch;
	return whose != pb_number;
}

/*
 * The slot that judges the packet: the published one, or the other one when no confirm came in time;
 * SLOT_OF_OTHER: the packet is for the other program. To be asked once a packet.
 */
#define SLOT_OF_OTHER PB_SLOTS
PB_INLINE __u32 slot_of_packet(__u32 cpu)
{
	const volatile struct pb_config *config = &pb_config;
	__u32 active = config->active;

	if (!unlikely(active > PB_ACTIVE_SLOT))
		return active;
	if (active & PB_ACTIVE_EXCHANGE && is_of_other(cpu))
		return SLOT_OF_OTHER;
	if (active & PB_ACTIVE_PENDING && bpf_ktime_get_boot_ns() >= config->revert_at)
		active = !(active & PB_ACTIVE_SLOT);
	return active & PB_ACTIVE_SLOT;
}

PB_INLINE const struct pb_decision *decision_at(__u32 index, __u32 slot)
{
	__u32 key = index * PB_SLOTS + slot;

	return bpf_map_lookup_elem(&pb_decisions, &key);
}

/* A port in wire order as an index. */
PB_INLINE __u64 port_index(__be16 port)
{
	return masked(bpf_ntohs(port), PB_PORTS - 1);
}

/* The class of a port in a table of all protocols: an index of decisions, 0: no rule. */
PB_INLINE __u32 class_of_port(__u32 slot, enum pb_class_tables table, __u32 proto, __be16 port)
{
	__u32 index = pb_ports.classes[slot & 1][table][port_index(port)];
	__u32 key = index * PB_SLOTS + slot;
	const struct pb_port_classes *classes =
		index ? bpf_map_lookup_elem(&pb_port_classes, &key) : NULL;

	return classes && proto < PB_PROTO_MAX ? classes->of[proto] : 0;
}

/* The entry of a destination port of TCP or UDP, which `proto` is known to be. */
PB_INLINE __u32 entry_of(__u32 slot, __u64 proto, __be16 port)
{
	return pb_ports.entry[slot & 1][proto & 1][port_index(port)];
}

/* The class of a destination port, where its entry is indirect; 0: no rule. */
PB_INLINE __u32 dport_class(__u32 slot, __u32 proto, __be16 port)
{
	if (proto < PB_ENTRY_PROTOS)
		return PB_ENTRY_NUMBER(entry_of(slot, masked(proto, 1), port));
	return class_of_port(slot, PB_CLASSES_DPORT, proto, port);
}

/* Copies `len` bytes of the frame, wherever they lie: in the first buffer nearly always. */
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

/* How far behind a class's decision for all other sources the one for this source is. */
__noinline int source_offset(struct xdp_md *ctx, __u64 found, __u32 set)
{
	struct pb_source_key key;
	const __u32 *offset;

	/* Member by member: a constant aggregate would go to .rodata, whose BTF 5.10 refuses. */
	key.prefixlen = PB_SOURCE_BITS + (FOUND_FAMILY(found) == 4 ? 32 : 128);
	key.set = set;
	key.family = FOUND_FAMILY(found);
	__builtin_memset(key.addr, 0, sizeof(key.addr));
	if (!copy_source(ctx, found, (__be32 *)key.addr))
		return 0;
	offset = bpf_map_lookup_elem(&pb_sources, &key);
	return offset ? *offset : 0;
}

/* The decision for the source, of a class whose rules ask for that: an index. */
static __noinline __u32 decision_by_source(struct xdp_md *ctx, __u64 found,
					   const struct pb_decision *class, __u32 slot)
{
	return class->next + source_offset(ctx, found, class->set << 1 | slot);
}

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

/* The one that wins where both sides have a candidate: the higher rank, then the lower id. */
PB_INLINE bool beats(const struct pb_decision *a, const struct pb_decision *b)
{
	return a->rank != b->rank ? a->rank > b->rank : a->rule < b->rule;
}

/* Do the conditions of a candidate hold for this packet now? */
PB_INLINE bool holds(struct xdp_md *ctx, const struct pb_decision *decision, __u64 found,
		     __u32 ports)
{
	if (decision->flags & PB_DECISION_EXPIRES && bpf_ktime_get_boot_ns() >= decision->expires)
		return false;
	return !(decision->flags & PB_DECISION_NEW) || !is_connected(ctx, found, ports);
}

/*
 * Walks the chains of both sides as one, best candidate first, to the first whose conditions
 * hold; so a socket is looked up only where that decides the packet. Returns its index, 0: none.
 * The end of a chain is decision 0, whose rank is below all others. `candidates`: both.
 */
__noinline int walk(struct xdp_md *ctx, __u64 found, __u32 ports, __u64 candidates, __u32 slot)
{
	__u32 a = candidates, b = candidates >> 32;
	const struct pb_decision *first, *second;

	PB_NO_UNROLL
	for (int i = 0; i < PB_CHAIN_MAX; i++) {
		first = decision_at(a, slot);
		second = decision_at(b, slot);
		if (!first || !second)
			return 0;
		if (beats(second, first)) {
			const struct pb_decision *other = first;
			__u32 index = a;

			first = second;
			second = other;
			a = b;
			b = index;
		}
		if (!first->rule)
			return 0;
		if (holds(ctx, first, found, ports))
			return a;
		a = first->next;
	}
	return 0;
}

/* The outcome of a packet that no rule decides, under policy deny. */
PB_INLINE enum pb_outcome by_policy(struct xdp_md *ctx, __u32 flags, __u64 found, __u32 ports)
{
	if (!(flags & PB_SLOT_NO_REPLIES) && is_connected(ctx, found, ports))
		return PB_OUTCOME_PASS;
	return PB_OUTCOME_DROP_POLICY;
}

/* The best candidate of a class, by the source where its rules ask for that; 0: none. */
PB_INLINE __u32 candidate(struct xdp_md *ctx, __u64 found, __u32 slot, __u32 class)
{
	const struct pb_decision *decision = class ? decision_at(class, slot) : NULL;

	if (!decision || !(decision->flags & PB_DECISION_SOURCES))
		return class;
	return decision_by_source(ctx, found, decision, slot);
}

/* The winner among the rules of both sides; returns an index of decisions, 0: none. */
__noinline int find_winner(struct xdp_md *ctx, __u64 found, __u32 ports, __u32 slot)
{
	__u32 proto = FOUND_PROTO(found);
	__u32 dport = dport_class(slot, proto, PORTS_DESTINATION(ports));
	__u32 sport = class_of_port(slot, PB_CLASSES_SPORT, proto, PORTS_SOURCE(ports));
	__u64 by_dport = candidate(ctx, found, slot, dport);
	__u64 by_sport = candidate(ctx, found, slot, sport);
	const struct pb_decision *only;

	/* Mostly there is one candidate, or none, and it has no conditions. */
	if (!by_dport || !by_sport) {
		only = decision_at(by_dport | by_sport, slot);
		if (only && !only->flags)
			return only->rule ? by_dport | by_sport : 0;
	}
	return walk(ctx, found, ports, by_dport | by_sport << 32, slot);
}

PB_INLINE enum pb_outcome outcome_of_action(__u8 action)
{
	if (action == PB_ACTION_DROP)
		return PB_OUTCOME_DROP_RULE;
	return action == PB_ACTION_AUDIT ? PB_OUTCOME_AUDIT : PB_OUTCOME_PASS;
}

/* What the outcome does to the packet: xdp-portblock(8) "Which ports a packet has". */
PB_INLINE int verdict_on(enum pb_outcome outcome, __u32 flags)
{
	switch (outcome) {
	case PB_OUTCOME_DROP_RULE:
	case PB_OUTCOME_DROP_POLICY:
		return XDP_DROP;
	case PB_OUTCOME_FRAGMENT:
		return flags & PB_SLOT_DROP_FRAGMENTS ? XDP_DROP : XDP_PASS;
	case PB_OUTCOME_UNPARSABLE:
		return flags & PB_SLOT_PASS_UNPARSABLE ? XDP_PASS : XDP_DROP;
	default:
		return XDP_PASS;
	}
}

/* What decides where the port's entry does not say, in the form of such an entry. */
PB_INLINE __u32 judge_by_rules(struct xdp_md *ctx, __u64 found, __u32 ports, __u32 slot)
{
	__u32 class = find_winner(ctx, found, ports, slot), flags = pb_config.slots[slot & 1].flags;
	const struct pb_decision *winner = class ? decision_at(class, slot) : NULL;
	enum pb_outcome outcome = PB_OUTCOME_PASS;

	if (winner)
		outcome = outcome_of_action(winner->action);
	else if (flags & PB_SLOT_DENY)
		outcome = by_policy(ctx, flags, found, ports);
	return PB_ENTRY(winner ? winner->rule : 0, outcome, verdict_on(outcome, flags));
}

#endif
