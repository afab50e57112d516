// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "maps/instance.h"
#include "portblock.skel.h"
#include "util/error.h"

#define PROGRAM_NAME "xdp_portblock"
#define MAPS_OF_PROGRAM 32

/* A map or program that is gone by now is none of ours; any other failure is one. */
static int gone_or_error(void)
{
	return errno == ENOENT ? 0 : -errno;
}

static int read_constants(int fd, struct pb_instance *instance)
{
	struct portblock_bpf__rodata constants;
	__u32 zero = 0;

	if (bpf_map_lookup_elem(fd, &zero, &constants))
		return -errno;
	instance->frags = PB_FRAMES_MAY_HAVE_FRAGS(constants.pb_frames);
	instance->native = constants.pb_native;
	instance->test_run = constants.pb_quiet;
	return 0;
}

static int find_map(__u32 id, struct pb_instance *instance)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	int fd = bpf_map_get_fd_by_id(id), ret = 0;

	if (fd < 0)
		return gone_or_error();
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		ret = -errno;
	else if (!strcmp(info.name, "pb_config"))
		instance->config_id = id;
	else if (!strcmp(info.name, ".data.outcomes")) /* as libbpf names it */
		instance->outcomes_id = id;
	else if (!strcmp(info.name, ".data.exchange"))
		instance->exchange_id = id;
	else if (strstr(info.name, ".rodata") &&
		 info.value_size == sizeof(struct portblock_bpf__rodata)) /* this version's */
		ret = read_constants(fd, instance);
	close(fd);
	return ret;
}

/* Finds the maps that tell an instance of ours; 1, or 0 if they are not there. */
static int find_maps(const __u32 *ids, __u32 nr, struct pb_instance *instance)
{
	int ret = 0;

	for (__u32 i = 0; !ret && i < nr; i++)
		ret = find_map(ids[i], instance);
	return ret ?: instance->config_id && instance->outcomes_id && !instance->test_run;
}

/*
 * By id: the kernel names the programs of an interface by nothing else, and ours is pinned by libxdp at most, under its
 * dispatcher. A pin of ours would keep the program, and all that counts who uses a ruleset, beyond its interface. Its
 * maps are told by their ids, too, so that a program is known by what it uses and not by what is pinned.
 */
int pb_instance_of(__u32 program_id, struct pb_instance *instance)
{
	int fd = bpf_prog_get_fd_by_id(program_id), ours = 0;
	struct pb_instance found = { .program_id = program_id };
	__u32 ids[MAPS_OF_PROGRAM];
	struct bpf_prog_info info = {
		.nr_map_ids = MAPS_OF_PROGRAM,
		.map_ids = (__u64)(unsigned long)ids,
	};
	__u32 len = sizeof(info);

	if (fd < 0)
		return gone_or_error();
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		ours = -errno;
	else if (!strcmp(info.name, PROGRAM_NAME) && info.nr_map_ids <= MAPS_OF_PROGRAM)
		ours = find_maps(ids, info.nr_map_ids, &found);
	found.btf_id = info.btf_id;
	close(fd);
	if (ours > 0)
		*instance = found;
	return ours;
}

int pb_instances_count(__u32 config_id, const __u32 *without, size_t nr)
{
	struct pb_instance instance;
	int count = 0, ours;
	__u32 id = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		bool left_out = false;

		for (size_t i = 0; i < nr; i++)
			left_out |= without[i] == id;
		if (left_out)
			continue;
		ours = pb_instance_of(id, &instance);
		if (ours < 0)
			return ours;
		count += ours && instance.config_id == config_id;
	}
	return errno == ENOENT ? count : -errno;
}
