// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "attach/features.h"
#include "attach/object.h"
#include "attach/patch.h"
#include "portblock_kern_ctx.skel.h"
#include "portblock_native.skel.h"
#include "portblock_native_kern_ctx.skel.h"
#include "util/error.h"

static int use_maps(struct portblock_bpf *object, const struct pb_maps *maps, bool private_counts)
{
	int ret = 0;

	for (int i = 0; !ret && i < PB_MAP_MAX; i++)
		if (!private_counts || i != PB_MAP_COUNTS)
			ret = bpf_map__reuse_fd(pb_map_of(object, i), maps->fd[i]);
	return ret;
}

/* Of another instance, which has pinned none; 0: one of its own. */
static int use_map(struct bpf_map *map, __u32 id)
{
	int fd = id ? pb_map_open(id) : 0, ret;

	if (fd <= 0)
		return fd;
	/* It takes a copy of the descriptor. */
	ret = bpf_map__reuse_fd(map, fd);
	close(fd);
	return ret;
}

typedef const void *elf_function(size_t *size);

/* They have the same maps, variables and program, and so the skeleton of one serves for all. */
static elf_function *const objects[2][2] = {
	/* [native][kern_ctx] */
	{ portblock_bpf__elf_bytes, portblock_kern_ctx_bpf__elf_bytes },
	{ portblock_native_bpf__elf_bytes, portblock_native_kern_ctx_bpf__elf_bytes },
};

/* Its own counters are one row, in which all CPUs count. */
static __u32 count_row(const struct pb_maps *maps, const struct pb_constants *constants)
{
	return constants->private_counts ? 0 : PB_COUNT_ROW(maps->config->max_rules);
}

/* libbpf keeps nothing of what it has read. */
static int open_elf(struct portblock_bpf *object, const struct pb_maps *maps,
		    const struct pb_constants *constants)
{
	/* That object takes as given what such kernels have: PB_GIVEN() in lib/bpf/maps.h. */
	bool kern_ctx = constants->frags && constants->kern_ctx && pb_features().cmpxchg &&
			pb_features().coarse;
	const void *elf = objects[constants->native][kern_ctx](&object->skeleton->data_sz);
	const struct pb_patches patches = {
		.cmpxchg = pb_features().cmpxchg,
		.resize = constants->resize,
		.linear = !constants->frags,
		.ip = !constants->ethernet,
		.many_cpus = maps->config->cpus > PB_CPU_ROWS,
		.count_row = count_row(maps, constants),
	};
	void *patched = pb_elf_patch(elf, object->skeleton->data_sz, &patches);
	int ret;

	if (!patched)
		return -errno;
	object->skeleton->data = patched;
	ret = bpf_object__open_skeleton(object->skeleton, NULL);
	free(patched);
	return ret;
}

static struct portblock_bpf *open_skeleton(const struct pb_maps *maps,
					   const struct pb_constants *constants)
{
	struct portblock_bpf *object = calloc(1, sizeof(*object));
	int ret = object ? portblock_bpf__create_skeleton(object) : -ENOMEM;

	if (!ret)
		ret = open_elf(object, maps, constants);
	if (!ret)
		return object;
	portblock_bpf__destroy(object);
	errno = -ret;
	return NULL;
}

int pb_object_open(const struct pb_maps *maps, const struct pb_constants *constants,
		   struct portblock_bpf **object, struct pb_error *error)
{
	struct portblock_bpf *opened = open_skeleton(maps, constants);
	const struct pb_features has = pb_features();
	int ret;

	if (!opened)
		return pb_fail(error, errno, "cannot open the BPF object: %s", strerror(errno));
	opened->rodata->pb_frames = PB_FRAMES(constants->ethernet, constants->frags);
	opened->rodata->pb_connections = constants->connections;
	opened->rodata->pb_cmpxchg = has.cmpxchg;
	opened->rodata->pb_coarse = has.coarse;
	opened->rodata->pb_token_rows = pb_token_rows(maps->config->max_buckets);
	opened->rodata->pb_quiet = constants->private_counts;
	opened->rodata->pb_number = constants->number;
	ret = use_maps(opened, maps, constants->private_counts);
	if (!ret)
		ret = bpf_map__set_autocreate(opened->maps.pb_token_locks, !has.cmpxchg);
	if (!ret)
		ret = use_map(opened->maps.data_outcomes, constants->outcomes_id);
	if (!ret)
		ret = use_map(opened->maps.data_exchange, constants->exchange_id);
	if (!ret && constants->private_counts)
		ret = bpf_map__set_max_entries(opened->maps.pb_counts, maps->config->max_rules + 1);
	if (ret) {
		portblock_bpf__destroy(opened);
		return pb_fail(error, -ret, "cannot prepare the BPF object: %s", strerror(-ret));
	}
	*object = opened;
	return 0;
}
