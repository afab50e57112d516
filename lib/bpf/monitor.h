/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* For whoever listens to packets: `xdp-portblock monitor`. */
#ifndef PB_BPF_MONITOR_H
#define PB_BPF_MONITOR_H

#include "frame.h"

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
	pb_config.listening = 0;
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
	size = masked(size, PB_SNAPLEN_MAX - 1) + 1;
	if (may_have_frags())
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

/* For all other packets. Atomically, since the last row is for more than one CPU. */
PB_INLINE void tell(struct xdp_md *ctx, __u32 cpu, __u32 length, __u32 entry, bool listened)
{
	__u32 row = cpu < PB_CPU_ROWS ? cpu : PB_CPU_ROWS - 1;
	struct pb_meter *meter = &pb_meters.row[masked(row, PB_CPU_ROWS - 1)];
	__u64 *passed_over = listened ? &meter->suppressed : &meter->ignored;

	/* Lost ones count: a listener that does not read costs no more than one that does. */
	if (listened && meter->sent < pb_config.listen_rate) {
		add_shared(&meter->sent, 1);
		if (!report(ctx, length, entry))
			add_shared(&meter->lost, 1);
		return;
	}
	if (*passed_over % PASSED_OVER_MAX == PASSED_OVER_MAX - 1)
		is_alive(bpf_ktime_get_boot_ns());
	add_shared(passed_over, 1);
}

#endif
