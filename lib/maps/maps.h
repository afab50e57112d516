/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The maps of a ruleset: made, pinned, opened, mapped into memory. maps.c is the only user of
 * bpf_map_*(), pins.c the only one of pins.
 */
#ifndef PB_MAPS_H
#define PB_MAPS_H

#include "maps/counters.h"

enum pb_map {
	PB_MAP_CONFIG,
	PB_MAP_PORTS,
	PB_MAP_HEADS,
	PB_MAP_DECISIONS,
	PB_MAP_SOURCES,
	PB_MAP_RULES,
	PB_MAP_RANGES,
	PB_MAP_PREFIXES,
	PB_MAP_COUNTS,
	PB_MAP_EVENTS,
	PB_MAP_METERS,
	PB_MAP_MAX
};

/* Array elements are rounded up to eight bytes. */
struct pb_range_entry {
	struct pb_range range;
	__u32 reserved;
};

/* Open maps; those that are arrays are mapped into memory. Indexed as abi.h says. */
struct pb_maps {
	int fd[PB_MAP_MAX];
	struct {
		void *start;
		size_t size;
	} memory[PB_MAP_MAX];
	struct pb_config *config;
	struct pb_ports *ports;
	struct pb_head *heads;
	struct pb_decision *decisions;
	struct pb_rule_record *rules;
	struct pb_range_entry *ranges;
	struct pb_count *counts;
	struct pb_meters *meters;
};

/* A valid `struct pb_maps` that holds nothing; pb_maps_close() takes it. */
#define PB_MAPS_NONE                                                 \
	{                                                            \
		.fd = { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 } \
	}

/* The sizes of a ruleset's maps. */
struct pb_config pb_config_sized(__u32 max_rules, __u32 max_sources);

/* The slot by which packets are judged now, as the program decides it. */
__u32 pb_config_slot(const struct pb_config *config);
/* Nanoseconds left to confirm; 0: nothing is pending. */
__u64 pb_config_pending(const struct pb_config *config);

/* Makes the maps of an empty ruleset, not pinned: slot 0 active, generation 1, policy allow. */
int pb_maps_create(const char *ruleset, const struct pb_ruleset_options *options,
		   struct pb_maps *maps, struct pb_error *error);

/*
 * Opens the pinned maps of a ruleset whose lock the caller holds: all of one ruleset, each of its
 * type and size. -ENOENT without a message: none there; -EPROTO: of another abi version, or not
 * all there, or something else in the place of one.
 */
int pb_maps_open(const char *ruleset, struct pb_maps *maps, struct pb_error *error);

/* As that, of whatever pins there are, by the id of pb_config: no lock is needed. No message. */
int pb_maps_open_by_id(__u32 config_id, struct pb_maps *maps);

/*
 * Shows that open maps are those that their pb_config names, each of its type and size, and maps
 * the arrays among them into memory: before that, nothing of them is to be believed. -EPROTO:
 * `wrong` is not. For maps.c and pins.c.
 */
int pb_maps_prove(struct pb_maps *maps, enum pb_map *wrong);

/* Pins all maps in the ruleset's folder, which is made, in one step as others see it. */
int pb_maps_pin(const struct pb_maps *maps, const char *ruleset, struct pb_error *error);

/*
 * Removes a ruleset's folder, whatever is in it, in one step as others see it, once nobody holds
 * its lock. It is no error if it is not there. The caller holds the lock of all rulesets.
 */
int pb_maps_unpin(const char *ruleset, struct pb_error *error);

/* Removes what a killed process has left of making or removing folders; same lock. */
int pb_pins_sweep(struct pb_error *error);

/* Removes the folder that rulesets are pinned below, if it is empty: bpffs keeps none of ours. */
void pb_pins_tidy(void);

/*
 * The kernel's id of the pb_config map that is pinned for a ruleset. -ENOENT: none; -EPROTO:
 * something else is. No lock is needed.
 */
int pb_pins_id(const char *ruleset, __u32 *id);

/*
 * Is the ruleset of that configuration, whose map has that id, pinned under that name, with all its
 * maps? -ENOENT: not, or not any more; -EPROTO: not all of them. No lock is needed.
 */
int pb_pins_check(const char *ruleset, const struct pb_config *config, __u32 config_id);

void pb_maps_close(struct pb_maps *maps);

/* A descriptor of the map with that id, which keeps it; or -errno. */
int pb_map_open(__u32 id);

/* The kernel's id of a map; 0 on failure. */
__u32 pb_map_id(int fd);

/* Its name, and that of its pin. */
const char *pb_map_name(enum pb_map which);

/*
 * Reads pb_config, of whatever ruleset; of another abi version, only that. -EPROTO: it is none of
 * ours.
 */
int pb_config_read(int fd, struct pb_config *config);
int pb_maps_config_by_id(__u32 id, struct pb_config *config);

/* The counters of the rules, by id. */
struct pb_counters pb_maps_counters(const struct pb_maps *maps);

/* The outcome counters of the map with that id, in memory until they are unmapped. */
int pb_outcomes_map(__u32 id, struct pb_outcomes **outcomes);
void pb_outcomes_unmap(struct pb_outcomes *outcomes);
struct pb_counters pb_outcomes_counters(struct pb_outcomes *outcomes);
int pb_outcomes_read(__u32 id, struct pb_count outcomes[PB_OUTCOME_MAX]);

/* pb_config, or an interface's pb_exchange, of the map with that id, likewise. */
int pb_config_map(__u32 id, struct pb_config **config);
void pb_config_unmap(struct pb_config *config);
int pb_exchange_map(__u32 id, struct pb_exchange **exchange);
void pb_exchange_unmap(struct pb_exchange *exchange);

/* Replaces the entries of one slot in the trie, or in the map of prefixes. */
struct pb_source;
int pb_sources_replace(const struct pb_maps *maps, __u32 slot, const struct pb_source *sources,
		       size_t nr, struct pb_error *error);
int pb_prefixes_replace(const struct pb_maps *maps, __u32 slot,
			const struct pb_prefix_record *prefixes, size_t nr, struct pb_error *error);

/* Reads the prefixes of a slot, numbered from 0 to `nr` - 1. */
int pb_prefixes_read(const struct pb_maps *maps, __u32 slot, struct pb_prefix_record *prefixes,
		     size_t nr, struct pb_error *error);

/* Waits until no packet is judged by what it read of the maps before this call. */
int pb_grace_period(const struct pb_maps *maps, struct pb_error *error);

/*
 * <bpffs>/xdp-portblock, or one ruleset's folder in it. Paths are cut at PB_PATH_LEN, but none that
 * pb_bpffs_check() has let through.
 */
#define PB_PATH_LEN 4096
const char *pb_bpffs(void);
void pb_pins_path(char path[PB_PATH_LEN], const char *ruleset);

/*
 * -ENODEV: bpffs is not mounted where it should be; says how to mount it. -EPERM: others may
 * replace what is in it; says what to do.
 */
int pb_bpffs_check(struct pb_error *error);

/*
 * Makes, and looks at, libxdp's folder, the lock of which libxdp takes: as -EPERM above, if it is
 * somebody else's.
 */
int pb_libxdp_folder_make(void);
int pb_libxdp_folder_check(struct pb_error *error);

/*
 * Opens a folder of ours: that of all rulesets (`below` NULL), a ruleset's, or one in it
 * ("NAME/listener"). Returns a descriptor; -ENOENT without a message; -EPERM: it is not ours alone,
 * and says what to do.
 */
int pb_folder_open(const char *below, struct pb_error *error);

/* The message for -EPERM and -EACCES, which have several causes: says which were checked. */
int pb_fail_permission(struct pb_error *error, int code, const char *doing);

#endif
