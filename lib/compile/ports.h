/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the program looks ports up in. */
#ifndef PB_COMPILE_PORTS_H
#define PB_COMPILE_PORTS_H

#include "compile/tables.h"

/* Is the rate of one rule, which tells nobody, all that a class with this decision depends on? */
bool pb_decision_is_rate(const struct pb_decision *decision);

/*
 * The entry of a port that no rule covers, where no rule looks at source ports. It does not say all where a packet may be
 * a reply, or its sender is told. `unmatched`: as in struct pb_slot.
 */
__u32 pb_entry_of_no_rule(const struct pb_settings *settings, __u32 unmatched);

/* Makes `ports` and `port_classes` of `classes` and `decisions`. The caller frees, on failure too. */
int pb_ports_make(struct pb_tables *tables, const struct pb_settings *settings,
		  const struct pb_limits *limits, struct pb_error *error);

#endif
