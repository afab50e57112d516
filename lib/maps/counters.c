// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <sched.h>
#include <string.h>
#include "maps/counters.h"

static struct pb_count *row_of(const struct pb_counters *counters, __u32 row)
{
	return counters->counts + (size_t)row * counters->width;
}

static struct pb_count *baselines(const struct pb_counters *counters, __u64 resets)
{
	return row_of(counters, counters->rows + resets % PB_BASE_ROWS);
}

/*
 * A packet is added to `packets` and to `bytes`. On the CPU that adds it, it is added as a whole or
 * not at all before this goes on, and in between it is seen in `packets`. From another CPU it may be
 * seen in one of them alone, on x86 in `packets`: elsewhere nothing orders the two stores, and need not.
 */
static struct pb_count between_packets(const struct pb_count *at)
{
	struct pb_count seen;

	do {
		seen.packets = __atomic_load_n(&at->packets, __ATOMIC_ACQUIRE);
		seen.bytes = __atomic_load_n(&at->bytes, __ATOMIC_ACQUIRE);
	} while (__atomic_load_n(&at->packets, __ATOMIC_RELAXED) != seen.packets);
	return seen;
}

static void add_row(const struct pb_counters *counters, __u32 row, __u32 index, __u32 nr,
		    struct pb_count *sums)
{
	const struct pb_count *from = row_of(counters, row) + index;

	for (__u32 i = 0; i < nr; i++) {
		struct pb_count seen = between_packets(&from[i]);

		sums[i].packets += seen.packets;
		sums[i].bytes += seen.bytes;
	}
}

static void add_rows(const struct pb_counters *counters, __u32 index, __u32 nr,
		     struct pb_count *sums)
{
	memset(sums, 0, nr * sizeof(*sums));
	for (__u32 row = 0; row < counters->rows; row++)
		add_row(counters, row, index, nr, sums);
}

/* No lock: the row of baselines is written anew only by the reset after next, which is seen. */
void pb_counters_read(const struct pb_counters *counters, __u32 index, __u32 nr,
		      struct pb_count *read)
{
	__u64 resets = __atomic_load_n(counters->resets, __ATOMIC_ACQUIRE), before;

	do {
		const struct pb_count *base = baselines(counters, resets) + index;

		before = resets;
		add_rows(counters, index, nr, read);
		for (__u32 i = 0; i < nr; i++) {
			read[i].packets -= base[i].packets;
			read[i].bytes -= base[i].bytes;
		}
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		resets = __atomic_load_n(counters->resets, __ATOMIC_RELAXED);
	} while (resets != before);
}

/* For as many CPUs as any kernel has: cpu_set_t ends at 1,024. */
struct cpus {
	unsigned long bits[8192 / 8 / sizeof(unsigned long)];
};

static void run_on(__u32 cpu)
{
	const __u32 bits = 8 * sizeof(unsigned long);
	struct cpus only = {};

	if (cpu >= 8 * sizeof(only))
		return;
	only.bits[cpu / bits] = 1UL << cpu % bits;
	sched_setaffinity(0, sizeof(only), (cpu_set_t *)&only);
}

/*
 * Each row is read on its own CPU: there no packet can be halfway. Where that is forbidden (a
 * cpuset) the row is read from here, which at worst tears one packet apart.
 */
void pb_counters_reset(const struct pb_counters *counters)
{
	__u64 resets = *counters->resets + 1;
	struct pb_count *base = baselines(counters, resets);
	struct cpus before;
	bool known = sched_getaffinity(0, sizeof(before), (cpu_set_t *)&before) >= 0;

	/*
	 * The row is that of the reset before last. Whoever reads it still and sees a number of these is to see the
	 * last reset, too: its store, which was a release, does not come before what follows by itself.
	 */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	memset(base, 0, counters->width * sizeof(*base));
	for (__u32 row = 0; row < counters->rows; row++) {
		if (known)
			run_on(row);
		add_row(counters, row, 0, counters->width, base);
	}
	if (known)
		sched_setaffinity(0, sizeof(before), (cpu_set_t *)&before);
	__atomic_store_n(counters->resets, resets, __ATOMIC_RELEASE);
}

void pb_counters_restart(const struct pb_counters *counters, __u32 index)
{
	add_rows(counters, index, 1, baselines(counters, *counters->resets) + index);
}
