/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef PB_RATES_H
#define PB_RATES_H

#include "maps/maps.h"

/* What pb_ruleset_rates() tells but `buckets`: no look at each of them. */
struct pb_rate_counts pb_rates_add_up(const struct pb_maps *maps);

#endif
