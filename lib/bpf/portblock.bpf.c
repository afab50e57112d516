// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The XDP program: find the ports, find the rule, count, answer.
 *
 * A packet reads pb_config.active once and then only the entries of that slot, so it is judged
 * wholly by one generation.
 *
 * Most packets are plain TCP or UDP, and most rules ask for no more than a port: then the verdict
 * is one load, of the port's entry, and all there is to it is the last function of this file. What
 * a ruleset does not use (source ports, sources, expiry, connections) costs nothing, since entries
 * say where they are not all.
 */
#define PB_NATIVE false
#include "filter.h"
#include "plain-rates.h"
#include "plain-sets.h"
#include "plain-sources.h"

/*
 * A frame of one buffer with what is rare. Its length is asked for again, for reading the frame takes much of the stack
 * without that.
 */
static __noinline int filter_rare(struct xdp_md *ctx, __u32 cpu, __u32 slot)
{
	struct pb_packet packet;
	struct pb_cursor cursor;
	union pb_copy copy; /* not used */
	enum pb_outcome outcome;

	begin(ctx, &packet, &cursor);
	outcome = pb_parse(&cursor, is_ethernet(), &packet, &copy);
	barrier_var(ctx); /* else clang keeps what it has read */
	return filter_packet(ctx, cpu, ctx->data_end - ctx->data, slot, outcome, &packet);
}

/*
 * What becomes of a nearly plain frame, as an entry that is not indirect; PB_ENTRY_INDIRECT: the long way says it. What
 * calls would otherwise leave in registers is kept on the stack, for plain frames save each register that is used here.
 */
PB_INLINE __u32 judge_near(struct xdp_md *ctx, __u32 slot_now)
{
	volatile __u32 slot = slot_now;
	const struct pb_decision *first;
	struct pb_plain near;
	__u32 entry;

	if (!pb_parse_near((void *)(long)ctx->data, (void *)(long)ctx->data_end, &near))
		return PB_ENTRY_INDIRECT;
	entry = entry_of(slot, near.proto, near.dport);
	if (PB_ENTRY_VERDICT(entry) != PB_ENTRY_INDIRECT ||
	    entry & (PB_ENTRY_SETS | PB_ENTRY_SOURCES))
		return entry;
	first = plain_decision(slot, dport_class(slot, near.proto, near.dport, entry));
	return first ? judge_by_ports(slot, near.proto, near.sport, first) : PB_ENTRY_INDIRECT;
}

/* Any frame that is not plain. Where it may have frags, what is rare is read by copy as well. */
static __noinline int filter(struct xdp_md *ctx, __u32 cpu, __u32 length)
{
	struct pb_packet packet;
	struct pb_cursor cursor;
	union pb_copy copy; /* not used: the frame is one buffer */
	enum pb_outcome outcome;
	__u32 slot = slot_of_packet(cpu, PB_STATE_ACTIVE(read_state()));

	if (slot == SLOT_OF_OTHER)
		return XDP_PASS;
	begin(ctx, &packet, &cursor);
	outcome = pb_parse_common(&cursor, is_ethernet(), &packet, &copy);
	if (outcome == PB_OUTCOME_MALFORMED && may_have_frags())
		return filter_frags(ctx, cpu, length, slot);
	if (outcome == PB_AGAIN)
		return may_have_frags() ? filter_frags(ctx, cpu, length, slot) :
					  filter_rare(ctx, cpu, slot);
	return filter_packet(ctx, cpu, length, slot, outcome, &packet);
}

/*
 * A frame without link-layer header. It ends otherwise than the rest: the verifier takes a branch out that is never
 * taken, but only where no other goes to the same place.
 */
PB_INLINE int filter_ip(struct xdp_md *ctx, __u32 cpu, __u32 length)
{
	int verdict = filter(ctx, cpu, length);

	barrier_var(verdict);
	return verdict;
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

/* A plain frame that takes more than the shortcut has. `entry`: 0 where it was not read. */
static __noinline int filter_plain(struct xdp_md *ctx, __u32 cpu, __u32 length, __u32 active,
				   __u32 entry)
{
	__u32 slot = slot_of_packet(cpu, active);
	struct pb_plain plain;

	if (slot == SLOT_OF_OTHER)
		return XDP_PASS;
	if (!pb_parse_plain((void *)(long)ctx->data, (void *)(long)ctx->data_end, &plain))
		return XDP_PASS; /* never: it was plain a moment ago */
	if (!entry)
		entry = entry_of(slot, plain.proto, plain.dport);
	return filter_by_entry(ctx, cpu, length,
			       FOUND(plain.proto, plain.family, plain.network, plain.transport),
			       PORTS(plain.sport, plain.dport), slot, entry);
}

static __noinline int is_plain(struct xdp_md *ctx)
{
	struct pb_plain plain;

	return pb_parse_plain((void *)(long)ctx->data, (void *)(long)ctx->data_end, &plain);
}

/* A plain frame while somebody listens, that the tables of ports decide; NOT_BY_PORT: they do not. */
#define NOT_BY_PORT -1
static __noinline int filter_watched(struct xdp_md *ctx, __u32 cpu, __u32 length, __u32 slot)
{
	struct pb_plain plain;
	__u32 entry;

	if (!pb_parse_plain((void *)(long)ctx->data, (void *)(long)ctx->data_end, &plain))
		return NOT_BY_PORT;
	entry = entry_of(slot, plain.proto, plain.dport);
	if (PB_ENTRY_VERDICT(entry) == PB_ENTRY_INDIRECT)
		return NOT_BY_PORT;
	if (!pb_quiet && !pass_over(cpu, entry))
		return answer_plain(ctx, cpu, length, entry);
	count(cpu, entry, length);
	return PB_ENTRY_VERDICT(entry);
}

/*
 * A frame while a change is pending, a program is exchanged, or somebody listens. What is known is asked for
 * again, rather than kept over a call by those who make none: nothing was decided by it.
 */
PB_INLINE int filter_unusual(struct xdp_md *ctx, __u32 cpu, __u32 length, __u64 state)
{
	if (PB_STATE_ACTIVE(state) <= PB_ACTIVE_SLOT) {
		int verdict = filter_watched(ctx, cpu, length, state);

		if (verdict != NOT_BY_PORT)
			return verdict;
	}
	if (!is_plain(ctx))
		return filter(ctx, bpf_get_smp_processor_id(), length);
	return filter_plain(ctx, bpf_get_smp_processor_id(), length, PB_STATE_ACTIVE(read_state()),
			    0);
}

/* Beside the key of an entry in the tables, which has a bit more than a number: that its rate was asked. */
#define KEY_OF_RATE (1U << 31)

PB_INLINE __u32 entry_of_key(__u32 key)
{
	__u32 rate = key & KEY_OF_RATE ? PB_ENTRY_RATE : 0;

	return PB_ENTRY((key & ~KEY_OF_RATE) / PB_SLOTS, 0, PB_ENTRY_INDIRECT) | rate;
}

/*
 * A plain frame of which sets, the source or a rate alone say what becomes of it. What is known of it is in one
 * number, since the stack of this function is that of all others, too; and the CPU is asked for again, so that packets
 * that come to an end without this need not keep it.
 */
PB_INLINE int filter_plain_here(struct xdp_md *ctx, __u32 length, __u32 slot, __u32 entry)
{
	__u32 key = PB_ENTRY_NUMBER(entry) * PB_SLOTS + slot, cpu;

	barrier_var(key);
	if (!(entry & PB_ENTRY_SETS)) {
		entry = judge_plain_by_sources(ctx, key);
	} else if (!(entry & PB_ENTRY_SOURCES)) {
		entry = judge_plain_by_sets(ctx, key);
		length = length_of_frame(ctx); /* which a look at sets has no room for */
	} else {
		entry = judge_plain_by_rate(ctx, length, key);
		key |= KEY_OF_RATE;
	}
	cpu = bpf_get_smp_processor_id();
	if (PB_ENTRY_VERDICT(entry) == PB_ENTRY_INDIRECT)
		return filter_plain(ctx, cpu, length, key % PB_SLOTS, entry_of_key(key));
	if (pb_config.listening && !pb_quiet)
		return answer_plain(ctx, cpu, length, entry);
	count(cpu, entry, length);
	return PB_ENTRY_VERDICT(entry);
}

/* A plain frame that the classes of its ports decide. `entry`: that of its destination port, if there is one. */
PB_INLINE int filter_plain_by_ports(struct xdp_md *ctx, __u32 length, __u32 slot, __u32 entry,
				    __u32 by_ports)
{
	__u64 cpu = this_cpu();

	if (PB_ENTRY_VERDICT(by_ports) == PB_ENTRY_INDIRECT || PB_ENTRY_REJECTS(by_ports))
		return filter_plain(ctx, cpu, length, slot, entry);
	count(cpu, by_ports, length);
	return PB_ENTRY_VERDICT(by_ports);
}

/* The same of TCP and UDP. */
PB_INLINE __u32 judge_plain_by_ports(struct xdp_md *ctx, __u32 slot, __u32 entry)
{
	const struct pb_decision *first;
	__u32 proto = 0;
	__be16 sport;

	if (!PB_ENTRY_NUMBER(entry) && entry_of_rest(slot) == PB_ENTRY_INDIRECT)
		return PB_ENTRY_INDIRECT; /* a reply, mostly */
	first = plain_decision(slot, PB_ENTRY_NUMBER(entry));
	if (!first)
		return PB_ENTRY_INDIRECT;
	sport = plain_sport(ctx, &proto);
	return judge_by_ports(slot, proto, sport, first);
}

/* And of protocols that have no entries. */
PB_INLINE __u32 judge_other(__u32 slot, __u32 proto, __be16 sport, __be16 dport)
{
	__u32 class = class_of_port(slot, PB_CLASSES_DPORT, proto, dport);
	const struct pb_decision *first = plain_decision(slot, class);

	return first ? judge_by_ports(slot, proto, sport, first) : PB_ENTRY_INDIRECT;
}

/* A frame that is not plain. The long way begins anew: nothing was decided by the slot that was read. */
PB_INLINE int filter_near(struct xdp_md *ctx, __u32 length, __u32 slot)
{
	__u32 entry = judge_near(ctx, slot);
	__u64 cpu = this_cpu();

	if (PB_ENTRY_VERDICT(entry) == PB_ENTRY_INDIRECT || PB_ENTRY_REJECTS(entry))
		return filter(ctx, cpu, length);
	count(cpu, entry, length);
	return PB_ENTRY_VERDICT(entry);
}

/*
 * The shortcut. Its instructions are counted (doc/benchmarks.md), and what keeps them few is a matter of registers:
 * of ctx, length and verdict alone does it need more than a call leaves, and each other one would be saved and
 * restored for each packet.
 */
SEC("xdp")
int xdp_portblock(struct xdp_md *ctx)
{
	struct pb_plain plain;
	__u64 length, cpu, state, entries;
	const __u32 *table;
	__u32 entry, verdict;

	/* Calls come first, for they leave few registers as they were. */
	asm volatile("%0 = 0" : "=r"(length)); /* a number, for what follows */
	PB_GOTO_IF(length, PB_PATCH_LINEAR, linear);
	length = frame_length(ctx);
known:
	cpu = this_cpu();
	PB_GOTO_IF(cpu, PB_PATCH_IP, ip);
	state = read_state();
	if (state > PB_ACTIVE_SLOT)
		return filter_unusual(ctx, cpu, length, state);
	entries = entries_of(state);
	table = (void *)pb_ports.entry + entries;
	if (!pb_parse_plain((void *)(long)ctx->data, (void *)(long)ctx->data_end, &plain))
		return plain.rare ? filter(ctx, cpu, length) :
				    filter_near(ctx, length, slot_of_entries(entries));
	if (plain.proto >= PB_ENTRY_PROTOS) {
		entry = judge_other(slot_of_entries(entries), plain.proto, plain.sport,
				    plain.dport);
		return filter_plain_by_ports(ctx, length, slot_of_entries(entries),
					     PB_ENTRY_INDIRECT, entry);
	}
	if (plain.proto) /* in assembly, since clang would add 0 where it is TCP */
		asm volatile("%0 += %1" : "+r"(table) : "i"(sizeof(pb_ports.entry[0][0])));
	entry = table[plain.dport];
	verdict = PB_ENTRY_VERDICT(entry);
	if (verdict == PB_ENTRY_INDIRECT) {
		if (!(entry & (PB_ENTRY_SETS | PB_ENTRY_SOURCES)))
			return filter_plain_by_ports(
				ctx, length, slot_of_entries(entries), entry,
				judge_plain_by_ports(ctx, slot_of_entries(entries), entry));
		return filter_plain_here(ctx, length, slot_of_entries(entries), entry);
	}
	count(cpu, entry, length);
	/* Else it goes on, by a jump, in what others end with. */
	barrier_var(verdict);
	return verdict;
linear:
	length = ctx->data_end - ctx->data;
	goto known;
ip:
	return filter_ip(ctx, cpu, length);
}

char _license[] SEC("license") = "Dual BSD/GPL";
