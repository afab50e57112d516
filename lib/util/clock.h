/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef PB_CLOCK_H
#define PB_CLOCK_H

#include <portblock/portblock.h>

/* CLOCK_MONOTONIC, by which token buckets fill; as pb_clock() the host's. */
__u64 pb_clock_monotonic(void);

#endif
