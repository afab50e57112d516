/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether an end has come, which mostly is far away. */
#ifndef PB_BPF_CLOCK_H
#define PB_BPF_CLOCK_H

#include "count.h"

struct pb_clock pb_clock SEC(".data.clock");

#define NSEC_PER_SEC 1000000000ULL

/*
 * Has CLOCK_BOOTTIME come to `end`? To look at it takes 35 ns, so a CPU does once a jiffy, which the kernel counts in
 * memory: until the next it is that late at least, and no second later, for a jiffy is of 10 ms at most. What lies
 * between is looked up. Jiffies do not count while the machine sleeps, nor do packets come: where the one in which
 * it wakes is the one in which it fell asleep, what has ended meanwhile counts for the rest of that.
 * Of CPUs that have no row of their own each looks.
 */
PB_INLINE bool is_past(__u64 end)
{
	__u64 cpu = this_cpu(), jiffy = bpf_jiffies64();
	struct pb_clock_row *row = &pb_clock.row[masked(cpu, PB_CPU_ROWS - 1)];

	if (unlikely(cpu >= PB_CPU_ROWS))
		return bpf_ktime_get_boot_ns() >= end;
	if (unlikely(row->jiffy != jiffy)) {
		row->boot = bpf_ktime_get_boot_ns();
		row->jiffy = jiffy;
	}
	if (end <= row->boot)
		return true;
	return unlikely(end - row->boot <= NSEC_PER_SEC) && bpf_ktime_get_boot_ns() >= end;
}

/* The same by a call, for who has no registers left. */
__noinline int has_ended(__u64 end)
{
	return is_past(end);
}

#endif
