// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The XDP program of the native engine. The kernel module's safe Rust reads the frame and the tables
 * of ports; what needs the kernel (sockets, sources, a clock, counters, whoever listens) is the same
 * code as the other engine's.
 */
#define PB_NATIVE true
#include "filter.h"
#include <portblock/native.h>

_Static_assert(sizeof(struct pb_native_ports) == sizeof(struct pb_ports), "it is not pb_ports");
_Static_assert(PB_NATIVE_ABI == PB_ABI_VERSION, "give the module's functions other names");

/*
 * What a frame with a link-layer header comes to: PB_ENTRY(). Its verdict is PB_ENTRY_INDIRECT where
 * that takes more than the port, and where there are no ports.
 */
extern __u32 bpf_portblock_entry_v11(struct xdp_md *ctx, const struct pb_native_ports *ports,
				     __u32 slot) __ksym;

/* Finds the ports of any frame: enum pb_outcome, PB_OUTCOME_PASS where it has any. */
extern __u32 bpf_portblock_find_v11(struct xdp_md *ctx, const struct pb_native_ports *ports,
				    struct pb_native_found *found, __u32 flags) __ksym;

/* Why a frame has no ports, where its entry says that and the first buffer is all that counts. */
PB_INLINE enum pb_outcome outcome_of(__u32 entry)
{
	enum pb_outcome outcome = PB_ENTRY_OUTCOME(entry);

	if (PB_ENTRY_VERDICT(entry) != PB_ENTRY_INDIRECT)
		return PB_OUTCOME_PASS;
	if (may_have_frags() && outcome >= PB_OUTCOME_MALFORMED)
		return PB_OUTCOME_PASS;
	return outcome;
}

/* What decides where the entry is indirect. `entry`: with pb_native_found.classes in its upper half. */
__noinline int judge_found(struct xdp_md *ctx, __u64 found, __u32 ports, __u32 slot, __u64 entry)
{
	__u32 proto = FOUND_PROTO(found);
	__u32 dport = proto < PB_ENTRY_PROTOS ? PB_ENTRY_NUMBER((__u32)entry) :
						class_at(slot, entry >> 32 & 0xffff, proto);

	return judge_by_classes(ctx, found, ports, slot, dport, class_at(slot, entry >> 48, proto));
}

/* A frame with ports. */
PB_INLINE int filter_found(struct xdp_md *ctx, __u32 cpu, __u32 length, __u32 slot,
			   const struct pb_native_found *found)
{
	__u32 entry = found->entry;

	if (PB_ENTRY_VERDICT(entry) != PB_ENTRY_INDIRECT)
		return answer(ctx, cpu, length, entry, found->ports);
	entry = judge_found(ctx, found->found, found->ports, slot,
			    entry | (__u64)found->classes[PB_CLASSES_DPORT] << 32 |
				    (__u64)found->classes[PB_CLASSES_SPORT] << 48);
	if (unlikely(PB_ENTRY_REJECTS(entry)))
		return refuse(ctx, cpu, length, entry);
	return answer(ctx, cpu, length, entry, found->ports);
}

/* All that takes more than the entry; 0: it is not known. */
static __noinline int filter_rest(struct xdp_md *ctx, __u32 cpu, __u32 length, __u32 slot,
				  __u32 entry)
{
	__u32 flags = is_ethernet() ? slot | PB_NATIVE_ETHERNET : slot;
	enum pb_outcome outcome = outcome_of(entry);
	struct pb_native_found found = {};

	if (outcome != PB_OUTCOME_PASS)
		return answer_without_ports(ctx, cpu, length, slot, outcome);
	outcome = bpf_portblock_find_v11(ctx, (void *)&pb_ports, &found, flags);
	if (outcome == PB_OUTCOME_PASS)
		return filter_found(ctx, cpu, length, slot, &found);
	if (may_have_frags() && outcome >= PB_OUTCOME_MALFORMED)
		return filter_frags(ctx, cpu, length, slot);
	return answer_without_ports(ctx, cpu, length, slot, outcome & 7);
}

/* While a change is pending, or a program is exchanged. */
static __noinline int filter_changing(struct xdp_md *ctx, __u32 cpu, __u32 length, __u32 active)
{
	__u32 slot = slot_of_packet(cpu, active);

	if (slot == SLOT_OF_OTHER)
		return XDP_PASS;
	return filter_rest(ctx, cpu, length, slot, 0);
}

/* A call, for Linux 6.1 forgets what it has checked of a number that lies on the stack. */
static __noinline bool is_passed_over(__u32 cpu, __u32 entry)
{
	return pass_over(cpu, entry);
}

/* A frame without link-layer header. It ends otherwise than the rest: see the other engine's. */
PB_INLINE int filter_ip(struct xdp_md *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id(), active = PB_STATE_ACTIVE(read_state());
	__u32 length = may_have_frags() ? frame_length(ctx) : ctx->data_end - ctx->data;
	int verdict;

	if (active > PB_ACTIVE_SLOT)
		verdict = filter_changing(ctx, cpu, length, active);
	else
		verdict = filter_rest(ctx, cpu, length, active, 0);
	barrier_var(verdict);
	return verdict;
}

SEC("xdp")
int xdp_portblock(struct xdp_md *ctx)
{
	enum pb_frames frames = pb_frames;
	__u32 cpu, active, entry;
	__u64 length, state;

	if (frames > PB_FRAMES_ETHERNET_FRAGS)
		return filter_ip(ctx);
	if (frames == PB_FRAMES_ETHERNET_FRAGS)
		length = frame_length(ctx);
	else
		length = ctx->data_end - ctx->data;
	state = read_state();
	active = PB_STATE_ACTIVE(state);
	if (unlikely(active > PB_ACTIVE_SLOT))
		return filter_changing(ctx, bpf_get_smp_processor_id(), length, active);
	entry = bpf_portblock_entry_v11(ctx, (void *)&pb_ports, active);
	/* What is known from here on need not be kept over that call; nor over others, by whoever makes none. */
	cpu = bpf_get_smp_processor_id();
	if (unlikely(PB_ENTRY_VERDICT(entry) == PB_ENTRY_INDIRECT))
		return filter_rest(ctx, cpu, length, active, entry);
	if (unlikely(state > PB_ACTIVE_SLOT && !pb_quiet)) {
		bool passed_over = is_passed_over(cpu, entry);

		cpu = bpf_get_smp_processor_id();
		if (!passed_over)
			return filter_rest(ctx, cpu, length, active, entry);
	}
	count(cpu, entry, length);
	barrier_var(entry);
	return PB_ENTRY_VERDICT(entry);
}

char _license[] SEC("license") = "Dual BSD/GPL";
