/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counting: of rules, and of what became of packets. */
#ifndef PB_BPF_COUNT_H
#define PB_BPF_COUNT_H

#include "maps.h"

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
 * An entry has the outcome where it is an offset in a row. The last row is for all CPUs beyond
 * those that have one: by turns.
 */
PB_INLINE void count_outcome(__u32 cpu, __u32 entry, __u64 bytes)
{
	__u64 offset = entry & PB_ENTRY_OUTCOME_BITS, row = cpu;
	struct pb_count *count;

	/* One register for both: 6.1 forgets the comparison where clang 21 reads the CPU from the stack once more. */
	barrier_var(row);
	if (unlikely(row >= PB_CPU_ROWS - 1)) {
		count = (void *)pb_outcomes.row[PB_CPU_ROWS - 1] + offset;
		__sync_fetch_and_add(&count->packets, 1);
		__sync_fetch_and_add(&count->bytes, bytes);
		return;
	}
	add((void *)pb_outcomes.row[row] + offset, bytes);
}

/* The outcome first: what follows a look-up, which is a call to the compiler, costs registers. */
PB_INLINE void count(__u32 cpu, __u32 entry, __u64 bytes)
{
	__u32 rule = PB_ENTRY_NUMBER(entry);

	count_outcome(cpu, entry, bytes);
	if (rule)
		count_rule(cpu, rule, bytes);
}

#endif
