/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Rates as they are written to what the XDP program computes with. */
#ifndef PB_LIMITS_H
#define PB_LIMITS_H

#include <portblock/portblock.h>

/* Of no rate, zero. What rates there can be: pb_rate_check(). */
struct pb_rule_limits pb_limits_of(const struct pb_over *over);

#endif
