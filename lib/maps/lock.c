// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "maps/folders.h"
#include "maps/lock.h"
#include "maps/reader.h"
#include "maps/rights.h"
#include "util/error.h"

static const int operations[] = {
	[PB_LOCK_READ] = LOCK_SH,	   [PB_LOCK_CHANGE] = LOCK_EX,
	[PB_LOCK_TRY] = LOCK_EX | LOCK_NB, [PB_LOCK_LISTEN] = LOCK_EX | LOCK_NB,
	[PB_LOCK_ELEMENTS_READ] = LOCK_SH, [PB_LOCK_ELEMENTS] = LOCK_EX,
};

/* The folder that holds the lock, where that is not the one of the pins. */
static const char *const beside_pins[] = {
	[PB_LOCK_LISTEN] = PB_LISTENER,
	[PB_LOCK_ELEMENTS_READ] = PB_ELEMENTS,
	[PB_LOCK_ELEMENTS] = PB_ELEMENTS,
};

_Static_assert(sizeof(PB_ELEMENTS) <= sizeof(PB_LISTENER), "room for the longer name");

/* Is the folder that was locked still the one of that name? */
static bool still_there(int fd, const char *folder)
{
	char path[PB_PATH_LEN];
	struct stat locked, named;

	pb_pins_path(path, folder);
	return !fstat(fd, &locked) && !lstat(path, &named) && locked.st_ino == named.st_ino &&
	       locked.st_dev == named.st_dev;
}

static int fail_lock(int code, struct pb_error *error)
{
	return pb_fail_permission(error, code, "take the lock on the pinned rules");
}

static bool reads(enum pb_lock_kind kind)
{
	return kind == PB_LOCK_READ || kind == PB_LOCK_ELEMENTS_READ;
}

static int lock_once(const char *folder, enum pb_lock_kind kind, struct pb_error *error)
{
	int fd = pb_folder_open(folder, error), ret;

	if (fd == -EACCES && reads(kind))
		return pb_folder_find(folder, error);
	if (fd < 0)
		return fd;
	do
		ret = flock(fd, operations[kind]);
	while (ret && errno == EINTR);
	if (ret)
		ret = errno == EWOULDBLOCK ? -EBUSY : fail_lock(errno, error);
	else if (!still_there(fd, folder))
		ret = -ESTALE;
	if (ret)
		close(fd);
	return ret ?: fd;
}

/* libxdp locks a folder of its own, and would wait for an ordinary user who has made it first. */
static int make_folders(struct pb_error *error)
{
	char path[PB_PATH_LEN];
	int ret = pb_bpffs_check(error);

	if (ret)
		return ret;
	pb_pins_path(path, NULL);
	ret = pb_folder_make(path, error);
	if (!ret || ret == -EEXIST)
		ret = pb_libxdp_folder_make(error);
	return ret ?: pb_libxdp_folder_check(error);
}

int pb_lock(const char *ruleset, enum pb_lock_kind kind, struct pb_error *error)
{
	char beside[PB_NAME_LEN + sizeof(PB_LISTENER)];
	char option[PB_RULESET_OPTION_LEN];
	const char *folder = ruleset;
	int ret;

	if (beside_pins[kind]) {
		snprintf(beside, sizeof(beside), "%.*s/%s", PB_NAME_LEN - 1, ruleset,
			 beside_pins[kind]);
		folder = beside;
	}
	do { /* once more each time that somebody else has removed the folder */
		ret = ruleset ? 0 : make_folders(error);
		if (!ret)
			ret = lock_once(folder, kind, error);
	} while (ret == -ESTALE || (ret == -ENOENT && !ruleset));
	if (ret == -ENOENT)
		return pb_fail(error, ENOENT,
			       "the ruleset '%s' was unloaded meanwhile: `xdp-portblock load "
			       "eth0%s`, for example, makes it anew",
			       ruleset, pb_ruleset_option(ruleset, option));
	if (ret == -EACCES && ruleset && !reads(kind))
		return pb_fail_change(error, EACCES, ruleset, "take the lock on the pinned rules");
	return ret;
}

void pb_unlock(int lock)
{
	if (lock >= 0)
		close(lock);
}
