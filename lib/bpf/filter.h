/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What follows on a packet's ports, whoever has found them: the rules that decide, the counters, who
 * listens. The programs of all engines share it.
 */
#ifndef PB_BPF_FILTER_H
#define PB_BPF_FILTER_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include <xdp/xdp_helpers.h>

#define PB_FRAME_LOAD(ctx, offset, to, len) bpf_xdp_load_bytes(ctx, offset, to, len)
#include <portblock/abi.h>
#include <portblock/layout.h>
#include <portblock/parse.h>

#ifndef unlikely /* libbpf 1.6 has it */
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

#include "count.h"
#include "judge.h"
#include "monitor.h"
#include "slot.h"

struct {
	__uint(priority, 9);
	__uint(XDP_PASS, 1);
} XDP_RUN_CONFIG(xdp_portblock);

/* Reads the frame, each header by copy. A call, so that what it takes of the stack is free again after it. */
static __noinline int parse_by_copy(struct xdp_md *ctx, __u32 length, struct pb_packet *packet)
{
	struct pb_cursor cursor;
	union pb_copy copy;

	__builtin_memset(&cursor, 0, sizeof(cursor));
	cursor.ctx = ctx;
	cursor.length = length;
	cursor.frags = true;
	return pb_parse(&cursor, is_ethernet(), packet, &copy);
}

/* Before a frame that is one buffer is read. */
PB_INLINE void begin(struct xdp_md *ctx, struct pb_packet *packet, struct pb_cursor *cursor)
{
	__builtin_memset(packet, 0, sizeof(*packet));
	__builtin_memset(cursor, 0, sizeof(*cursor));
	cursor->ctx = ctx;
	cursor->pos = (void *)(long)ctx->data;
	cursor->end = (void *)(long)ctx->data_end;
}

/* Where the IP header begins, and of which family it is. */
static __noinline __u64 find_source(struct xdp_md *ctx, __u32 length)
{
	struct pb_cursor cursor;
	struct pb_packet packet;
	union pb_copy copy;
	__u32 family;

	begin(ctx, &packet, &cursor);
	cursor.length = length;
	cursor.frags = may_have_frags();
	family = pb_find_network(&cursor, is_ethernet(), &packet, &copy);
	return FOUND(0, family, packet.network, 0);
}

/* The end of a packet's way: tells whoever listens, counts, answers. */
PB_INLINE int answer(struct xdp_md *ctx, __u32 cpu, __u32 length, __u32 entry, __u32 ports)
{
	if (pb_config.listening && !pb_quiet)
		tell(ctx, cpu, length, entry,
		     is_listened_for(entry) &&
			     is_port_listened_for(PORTS_SOURCE(ports), PORTS_DESTINATION(ports)));
	count(cpu, entry, length);
	return PB_ENTRY_VERDICT(entry);
}

#include "reject.h"

/* A frame with ports, of which `entry` is the destination's. */
PB_INLINE int filter_by_entry(struct xdp_md *ctx, __u32 cpu, __u32 length, __u64 found, __u32 ports,
			      __u32 slot, __u32 entry)
{
	if (PB_ENTRY_VERDICT(entry) == PB_ENTRY_INDIRECT) {
		entry = judge_by_rules(ctx, found, ports, slot, entry);
		if (unlikely(PB_ENTRY_REJECTS(entry)))
			return refuse(ctx, cpu, length, entry);
	}
	return answer(ctx, cpu, length, entry, ports);
}

/*
 * What becomes of a packet without ports, as an entry, where rules are about sources alone; `entry`: where none of them
 * decides. They want to know where the source is: the frame is read once more, so that the others need not keep that.
 */
__noinline int judge_by_source(struct xdp_md *ctx, __u32 length, __u32 slot, __u32 entry)
{
	__u64 found = find_source(ctx, length);

	return judge_without_ports(ctx, found, slot, entry);
}

PB_INLINE int answer_without_ports(struct xdp_md *ctx, __u32 cpu, __u32 length, __u32 slot,
				   enum pb_outcome outcome)
{
	const struct pb_slot *in_force = &pb_config.slots[slot & 1];
	__u32 entry = PB_ENTRY(0, outcome, verdict_on(outcome, in_force->flags));

	if (unlikely(in_force->portless)) {
		entry = judge_by_source(ctx, length, slot, entry);
		if (unlikely(PB_ENTRY_REJECTS(entry)))
			return refuse(ctx, cpu, length, entry);
	}
	return answer(ctx, cpu, length, entry, 0);
}

/* From what the parser found to the verdict. */
PB_INLINE int filter_packet(struct xdp_md *ctx, __u32 cpu, __u32 length, __u32 slot,
			    enum pb_outcome outcome, const struct pb_packet *packet)
{
	__u32 entry;

	barrier_var(slot); /* one tail for all ways through the parser */
	if (outcome != PB_OUTCOME_PASS)
		return answer_without_ports(ctx, cpu, length, slot, outcome);
	entry = entry_of(slot, packet->proto, packet->dport);
	return filter_by_entry(ctx, cpu, length,
			       FOUND(packet->proto, packet->family, packet->network,
				     packet->transport),
			       PORTS(packet->sport, packet->dport), slot, entry);
}

/* A header may lie beyond the first buffer: read the frame once more. */
static __noinline int filter_frags(struct xdp_md *ctx, __u32 cpu, __u32 length, __u32 slot)
{
	struct pb_packet packet;
	enum pb_outcome outcome;

	__builtin_memset(&packet, 0, sizeof(packet));
	outcome = parse_by_copy(ctx, length, &packet);
	return filter_packet(ctx, cpu, length, slot, outcome, &packet);
}

#endif
