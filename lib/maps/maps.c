// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Maps as the kernel has them: made from the embedded object, mapped into memory, by id. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <portblock/layout.h>
#include "compile/lookup.h"
#include "maps/arrays.h"
#include "maps/maps.h"
#include "maps/rights.h"
#include "portblock.skel.h"
#include "util/error.h"
#include "util/log.h"

struct pb_config pb_config_sized(__u32 max_rules, __u32 max_sources)
{
	return (struct pb_config){
		.abi_version = PB_ABI_VERSION,
		.max_rules = max_rules,
		.max_sources = max_sources,
		/* A plain rule needs one at most, one with sources three of its own. */
		.max_decisions = 3 * max_rules + 512 + PB_SPARE_DECISIONS,
		/* A range that stands alone begins one and ends one. */
		.max_port_classes = max_rules < PB_PORTS / 2 ? 2 * max_rules + 2 : PB_PORTS,
		.max_ranges = max_rules,
		.max_buckets = PB_BUCKETS_DEFAULT,
	};
}

__u32 pb_token_rows(__u32 max_buckets)
{
	__u32 rows = 1;

	while (rows * (PB_TOKEN_ROW / 2) < max_buckets)
		rows *= 2;
	return rows;
}

__u32 pb_config_slot(const struct pb_config *config)
{
	__u32 active = __atomic_load_n(&config->active, __ATOMIC_ACQUIRE);
	__u32 slot = active & PB_ACTIVE_SLOT;

	return active & PB_ACTIVE_PENDING && pb_clock() >= config->revert_at ? !slot : slot;
}

__u64 pb_config_pending(const struct pb_config *config)
{
	__u32 active = __atomic_load_n(&config->active, __ATOMIC_ACQUIRE);
	__u64 now = pb_clock();

	return active & PB_ACTIVE_PENDING && config->revert_at > now ? config->revert_at - now : 0;
}

/* Nobody is to know where elements lie, so as not to choose addresses that all lie in one place. */
static int draw_seed(__u64 seed[2])
{
	ssize_t drawn = getrandom(seed, 2 * sizeof(*seed), 0);

	return drawn == 2 * sizeof(*seed) ? 0 : drawn < 0 ? -errno : -EIO;
}

static struct pb_config first_config(const char *ruleset, const struct pb_ruleset_options *options)
{
	struct pb_config config = pb_config_sized(options->max_rules ?: PB_RULES_DEFAULT,
						  options->max_sources ?: PB_SOURCES_DEFAULT);

	config.max_buckets = options->max_buckets ?: PB_BUCKETS_DEFAULT;
	config.cpus = libbpf_num_possible_cpus();
	config.generations = 1;
	config.slots[0].generation = config.generations;
	config.slots[0].next_id = 1;
	snprintf(config.ruleset, sizeof(config.ruleset), "%s", ruleset);
	return config;
}

/* What each map is, and under which name it is pinned. How large: entries_of(). */
static const struct shape {
	const char *name;
	enum bpf_map_type type;
	__u32 key_size;
	__u32 value_size;
	__u32 flags;
} shapes[PB_MAP_MAX] = {
	[PB_MAP_CONFIG] = { "pb_config", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct pb_config),
			    BPF_F_MMAPABLE },
	[PB_MAP_PORTS] = { "pb_ports", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct pb_ports),
			   BPF_F_MMAPABLE },
	[PB_MAP_PORT_CLASSES] = { "pb_port_classes", BPF_MAP_TYPE_ARRAY, 4,
				  sizeof(struct pb_port_classes), BPF_F_MMAPABLE },
	[PB_MAP_DECISIONS] = { "pb_decisions", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct pb_decision),
			       BPF_F_MMAPABLE },
	[PB_MAP_SOURCES4] = { "pb_sources4", BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 0 },
	[PB_MAP_SOURCES6] = { "pb_sources6", BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 0 },
	[PB_MAP_RULES] = { "pb_rules", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct pb_rule_record),
			   BPF_F_MMAPABLE },
	[PB_MAP_RANGES] = { "pb_ranges", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct pb_range),
			    BPF_F_MMAPABLE },
	[PB_MAP_PREFIXES] = { "pb_prefixes", BPF_MAP_TYPE_HASH, sizeof(struct pb_prefix_key),
			      sizeof(struct pb_prefix_block), BPF_F_NO_PREALLOC },
	[PB_MAP_COUNTS] = { "pb_counts", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct pb_count),
			    BPF_F_MMAPABLE },
	[PB_MAP_EVENTS] = { "pb_events", BPF_MAP_TYPE_RINGBUF, 0, 0, 0 },
	[PB_MAP_METERS] = { "pb_meters", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct pb_meters),
			    BPF_F_MMAPABLE },
	[PB_MAP_SETS] = { "pb_sets", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct pb_sets),
			  BPF_F_MMAPABLE },
	[PB_MAP_ELEMENTS4] = { "pb_elements4", BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 0 },
	[PB_MAP_ELEMENTS6] = { "pb_elements6", BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 0 },
	[PB_MAP_LENGTHS] = { "pb_lengths", BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 0 },
	[PB_MAP_LIMITS] = { "pb_limits", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct pb_rule_limits),
			    BPF_F_MMAPABLE },
	[PB_MAP_TOKENS] = { "pb_tokens", BPF_MAP_TYPE_ARRAY, 4, sizeof(__u64), BPF_F_MMAPABLE },
	[PB_MAP_TOKENS_EACH] = { "pb_tokens_each", BPF_MAP_TYPE_ARRAY, 4,
				 sizeof(struct pb_token_row), BPF_F_MMAPABLE },
	[PB_MAP_RATES] = { "pb_rates", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct pb_rates),
			   BPF_F_MMAPABLE },
};

_Static_assert(PB_MAP_MAX <= PB_CONFIG_MAPS, "pb_config has room for the id of each map");

const char *pb_map_name(enum pb_map which)
{
	return shapes[which].name;
}

static __u64 entries_of(const struct pb_config *config, enum pb_map which)
{
	const __u64 entries[PB_MAP_MAX] = {
		[PB_MAP_CONFIG] = 1,
		[PB_MAP_PORTS] = 1,
		[PB_MAP_PORT_CLASSES] = (__u64)config->max_port_classes * PB_SLOTS,
		[PB_MAP_DECISIONS] = (__u64)config->max_decisions * PB_SLOTS,
		[PB_MAP_SOURCES4] = (__u64)pb_lookup_segments_max(config->max_sources) * PB_SLOTS,
		[PB_MAP_SOURCES6] = (__u64)pb_lookup_segments_max(config->max_sources) * PB_SLOTS,
		[PB_MAP_RULES] = ((__u64)config->max_rules + 1) * PB_SLOTS,
		[PB_MAP_RANGES] = (__u64)config->max_ranges * PB_SLOTS,
		[PB_MAP_PREFIXES] = (__u64)pb_prefix_blocks(config->max_sources) * PB_SLOTS,
		[PB_MAP_COUNTS] = (__u64)PB_COUNT_ROW(config->max_rules) *
				  ((__u64)config->cpus + PB_BASE_ROWS),
		[PB_MAP_EVENTS] = PB_EVENTS_SIZE,
		[PB_MAP_METERS] = 1,
		[PB_MAP_SETS] = 1,
		[PB_MAP_ELEMENTS4] = PB_TABLE_GENERATIONS * PB_SEGMENTS_MAX,
		[PB_MAP_ELEMENTS6] = PB_TABLE_GENERATIONS * PB_SEGMENTS_MAX,
		[PB_MAP_LENGTHS] = PB_TABLE_GENERATIONS,
		[PB_MAP_LIMITS] = ((__u64)config->max_rules + 1) * PB_SLOTS,
		[PB_MAP_TOKENS] = (__u64)config->max_rules + 1,
		[PB_MAP_TOKENS_EACH] = pb_token_rows(config->max_buckets),
		[PB_MAP_RATES] = 1,
	};

	return entries[which];
}

struct bpf_map *pb_map_of(const struct portblock_bpf *object, enum pb_map which)
{
	struct bpf_map *const maps[PB_MAP_MAX] = {
		[PB_MAP_CONFIG] = object->maps.data_config,
		[PB_MAP_PORTS] = object->maps.bss,
		[PB_MAP_PORT_CLASSES] = object->maps.pb_port_classes,
		[PB_MAP_DECISIONS] = object->maps.pb_decisions,
		[PB_MAP_SOURCES4] = object->maps.pb_sources4,
		[PB_MAP_SOURCES6] = object->maps.pb_sources6,
		[PB_MAP_RULES] = object->maps.pb_rules,
		[PB_MAP_RANGES] = object->maps.pb_ranges,
		[PB_MAP_PREFIXES] = object->maps.pb_prefixes,
		[PB_MAP_COUNTS] = object->maps.pb_counts,
		[PB_MAP_EVENTS] = object->maps.pb_events,
		[PB_MAP_METERS] = object->maps.data_meters,
		[PB_MAP_SETS] = object->maps.data_sets,
		[PB_MAP_ELEMENTS4] = object->maps.pb_elements4,
		[PB_MAP_ELEMENTS6] = object->maps.pb_elements6,
		[PB_MAP_LENGTHS] = object->maps.pb_lengths,
		[PB_MAP_LIMITS] = object->maps.pb_limits,
		[PB_MAP_TOKENS] = object->maps.pb_tokens,
		[PB_MAP_TOKENS_EACH] = object->maps.pb_tokens_each,
		[PB_MAP_RATES] = object->maps.data_rates,
	};

	return maps[which];
}

/* Of one entry, and in the object a variable of the program. */
static bool is_variable(enum pb_map which)
{
	return which == PB_MAP_CONFIG || which == PB_MAP_PORTS || which == PB_MAP_METERS ||
	       which == PB_MAP_SETS || which == PB_MAP_RATES;
}

static int set_sizes(struct portblock_bpf *object, const struct pb_config *config)
{
	int ret = 0;

	for (int i = 0; !ret && i < PB_MAP_MAX; i++)
		if (!is_variable(i))
			ret = bpf_map__set_max_entries(pb_map_of(object, i), entries_of(config, i));
	return ret;
}

/* Of the object, the maps of a ruleset that are no variables of the program. */
static int leave_out_others(struct portblock_bpf *object)
{
	struct bpf_map *variables[] = { object->maps.data_config,   object->maps.bss,
					object->maps.data_meters,   object->maps.data_sets,
					object->maps.data_rates,    object->maps.data_outcomes,
					object->maps.data_exchange, object->maps.data_clock,
					object->maps.rodata,	    object->maps.pb_token_locks };
	int ret = bpf_program__set_autoload(object->progs.xdp_portblock, false);

	for (size_t i = 0; !ret && i < sizeof(variables) / sizeof(variables[0]); i++)
		ret = bpf_map__set_autocreate(variables[i], false);
	return ret;
}

/*
 * A map of one entry that is a variable of the program. libbpf would name it after its section;
 * this one has its type's name, and is shown as one, by the BTF of the object that was loaded.
 */
static int make_variable(const struct portblock_bpf *object, enum pb_map which)
{
	const struct btf *btf = bpf_object__btf(object->obj);
	const char *name = shapes[which].name;
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE,
		    .btf_fd = bpf_object__btf_fd(object->obj));
	int fd;

	options.btf_key_type_id = btf__find_by_name_kind(btf, "int", BTF_KIND_INT);
	options.btf_value_type_id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(__u32), shapes[which].value_size, 1,
			    &options);
	return fd < 0 ? -errno : fd;
}

static int take_map(const struct portblock_bpf *object, enum pb_map which)
{
	int fd;

	if (is_variable(which))
		return make_variable(object, which);
	fd = dup(bpf_map__fd(pb_map_of(object, which)));
	return fd < 0 ? -errno : fd;
}

/* Takes a reference of its own to each map of a loaded object. */
static int take_maps(const struct portblock_bpf *object, struct pb_maps *maps)
{
	for (int i = 0; i < PB_MAP_MAX; i++) {
		maps->fd[i] = take_map(object, i);
		if (maps->fd[i] < 0)
			return maps->fd[i];
	}
	return 0;
}

/* As large as an array of that shape is: that it is so was proven, or it was made so. */
static size_t memory_size(const struct pb_config *config, enum pb_map which)
{
	size_t page = sysconf(_SC_PAGESIZE);
	size_t size = entries_of(config, which) * ((shapes[which].value_size + 7) & ~7U);

	return (size + page - 1) / page * page;
}

static int map_memory(struct pb_maps *maps, const struct pb_config *config, enum pb_map which,
		      void *pointer)
{
	size_t size = memory_size(config, which);
	void *start;
	int ret = pb_array_map(maps->fd[which], size, &start);

	if (ret)
		return ret;
	maps->memory[which].start = start;
	maps->memory[which].size = size;
	*(void **)pointer = start;
	return 0;
}

/* An array, and where its memory is to be found. */
struct array {
	enum pb_map which;
	void *pointer;
};

static int map_arrays(struct pb_maps *maps, const struct pb_config *config,
		      const struct array *arrays, size_t nr)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < nr; i++)
		if (!maps->memory[arrays[i].which].start)
			ret = map_memory(maps, config, arrays[i].which, arrays[i].pointer);
	return ret;
}

/* What every command needs. */
static int map_settings(struct pb_maps *maps, const struct pb_config *config)
{
	const struct array arrays[] = {
		{ PB_MAP_CONFIG, &maps->config },
		{ PB_MAP_METERS, &maps->meters },
		{ PB_MAP_SETS, &maps->sets },
		{ PB_MAP_RATES, &maps->rates },
	};

	return map_arrays(maps, config, arrays, sizeof(arrays) / sizeof(arrays[0]));
}

int pb_maps_map_rules(struct pb_maps *maps)
{
	const struct array arrays[] = {
		{ PB_MAP_RULES, &maps->rules },
		{ PB_MAP_RANGES, &maps->ranges },
		{ PB_MAP_COUNTS, &maps->counts },
		{ PB_MAP_TOKENS, &maps->tokens },
	};

	return map_arrays(maps, maps->config, arrays, sizeof(arrays) / sizeof(arrays[0]));
}

int pb_maps_map_limits(struct pb_maps *maps)
{
	const struct array limits = { PB_MAP_LIMITS, &maps->limits };

	return pb_maps_map_rules(maps) ?: map_arrays(maps, maps->config, &limits, 1);
}

int pb_maps_map_buckets(struct pb_maps *maps)
{
	const struct array each = { PB_MAP_TOKENS_EACH, &maps->tokens_each };

	return pb_maps_map_limits(maps) ?: map_arrays(maps, maps->config, &each, 1);
}

/* Which maps belong to the ruleset: pb_config says it to whoever opens them. */
static int read_ids(const struct pb_maps *maps, __u32 ids[PB_CONFIG_MAPS])
{
	for (int i = 0; i < PB_MAP_MAX; i++) {
		struct bpf_map_info info = {};
		__u32 len = sizeof(info);

		if (bpf_obj_get_info_by_fd(maps->fd[i], &info, &len))
			return -errno;
		ids[i] = info.id;
	}
	return 0;
}

/*
 * Is it the map of that name and shape? A program, whose information is another structure, has no
 * such name where a map has its own.
 */
static int check_shape(const struct bpf_map_info *info, enum pb_map which)
{
	const struct shape *shape = &shapes[which];

	if (strncmp(info->name, shape->name, sizeof(info->name)) || info->type != shape->type ||
	    info->key_size != shape->key_size || info->value_size != shape->value_size ||
	    info->map_flags != shape->flags)
		return -EPROTO;
	return 0;
}

static int check_map(int fd, const struct pb_config *config, enum pb_map which)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	if (info.id != config->maps[which] || info.max_entries != entries_of(config, which))
		return -EPROTO;
	return check_shape(&info, which);
}

int pb_maps_prove(struct pb_maps *maps, enum pb_map *wrong)
{
	struct pb_config config;
	int ret;

	*wrong = PB_MAP_CONFIG;
	ret = pb_config_read(maps->fd[PB_MAP_CONFIG], &config);
	if (!ret && config.abi_version != PB_ABI_VERSION)
		ret = -EPROTO;
	for (int i = 0; !ret && i < PB_MAP_MAX; i++) {
		*wrong = i;
		ret = check_map(maps->fd[i], &config, i);
	}
	return ret ?: map_settings(maps, &config);
}

int pb_maps_open_by_id(__u32 config_id, struct pb_maps *maps)
{
	struct pb_maps opened = PB_MAPS_NONE;
	struct pb_config config;
	enum pb_map wrong;
	int ret = pb_maps_config_by_id(config_id, &config);

	for (int i = 0; !ret && i < PB_MAP_MAX; i++) {
		opened.fd[i] = pb_map_open(config.maps[i]);
		if (opened.fd[i] < 0)
			ret = opened.fd[i];
	}
	if (!ret)
		ret = pb_maps_prove(&opened, &wrong);
	if (ret)
		pb_maps_close(&opened);
	else
		*maps = opened;
	return ret;
}

int pb_maps_create(const char *ruleset, const struct pb_ruleset_options *options,
		   struct pb_maps *maps, struct pb_error *error)
{
	struct pb_config config = first_config(ruleset, options);
	struct pb_maps made = PB_MAPS_NONE;
	struct portblock_bpf *object;
	int ret;

	pb_log_begin();
	object = portblock_bpf__open();
	ret = object ? set_sizes(object, &config) : -errno;
	if (!ret)
		ret = leave_out_others(object);
	if (!ret)
		ret = bpf_object__load(object->obj);
	if (!ret)
		ret = take_maps(object, &made);
	if (!ret)
		ret = read_ids(&made, config.maps);
	if (!ret)
		ret = map_settings(&made, &config);
	if (!ret) {
		*made.config = config;
		ret = pb_maps_map_buckets(&made);
	}
	if (!ret)
		ret = draw_seed(made.sets->seed);
	if (!ret)
		ret = draw_seed(made.rates->seed);
	portblock_bpf__destroy(object);
	if (ret) {
		pb_maps_close(&made);
		return pb_fail_permission(error, -ret, "create the maps");
	}
	*maps = made;
	return 0;
}

int pb_maps_refresh(const struct pb_maps *maps, bool all)
{
	int ret = 0;

	for (int i = 0; !ret && i < PB_MAP_MAX; i++)
		if (maps->memory[i].start && (all || is_variable(i)) &&
		    pb_array_is_copy(maps->fd[i]))
			ret = pb_array_copy(maps->fd[i], maps->memory[i].start);
	return ret;
}

void pb_maps_close(struct pb_maps *maps)
{
	for (int i = 0; i < PB_MAP_MAX; i++) {
		if (maps->memory[i].start)
			munmap(maps->memory[i].start, maps->memory[i].size);
		if (maps->fd[i] >= 0)
			close(maps->fd[i]);
	}
	*maps = (struct pb_maps)PB_MAPS_NONE;
}

int pb_map_open(__u32 id)
{
	int fd = bpf_map_get_fd_by_id(id);

	return fd < 0 ? -errno : fd;
}

int pb_map_make_inner(const char *name, size_t size)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(__u32), size, 1, &options);

	return fd < 0 ? -errno : fd;
}

int pb_entries_init(struct pb_entries *entries, __u32 room)
{
	*entries = (struct pb_entries){
		.keys = calloc(room, sizeof(*entries->keys)),
		.fds = calloc(room, sizeof(*entries->fds)),
	};
	if (entries->keys && entries->fds)
		return 0;
	pb_entries_free(entries);
	return -ENOMEM;
}

void pb_entries_free(struct pb_entries *entries)
{
	free(entries->keys);
	free(entries->fds);
	*entries = (struct pb_entries){ 0 };
}

void pb_entries_add(struct pb_entries *entries, __u32 key, int fd)
{
	entries->keys[entries->nr] = key;
	entries->fds[entries->nr++] = fd;
}

int pb_entries_set(int outer, const struct pb_entries *entries)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options, .elem_flags = BPF_ANY);
	const __u32 *keys = entries->keys;
	const int *fds = entries->fds;
	__u32 done = entries->nr;

	if (!done || !bpf_map_update_batch(outer, keys, fds, &done, &options))
		return 0;
	for (__u32 i = 0; i < entries->nr; i++)
		if (bpf_map_update_elem(outer, &keys[i], &fds[i], BPF_ANY))
			return -errno;
	return 0;
}

__u32 pb_maps_id(const struct pb_maps *maps)
{
	return maps->config->maps[PB_MAP_CONFIG];
}

/*
 * Of another version, whose pb_config has another size, what all of them begin with is read: the
 * version.
 */
int pb_config_read(int fd, struct pb_config *config)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info), zero = 0;
	struct pb_config *value;
	int ret = 0;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	if (strcmp(info.name, shapes[PB_MAP_CONFIG].name) || info.type != BPF_MAP_TYPE_ARRAY ||
	    info.max_entries != 1 || info.value_size < sizeof(value->abi_version))
		return -EPROTO;
	value = calloc(1, info.value_size + sizeof(*value));
	if (!value)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &zero, value)) {
		ret = -errno;
	} else if (info.value_size == sizeof(*config)) {
		*config = *value;
	} else {
		memset(config, 0, sizeof(*config));
		config->abi_version = value->abi_version;
		if (value->abi_version == PB_ABI_VERSION)
			ret = -EPROTO;
	}
	if (!ret && !config->abi_version)
		ret = -EPROTO;
	free(value);
	return ret;
}

int pb_maps_config_by_id(__u32 id, struct pb_config *config)
{
	int fd = pb_map_open(id), ret;

	if (fd < 0)
		return fd;
	ret = pb_config_read(fd, config);
	close(fd);
	return ret;
}

struct pb_counters pb_maps_counters(const struct pb_maps *maps)
{
	return (struct pb_counters){ .counts = maps->counts,
				     .rows = maps->config->cpus,
				     .width = PB_COUNT_ROW(maps->config->max_rules),
				     .resets = &maps->config->resets };
}
