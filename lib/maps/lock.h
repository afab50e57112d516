/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Locks between processes: flock() on a folder of pins, so that they end with the process. */
#ifndef PB_LOCK_H
#define PB_LOCK_H

#include <portblock/portblock.h>

/* What holds a ruleset's other locks: folders beside its pins. */
#define PB_LISTENER "listener"
#define PB_ELEMENTS "elements"

enum pb_lock_kind {
	PB_LOCK_READ,
	PB_LOCK_CHANGE,
	PB_LOCK_TRY,
	PB_LOCK_LISTEN,
	PB_LOCK_ELEMENTS_READ,
	PB_LOCK_ELEMENTS
};

/*
 * Who holds which lock:
 * - of all rulesets, for CHANGE: whoever makes, removes or renames folders of pins, and puts
 *   programs on interfaces or takes them off (load, unload, upgrade, doctor --fix);
 * - of one ruleset, for CHANGE: whoever changes its maps (each other change), and whoever removes
 *   its pins;
 * - of one ruleset, for READ: whoever opens its pins, and reads its rules;
 * - of one ruleset, for ELEMENTS: whoever changes elements of its sets, so that this waits for no rules
 *   that are compiled; for ELEMENTS_READ: whoever reads them;
 * - of one ruleset, for LISTEN: the monitor, for as long as it runs. Nobody waits for it.
 * In that order: whoever holds one of them takes only those below it, and of one ruleset at a time.
 * libxdp's own lock comes last: it is held only inside libxdp's functions. Looking at interfaces
 * takes none of ours, so that it may be done under any of them.
 *
 * While somebody waited, the ruleset may have been unloaded, and loaded anew: the folder that is
 * locked is the one of that name, but maps that were opened before may be others. Who changes them
 * looks again (ruleset.c). Maps whose pins are removed do not change any more.
 *
 * Waits for the lock of a ruleset's folder (`ruleset` NULL: of all of them, made if it is not
 * there). Returns a descriptor that holds it; -ENOENT where the folder is gone: another process
 * has unloaded it; -EBUSY: somebody has PB_LOCK_LISTEN, or any where this is PB_LOCK_TRY, a change's
 * that does not wait. Who reads by a group (readers.h) gets no lock to read, and a descriptor all the same: what is read
 * then is looked at once more (pb_ruleset_read()). A folder that an ordinary user could open, and so lock, is refused:
 * pb_folder_open().
 */
int pb_lock(const char *ruleset, enum pb_lock_kind kind, struct pb_error *error);
void pb_unlock(int lock);

#endif
