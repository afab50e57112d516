/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The group that may read a ruleset, and what is said to who is in it and wants more. See readers.h. */
#ifndef PB_MAPS_READER_H
#define PB_MAPS_READER_H

#include <portblock/portblock.h>

/* The group of a pinned ruleset; 0: none. */
__u32 pb_readers_of(const char *ruleset);

/* As pb_fail_permission(); whom the group lets read, and nothing lets change it, is told so. */
int pb_fail_change(struct pb_error *error, int code, const char *ruleset, const char *doing);

#endif
