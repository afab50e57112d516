/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The folders on bpffs that rulesets are pinned in, and libxdp's. */
#ifndef PB_FOLDERS_H
#define PB_FOLDERS_H

#include <portblock/portblock.h>

/*
 * <bpffs>/xdp-portblock, or one ruleset's folder in it. Paths are cut at PB_PATH_LEN, but none that
 * pb_bpffs_check() has let through.
 */
#define PB_PATH_LEN 4096
const char *pb_bpffs(void);
void pb_pins_path(char path[PB_PATH_LEN], const char *ruleset);

/*
 * -ENODEV: bpffs is not mounted where it should be; says how to mount it. -EPERM: others may
 * replace what is in it; says what to do.
 */
int pb_bpffs_check(struct pb_error *error);

/*
 * Makes a folder that is its owner's alone, and root's whoever makes it: another user's would have root refused from
 * then on. -EEXIST; -EPERM: he may not give it away, and nothing was made.
 */
int pb_folder_make(const char *path, struct pb_error *error);

/*
 * Makes, and looks at, libxdp's folder, the lock of which libxdp takes: as -EPERM above, if it is
 * somebody else's.
 */
int pb_libxdp_folder_make(struct pb_error *error);
int pb_libxdp_folder_check(struct pb_error *error);

/*
 * Opens a folder of ours: that of all rulesets (`below` NULL), a ruleset's, or one in it
 * ("NAME/listener"). Returns a descriptor; -ENOENT without a message; -EPERM: it is not ours alone,
 * and says what to do.
 */
int pb_folder_open(const char *below, struct pb_error *error);

/* The same for who may not read the folder, and so take no lock by it: it is there, and whose it is was looked at. */
int pb_folder_find(const char *below, struct pb_error *error);

#endif
