/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Who may read a ruleset without root: a group, which may open its pins for reading. It may search the folders, and not
 * open them, since whoever can open a folder can take its lock; so it reads without one.
 */
#ifndef PB_MAPS_READERS_H
#define PB_MAPS_READERS_H

#include <portblock/portblock.h>

/* The modes of pins that nobody else may read, and that a group may. */
#define PB_PIN_MODE 0600
#define PB_PIN_MODE_GROUP 0640

/* -EACCES: bpffs does not let the group in, and what to do. */
int pb_readers_check(__u32 group, struct pb_error *error);

/* Gives a folder of pins to the group; 0: takes it back from all. -errno without a message. */
int pb_readers_give(const char *folder, __u32 group);

/* The same of a pinned ruleset, whose lock of all the caller holds. */
int pb_readers_set(const char *ruleset, __u32 group, struct pb_error *error);

#endif
