// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The XDP program: find the ports, find the rule, count, answer.
 *
 * A packet reads pb_config.active once and then only the entries of that slot, so it is judged
 * wholly by one generation.
 *
 * Most packets are plain TCP or UDP, and most rules ask for no more than a port: then the verdict
 * is one load, of the port's entry, and this file is read in its last function alone. What a ruleset
 * does not use (source ports, sources, expiry, connections) costs nothing, since entries say where
 * a closer look is needed.
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
const volatile enum pb_frames pb_frames = PB_FRAMES_ETHERNET;
const volatile bool pb_connections = true; /* the kernel can look sockets up from XDP */
const volatile bool pb_quiet = false;	   /* tells no listener */
const volatile __u32 pb_count_row = PB_RULES_DEFAULT + 1; /* entries of a CPU in pb_counts */

/*
 * Maps of one entry, as variables: the program holds their address, where a look-up in a map takes
 * 11 instructions on 6.1. The library makes the first three under these names, and pins them; the
 * last one is of this interface alone, and gone with the program. (pb_ports is in .bss, since that
 * takes no room in the object; Debian 12's bpftool knows no .bss.NAME.)
 */
struct pb_config pb_config SEC(".data.config");
struct pb_ports pb_ports;
struct pb_meters pb_meters SEC(".data.meters");
struct pb_outcomes pb_outcomes SEC(".data.outcomes");

PB_INLINE bool is_ethernet(void)
{
	return pb_frames <= PB_FRAMES_ETHERNET_SPLIT;
}

/* May a frame have more than the buffer between ctx->data and ctx->data_end? */
PB_INLINE bool may_be_split(void)
{
	enum pb_frames frames = pb_frames;

	return frames == PB_FRAMES_ETHERNET_SPLIT || frames == PB_FRAMES_IP_SPLIT;
}

/* Sizes of maps are set at load; the ones here are for the verifier alone. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PB_SLOTS);
	__type(key, __u32);
	__type(value, struct pb_head);
} pb_heads SEC(".maps");

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
	__type(value, struct pb_prefix_block);
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

/* Where a report is put together. */
struct report {
	struct pb_event event;
	__u8 data[PB_SNAPLEN_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct report);
} pb_reports SEC(".maps");

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

/* The slot in force: the published one, or the other one when no confirm came in time. */
PB_INLINE __u32 slot_in_force(void)
{
	const volatile struct pb_config *config = &pb_config;
	__u32 active = config->active;

	if (active & PB_ACTIVE_PENDING && bpf_ktime_get_boot_ns() >= config->revert_at)
		active = !(active & PB_ACTIVE_SLOT);
	return active & PB_ACTIVE_SLOT;
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

/* The class of a port in a table that protocols share: an index of decisions, 0: no rule. */
PB_INLINE __u32 shared_class(__u32 slot, enum pb_shared table, __u32 proto, __be16 port)
{
	__u32 index = pb_ports.shared[slot & 1][table][port_index(port)];
	__u32 key = index * PB_SLOTS + slot;
	const struct pb_head *head = index ? bpf_map_lookup_elem(&pb_heads, &key) : NULL;

	return head && proto < PB_PROTO_MAX ? head->class[proto] : 0;
}

/* The entry of a destination port of TCP or UDP. */
PB_INLINE __u32 entry_of(__u32 slot, __u32 proto, __be16 port)
{
	return pb_ports.entry[slot & 1][proto & 1][port_index(port)];
}

/* The class of a destination port, where its entry asks for a closer look; 0: no rule. */
PB_INLINE __u32 dport_class(__u32 slot, __u32 proto, __be16 port)
{
	if (proto < PB_ENTRY_PROTOS)
		return PB_ENTRY_NUMBER(entry_of(slot, proto, port));
	return shared_class(slot, PB_SHARED_DPORT, proto, port);
}

/* Copies `len` bytes of the frame, wherever they lie: in the first buffer nearly always. */
PB_INLINE bool copy_frame(struct xdp_md *ctx, __u64 offset, void *to, __u32 len)
{
	const unsigned char *from = (void *)(long)ctx->data;
	__u64 near = offset;

	/*
	 * The parser was there: the mask changes nothing, and only the verifier has to be told. In
	 * assembly, since clang compares other bits of the same value where it can, of which 6.1
	 * and older learn nothing.
	 */
	asm volatile("%0 &= %1" : "+r"(near) : "i"(HEADERS_MAX));
	from += near;
	if (from + len <= (unsigned char *)(long)ctx->data_end) {
		__builtin_memcpy(to, from, len);
		return true;
	}
	return may_be_split() && !bpf_xdp_load_bytes(ctx, offset, to, len);
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
	struct bpf_sock_tuple tuple;
	struct addresses addresses;
	__u32 size;

	if (!pb_connections || FOUND_PROTO(found) > PB_PROTO_UDP)
		return false;
	__builtin_memset(&addresses, 0, sizeof(addresses));
	if (!copy_source(ctx, found, addresses.source) ||
	    !copy_destination(ctx, found, addresses.destination))
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

/* The best candidate of a class, by the source where its rules ask for that; 0: none. */
PB_INLINE __u32 candidate(struct xdp_md *ctx, __u64 found, __u32 slot, __u32 class)
{
	const struct pb_decision *decision = class ? decision_at(class, slot) : NULL;

	if (!decision || !(decision->flags & PB_DECISION_SOURCES))
		return class;
	return head_by_source(ctx, found, decision, slot);
}

/* The winner among the rules of both sides; returns an index of decisions, 0: none. */
__noinline int find_winner(struct xdp_md *ctx, __u64 found, __u32 ports, __u32 slot)
{
	__u32 proto = FOUND_PROTO(found);
	__u32 dport = dport_class(slot, proto, PORTS_DESTINATION(ports));
	__u32 sport = shared_class(slot, PB_SHARED_SPORT, proto, PORTS_SOURCE(ports));
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

/* What the outcome does to the packet: design "Find the ports", as the ruleset's settings say. */
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
PB_INLINE __u32 look_closely(struct xdp_md *ctx, __u64 found, __u32 ports, __u32 slot)
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

/*
 * A CPU counts in its own row. XDP runs with softirqs off, so no other packet of this CPU comes in
 * between, and no other CPU writes here: plain additions are exact.
 */
PB_INLINE void add(struct pb_count *count, __u64 bytes)
{
	count->packets++;
	count->bytes += bytes;
}

PB_INLINE void count_rule(__u32 cpu, __u32 rule, __u64 bytes)
{
	__u32 key = cpu * pb_count_row + rule;
	struct pb_count *count = bpf_map_lookup_elem(&pb_counts, &key);

	if (count)
		add(count, bytes);
}

/*
 * An entry has the outcome where it is an offset in a row. The last row is for all CPUs beyond those
 * that have one: by turns.
 */
PB_INLINE void count_outcome(__u32 cpu, __u32 entry, __u64 bytes)
{
	__u64 offset = entry & PB_ENTRY_OUTCOME_BITS;
	struct pb_count *count;

	if (unlikely(cpu >= PB_CPU_ROWS - 1)) {
		count = (void *)pb_outcomes.row[PB_CPU_ROWS - 1] + offset;
		__sync_fetch_and_add(&count->packets, 1);
		__sync_fetch_and_add(&count->bytes, bytes);
		return;
	}
	add((void *)pb_outcomes.row[cpu] + offset, bytes);
}

/* The outcome first: what follows a look-up, which is a call to the compiler, costs registers. */
PB_INLINE void count(__u32 cpu, __u32 entry, __u64 bytes)
{
	__u32 rule = PB_ENTRY_NUMBER(entry);

	count_outcome(cpu, entry, bytes);
	if (rule)
		count_rule(cpu, rule, bytes);
}

/* ---- For whoever listens ------------------------------------------------------------------ */

/* Does the listener want packets with this outcome, by this rule? */
PB_INLINE bool is_listened_for(__u32 entry)
{
	const struct pb_config *config = &pb_config;

	return config->listen_outcomes >> PB_ENTRY_OUTCOME(entry) & 1 &&
	       (!config->listen_rule || config->listen_rule == PB_ENTRY_NUMBER(entry));
}

/* And with these ports? */
PB_INLINE bool is_port_listened_for(__be16 sport, __be16 dport)
{
	__be16 port = bpf_htons(pb_config.listen_port);

	return !port || port == sport || port == dport;
}

/* Is the listener still there? One that was killed is not to leave its cost behind. */
PB_INLINE bool is_alive(__u64 now)
{
	if (now < pb_config.listen_until)
		return true;
	pb_config.listen_until = 0;
	return false;
}

/* Copies the beginning of the frame; returns how much. */
PB_INLINE __u32 capture(struct xdp_md *ctx, struct report *report, __u32 length)
{
	__u32 snaplen = pb_config.listen_snaplen;
	__u64 size = length < snaplen ? length : snaplen;
	long failed;

	if (!size || size > PB_SNAPLEN_MAX)
		return 0;
	/* It is 1 to PB_SNAPLEN_MAX; said so that 6.1 and older see it, too. */
	size--;
	asm volatile("%0 &= %1" : "+r"(size) : "i"(PB_SNAPLEN_MAX - 1));
	size++;
	if (may_be_split())
		failed = bpf_xdp_load_bytes(ctx, 0, report->data, size);
	else /* before 5.18, the packet itself can't be read by a variable length */
		failed = bpf_probe_read_kernel(report->data, size, (void *)(long)ctx->data);
	return failed ? 0 : size;
}

/* Reports a packet; false: the ring buffer is full, or nobody is there any more. */
__noinline int report(struct xdp_md *ctx, __u32 length, __u32 entry)
{
	__u32 zero = 0, captured;
	struct report *report = bpf_map_lookup_elem(&pb_reports, &zero);

	if (!report)
		return false;
	report->event.time = bpf_ktime_get_boot_ns();
	if (!is_alive(report->event.time))
		return false;
	captured = capture(ctx, report, length);
	if (captured > PB_SNAPLEN_MAX)
		return false; /* never: for the verifier */
	report->event.ifindex = ctx->ingress_ifindex;
	report->event.length = length;
	report->event.rule = PB_ENTRY_NUMBER(entry);
	report->event.captured = captured;
	report->event.outcome = PB_ENTRY_OUTCOME(entry);
	report->event.ethernet = is_ethernet();
	return !bpf_ringbuf_output(&pb_events, report, sizeof(report->event) + captured, 0);
}

/* Every so many packets that are passed over, it is asked whether the listener is there at all. */
#define PASSED_OVER_MAX 1024

/*
 * Most packets are passed over: not listened for, or over the rate of this CPU, for which the
 * listener sets `sent` to 0 each second. That takes no clock and no call, each of which would be
 * felt; a packet that needs either, or more than a look at its entry, is left to tell().
 */
PB_INLINE bool pass_over(__u32 cpu, __u32 entry)
{
	const struct pb_config *config = &pb_config;
	struct pb_meter *meter;
	__u64 *passed_over;

	if (config->listen_port || cpu >= PB_CPU_ROWS - 1)
		return false;
	meter = &pb_meters.row[cpu];
	passed_over = &meter->ignored;
	if (is_listened_for(entry)) {
		if (meter->sent < config->listen_rate)
			return false;
		passed_over = &meter->suppressed;
	}
	if (*passed_over % PASSED_OVER_MAX == PASSED_OVER_MAX - 1)
		return false;
	++*passed_over;
	return true;
}

/* The row of any CPU. As in port_index(), the mask is for the verifiers of old kernels. */
PB_INLINE struct pb_meter *meter_of(__u32 cpu)
{
	__u64 row = cpu < PB_CPU_ROWS ? cpu : PB_CPU_ROWS - 1;

	asm volatile("%0 &= %1" : "+r"(row) : "i"(PB_CPU_ROWS - 1));
	return &pb_meters.row[row];
}

/* For all other packets. Atomically, since the last row is for more than one CPU. */
PB_INLINE void tell(struct xdp_md *ctx, __u32 cpu, __u32 length, __u32 entry, bool listened)
{
	struct pb_meter *meter = meter_of(cpu);
	__u64 *count = listened ? &meter->suppressed : &meter->ignored;

	if (listened && meter->sent < pb_config.listen_rate)
		count = report(ctx, length, entry) ? &meter->sent : &meter->lost;
	else if (*count % PASSED_OVER_MAX == PASSED_OVER_MAX - 1)
		is_alive(bpf_ktime_get_boot_ns());
	__sync_fetch_and_add(count, 1);
}

/* ---- From the frame to the verdict --------------------------------------------------------- */

/* The end of a packet's way: tells whoever listens, counts, answers. */
PB_INLINE int answer(struct xdp_md *ctx, __u32 cpu, __u32 length, __u32 entry, __u32 ports)
{
	if (pb_config.listen_until && !pb_quiet)
		tell(ctx, cpu, length, entry,
		     is_listened_for(entry) &&
			     is_port_listened_for(PORTS_SOURCE(ports), PORTS_DESTINATION(ports)));
	count(cpu, entry, length);
	return PB_ENTRY_VERDICT(entry);
}

/* A frame with ports. */
PB_INLINE int filter_ports(struct xdp_md *ctx, __u32 cpu, __u32 length, __u64 found, __be16 sport,
			   __be16 dport)
{
	__u32 slot = slot_in_force(), ports = PORTS(sport, dport), entry = PB_ENTRY_CLOSER;

	if (FOUND_PROTO(found) < PB_ENTRY_PROTOS)
		entry = entry_of(slot, FOUND_PROTO(found), dport);
	if (PB_ENTRY_VERDICT(entry) == PB_ENTRY_CLOSER)
		entry = look_closely(ctx, found, ports, slot);
	return answer(ctx, cpu, length, entry, ports);
}

/* From what the parser found to the verdict. */
PB_INLINE int filter_packet(struct xdp_md *ctx, __u32 cpu, __u32 length, enum pb_outcome outcome,
			    const struct pb_packet *packet)
{
	__u32 flags;

	if (outcome == PB_OUTCOME_PASS)
		return filter_ports(ctx, cpu, length,
				    FOUND(packet->proto, packet->family, packet->network,
					  packet->transport),
				    packet->sport, packet->dport);
	flags = pb_config.slots[slot_in_force()].flags;
	return answer(ctx, cpu, length, PB_ENTRY(0, outcome, verdict_on(outcome, flags)), 0);
}

/* A header may lie beyond the first buffer: read the frame once more, each header by copy. */
static __noinline int filter_split(struct xdp_md *ctx, __u32 cpu, __u32 length)
{
	struct pb_packet packet;
	struct pb_cursor cursor;
	union pb_copy copy;

	__builtin_memset(&packet, 0, sizeof(packet));
	__builtin_memset(&cursor, 0, sizeof(cursor));
	cursor.ctx = ctx;
	cursor.length = length;
	cursor.split = true;
	return filter_packet(ctx, cpu, length, pb_parse(&cursor, is_ethernet(), &packet, &copy),
			     &packet);
}

/* Any frame. */
static __noinline int filter(struct xdp_md *ctx, __u32 cpu, __u32 length)
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
	outcome = pb_parse(&cursor, is_ethernet(), &packet, &copy);
	if (outcome == PB_OUTCOME_MALFORMED && may_be_split())
		return filter_split(ctx, cpu, length);
	return filter_packet(ctx, cpu, length, outcome, &packet);
}

/* A frame without link-layer header. */
static __noinline int filter_ip(struct xdp_md *ctx)
{
	__u32 length = ctx->data_end - ctx->data;

	if (may_be_split())
		length = bpf_xdp_get_buff_len(ctx);
	return filter(ctx, bpf_get_smp_processor_id(), length);
}

PB_INLINE bool is_plain_listened_for(struct xdp_md *ctx, __u32 entry)
{
	struct pb_plain plain;

	if (!is_listened_for(entry) || !pb_config.listen_port)
		return is_listened_for(entry);
	return pb_parse_plain((void *)(long)ctx->data, (void *)(long)ctx->data_end, &plain) &&
	       is_port_listened_for(plain.sport, plain.dport);
}

/* As answer(), of a plain frame while somebody listens. */
static __noinline int answer_plain(struct xdp_md *ctx, __u32 cpu, __u32 length, __u32 entry)
{
	tell(ctx, cpu, length, entry, is_plain_listened_for(ctx, entry));
	count(cpu, entry, length);
	return PB_ENTRY_VERDICT(entry);
}

/* A plain frame that asks for a closer look than the shortcut has. */
static __noinline int filter_plain(struct xdp_md *ctx, __u32 cpu, __u32 length)
{
	struct pb_plain plain;

	if (!pb_parse_plain((void *)(long)ctx->data, (void *)(long)ctx->data_end, &plain))
		return XDP_PASS; /* never: it was plain a moment ago */
	return filter_ports(ctx, cpu, length,
			    FOUND(plain.proto, plain.family, plain.network, plain.transport),
			    plain.sport, plain.dport);
}

SEC("xdp")
int xdp_portblock(struct xdp_md *ctx)
{
	const volatile struct pb_config *config = &pb_config;
	enum pb_frames frames = pb_frames;
	struct pb_plain plain;
	__u64 length, slot;
	__u32 cpu, entry;

	if (frames > PB_FRAMES_ETHERNET_SPLIT)
		return filter_ip(ctx);
	/* Calls come first, for they leave few registers as they were. */
	if (frames == PB_FRAMES_ETHERNET_SPLIT)
		length = bpf_xdp_get_buff_len(ctx);
	else
		length = ctx->data_end - ctx->data;
	cpu = bpf_get_smp_processor_id();
	if (!pb_parse_plain((void *)(long)ctx->data, (void *)(long)ctx->data_end, &plain))
		return filter(ctx, cpu, length);
	slot = config->active;
	if (slot > PB_ACTIVE_SLOT) /* a change is pending */
		return filter_plain(ctx, cpu, length);
	entry = entry_of(slot, plain.proto, plain.dport);
	if (PB_ENTRY_VERDICT(entry) == PB_ENTRY_CLOSER)
		return filter_plain(ctx, cpu, length);
	if (config->listen_until && !pb_quiet && !pass_over(cpu, entry))
		return answer_plain(ctx, cpu, length, entry);
	count(cpu, entry, length);
	return PB_ENTRY_VERDICT(entry);
}

char _license[] SEC("license") = "Dual BSD/GPL";
