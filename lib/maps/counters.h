/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Counters in memory that the program adds to while they are read and reset. It adds without
 * looking, so whoever wrote zeros there would lose to an addition that had begun before: counters
 * only grow, and a reset writes down what they were. Everybody reads them here.
 */
#ifndef PB_COUNTERS_H
#define PB_COUNTERS_H

#include <portblock/portblock.h>

struct pb_counters {
	struct pb_count *counts; /* [row * width + index]; behind `rows`, PB_BASE_ROWS more */
	__u32 rows;		 /* that the program adds to, a CPU each */
	__u32 width;
	__u64 *resets; /* so many there were, by which the row of baselines is chosen */
};

/*
 * What `nr` counters from `index` on have counted since the last reset. A reset meanwhile is seen
 * in all of them or in none.
 */
void pb_counters_read(const struct pb_counters *counters, __u32 index, __u32 nr,
		      struct pb_count *read);

/*
 * All of them begin anew, in one step as readers see it, and nothing is halfway if this is killed.
 * To be called under the lock of a change.
 */
void pb_counters_reset(const struct pb_counters *counters);

/* One that nobody adds to now begins anew. */
void pb_counters_restart(const struct pb_counters *counters, __u32 index);

#endif
