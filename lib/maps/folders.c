// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Where the maps are pinned: one folder a ruleset, below xdp-portblock/ on bpffs. Each of them is
 * its owner's alone, since whoever may open a folder may take its lock.
 */
#include <linux/magic.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "maps/folders.h"
#include "maps/rights.h"
#include "util/error.h"
#include "util/text.h"

/* What comes behind bpffs' path, ours or libxdp's, is shorter. */
#define BPFFS_LEN_MAX (PB_PATH_LEN - 128)

#define OTHERS \
	066 /* mode bits of all but the owner: who may only go through opens no folder, and takes no lock */

const char *pb_bpffs(void)
{
	const char *path = getenv("LIBXDP_BPFFS"); /* so that libxdp and we agree */

	return path && *path ? path : "/sys/fs/bpf";
}

void pb_pins_path(char path[PB_PATH_LEN], const char *ruleset)
{
	snprintf(path, PB_PATH_LEN, "%s/xdp-portblock%s%s", pb_bpffs(), ruleset ? "/" : "",
		 ruleset ?: "");
}

static bool is_ours(const struct stat *stat)
{
	return !stat->st_uid || stat->st_uid == geteuid();
}

int pb_bpffs_check(struct pb_error *error)
{
	const char *path = pb_bpffs();
	struct statfs fs;
	struct stat is;

	if (strlen(path) > BPFFS_LEN_MAX)
		return pb_fail(error, ENAMETOOLONG,
			       "LIBXDP_BPFFS names a path of %zu bytes, '%.60s...': at most %d fit",
			       strlen(path), path, BPFFS_LEN_MAX);
	if (statfs(path, &fs) ? errno != EACCES : (__u32)fs.f_type != BPF_FS_MAGIC)
		return pb_fail(error, ENODEV,
			       "bpffs, where the rules are pinned, is not mounted on %s: mount it "
			       "with `mount -t bpf -o mode=0700 bpf %s`",
			       path, path);
	if (stat(path, &is))
		return pb_fail_permission(error, errno, "look at bpffs");
	/* In a sticky folder, only the owner renames and removes what is there. */
	if (is_ours(&is) && (!(is.st_mode & (S_IWGRP | S_IWOTH)) || is.st_mode & S_ISVTX))
		return 0;
	return pb_fail(error, EPERM,
		       "%s, where the rules are pinned, belongs to user %u and has mode %04o: "
		       "others may replace what is in it; make it root's alone (`chown root %s`, "
		       "`chmod 0700 %s`)",
		       path, is.st_uid, is.st_mode & 07777, path, path);
}

/* ---- Names of rulesets, which are those of their folders ------------------------------------ */

int pb_ruleset_name_check(const char *name, struct pb_error *error)
{
	return pb_name_check(name, "ruleset", error);
}

const char *pb_ruleset_option(const char *name, char text[PB_RULESET_OPTION_LEN])
{
	*text = '\0';
	if (strcmp(name, "default"))
		snprintf(text, PB_RULESET_OPTION_LEN, " -r %s", name);
	return text;
}

/* ---- Folders ----------------------------------------------------------------------------- */

static int check_folder(const char *path, const struct stat *is, struct pb_error *error)
{
	if (!S_ISDIR(is->st_mode))
		return pb_fail(
			error, ENOTDIR,
			"%s is no folder, so somebody else has made it: remove it (`rm %s`), "
			"and close bpffs to others (`chmod 0700 %s`)",
			path, path, pb_bpffs());
	if (!is_ours(is))
		return pb_fail(
			error, EPERM,
			"%s belongs to user %u, who could take its lock, and the pins in it: "
			"remove it (`rm -r %s`), and close bpffs to others (`chmod 0700 %s`)",
			path, is->st_uid, path, pb_bpffs());
	if (is->st_mode & OTHERS)
		return pb_fail(error, EPERM,
			       "%s has mode %04o, so others could take its lock: close it to them "
			       "(`chmod 0700 %s`)",
			       path, is->st_mode & 07777, path);
	return 0;
}

static void libxdp_path(char path[PB_PATH_LEN])
{
	snprintf(path, PB_PATH_LEN, "%s/xdp", pb_bpffs());
}

int pb_folder_make(const char *path, struct pb_error *error)
{
	int code;

	if (mkdir(path, 0700))
		return errno == EEXIST ? -EEXIST :
					 pb_fail_permission(error, errno, "make a folder for pins");
	if (!geteuid() || !lchown(path, 0, 0))
		return 0;
	code = errno;
	rmdir(path);
	return pb_fail(
		error, code,
		"%s would be user %u's, and root would refuse it later: this needs root, or the "
		"capabilities CAP_NET_ADMIN, CAP_BPF, CAP_SYS_ADMIN, and CAP_CHOWN to give it to "
		"root",
		path, geteuid());
}

int pb_libxdp_folder_make(struct pb_error *error)
{
	char path[PB_PATH_LEN];
	int ret;

	libxdp_path(path);
	ret = pb_folder_make(path, error);
	return ret == -EEXIST ? 0 : ret;
}

int pb_libxdp_folder_check(struct pb_error *error)
{
	char path[PB_PATH_LEN];
	struct stat is;

	libxdp_path(path);
	/* What one may not even look at, libxdp says. */
	return lstat(path, &is) ? 0 : check_folder(path, &is, error);
}

/* A link is not followed: whoever made it could have it lead anywhere, or nowhere. */
static int open_folder(int at, const char *name, int flags, const char *path,
		       struct pb_error *error)
{
	int fd = openat(at, name, flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), ret = 0;
	struct stat is;

	if (fd < 0 && errno != ENOTDIR && errno != ELOOP)
		return errno == ENOENT ?
			       -ENOENT :
			       pb_fail_permission(error, errno, "look at the pinned rules");
	if (fd < 0 ? fstatat(at, name, &is, AT_SYMLINK_NOFOLLOW) : fstat(fd, &is))
		ret = -errno;
	else
		ret = check_folder(path, &is, error);
	if (!ret)
		return fd;
	if (fd >= 0)
		close(fd);
	return ret;
}

static int open_below(const char *below, int flags, struct pb_error *error)
{
	int ret = pb_bpffs_check(error), top;
	char path[PB_PATH_LEN];

	if (ret)
		return ret;
	pb_pins_path(path, NULL);
	top = open_folder(AT_FDCWD, path, below ? O_PATH : flags, path, error);
	if (top < 0 || !below)
		return top;
	pb_pins_path(path, below);
	ret = open_folder(top, below, flags, path, error);
	close(top);
	return ret;
}

int pb_folder_open(const char *below, struct pb_error *error)
{
	return open_below(below, O_RDONLY, error);
}

int pb_folder_find(const char *below, struct pb_error *error)
{
	return open_below(below, O_PATH, error);
}
