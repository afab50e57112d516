/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef PB_DURATION_H
#define PB_DURATION_H

#include <stdio.h>
#include <portblock/portblock.h>

void pb_duration_print(FILE *out, __u64 ns);
/* Whole seconds, rounded up. */
__u64 pb_duration_seconds(__u64 ns);

#endif
