// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "maps/folders.h"
#include "maps/lock.h"
#include "maps/readers.h"
#include "maps/rights.h"
#include "util/error.h"

int pb_readers_check(__u32 group, struct pb_error *error)
{
	const char *path = pb_bpffs();
	struct stat is;

	if (stat(path, &is))
		return pb_fail_permission(error, errno, "look at bpffs");
	if (group && is.st_mode & (S_IWGRP | S_IWOTH))
		return pb_fail(
			error, EPERM,
			"%s has mode %04o: who may make pins there can pin what he reads once more, and "
			"write to that: `chmod 0711 %s`",
			path, is.st_mode & 07777, path);
	if (!group || is.st_mode & S_IXOTH || (is.st_gid == group && is.st_mode & S_IXGRP))
		return 0;
	return pb_fail(
		error, EACCES,
		"%s has mode %04o, so the group %u cannot get at what is below it: `chmod 0711 %s` "
		"lets all through, who see nothing of it for that",
		path, is.st_mode & 07777, group, path);
}

/* New pins in a folder with this bit get its group. The group goes through, and opens nothing. */
static mode_t folder_mode(__u32 group)
{
	return group ? S_ISGID | 0710 : 0700;
}

static int give_entry(int at, const char *name, mode_t mode, __u32 group)
{
	return fchownat(at, name, -1, group, AT_SYMLINK_NOFOLLOW) || fchmodat(at, name, mode, 0) ?
		       -errno :
		       0;
}

static int give_at(int at, const char *name, __u32 group);

/* The monitor's lock is no reader's, nor is what somebody else has put there. */
static int give_content(DIR *folder, __u32 group)
{
	mode_t mode = group ? PB_PIN_MODE_GROUP : PB_PIN_MODE;
	const struct dirent *entry;
	struct stat is;
	int ret = 0;

	while (!ret && (entry = readdir(folder))) {
		if (fstatat(dirfd(folder), entry->d_name, &is, AT_SYMLINK_NOFOLLOW))
			ret = errno == ENOENT ? 0 : -errno;
		else if (S_ISREG(is.st_mode))
			ret = give_entry(dirfd(folder), entry->d_name, mode, group);
		else if (!strcmp(entry->d_name, PB_ELEMENTS))
			ret = give_at(dirfd(folder), entry->d_name, group);
	}
	return ret;
}

/* The bit is dropped in silence for who is not in the group and has no CAP_FSETID: later pins would not be the group's. */
static int give_folder(int fd, __u32 group)
{
	struct stat is;

	if (fchown(fd, -1, group) || fchmod(fd, folder_mode(group)) || fstat(fd, &is))
		return -errno;
	return (is.st_mode & S_ISGID) == (folder_mode(group) & S_ISGID) ? 0 : -EPERM;
}

static int give_at(int at, const char *name, __u32 group)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), ret;
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);

	if (!folder) {
		ret = -errno;
		if (fd >= 0)
			close(fd);
		return ret;
	}
	ret = give_content(folder, group);
	if (!ret)
		ret = give_folder(fd, group);
	closedir(folder);
	return ret;
}

/* The folder of all rulesets, each of which may have another group, is one to go through. */
int pb_readers_give(const char *folder, __u32 group)
{
	char top[PB_PATH_LEN];

	pb_pins_path(top, NULL);
	if (group && chmod(top, 0711))
		return -errno;
	return give_at(AT_FDCWD, folder, group);
}

int pb_readers_set(const char *ruleset, __u32 group, struct pb_error *error)
{
	char folder[PB_PATH_LEN];
	int lock = pb_lock(ruleset, PB_LOCK_ELEMENTS, error), ret;

	/* Who changes elements pins their tables, for the group that there is. */
	if (lock < 0)
		return lock;
	pb_pins_path(folder, ruleset);
	ret = pb_readers_give(folder, group);
	pb_unlock(lock);
	return ret ? pb_fail_permission(
			     error, -ret,
			     "give the pins to the group (for which CAP_CHOWN, CAP_FOWNER and CAP_FSETID are wanted)") :
		     0;
}
