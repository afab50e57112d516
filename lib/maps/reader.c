// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "maps/folders.h"
#include "maps/reader.h"
#include "maps/rights.h"
#include "util/error.h"

__u32 pb_readers_of(const char *ruleset)
{
	char folder[PB_PATH_LEN];
	struct stat is;

	pb_pins_path(folder, ruleset);
	return !lstat(folder, &is) && is.st_mode & S_IXGRP ? is.st_gid : 0;
}

int pb_fail_change(struct pb_error *error, int code, const char *ruleset, const char *doing)
{
	__u32 group = code == EACCES && geteuid() ? pb_readers_of(ruleset) : 0;

	if (!group || !group_member(group))
		return pb_fail_permission(error, code, doing);
	return pb_fail(
		error, code,
		"cannot %s: %s: the group %u, in which you are, may read the ruleset '%s', and "
		"neither change nor monitor it: this needs root, or the capability "
		"CAP_DAC_OVERRIDE",
		doing, strerror(code), group, ruleset);
}
