/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Locks between processes: flock() on a directory of pins, so that they end with the process. */
#ifndef PB_LOCK_H
#define PB_LOCK_H

#include "portblock.h"

enum pb_lock_kind { PB_LOCK_READ, PB_LOCK_CHANGE };

/*
 * Waits for the lock of a ruleset's directory (`ruleset` NULL: of all of them, for loading and
 * unloading; made if it is not there). Returns a descriptor that holds it, or -ENOENT where the
 * directory is gone: another process has unloaded it meanwhile. Readers share the lock.
 */
int pb_lock(const char *ruleset, enum pb_lock_kind kind, struct pb_error *error);
void pb_unlock(int lock);

#endif
