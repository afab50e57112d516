// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "maps/arrays.h"
#include "maps/grace.h"
#include "maps/pins.h"
#include "maps/rights.h"
#include "maps/segments.h"
#include "maps/tables.h"
#include "util/error.h"

/* What tables consist of. */
static const struct part {
	enum pb_map outer;
	const char *name;
	size_t size;
} parts[] = {
	[PB_FAMILY_4] = { PB_MAP_ELEMENTS4, "pb_segment4", sizeof(struct pb_segment4) },
	[PB_FAMILY_6] = { PB_MAP_ELEMENTS6, "pb_segment6", sizeof(struct pb_segment6) },
	[PB_FAMILIES] = { PB_MAP_LENGTHS, "pb_lengths", sizeof(struct pb_lengths) },
};
#define PART_LENGTHS PB_FAMILIES

static __u32 key_of(const struct pb_set_tables *tables, int part, __u32 number)
{
	return part == PART_LENGTHS ? tables->generation :
				      tables->generation * PB_SEGMENTS_MAX + number;
}

/* ---- Memory -------------------------------------------------------------------------------- */

/* What an entry of a map of maps is. */
static int open_part(const struct pb_set_tables *tables, int part, __u32 number, void **memory)
{
	__u32 key = key_of(tables, part, number), id;
	int fd, ret;

	if (bpf_map_lookup_elem(tables->maps->fd[parts[part].outer], &key, &id))
		return -errno;
	fd = pb_segment_open(tables->maps, id);
	if (fd < 0)
		return fd;
	ret = pb_array_map(fd, parts[part].size, memory);
	close(fd);
	return ret;
}

/* An empty one. The caller closes the descriptor. */
static int make_part(int part, void **memory, int *fd)
{
	int made = pb_map_make_inner(parts[part].name, parts[part].size), ret;

	if (made < 0)
		return made;
	ret = pb_array_map(made, parts[part].size, memory);
	if (ret)
		close(made);
	else
		*fd = made;
	return ret;
}

static void unmap_part(int part, void *memory, int fd)
{
	if (memory)
		munmap(memory, parts[part].size);
	if (fd >= 0)
		close(fd);
}

/* For struct pb_table. */
static void *segment_of(struct pb_set_tables *tables, int family, __u32 number)
{
	struct pb_segment *segment = &tables->segments[family][number];

	if (!segment->memory && open_part(tables, family, number, &segment->memory))
		return NULL;
	return segment->memory;
}

static void *segment4(void *context, __u32 number)
{
	return segment_of(context, PB_FAMILY_4, number);
}

static void *segment6(void *context, __u32 number)
{
	return segment_of(context, PB_FAMILY_6, number);
}

/* ---- Both families together ---------------------------------------------------------------- */

static struct pb_set_tables *new_tables(const struct pb_maps *maps, __u32 generation,
					const __u32 segments[PB_FAMILIES])
{
	struct pb_set_tables *tables = calloc(1, sizeof(*tables));

	if (!tables)
		return NULL;
	tables->maps = maps;
	tables->generation = generation;
	tables->lengths_fd = -1;
	for (int family = 0; family < PB_FAMILIES; family++) {
		tables->table[family] = (struct pb_table){
			.family = family == PB_FAMILY_4 ? 4 : 6,
			.nr_segments = segments[family],
			.segment = family == PB_FAMILY_4 ? segment4 : segment6,
			.context = tables,
			.shorter = &maps->sets->shorter[generation],
			.seed = maps->sets->seed,
		};
		for (int i = 0; i < PB_SEGMENTS_MAX; i++)
			tables->segments[family][i].fd = -1;
	}
	return tables;
}

static void set_lengths(struct pb_set_tables *tables)
{
	for (int family = 0; family < PB_FAMILIES; family++)
		tables->table[family].lengths = tables->lengths;
}

/* Without a lock they are copied while nobody puts others in force, so that they belong together. */
static int copy_segments(struct pb_set_tables *tables, __u64 in_force)
{
	int ret = 0, err;

	for (int family = 0; !ret && family < PB_FAMILIES; family++)
		for (__u32 i = 0; !ret && i < tables->table[family].nr_segments; i++)
			ret = open_part(tables, family, i, &tables->segments[family][i].memory);
	err = pb_maps_refresh(tables->maps, false);
	if (err)
		return err;
	return tables->maps->sets->tables == in_force ? ret : -ESTALE;
}

static int open_tables(const struct pb_maps *maps, struct pb_set_tables **tables)
{
	__u64 in_force = __atomic_load_n(&maps->sets->tables, __ATOMIC_ACQUIRE);
	const __u32 segments[PB_FAMILIES] = { PB_TABLES_SEGMENTS4(in_force),
					      PB_TABLES_SEGMENTS6(in_force) };
	struct pb_set_tables *opened = new_tables(maps, PB_TABLES_GENERATION(in_force), segments);
	int ret = opened ? 0 : -ENOMEM;

	if (!ret && (segments[PB_FAMILY_4] || segments[PB_FAMILY_6]))
		ret = open_part(opened, PART_LENGTHS, 0, (void **)&opened->lengths);
	if (opened && pb_array_is_copy(maps->fd[PB_MAP_SETS])) {
		int copied = copy_segments(opened, in_force);

		ret = copied == -ESTALE ? copied : ret ?: copied;
	}
	if (ret) {
		pb_set_tables_free(opened);
		return ret;
	}
	set_lengths(opened);
	*tables = opened;
	return 0;
}

/*
 * Whoever put the others in force lets go of these when packets that are judged by them were waited for. What is there
 * still was left by one that was killed before that, or could not wait.
 */
static int wait_for_packets(const struct pb_maps *maps, __u32 generation)
{
	__u32 id;

	return bpf_map_lookup_elem(maps->fd[PB_MAP_LENGTHS], &generation, &id) ?
		       0 :
		       pb_grace_period(maps, NULL);
}

int pb_set_tables_open(const struct pb_maps *maps, struct pb_set_tables **tables)
{
	int ret;

	do
		ret = pb_maps_refresh(maps, false) ?: open_tables(maps, tables);
	while (ret == -ESTALE);
	return ret;
}

int pb_set_tables_make(const struct pb_maps *maps, const __u32 segments[PB_FAMILIES],
		       struct pb_set_tables **tables)
{
	__u32 generation = !PB_TABLES_GENERATION(maps->sets->tables);
	struct pb_set_tables *made = new_tables(maps, generation, segments);
	int ret = made ? wait_for_packets(maps, generation) : -ENOMEM;

	if (!ret && (segments[PB_FAMILY_4] || segments[PB_FAMILY_6]))
		ret = make_part(PART_LENGTHS, (void **)&made->lengths, &made->lengths_fd);
	for (int family = 0; family < PB_FAMILIES; family++)
		for (__u32 i = 0; !ret && i < segments[family]; i++)
			ret = make_part(family, &made->segments[family][i].memory,
					&made->segments[family][i].fd);
	if (ret) {
		pb_set_tables_free(made);
		return ret;
	}
	memset(&maps->sets->shorter[generation], 0, sizeof(maps->sets->shorter[generation]));
	set_lengths(made);
	*tables = made;
	return 0;
}

void pb_set_tables_free(struct pb_set_tables *tables)
{
	if (!tables)
		return;
	for (int family = 0; family < PB_FAMILIES; family++)
		for (int i = 0; i < PB_SEGMENTS_MAX; i++)
			unmap_part(family, tables->segments[family][i].memory,
				   tables->segments[family][i].fd);
	unmap_part(PART_LENGTHS, tables->lengths, tables->lengths_fd);
	free(tables);
}

int pb_set_tables_each(const struct pb_set_tables *tables, __u64 now,
		       pb_elements_function *function, void *context)
{
	int ret = 0;

	for (int family = 0; !ret && family < PB_FAMILIES; family++)
		if (tables->table[family].nr_segments)
			ret = pb_elements_each(&tables->table[family], now, function, context);
	return ret;
}

/* ---- Publication --------------------------------------------------------------------------- */

#define KEYS_MAX (PB_TABLE_GENERATIONS * PB_SEGMENTS_MAX)
#define PARTS_MAX (PB_FAMILIES * PB_SEGMENTS_MAX + 1)

static int set_segments(const struct pb_set_tables *tables, int family)
{
	__u32 nr = tables->table[family].nr_segments;
	struct pb_entries entries;
	int ret = nr ? pb_entries_init(&entries, nr) : 0;

	if (ret || !nr)
		return ret;
	for (__u32 i = 0; i < nr; i++)
		pb_entries_add(&entries, key_of(tables, family, i), tables->segments[family][i].fd);
	ret = pb_entries_set(tables->maps->fd[parts[family].outer], &entries);
	pb_entries_free(&entries);
	return ret;
}

static int set_all(const struct pb_set_tables *tables)
{
	__u32 key = key_of(tables, PART_LENGTHS, 0);
	int ret = 0;

	if (tables->lengths_fd >= 0 && bpf_map_update_elem(tables->maps->fd[PB_MAP_LENGTHS], &key,
							   &tables->lengths_fd, BPF_ANY))
		return -errno;
	for (int family = 0; !ret && family < PB_FAMILIES; family++)
		ret = set_segments(tables, family);
	return ret;
}

/* So many are deleted, one by one, each with a grace period to wait for; more are not worth that. */
#define DELETED_MAX 8

/*
 * What is there of a family and not in force, in both generations, also of what a killed process has left. Returns
 * whether all of it is one segment; `id`: of one of them.
 */
static bool find_others(const struct pb_set_tables *tables, int family, struct pb_entries *others,
			__u32 *id)
{
	__u32 first = key_of(tables, family, 0), end = first + tables->table[family].nr_segments;
	int outer = tables->maps->fd[parts[family].outer];
	bool one = true;

	for (__u32 key = 0, found; key < KEYS_MAX; key++) {
		if ((key >= first && key < end) || bpf_map_lookup_elem(outer, &key, &found))
			continue;
		one = one && (!others->nr || found == *id);
		*id = found;
		pb_entries_add(others, key, -1);
	}
	return one;
}

/* Puts one segment in the place of all, in one call. */
static void replace_segments(int outer, struct pb_entries *entries, int fd)
{
	for (__u32 i = 0; i < entries->nr; i++)
		entries->fds[i] = fd;
	pb_entries_set(outer, entries);
}

/* Of a family that has no elements any more: few are deleted, of many one stays in the place of all. */
static void delete_segments(const struct pb_maps *maps, int outer, struct pb_entries *entries,
			    bool one, __u32 id)
{
	int fd;

	if (entries->nr <= DELETED_MAX) {
		for (__u32 i = 0; i < entries->nr; i++)
			bpf_map_delete_elem(outer, &entries->keys[i]);
		return;
	}
	fd = one ? -1 : pb_segment_open(maps, id);
	if (fd < 0)
		return;
	replace_segments(outer, entries, fd);
	close(fd);
}

/*
 * Lets go of the others. The first one of the new segments takes the place of all of them, since that is one call,
 * where deleting is one for each. Without memory for it they stay until the next time.
 */
static void release_family(const struct pb_set_tables *tables, int family)
{
	int outer = tables->maps->fd[parts[family].outer];
	struct pb_entries others;
	__u32 id = 0;
	bool one;

	if (pb_entries_init(&others, KEYS_MAX))
		return;
	one = find_others(tables, family, &others, &id);
	if (tables->table[family].nr_segments)
		replace_segments(outer, &others, tables->segments[family][0].fd);
	else
		delete_segments(tables->maps, outer, &others, one, id);
	pb_entries_free(&others);
}

static void release_others(const struct pb_set_tables *tables)
{
	__u32 other = !tables->generation;

	bpf_map_delete_elem(tables->maps->fd[PB_MAP_LENGTHS], &other);
	for (int family = 0; family < PB_FAMILIES; family++)
		release_family(tables, family);
}

/* Of what was made; returns how many. */
static size_t descriptors(const struct pb_set_tables *tables, int fds[PARTS_MAX])
{
	size_t nr = 0;

	if (tables->lengths_fd >= 0)
		fds[nr++] = tables->lengths_fd;
	for (int family = 0; family < PB_FAMILIES; family++)
		for (__u32 i = 0; i < tables->table[family].nr_segments; i++)
			fds[nr++] = tables->segments[family][i].fd;
	return nr;
}

/* Are the maps those that are pinned as the ruleset that they say they are? Others' entries are pinned nowhere. */
static bool are_pinned(const struct pb_maps *maps)
{
	char name[PB_NAME_LEN];
	__u32 id;

	snprintf(name, sizeof(name), "%.*s", PB_NAME_LEN - 1, maps->config->ruleset);
	return !pb_pins_id(name, &id) && id == pb_maps_id(maps);
}

static int pin_new(const struct pb_set_tables *tables, const int *fds, size_t nr,
		   struct pb_error *error)
{
	int ret = pb_segments_pin(tables->maps, fds, nr);

	return ret ? pb_fail_permission(
			     error, -ret,
			     "pin the tables of sets (as another user than root: CAP_CHOWN)") :
		     0;
}

static int set_new(const struct pb_set_tables *tables, struct pb_error *error)
{
	int ret = set_all(tables);

	return ret ? pb_fail(error, -ret, "cannot write the tables of sets: %s", strerror(-ret)) :
		     0;
}

int pb_set_tables_publish(struct pb_set_tables *tables, struct pb_error *error)
{
	__u64 in_force = PB_TABLES(tables->generation, tables->table[PB_FAMILY_4].nr_segments,
				   tables->table[PB_FAMILY_6].nr_segments);
	bool pinned = are_pinned(tables->maps);
	int fds[PARTS_MAX], ret;
	size_t nr = descriptors(tables, fds);

	ret = pinned ? pin_new(tables, fds, nr, error) : 0;
	if (!ret)
		ret = set_new(tables, error);
	if (ret) {
		if (pinned)
			pb_segments_unpin(tables->maps, fds, nr);
		return ret;
	}
	__atomic_store_n(&tables->maps->sets->tables, in_force, __ATOMIC_SEQ_CST);
	/*
	 * What cannot be waited for stays until the next time. Whoever publishes a slot after this relies on it, too: a
	 * packet that sees the slot has begun after this period did, and sees these tables.
	 */
	if (!pb_grace_period(tables->maps, NULL))
		release_others(tables);
	if (pinned)
		pb_segments_sweep(tables->maps, fds, nr);
	return 0;
}
