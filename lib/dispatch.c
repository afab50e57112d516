// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "dispatch.h"
#include "error.h"
#include "link.h"
#include "maps.h"

/* The id of the program that is pinned there; 0: none is. */
static __u32 program_at(const char *path)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	int fd = bpf_obj_get(path);

	if (fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		info.id = 0;
	close(fd);
	return info.id;
}

static bool is_one_of(__u32 id, const __u32 *programs, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (id && programs[i] == id)
			return true;
	return false;
}

static bool holds_one_of(DIR *folder, const char *path, const __u32 *programs, size_t nr)
{
	char pin[PATH_MAX + 1 + NAME_MAX];
	const struct dirent *entry;

	rewinddir(folder);
	while ((entry = readdir(folder))) {
		if (!strstr(entry->d_name, "-prog"))
			continue;
		snprintf(pin, sizeof(pin), "%s/%s", path, entry->d_name);
		if (is_one_of(program_at(pin), programs, nr))
			return true;
	}
	return false;
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

static int clean_folder(const char *path, const __u32 *programs, size_t nr)
{
	DIR *folder = opendir(path);
	int ret = 0;

	if (!folder)
		return errno == ENOENT ? 0 : -errno;
	if (holds_one_of(folder, path, programs, nr))
		ret = remove_folder(folder, path);
	closedir(folder);
	return ret;
}

int pb_dispatch_clean(int ifindex, const __u32 *programs, size_t nr, struct pb_error *error)
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
		ret = clean_folder(path, programs, nr);
	}
	if (folder)
		closedir(folder);
	if (ret && ret != -ENODEV)
		return pb_fail(error, -ret, "cannot remove pins of libxdp in %s: %s", path,
			       strerror(-ret));
	return 0;
}
