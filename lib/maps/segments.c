// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "maps/folders.h"
#include "maps/lock.h"
#include "maps/pin.h"
#include "maps/reader.h"
#include "maps/readers.h"
#include "maps/segments.h"
#include "util/error.h"

/* Where those of a ruleset are pinned. */
static void path_of_folder(char path[PB_PATH_LEN], const struct pb_maps *maps)
{
	char below[PB_NAME_LEN + sizeof(PB_ELEMENTS)];

	snprintf(below, sizeof(below), "%.*s/" PB_ELEMENTS, PB_NAME_LEN - 1, maps->config->ruleset);
	pb_pins_path(path, below);
}

/* 0: it cannot be told. */
static __u32 id_of(int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

static int open_pin(const struct pb_maps *maps, __u32 id)
{
	char folder[PB_PATH_LEN], path[PB_PATH_LEN + 16];
	int fd;

	path_of_folder(folder, maps);
	snprintf(path, sizeof(path), "%s/%u", folder, id);
	fd = pb_pin_open(path);
	if (fd >= 0 && id_of(fd) != id) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

int pb_segment_open(const struct pb_maps *maps, __u32 id)
{
	int fd = open_pin(maps, id);

	return fd < 0 ? pb_map_open(id) : fd;
}

static int pin(const char *folder, int fd, unsigned int mode)
{
	char path[PB_PATH_LEN + 16];
	__u32 id = id_of(fd);

	if (!id)
		return -errno;
	snprintf(path, sizeof(path), "%s/%u", folder, id);
	return pb_pin_make(fd, path, mode);
}

/* The folder's own bit gives them its group. */
int pb_segments_pin(const struct pb_maps *maps, const int *fds, size_t nr)
{
	unsigned int mode = pb_readers_of(maps->config->ruleset) ? PB_PIN_MODE_GROUP : PB_PIN_MODE;
	char folder[PB_PATH_LEN];
	int ret = 0;

	path_of_folder(folder, maps);
	for (size_t i = 0; !ret && i < nr; i++)
		ret = pin(folder, fds[i], mode);
	return ret;
}

void pb_segments_unpin(const struct pb_maps *maps, const int *fds, size_t nr)
{
	char folder[PB_PATH_LEN], path[PB_PATH_LEN + 16];

	path_of_folder(folder, maps);
	for (size_t i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "%s/%u", folder, id_of(fds[i]));
		unlink(path);
	}
}

static int compare_ids(const void *a, const void *b)
{
	const __u32 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Removes what is pinned there and none of these, which are sorted. */
static void remove_others(DIR *folder, const __u32 *ids, size_t nr)
{
	const struct dirent *entry;

	while ((entry = readdir(folder))) {
		__u32 id = strtoul(entry->d_name, NULL, 10);

		if (id && !bsearch(&id, ids, nr, sizeof(id), compare_ids))
			unlinkat(dirfd(folder), entry->d_name, 0);
	}
}

void pb_segments_sweep(const struct pb_maps *maps, const int *fds, size_t nr)
{
	char path[PB_PATH_LEN];
	__u32 *ids = calloc(nr + 1, sizeof(*ids));
	DIR *folder;

	path_of_folder(path, maps);
	folder = ids ? opendir(path) : NULL;
	for (size_t i = 0; folder && i < nr; i++)
		ids[i] = id_of(fds[i]);
	if (folder) {
		qsort(ids, nr, sizeof(*ids), compare_ids);
		remove_others(folder, ids, nr);
		closedir(folder);
	}
	free(ids);
}

/* One entry of a map of maps, by its id: before it is pinned there is no other way. */
static int pin_entry(int outer, __u32 key, const char *folder)
{
	__u32 id;
	int fd, ret;

	if (bpf_map_lookup_elem(outer, &key, &id))
		return -errno;
	fd = pb_map_open(id);
	if (fd < 0)
		return fd;
	ret = pin(folder, fd, PB_PIN_MODE);
	close(fd);
	return ret;
}

int pb_segments_pin_all(const struct pb_maps *maps, const char *folder)
{
	__u64 tables = maps->sets->tables;
	__u32 generation = PB_TABLES_GENERATION(tables), first = generation * PB_SEGMENTS_MAX;
	const struct {
		enum pb_map outer;
		__u32 key, nr;
	} parts[] = {
		{ PB_MAP_ELEMENTS4, first, PB_TABLES_SEGMENTS4(tables) },
		{ PB_MAP_ELEMENTS6, first, PB_TABLES_SEGMENTS6(tables) },
		{ PB_MAP_LENGTHS, generation,
		  PB_TABLES_SEGMENTS4(tables) || PB_TABLES_SEGMENTS6(tables) },
	};
	char path[PB_PATH_LEN];
	int ret = 0;

	snprintf(path, sizeof(path), "%.*s/" PB_ELEMENTS, PB_PATH_LEN - 16, folder);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		for (__u32 k = 0; !ret && k < parts[i].nr; k++)
			ret = pin_entry(maps->fd[parts[i].outer], parts[i].key + k, path);
	return ret;
}
