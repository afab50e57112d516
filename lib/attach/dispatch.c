// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "attach/dispatch.h"
#include "attach/link.h"
#include "maps/folders.h"
#include "maps/instance.h"
#include "util/error.h"

/*
 * The id of the program that is pinned there, itself or by the link that holds it in its dispatcher,
 * which libxdp pins first. 0: none is.
 */
static __u32 program_at(const char *path, bool link)
{
	struct bpf_prog_info program = {};
	struct bpf_link_info held = {};
	__u32 len = link ? sizeof(held) : sizeof(program);
	int fd = bpf_obj_get(path), ret;

	if (fd < 0)
		return 0;
	ret = bpf_obj_get_info_by_fd(fd, link ? (void *)&held : (void *)&program, &len);
	close(fd);
	if (ret)
		return 0;
	return link ? held.prog_id : program.id;
}

static bool is_one_of(__u32 id, const struct pb_dispatch_programs *programs)
{
	struct pb_instance instance;

	for (size_t i = 0; i < programs->nr; i++)
		if (programs->ids[i] == id)
			return true;
	return programs->exchange_id && pb_instance_of(id, &instance) > 0 &&
	       instance.exchange_id == programs->exchange_id;
}

/* By id: that no program has it any more is what is asked. */
static bool is_gone(__u32 program)
{
	int fd = bpf_prog_get_fd_by_id(program), error = errno;

	if (fd >= 0)
		close(fd);
	return fd < 0 && error == ENOENT;
}

/* Does a folder hold one of the programs, or nothing, its dispatcher being gone? */
static bool is_left_over(DIR *folder, const char *path, __u32 dispatcher,
			 const struct pb_dispatch_programs *programs)
{
	char pin[PATH_MAX + 1 + NAME_MAX];
	const struct dirent *entry;
	bool empty = true;
	__u32 id;

	rewinddir(folder);
	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		empty = false;
		snprintf(pin, sizeof(pin), "%s/%s", path, entry->d_name);
		id = program_at(pin, strstr(entry->d_name, "-link"));
		if (id && is_one_of(id, programs))
			return true;
	}
	return empty && is_gone(dispatcher);
}

static int remove_folder(DIR *folder, const char *path)
{
	const struct dirent *entry;

	rewinddir(folder);
	while ((entry = readdir(folder)))
		if (*entry->d_name != '.' && unlinkat(dirfd(folder), entry->d_name, 0) &&
		    errno != ENOENT)
			return -errno;
	return rmdir(path) && errno != ENOENT ? -errno : 0;
}

static int clean_folder(const char *path, __u32 dispatcher,
			const struct pb_dispatch_programs *programs)
{
	DIR *folder = opendir(path);
	int ret = 0;

	if (!folder)
		return errno == ENOENT ? 0 : -errno;
	if (is_left_over(folder, path, dispatcher, programs))
		ret = remove_folder(folder, path);
	closedir(folder);
	return ret;
}

int pb_dispatch_clean(int ifindex, const struct pb_dispatch_programs *programs,
		      struct pb_error *error)
{
	const struct dirent *entry;
	struct pb_link_xdp link;
	int ret = pb_link_xdp(ifindex, &link), of;
	char path[PATH_MAX];
	DIR *folder;
	__u32 id;

	snprintf(path, sizeof(path), "%s/xdp", pb_bpffs());
	folder = ret ? NULL : opendir(path);
	if (!ret && !folder && errno != ENOENT)
		ret = -errno;
	while (folder && !ret && (entry = readdir(folder))) {
		if (sscanf(entry->d_name, "dispatch-%d-%u", &of, &id) != 2 || of != ifindex ||
		    id == link.program_id)
			continue;
		snprintf(path, sizeof(path), "%s/xdp/dispatch-%d-%u", pb_bpffs(), of, id);
		ret = clean_folder(path, id, programs);
	}
	if (folder)
		closedir(folder);
	if (ret && ret != -ENODEV)
		return pb_fail(error, -ret, "cannot remove pins of libxdp in %s: %s", path,
			       strerror(-ret));
	return 0;
}

/* Does a folder hold a program of ours? */
static bool holds_ours(const char *path)
{
	char pin[PATH_MAX + 1 + NAME_MAX];
	struct pb_instance instance;
	const struct dirent *entry;
	DIR *folder = opendir(path);
	bool ours = false;
	__u32 id;

	while (folder && !ours && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(pin, sizeof(pin), "%s/%s", path, entry->d_name);
		id = program_at(pin, strstr(entry->d_name, "-link"));
		ours = id && pb_instance_of(id, &instance) > 0;
	}
	if (folder)
		closedir(folder);
	return ours;
}

static bool is_here(int ifindex, __u32 dispatcher)
{
	struct pb_link_xdp link;

	return !pb_link_xdp(ifindex, &link) && link.program_id == dispatcher;
}

int pb_dispatch_elsewhere(pb_dispatch_function *function, void *context)
{
	const struct dirent *entry;
	char path[PATH_MAX];
	DIR *folder;
	int ifindex;
	__u32 id;

	snprintf(path, sizeof(path), "%s/xdp", pb_bpffs());
	folder = opendir(path);
	if (!folder)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(folder))) {
		if (sscanf(entry->d_name, "dispatch-%d-%u", &ifindex, &id) != 2 ||
		    is_here(ifindex, id))
			continue;
		snprintf(path, sizeof(path), "%s/xdp/%s", pb_bpffs(), entry->d_name);
		if (holds_ours(path))
			function(path, context);
	}
	closedir(folder);
	return 0;
}

int pb_dispatch_give(int ifindex)
{
	struct pb_link_xdp link;
	const struct dirent *entry;
	char path[PATH_MAX];
	DIR *folder;
	int ret;

	if (!geteuid())
		return 0;
	ret = pb_link_xdp(ifindex, &link);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "%s/xdp/dispatch-%d-%u", pb_bpffs(), ifindex, link.program_id);
	folder = opendir(path);
	if (!folder)
		return -errno;
	while (!ret && (entry = readdir(folder)))
		if (*entry->d_name != '.')
			ret = fchownat(dirfd(folder), entry->d_name, 0, 0, AT_SYMLINK_NOFOLLOW);
	if (ret || fchown(dirfd(folder), 0, 0))
		ret = -errno;
	closedir(folder);
	return ret;
}
