/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* One slot of the maps: written from rules, and read back as rules. */
#ifndef PB_SLOT_H
#define PB_SLOT_H

#include "compile/compile.h"
#include "maps/maps.h"

/* Rules as they will be written to a slot. */
struct pb_compiled {
	struct pb_set_condition *conditions; /* of each rule */
	struct pb_tables tables;
	__u64 files; /* the slot's own sets: pb_sets.files */
};

/*
 * Compiles `rules` with the sets that they see (PB_SETS_MAX, by number), for those maps; writes nothing. The caller
 * frees what is made, also after a failure. -ENOSPC: does not fit; -ENOENT: there is no such set.
 */
int pb_slot_compile(const struct pb_maps *maps, const struct pb_rules *rules,
		    const struct pb_set_record *sets, struct pb_compiled *compiled,
		    struct pb_error *error);
void pb_compiled_free(struct pb_compiled *compiled);

/*
 * Writes the same rules to `slot`, which no packet may be reading, as generation `generation`. Does not
 * publish it. On failure the slot is unusable. The decisions are those of the slot then.
 */
int pb_slot_put(const struct pb_maps *maps, __u32 slot, const struct pb_rules *rules,
		struct pb_compiled *compiled, __u64 generation, struct pb_error *error);

/* Both, with the sets as they are. */
int pb_slot_write(const struct pb_maps *maps, __u32 slot, const struct pb_rules *rules,
		  __u64 generation, struct pb_error *error);

/* Reads the rules of a slot, with counters. The caller clears `rules`. */
int pb_slot_read(const struct pb_maps *maps, __u32 slot, struct pb_rules *rules,
		 struct pb_error *error);

/* How many of its rules have not ended at `now`. */
__u32 pb_slot_live_rules(const struct pb_maps *maps, __u32 slot, __u64 now);

#endif
