/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Where the maps of a ruleset are pinned. */
#ifndef PB_PINS_H
#define PB_PINS_H

#include "maps/maps.h"

/*
 * Opens the pinned maps of a ruleset whose lock the caller holds: all of one ruleset, each of its
 * type and size. -ENOENT without a message: none there; -EPROTO: of another abi version, or not
 * all there, or something else in the place of one.
 */
int pb_maps_open(const char *ruleset, struct pb_maps *maps, struct pb_error *error);

/* The same without the lock, for who holds another that comes behind it. -ENOENT: gone. */
int pb_maps_open_unlocked(const char *ruleset, struct pb_maps *maps, struct pb_error *error);

/* Pins all maps in the ruleset's folder, which is made, in one step as others see it; for a group (readers.h) or 0. */
int pb_maps_pin(const struct pb_maps *maps, const char *ruleset, __u32 group,
		struct pb_error *error);

/*
 * Removes a ruleset's folder, whatever is in it, in one step as others see it, once nobody holds
 * its lock. It is no error if it is not there. The caller holds the lock of all rulesets.
 */
int pb_maps_unpin(const char *ruleset, struct pb_error *error);

/* Removes what a killed process has left of making or removing folders; same lock. */
int pb_pins_sweep(struct pb_error *error);

/* Removes the folder that rulesets are pinned below, if it is empty: bpffs keeps none of ours. */
void pb_pins_tidy(void);

/*
 * The kernel's id of the pb_config map that is pinned for a ruleset. -ENOENT: none; -EPROTO:
 * something else is. No lock is needed.
 */
int pb_pins_id(const char *ruleset, __u32 *id);

/* The same, and what it says: -EPROTO as pb_config_read(), too. Needs no right to look maps up by their ids. */
int pb_pins_config(const char *ruleset, __u32 *id, struct pb_config *config);

/*
 * Is the ruleset of that configuration, whose map has that id, pinned under that name, with all its
 * maps? -ENOENT: not, or not any more; -EPROTO: not all of them. No lock is needed.
 */
int pb_pins_check(const char *ruleset, const struct pb_config *config, __u32 config_id);

#endif
