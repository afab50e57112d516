/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Source prefixes of a slot: for look-up, and as they were written. */
#ifndef PB_MAPS_SOURCES_H
#define PB_MAPS_SOURCES_H

#include "compile/tables.h"
#include "maps/maps.h"

/*
 * Writes the tables in which packets that are judged by a slot look their source up, which none is by now; and gives
 * the decisions that ask for it their form in the maps.
 */
int pb_sources_replace(const struct pb_maps *maps, __u32 slot, struct pb_tables *tables,
		       struct pb_error *error);

/* Replaces the prefixes of one slot. */
int pb_prefixes_replace(const struct pb_maps *maps, __u32 slot,
			const struct pb_prefix_record *prefixes, size_t nr, struct pb_error *error);

/* Reads the prefixes of a slot, numbered from 0 to `nr` - 1. */
int pb_prefixes_read(const struct pb_maps *maps, __u32 slot, struct pb_prefix_record *prefixes,
		     size_t nr, struct pb_error *error);

#endif
