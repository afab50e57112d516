/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The maps of a ruleset as the kernel has them: made, mapped into memory, found by their ids. */
#ifndef PB_MAPS_H
#define PB_MAPS_H

#include "maps/counters.h"

enum pb_map {
	PB_MAP_CONFIG,
	PB_MAP_PORTS,
	PB_MAP_PORT_CLASSES,
	PB_MAP_DECISIONS,
	PB_MAP_SOURCES4,
	PB_MAP_SOURCES6,
	PB_MAP_RULES,
	PB_MAP_RANGES,
	PB_MAP_PREFIXES,
	PB_MAP_COUNTS,
	PB_MAP_EVENTS,
	PB_MAP_METERS,
	PB_MAP_SETS,
	PB_MAP_ELEMENTS4,
	PB_MAP_ELEMENTS6,
	PB_MAP_LENGTHS,
	PB_MAP_LIMITS,
	PB_MAP_TOKENS,
	PB_MAP_TOKENS_EACH,
	PB_MAP_RATES,
	PB_MAP_MAX
};

/* Array elements are rounded up to eight bytes. */
struct pb_range_entry {
	struct pb_range range;
	__u32 reserved;
};

/*
 * Open maps; of those that are arrays, pb_config, pb_meters, pb_sets and pb_rates are mapped into memory, and others
 * when it is asked for. Those of which rules are compiled to tables are mapped by slot.c, as far as they are written.
 * Indexed as abi.h says.
 */
struct pb_maps {
	int fd[PB_MAP_MAX];
	struct {
		void *start;
		size_t size;
	} memory[PB_MAP_MAX];
	struct pb_config *config;
	struct pb_meters *meters;
	struct pb_sets *sets;
	struct pb_rates *rates;
	/* NULL before pb_maps_map_rules() */
	struct pb_rule_record *rules;
	struct pb_range_entry *ranges;
	struct pb_count *counts;
	__u64 *tokens;
	/* NULL before pb_maps_map_limits() */
	struct pb_rule_limits *limits;
	/* NULL before pb_maps_map_buckets() */
	struct pb_token_row *tokens_each;
};

/* A valid `struct pb_maps` that holds nothing; pb_maps_close() takes it. */
#define PB_MAPS_NONE                                  \
	{                                             \
		.fd = { [0 ... PB_MAP_MAX - 1] = -1 } \
	}

/* Blocks of pb_prefixes that hold so many. */
static inline __u32 pb_prefix_blocks(__u32 prefixes)
{
	return (prefixes + PB_PREFIX_BLOCK - 1) / PB_PREFIX_BLOCK;
}

/* Rows of pb_tokens_each, a power of two: twice as many places as buckets, so that few rows are full before. */
__u32 pb_token_rows(__u32 max_buckets);

/* The sizes of a ruleset's maps. */
struct pb_config pb_config_sized(__u32 max_rules, __u32 max_sources);

/* The slot by which packets are judged now, as the program decides it. */
__u32 pb_config_slot(const struct pb_config *config);
/* Nanoseconds left to confirm; 0: nothing is pending. */
__u64 pb_config_pending(const struct pb_config *config);

/* Makes the maps of an empty ruleset, not pinned, all mapped: slot 0 active, generation 1, policy allow. */
int pb_maps_create(const char *ruleset, const struct pb_ruleset_options *options,
		   struct pb_maps *maps, struct pb_error *error);

/*
 * Opens the maps of a ruleset, of whatever pins there are, by the id of its pb_config; no lock is
 * needed. -ENOENT: gone; -EPROTO as pb_maps_open(). No message.
 */
int pb_maps_open_by_id(__u32 config_id, struct pb_maps *maps);

/*
 * Shows that open maps are those that their pb_config names, each of its type and size, and maps
 * those into memory that every command needs: before that, nothing of them is to be believed. -EPROTO:
 * `wrong` is not. For maps.c and pins.c.
 */
int pb_maps_prove(struct pb_maps *maps, enum pb_map *wrong);

/*
 * Maps into memory what rules are made of and counted in, unless it was done: some megabytes, whose pages the
 * kernel enters one by one, so who changes elements of sets goes without. Some may be mapped on failure. No
 * message.
 */
int pb_maps_map_rules(struct pb_maps *maps);
/* And the limits of rates, for rules that have some. */
int pb_maps_map_limits(struct pb_maps *maps);
/* And with these the buckets of single sources: that is as much again. */
int pb_maps_map_buckets(struct pb_maps *maps);

/*
 * Where the maps were opened for reading alone, what is mapped is a copy (arrays.h): it is made anew, of all of them or of
 * the variables that every command needs. Else it does nothing. No message.
 */
int pb_maps_refresh(const struct pb_maps *maps, bool all);

void pb_maps_close(struct pb_maps *maps);

/*
 * A descriptor of the map with that id, which keeps it; or -errno. The kernel wants CAP_SYS_ADMIN for that, and none for
 * a pin: by id only goes what has none, which is a program's own variables, and entries of maps of maps where
 * segments.h has no pin; and what is to be that of a program, whatever pins there are.
 */
int pb_map_open(__u32 id);

/* An empty array of one entry of that size, which can be mapped: what maps of maps hold. A descriptor, or -errno. */
int pb_map_make_inner(const char *name, size_t size);

/* Entries of a map of maps that are to be set together. The descriptors are others'. */
struct pb_entries {
	__u32 *keys;
	int *fds;
	__u32 nr;
};
/* For at most so many. -ENOMEM: there is nothing to free then. */
int pb_entries_init(struct pb_entries *entries, __u32 room);
void pb_entries_free(struct pb_entries *entries);
void pb_entries_add(struct pb_entries *entries, __u32 key, int fd);
/*
 * Puts them into a map of maps, in one call where the kernel can, since each call waits for a grace period. On failure
 * some of them may be there.
 */
int pb_entries_set(int outer, const struct pb_entries *entries);

/* The kernel's id of the ruleset's pb_config, by which its programs and pins are told. */
__u32 pb_maps_id(const struct pb_maps *maps);

/* The map of an opened object that has this part; of the variables, the section that they are in. */
struct portblock_bpf;
struct bpf_map *pb_map_of(const struct portblock_bpf *object, enum pb_map which);

/* Its name, and that of its pin. */
const char *pb_map_name(enum pb_map which);

/*
 * Reads pb_config, of whatever ruleset; of another abi version, only that. -EPROTO: it is none of
 * ours.
 */
int pb_config_read(int fd, struct pb_config *config);
int pb_maps_config_by_id(__u32 id, struct pb_config *config);

/* The counters of the rules, by id; they are mapped. */
struct pb_counters pb_maps_counters(const struct pb_maps *maps);

#endif
