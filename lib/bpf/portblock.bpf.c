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

/* Any frame. Where it may have frags, what is rare is read by copy as well. */
static __noinline int filter(struct xdp_md *ctx, __u32 cpu, __u32 length)
{
	struct pb_packet packet;
	struct pb_cursor cursor;
	union pb_copy copy; /* not used: the frame is one buffer */
	enum pb_outcome outcome;
	__u32 slot;

	slot = slot_of_packet(cpu, read_active());
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

/* A plain frame that takes more than the shortcut has. `entry` is read where `active` is a slot. */
static __noinline int filter_plain(struct xdp_md *ctx, __u32 cpu, __u32 length, __u32 active,
				   __u32 entry)
{
	__u32 slot = slot_of_packet(cpu, active);
	struct pb_plain plain;

	if (slot == SLOT_OF_OTHER)
		return XDP_PASS;
	if (!pb_parse_plain((void *)(long)ctx->data, (void *)(long)ctx->data_end, &plain))
		return XDP_PASS; /* never: it was plain a moment ago */
	if (active > PB_ACTIVE_SLOT)
		entry = plain_entry(entries_of(slot & 1), plain.proto, plain.dport);
	return filter_by_entry(ctx, cpu, length,
			       FOUND(plain.proto, plain.family, plain.network, plain.transport),
			       PORTS(plain.sport, plain.dport), slot, entry);
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
	if (pb_config.listen_until && !pb_quiet)
		return answer_plain(ctx, cpu, length, entry);
	count(cpu, entry, length);
	return PB_ENTRY_VERDICT(entry);
}

SEC("xdp")
int xdp_portblock(struct xdp_md *ctx)
{
	const volatile struct pb_config *config = &pb_config;
	enum pb_frames frames = pb_frames;
	struct pb_plain plain;
	__u64 length, active, entries;
	__u32 cpu, entry;

	/* Calls come first, for they leave few registers as they were. */
	if (PB_FRAMES_MAY_HAVE_FRAGS(frames))
		length = frame_length(ctx);
	else
		length = ctx->data_end - ctx->data;
	cpu = bpf_get_smp_processor_id();
	if (!PB_FRAMES_HAVE_ETHERNET(frames))
		return filter_ip(ctx, cpu, length);
	if (!pb_parse_plain((void *)(long)ctx->data, (void *)(long)ctx->data_end, &plain))
		return filter(ctx, cpu, length);
	active = read_active();
	if (active > PB_ACTIVE_SLOT) /* a change is pending, or a program is exchanged */
		return filter_plain(ctx, cpu, length, active, 0);
	entries = entries_of(active);
	entry = plain_entry(entries, plain.proto, plain.dport);
	if (PB_ENTRY_VERDICT(entry) == PB_ENTRY_INDIRECT) {
		if (!(entry & (PB_ENTRY_SETS | PB_ENTRY_SOURCES)))
			return filter_plain(ctx, cpu, length, slot_of_entries(entries), entry);
		return filter_plain_here(ctx, length, slot_of_entries(entries), entry);
	}
	if (config->listen_until && !pb_quiet && !pass_over(cpu, entry))
		return answer_plain(ctx, cpu, length, entry);
	count(cpu, entry, length);
	return PB_ENTRY_VERDICT(entry);
}

char _license[] SEC("license") = "Dual BSD/GPL";
