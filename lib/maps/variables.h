/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Variables of a program, which are maps of one entry: in memory, by the id of the map. */
#ifndef PB_VARIABLES_H
#define PB_VARIABLES_H

#include "maps/counters.h"

/* The outcome counters of the map with that id, in memory until they are unmapped. */
int pb_outcomes_map(__u32 id, struct pb_outcomes **outcomes);
void pb_outcomes_unmap(struct pb_outcomes *outcomes);
struct pb_counters pb_outcomes_counters(struct pb_outcomes *outcomes);
int pb_outcomes_read(__u32 id, struct pb_count outcomes[PB_OUTCOME_MAX]);

/* pb_config, or an interface's pb_exchange, of the map with that id, likewise. */
int pb_config_map(__u32 id, struct pb_config **config);
void pb_config_unmap(struct pb_config *config);
int pb_exchange_map(__u32 id, struct pb_exchange **exchange);
void pb_exchange_unmap(struct pb_exchange *exchange);
/* The number of a program that takes part. */
__u32 pb_exchange_number(const struct pb_exchange *exchange, __u32 program_id);

#endif
