// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a chunk of packets takes, by the sender's own look at the clock: a test run with live frames takes tens of milliseconds to
 * begin and to end, and in most chunks nobody else has used the processor.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include "bench.h"

static struct bpf_map *variables(const struct program *sender)
{
	return find_map(sender->object, ".bss");
}

void stamps_clear(const struct program *sender)
{
	struct bpf_map *map = variables(sender);
	void *value = calloc(1, bpf_map__value_size(map));
	__u32 zero = 0;

	if (!value || bpf_map_update_elem(bpf_map__fd(map), &zero, value, 0))
		die("%s: its variables: %s", sender->name, strerror(errno));
	free(value);
}

static int compare(const void *a, const void *b)
{
	__u64 one = *(const __u64 *)a, other = *(const __u64 *)b;

	return one < other ? -1 : one > other;
}

/* The stamps: the only array among the variables, wherever the compiler has put it. */
static void read_stamps(const struct program *sender, __u64 stamps[CHUNKS_MAX])
{
	struct bpf_map *map = variables(sender);
	const struct btf *btf = bpf_object__btf(sender->object);
	const struct btf_type *section =
		btf__type_by_id(btf, btf__find_by_name_kind(btf, ".bss", BTF_KIND_DATASEC));
	char *value = malloc(bpf_map__value_size(map));
	__u32 zero = 0;

	if (!value || bpf_map_lookup_elem(bpf_map__fd(map), &zero, value))
		die("%s: its variables: %s", sender->name, strerror(errno));
	for (int i = 0; i < btf_vlen(section); i++) {
		const struct btf_var_secinfo *variable = btf_var_secinfos(section) + i;
		const char *name =
			btf__name_by_offset(btf, btf__type_by_id(btf, variable->type)->name_off);

		if (!strcmp(name, "stamps") && variable->size == CHUNKS_MAX * sizeof(*stamps)) {
			memcpy(stamps, value + variable->offset, variable->size);
			free(value);
			return;
		}
	}
	die("%s has no stamps", sender->name);
}

__u64 stamps_median(const struct program *sender, __u32 skip)
{
	__u64 stamps[CHUNKS_MAX], took[CHUNKS_MAX];
	size_t nr = 0;

	read_stamps(sender, stamps);
	for (size_t i = skip / CHUNK + 1; i + 1 < CHUNKS_MAX && stamps[i + 1]; i++)
		took[nr++] = stamps[i + 1] - stamps[i];
	if (!nr)
		die("%s: too few packets to measure by", sender->name);
	qsort(took, nr, sizeof(took[0]), compare);
	return took[nr / 2];
}
