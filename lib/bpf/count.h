/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counting: of rules, and of what became of packets. */
#ifndef PB_BPF_COUNT_H
#define PB_BPF_COUNT_H

#include "maps.h"
#include "verifier.h"

/*
 * A CPU counts in its own row. XDP runs with softirqs off, so no other packet of this CPU comes in
 * between, and no other CPU writes here: plain additions are exact.
 */
PB_INLINE void add(struct pb_count *count, __u64 bytes)
{
	count->packets++;
	count->bytes += bytes;
}

PB_INLINE void count_rule(__u64 cpu, __u32 rule, __u64 bytes)
{
	__u32 key = counts_of(cpu) + rule;
	struct pb_count *count = bpf_map_lookup_elem(&pb_counts, &key);

	if (count)
		add(count, bytes);
}

/* The CPU, as wide as a register: clang cuts anything else once more. */
PB_INLINE __u64 this_cpu(void)
{
	return ((__u64(*)(void))BPF_FUNC_get_smp_processor_id)();
}

/* An entry has the outcome where it is an offset in a row. */
PB_INLINE struct pb_count *count_of_outcome(__u64 row, __u32 entry)
{
	return (void *)pb_outcomes.row[masked(row, PB_CPU_ROWS - 1)] +
	       (entry & PB_ENTRY_OUTCOME_BITS);
}

/* The last row is for all CPUs beyond those that have one: by turns. */
static __noinline int count_of_many(__u64 cpu, __u32 entry, __u64 bytes)
{
	__u32 rule = PB_ENTRY_NUMBER(entry);
	struct pb_count *shared = count_of_outcome(PB_CPU_ROWS - 1, entry);

	if (cpu < PB_CPU_ROWS - 1) {
		add(count_of_outcome(cpu, entry), bytes);
	} else {
		add_shared(&shared->packets, 1);
		add_shared(&shared->bytes, bytes);
	}
	if (rule)
		count_rule(cpu, rule, bytes);
	return 0;
}

/* The outcome first: what follows a look-up, which is a call to the compiler, costs registers. */
PB_INLINE void count(__u64 cpu, __u32 entry, __u64 bytes)
{
	__u32 rule = PB_ENTRY_NUMBER(entry);

	PB_GOTO_IF(cpu, PB_PATCH_MANY_CPUS, many);
	add(count_of_outcome(cpu, entry), bytes);
	if (rule)
		count_rule(cpu, rule, bytes);
	return;
many:
	count_of_many(cpu, entry, bytes);
}

#endif
