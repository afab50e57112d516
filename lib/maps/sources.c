// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "compile/lookup.h"
#include "maps/sources.h"
#include "util/error.h"

/* ---- For look-up --------------------------------------------------------------------------- */

/* Segments of a family in a slot, to be written. */
struct family {
	enum pb_map outer;
	const char *name;
	const char *from; /* what they are to be, one behind the other */
	size_t size;
	__u32 nr;
};

static __u32 key_of(__u32 segment, __u32 slot)
{
	return segment * PB_SLOTS + slot;
}

static int write_segment(const struct family *family, int fd, __u32 number)
{
	void *memory = mmap(NULL, family->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	memcpy(memory, family->from + number * family->size, family->size);
	munmap(memory, family->size);
	return 0;
}

/*
 * The segment that is there, and no other name of the first one (release()), or a new one. A map of maps gives its
 * entries away by their ids alone, for which the kernel wants CAP_SYS_ADMIN: who has it not takes a new one.
 */
static int take_segment(const struct family *family, int outer, __u32 key, __u32 first,
			struct pb_entries *made)
{
	__u32 id, first_id;
	int fd = -EPERM;

	if (!bpf_map_lookup_elem(outer, &key, &id) &&
	    (key == first || (!bpf_map_lookup_elem(outer, &first, &first_id) && id != first_id)))
		fd = pb_map_open(id);
	if (fd != -EPERM)
		return fd;
	fd = pb_map_make_inner(family->name, family->size);
	if (fd >= 0)
		pb_entries_add(made, key, fd);
	return fd;
}

/* In the memory of those that are there. `made` gets new ones, of which the caller closes the descriptors. */
static int write_segments(const struct family *family, int outer, __u32 slot,
			  struct pb_entries *made)
{
	int ret = 0;

	for (__u32 i = 0; !ret && i < family->nr; i++) {
		__u32 nr = made->nr;
		int fd = take_segment(family, outer, key_of(i, slot), key_of(0, slot), made);

		ret = fd < 0 ? fd : write_segment(family, fd, i);
		if (fd >= 0 && made->nr == nr)
			close(fd);
	}
	return ret ?: pb_entries_set(outer, made);
}

/*
 * Lets go of what is there beyond. The first segment takes the place of all of them, since that is one call, where
 * deleting is one for each; where there is no first one they are deleted.
 */
static int release(const struct family *family, int outer, __u32 slot, __u32 max,
		   struct pb_entries *entries)
{
	__u32 first = key_of(0, slot), first_id = 0, id;
	int fd = -1, ret = 0;

	/* By id, as take_segment(); without the right they are deleted one by one. */
	if (family->nr && !bpf_map_lookup_elem(outer, &first, &first_id))
		fd = pb_map_open(first_id);
	for (__u32 i = family->nr; !ret && i < max; i++) {
		__u32 key = key_of(i, slot);

		if (bpf_map_lookup_elem(outer, &key, &id) || id == first_id)
			continue;
		if (fd >= 0)
			pb_entries_add(entries, key, fd);
		else if (bpf_map_delete_elem(outer, &key))
			ret = -errno;
	}
	ret = ret ?: pb_entries_set(outer, entries);
	if (fd >= 0)
		close(fd);
	return ret;
}

static int replace_family(const struct pb_maps *maps, const struct family *family, __u32 slot)
{
	__u32 max = pb_lookup_segments_max(maps->config->max_sources);
	struct pb_entries made = { 0 }, others = { 0 };
	int outer = maps->fd[family->outer];
	int ret = pb_entries_init(&made, max) ?: pb_entries_init(&others, max);

	if (!ret)
		ret = write_segments(family, outer, slot, &made);
	if (!ret)
		ret = release(family, outer, slot, max, &others);
	for (__u32 i = 0; i < made.nr; i++)
		close(made.fds[i]);
	pb_entries_free(&made);
	pb_entries_free(&others);
	return ret;
}

static int replace(const struct pb_maps *maps, __u32 slot, const struct pb_lookup *lookup)
{
	const struct family families[] = {
		{ PB_MAP_SOURCES4, "pb_sources4_", (const char *)lookup->segment4,
		  sizeof(*lookup->segment4), lookup->nr4 },
		{ PB_MAP_SOURCES6, "pb_sources6_", (const char *)lookup->segment6,
		  sizeof(*lookup->segment6), lookup->nr6 },
	};

	return replace_family(maps, &families[0], slot) ?: replace_family(maps, &families[1], slot);
}

int pb_sources_replace(const struct pb_maps *maps, __u32 slot, struct pb_tables *tables,
		       struct pb_error *error)
{
	struct pb_lookup lookup = { 0 };
	int ret = pb_lookup_make(tables, pb_lookup_segments_max(maps->config->max_sources),
				 maps->sets->seed, &lookup);

	if (ret == -ENOMEM)
		return pb_fail_memory(error);
	if (ret)
		return pb_fail(
			error, -ret,
			"the source prefixes of these rules do not fit: load the ruleset with "
			"a larger --max-sources than %u",
			maps->config->max_sources);
	ret = replace(maps, slot, &lookup);
	pb_lookup_free(&lookup);
	if (ret)
		return pb_fail(error, -ret, "cannot write the source prefixes: %s", strerror(-ret));
	return 0;
}

/* ---- As they were written ------------------------------------------------------------------ */

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
