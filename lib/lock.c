// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "error.h"
#include "lock.h"
#include "maps.h"

/* Is the directory that was locked still the one of that name? */
static bool still_there(int fd, const char *path)
{
	struct stat locked, named;

	return !fstat(fd, &locked) && !stat(path, &named) && locked.st_ino == named.st_ino &&
	       locked.st_dev == named.st_dev;
}

static int lock_once(const char *path, enum pb_lock_kind kind)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	do
		ret = flock(fd, kind == PB_LOCK_READ ? LOCK_SH : LOCK_EX);
	while (ret && errno == EINTR);
	ret = ret ? -errno : still_there(fd, path) ? 0 : -ESTALE;
	if (ret)
		close(fd);
	return ret ?: fd;
}

int pb_lock(const char *ruleset, enum pb_lock_kind kind, struct pb_error *error)
{
	char path[PB_PATH_LEN];
	int ret;

	pb_pins_path(path, ruleset);
	do {
		if (!ruleset && mkdir(path, 0700) && errno != EEXIST)
			ret = -errno;
		else
			ret = lock_once(path, kind);
	} while (ret == -ESTALE || (ret == -ENOENT && !ruleset));
	if (ret == -ENOENT)
		return pb_fail(error, ENOENT,
			       "the ruleset '%s' was unloaded meanwhile: `xdp-portblock load` "
			       "brings it back",
			       ruleset);
	if (ret < 0)
		return pb_fail_permission(error, -ret, "take the lock on the pinned rules");
	return ret;
}

void pb_unlock(int lock)
{
	if (lock >= 0)
		close(lock);
}
