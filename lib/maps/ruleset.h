/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What load.c needs of a ruleset beyond portblock.h. */
#ifndef PB_RULESET_H
#define PB_RULESET_H

#include "maps/lock.h"
#include "maps/maps.h"

struct pb_ruleset {
	char name[PB_NAME_LEN];
	struct pb_maps maps;
	int lock;   /* held between begin and commit or abort; else -1 */
	__u32 *ids; /* in use when the change began: not given out again by it */
};

/*
 * Takes a lock of the ruleset for a change, and makes sure that it is a change of what is pinned: a ruleset that
 * was unloaded and loaded anew since it was opened is opened anew. Returns what pb_lock() does.
 */
int pb_ruleset_lock(struct pb_ruleset *ruleset, enum pb_lock_kind kind, struct pb_error *error);

/* -EACCES: its pins were opened for reading alone. pb_ruleset_lock() looks at that. */
int pb_ruleset_check_writable(const struct pb_ruleset *ruleset, struct pb_error *error);

/* Makes a ruleset that is not pinned yet. The caller closes it. */
int pb_ruleset_create(const char *name, const struct pb_ruleset_options *options,
		      struct pb_ruleset **ruleset, struct pb_error *error);

/* Writes the first generation of a ruleset that nobody uses yet. */
int pb_ruleset_fill(struct pb_ruleset *ruleset, const struct pb_rules *rules,
		    struct pb_error *error);

/* Elements of files that no generation has any more go now, where that can be done: after what brought them is undone. */
void pb_ruleset_sweep(struct pb_ruleset *ruleset);

/*
 * What pb_ruleset_commit() does before it ends the change: writes a generation, brings what comes with it, and
 * publishes it. All as it was if one of these fails.
 */
typedef int pb_bring_function(struct pb_ruleset *ruleset, const struct pb_rules *rules,
			      struct pb_error *error);
int pb_ruleset_publish(struct pb_ruleset *ruleset, const struct pb_rules *rules, __u64 confirm,
		       pb_bring_function *bring, struct pb_error *error);

/*
 * Interfaces have let go of the ruleset whose pb_config map has this id, by the programs `gone`:
 * where nobody uses it any more its pins are removed.
 */
int pb_ruleset_release(__u32 config_id, const __u32 *gone, size_t nr, struct pb_error *error);

/* Its pins are to stay for a later load, whoever lets go of it; until one loads it. */
int pb_ruleset_keep(__u32 config_id, struct pb_error *error);

#endif
