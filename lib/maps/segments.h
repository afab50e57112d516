/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Pins of what the tables of elements consist of: maps of maps give their entries away by their ids, for which the
 * kernel wants CAP_SYS_ADMIN. So each is pinned beside the ruleset, in the folder of the elements' lock, by its id.
 */
#ifndef PB_MAPS_SEGMENTS_H
#define PB_MAPS_SEGMENTS_H

#include "maps/maps.h"

/* A descriptor of the entry with that id: by its pin; without one by its id; or -errno. */
int pb_segment_open(const struct pb_maps *maps, __u32 id);

/*
 * For who holds the lock of the elements of pinned maps: pins new entries, before they are in force; takes that back
 * where they are not to be; and removes the pins of all but those, what a killed process has left among them.
 */
int pb_segments_pin(const struct pb_maps *maps, const int *fds, size_t nr);
void pb_segments_unpin(const struct pb_maps *maps, const int *fds, size_t nr);
void pb_segments_sweep(const struct pb_maps *maps, const int *fds, size_t nr);

/* Pins those in force in `folder`, which is to be the ruleset's, and where nobody sees them yet. */
int pb_segments_pin_all(const struct pb_maps *maps, const char *folder);

#endif
