/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Rates as they are written to those that packets are measured by. */
#ifndef PB_COMPILE_LIMITS_H
#define PB_COMPILE_LIMITS_H

#include <portblock/portblock.h>

/* The limits of a rule; all zero where it has none. `epoch` is the caller's. */
struct pb_rule_limits pb_limits_of(const struct pb_over *over);

#endif
