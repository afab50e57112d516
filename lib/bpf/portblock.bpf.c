// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The XDP program: find the ports, find the rule, count, answer.
 *
 * A packet reads pb_config.active once and then only the entries of that slot, so it is judged
 * wholly by one generation. With plain rules the judgement is three array loads: the class of
 * the port, its decision, and the counter. What a ruleset does not use (a side, sources, expiry,
 * connections) costs a test of a bit at most.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include <xdp/xdp_helpers.h>

#define PB_FRAME_LOAD(ctx, offset, to, len) bpf_xdp_load_bytes(ctx, offset, to, len)
#define PB_FORGET(ctx, value, mask) forget(ctx, value, mask)
#include <portblock/abi.h>

/*
 * The value, of which the verifier now knows the mask alone. Where several ways lead to the same
 * place it then checks what follows once, and not again for each value that it can tell apart.
 * The queue's number is something it knows nothing of.
 */
static __always_inline __u32 forget(const struct xdp_md *ctx, __u32 value, __u32 mask)
{
	__u32 noise = ctx->rx_queue_index;

	value ^= noise;
	asm volatile("" : "+r"(value));
	value ^= noise;
	asm volatile("" : "+r"(value));
	return value & mask;
}

#include <portblock/parse.h>

/* More than all headers together can take: 8 extension headers of 2,048 bytes, and the rest. */
#define HEADERS_MAX 0x7fff

#define unlikely(x) __builtin_expect(!!(x), 0)

/* Constants of the interface, set before load: the verifier removes what they rule out. */
const volatile bool pb_ethernet = true;	   /* frames begin with an Ethernet header */
const volatile bool pb_frags = false;	   /* frames may come in several buffers (5.18) */
const volatile bool pb_connections = true; /* the kernel can look sockets up from XDP */
const volatile bool pb_quiet = false;	   /* tells no listener */
const volatile __u32 pb_count_row = PB_RULES_DEFAULT + 1; /* entries of a CPU in pb_counts */

/* Sizes of maps are set at load; the ones here are for the verifier alone. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pb_config);
} pb_config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PB_PORTS_TABLES);
	__type(key, __u32);
	__type(value, struct pb_class_table);
} pb_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PB_SLOTS);
	__type(key, __u32);
	__type(value, struct pb_decision);
} pb_decisions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct pb_source_key);
	__type(value, __u32);
} pb_sources SEC(".maps");

/* The next three are not read here: they hold the rules as written, for `rule list` and bpftool. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PB_SLOTS);
	__type(key, __u32);
	__type(value, struct pb_rule_record);
} pb_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PB_SLOTS);
	__type(key, __u32);
	__type(value, struct pb_range);
} pb_ranges SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct pb_prefix_key);
	__type(value, struct pb_prefix_record);
} pb_prefixes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pb_count);
} pb_counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} pb_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pb_meter);
} pb_meters SEC(".maps");

/* Of this interface alone, and gone with the program: not pinned. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PB_OUTCOME_MAX);
	__type(key, __u32);
	__type(value, struct pb_count);
} pb_outcomes SEC(".maps");

struct {
	__uint(priority, 9);
	__uint(XDP_PASS, 1);
} XDP_RUN_CONFIG(xdp_portblock);

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

/* The packet's addresses, 16 bytes each; IPv4 in the first four. Read only where one decides. */
struct addresses {
	__be32 source[4];
	__be32 destination[4];
};

/* The slot in force: the published one, or the one to go back to when no confirm came in time. */
PB_INLINE __u32 slot_in_force(const struct pb_config *config)
{
	__u64 revert_at = config->revert_at;

	if (unlikely(revert_at) && bpf_ktime_get_boot_ns() >= revert_at)
		return config->revert_to & 1;
	return config->active & 1;
}

PB_INLINE const struct pb_decision *decision_at(__u32 index, __u32 slot)
{
	__u32 key = index * PB_SLOTS + slot;

	return bpf_map_lookup_elem(&pb_decisions, &key);
}

/*
 * A port in wire order as an index. The mask is for kernels such as 6.1, whose verifier knows
 * nothing of a byte-swapped value; in assembly, since clang knows better and removes it.
 */
PB_INLINE __u64 port_index(__be16 port)
{
	__u64 index = bpf_ntohs(port);

	asm volatile("%0 &= 0xffff" : "+r"(index));
	return index;
}

/* The class of a port: an index of decisions, 0 where no rule covers it. */
PB_INLINE __u32 class_of(__u32 slot, __u32 proto, enum pb_side side, __be16 port)
{
	__u32 key = PB_PORTS_INDEX(slot, proto, side);
	const struct pb_class_table *table = bpf_map_lookup_elem(&pb_ports, &key);

	return table ? table->class[port_index(port)] : 0;
}

/* Copies `len` bytes of the frame, wherever they lie. */
PB_INLINE bool copy_frame(struct xdp_md *ctx, __u64 offset, void *to, __u32 len)
{
	const unsigned char *from = (void *)(long)ctx->data;

	if (pb_frags)
		return !bpf_xdp_load_bytes(ctx, offset, to, len);
	/*
	 * The parser was there: the mask changes nothing, and only the verifier has to be told. In
	 * assembly, since clang compares other bits of the same value where it can, of which 6.1
	 * and older learn nothing.
	 */
	asm volatile("%0 &= %1" : "+r"(offset) : "i"(HEADERS_MAX));
	from += offset;
	if (from + len > (unsigned char *)(long)ctx->data_end)
		return false;
	__builtin_memcpy(to, from, len);
	return true;
}

PB_INLINE bool copy_addresses(struct xdp_md *ctx, __u64 found, struct addresses *addresses)
{
	__u32 offset = FOUND_NETWORK(found);

	__builtin_memset(addresses, 0, sizeof(*addresses));
	if (FOUND_FAMILY(found) == 6)
		return copy_frame(ctx, offset + offsetof(struct pb_ipv6_header, source), addresses,
				  2 * 16);
	return copy_frame(ctx, offset + offsetof(struct pb_ipv4_header, source), addresses->source,
			  4) &&
	       copy_frame(ctx, offset + offsetof(struct pb_ipv4_header, destination),
			  addresses->destination, 4);
}

/* How far behind a class's decision for all other sources the one for this source is. */
__noinline int source_offset(struct xdp_md *ctx, __u64 found, __u32 set)
{
	struct addresses addresses;
	struct pb_source_key key;
	const __u32 *offset;

	if (!copy_addresses(ctx, found, &addresses))
		return 0;
	/* Member by member: a constant aggregate would go to .rodata, whose BTF 5.10 refuses. */
	key.prefixlen = PB_SOURCE_BITS + (FOUND_FAMILY(found) == 4 ? 32 : 128);
	key.set = set;
	key.family = FOUND_FAMILY(found);
	__builtin_memcpy(key.addr, addresses.source, sizeof(key.addr));
	offset = bpf_map_lookup_elem(&pb_sources, &key);
	return offset ? *offset : 0;
}

/* The head of the chain of a class whose rules ask for the source: an index of decisions. */
static __noinline __u32 head_by_source(struct xdp_md *ctx, __u64 found,
				       const struct pb_decision *class, __u32 slot)
{
	return class->next + source_offset(ctx, found, class->set << 1 | slot);
}

/* RFC 9293 section 3.1: a segment that opens a connection. */
#define TCP_FLAGS_OFFSET 13
#define TCP_FLAG_SYN 0x02
#define TCP_FLAG_ACK 0x10

/* True also where the frame ends before the flags: such a segment belongs to nothing. */
static __noinline bool opens_connection(struct xdp_md *ctx, __u64 found)
{
	__u8 flags = 0;

	if (!copy_frame(ctx, FOUND_TRANSPORT(found) + TCP_FLAGS_OFFSET, &flags, sizeof(flags)))
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

PB_INLINE __u32 socket_tuple(__u64 found, __u32 ports, const struct addresses *addresses,
			     struct bpf_sock_tuple *tuple)
{
	__builtin_memset(tuple, 0, sizeof(*tuple));
	if (FOUND_FAMILY(found) == 4) {
		tuple->ipv4.saddr = addresses->source[0];
		tuple->ipv4.daddr = addresses->destination[0];
		tuple->ipv4.sport = PORTS_SOURCE(ports);
		tuple->ipv4.dport = PORTS_DESTINATION(ports);
		return sizeof(tuple->ipv4);
	}
	__builtin_memcpy(tuple->ipv6.saddr, addresses->source, sizeof(addresses->source));
	__builtin_memcpy(tuple->ipv6.daddr, addresses->destination, sizeof(addresses->destination));
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
	struct addresses addresses;
	struct bpf_sock_tuple tuple;
	__u32 size;

	if (!pb_connections || FOUND_PROTO(found) > PB_PROTO_UDP)
		return false;
	if (!copy_addresses(ctx, found, &addresses))
		return false;
	size = socket_tuple(found, ports, &addresses, &tuple);
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
 * The end of a chain is decision 0, whose rank is below all others. `heads`: both candidates.
 */
__noinline int walk(struct xdp_md *ctx, __u64 found, __u32 ports, __u64 heads, __u32 slot)
{
	__u32 a = heads, b = heads >> 32;
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

/* The best candidate of one side, where rules look at both or have conditions; 0: none. */
PB_INLINE __u32 candidate(struct xdp_md *ctx, __u64 found, __u32 slot, enum pb_side side,
			  __be16 port)
{
	__u32 class = class_of(slot, FOUND_PROTO(found), side, port);
	const struct pb_decision *decision = class ? decision_at(class, slot) : NULL;

	if (!decision || !(decision->flags & PB_DECISION_SOURCES))
		return class;
	return head_by_source(ctx, found, decision, slot);
}

/*
 * The winner where it takes more than one look: rules of both sides, sources, conditions.
 * Returns an index of decisions, 0: none.
 */
__noinline int find_winner(struct xdp_md *ctx, __u64 found, __u32 ports, __u32 slot)
{
	__u64 by_dport = candidate(ctx, found, slot, PB_SIDE_DPORT, PORTS_DESTINATION(ports));
	__u64 by_sport = candidate(ctx, found, slot, PB_SIDE_SPORT, PORTS_SOURCE(ports));

	return walk(ctx, found, ports, by_dport | by_sport << 32, slot);
}

/*
 * The winner's decision; NULL: no rule. Most rulesets have rules of destination ports only, and
 * most of their rules have no conditions: then it is the class's own.
 */
PB_INLINE const struct pb_decision *winner_of(struct xdp_md *ctx, const struct pb_slot *slot,
					      __u32 slot_nr, __u64 found, __u32 ports)
{
	const struct pb_decision *decision;
	__u32 class;

	if (unlikely(slot->flags & PB_SLOT_SPORT))
		goto look_closely;
	class = class_of(slot_nr, FOUND_PROTO(found), PB_SIDE_DPORT, PORTS_DESTINATION(ports));
	if (!class)
		return NULL;
	decision = decision_at(class, slot_nr);
	if (!decision || !unlikely(decision->flags))
		return decision;
look_closely:
	class = find_winner(ctx, found, ports, slot_nr);
	return class ? decision_at(class, slot_nr) : NULL;
}

PB_INLINE enum pb_outcome outcome_of_action(__u8 action)
{
	if (action == PB_ACTION_DROP)
		return PB_OUTCOME_DROP_RULE;
	return action == PB_ACTION_AUDIT ? PB_OUTCOME_AUDIT : PB_OUTCOME_PASS;
}

/* What the outcome does to the packet: design "Find the ports", as the ruleset's settings say. */
PB_INLINE int verdict(enum pb_outcome outcome, __u32 flags)
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

/*
 * Counts in this CPU's row of an array. XDP runs with softirqs off, so no other packet of this
 * CPU comes in between, and no other CPU writes here: plain additions are exact.
 */
PB_INLINE void count(void *counts, __u32 index, __u32 bytes)
{
	struct pb_count *entry = bpf_map_lookup_elem(counts, &index);

	if (entry) {
		entry->packets++;
		entry->bytes += bytes;
	}
}

PB_INLINE __u32 frame_length(const struct xdp_md *ctx)
{
	if (pb_frags)
		return bpf_xdp_get_buff_len((struct xdp_md *)ctx);
	return ctx->data_end - ctx->data;
}

/* ---- For whoever listens ------------------------------------------------------------------ */

PB_INLINE bool is_listened_for(const struct pb_config *config, __u32 outcome, __u32 rule,
			       __u32 ports)
{
	__be16 port = bpf_htons(config->listen_port);

	if (!(config->listen_outcomes & 1U << outcome))
		return false;
	if (config->listen_rule && config->listen_rule != rule)
		return false;
	return !port || port == PORTS_SOURCE(ports) || port == PORTS_DESTINATION(ports);
}

/*
 * May this CPU report a packet? It needs no clock for one that may not: the listener itself sets
 * `sent` to 0 each second. Every 1,024th looks whether the listener is there at all, so one that
 * was killed does not leave its cost behind.
 */
PB_INLINE bool may_report(struct pb_config *config, struct pb_meter *meter)
{
	bool over = meter->sent >= config->listen_rate;

	if (over && ++meter->suppressed & 1023)
		return false;
	meter->event.time = bpf_ktime_get_boot_ns();
	if (meter->event.time >= config->listen_until) {
		config->listen_until = 0;
		return false;
	}
	return !over;
}

/* Copies the beginning of the frame to the meter's scratch space; returns how much. */
PB_INLINE __u32 capture(struct xdp_md *ctx, struct pb_meter *meter, __u32 length, __u32 snaplen)
{
	__u64 size = length < snaplen ? length : snaplen;
	long failed;

	if (!size || size > PB_SNAPLEN_MAX)
		return 0;
	/* It is 1 to PB_SNAPLEN_MAX; said so that 6.1 and older see it, too. */
	size--;
	asm volatile("%0 &= %1" : "+r"(size) : "i"(PB_SNAPLEN_MAX - 1));
	size++;
	if (pb_frags)
		failed = bpf_xdp_load_bytes(ctx, 0, meter->data, size);
	else /* before 5.18, the packet itself can't be read by a variable length */
		failed = bpf_probe_read_kernel(meter->data, size, (void *)(long)ctx->data);
	return failed ? 0 : size;
}

__noinline int report(struct xdp_md *ctx, __u32 outcome, __u32 rule, __u32 length, __u32 ports)
{
	__u32 zero = 0, cpu = bpf_get_smp_processor_id(), captured;
	struct pb_config *config = bpf_map_lookup_elem(&pb_config, &zero);
	struct pb_meter *meter = bpf_map_lookup_elem(&pb_meters, &cpu);

	if (!config || !meter)
		return 0;
	if (!is_listened_for(config, outcome & 31, rule, ports)) {
		/* As in may_report(): is anybody there at all? */
		if (!(++meter->ignored & 1023) && bpf_ktime_get_boot_ns() >= config->listen_until)
			config->listen_until = 0;
		return 0;
	}
	if (!may_report(config, meter))
		return 0;
	captured = capture(ctx, meter, length, config->listen_snaplen);
	if (captured > PB_SNAPLEN_MAX)
		return 0; /* never: for the verifier */
	meter->event.ifindex = ctx->ingress_ifindex;
	meter->event.length = length;
	meter->event.rule = rule;
	meter->event.captured = captured;
	meter->event.outcome = outcome;
	meter->event.ethernet = pb_ethernet;
	if (bpf_ringbuf_output(&pb_events, &meter->event, sizeof(meter->event) + captured, 0))
		meter->lost++;
	else
		meter->sent++;
	return 0;
}

/* ---- ------------------------------------------------------------------------------------- */

/* From what was found to the verdict. */
PB_INLINE int decide(struct xdp_md *ctx, enum pb_outcome outcome, const struct pb_packet *packet)
{
	__u64 found = FOUND(packet->proto, packet->family, packet->network, packet->transport);
	__u32 zero = 0, rule = 0, slot_nr, cpu, length, ports = 0;
	const struct pb_config *config = bpf_map_lookup_elem(&pb_config, &zero);
	const struct pb_decision *winner;
	const struct pb_slot *slot;

	if (!config)
		return XDP_PASS; /* never: an array has its entry 0 */
	slot_nr = slot_in_force(config);
	slot = &config->slots[slot_nr];
	if (outcome == PB_OUTCOME_PASS) {
		ports = PORTS(packet->sport, packet->dport);
		winner = winner_of(ctx, slot, slot_nr, found, ports);
		if (winner) {
			rule = winner->rule;
			outcome = outcome_of_action(winner->action);
		} else if (slot->flags & PB_SLOT_DENY) {
			outcome = by_policy(ctx, slot->flags, found, ports);
		}
	}
	length = frame_length(ctx);
	cpu = bpf_get_smp_processor_id();
	if (rule)
		count(&pb_counts, cpu * pb_count_row + rule, length);
	count(&pb_outcomes, cpu * PB_OUTCOME_MAX + outcome, length);
	if (!pb_quiet && unlikely(config->listen_until))
		report(ctx, outcome, rule, length, ports);
	return verdict(outcome, slot->flags);
}

/* A header may lie beyond the first buffer: read the frame once more, each header by copy. */
static __noinline int filter_split(struct xdp_md *ctx)
{
	struct pb_packet packet;
	struct pb_cursor cursor;
	union pb_copy copy;

	__builtin_memset(&packet, 0, sizeof(packet));
	__builtin_memset(&cursor, 0, sizeof(cursor));
	cursor.ctx = ctx;
	cursor.length = bpf_xdp_get_buff_len(ctx);
	cursor.split = true;
	return decide(ctx, pb_parse(&cursor, pb_ethernet, &packet, &copy), &packet);
}

SEC("xdp")
int xdp_portblock(struct xdp_md *ctx)
{
	struct pb_packet packet;
	struct pb_cursor cursor;
	union pb_copy copy; /* not used: the frame is one buffer */
	enum pb_outcome outcome;

	__builtin_memset(&packet, 0, sizeof(packet));
	__builtin_memset(&cursor, 0, sizeof(cursor));
	cursor.ctx = ctx;
	cursor.pos = (void *)(long)ctx->data;
	cursor.end = (void *)(long)ctx->data_end;
	outcome = pb_parse(&cursor, pb_ethernet, &packet, &copy);
	if (pb_frags && outcome == PB_OUTCOME_MALFORMED)
		return filter_split(ctx);
	return decide(ctx, outcome, &packet);
}

char _license[] SEC("license") = "Dual BSD/GPL";
