// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <string.h>
#include <bpf/bpf.h>
#include "maps/sources.h"
#include "util/error.h"

/* Removes a slot's entries. Deleting moves the others about: look from the start each time. */
static int clear_sources(int fd, __u32 slot)
{
	struct pb_source_key key, next;
	bool first = true;

	while (!bpf_map_get_next_key(fd, first ? NULL : &key, &next)) {
		if ((next.mix & 1) != slot) {
			key = next;
			first = false;
		} else if (bpf_map_delete_elem(fd, &next)) {
			return -errno;
		}
	}
	return errno == ENOENT ? 0 : -errno;
}

int pb_sources_replace(const struct pb_maps *maps, __u32 slot, const struct pb_source *sources,
		       size_t nr, struct pb_error *error)
{
	int fd = maps->fd[PB_MAP_SOURCES], ret = clear_sources(fd, slot);
	struct pb_source_key key;

	for (size_t i = 0; !ret && i < nr; i++) {
		memset(&key, 0, sizeof(key));
		key.prefixlen = PB_SOURCE_BITS + sources[i].prefix.len;
		key.mix = sources[i].mix << 1 | slot;
		key.family = sources[i].prefix.family;
		memcpy(key.addr, sources[i].prefix.addr, sizeof(key.addr));
		ret = bpf_map_update_elem(fd, &key, &sources[i].offset, BPF_ANY) ? -errno : 0;
	}
	if (ret)
		return pb_fail(error, -ret, "cannot write the source prefixes: %s", strerror(-ret));
	return 0;
}

/*
 * Removes blocks of prefixes from number `nr` on. They are numbered without a gap; going down from
 * the last one keeps it so, wherever this is interrupted.
 */
static int trim_prefixes(int fd, __u32 slot, __u32 nr)
{
	struct pb_prefix_key key = { slot, nr };
	struct pb_prefix_block block;

	while (!bpf_map_lookup_elem(fd, &key, &block))
		key.block++;
	while (key.block-- > nr)
		if (bpf_map_delete_elem(fd, &key))
			return -errno;
	return 0;
}

/* Prefixes in the block that begins with number `first`. */
static size_t in_block(size_t first, size_t nr)
{
	return nr - first < PB_PREFIX_BLOCK ? nr - first : PB_PREFIX_BLOCK;
}

int pb_prefixes_replace(const struct pb_maps *maps, __u32 slot,
			const struct pb_prefix_record *prefixes, size_t nr, struct pb_error *error)
{
	int fd = maps->fd[PB_MAP_PREFIXES], ret = trim_prefixes(fd, slot, pb_prefix_blocks(nr));
	struct pb_prefix_block block;

	for (size_t i = 0; !ret && i < nr; i += PB_PREFIX_BLOCK) {
		struct pb_prefix_key key = { slot, i / PB_PREFIX_BLOCK };

		memset(&block, 0, sizeof(block));
		memcpy(block.prefix, prefixes + i, in_block(i, nr) * sizeof(*prefixes));
		ret = bpf_map_update_elem(fd, &key, &block, BPF_ANY) ? -errno : 0;
	}
	if (ret)
		return pb_fail(error, -ret, "cannot write the source prefixes: %s", strerror(-ret));
	return 0;
}

int pb_prefixes_read(const struct pb_maps *maps, __u32 slot, struct pb_prefix_record *prefixes,
		     size_t nr, struct pb_error *error)
{
	struct pb_prefix_block block;

	for (size_t i = 0; i < nr; i += PB_PREFIX_BLOCK) {
		struct pb_prefix_key key = { slot, i / PB_PREFIX_BLOCK };

		if (bpf_map_lookup_elem(maps->fd[PB_MAP_PREFIXES], &key, &block))
			return pb_fail(error, errno, "cannot read source prefix %zu: %s", i,
				       strerror(errno));
		memcpy(prefixes + i, block.prefix, in_block(i, nr) * sizeof(*prefixes));
	}
	return 0;
}
