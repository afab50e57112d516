/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* One slot of the maps: written from rules, and read back as rules. */
#ifndef PB_SLOT_H
#define PB_SLOT_H

#include "maps/maps.h"

/*
 * Compiles `rules` and writes it to `slot`, which no packet may be reading, as generation
 * `generation`. Does not publish it. -ENOSPC: does not fit; the slot is then unusable.
 */
int pb_slot_write(const struct pb_maps *maps, __u32 slot, const struct pb_rules *rules,
		  __u64 generation, struct pb_error *error);

/* Reads the rules of a slot, with counters. The caller clears `rules`. */
int pb_slot_read(const struct pb_maps *maps, __u32 slot, struct pb_rules *rules,
		 struct pb_error *error);

/* How many of its rules have not ended at `now`. */
__u32 pb_slot_live_rules(const struct pb_maps *maps, __u32 slot, __u64 now);

#endif
