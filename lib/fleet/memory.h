/* SPDX-License-Identifier: GPL-2.0-only */
/* What the agent knows of a ruleset while it is off: files in the folder `state` of fleet.conf. */
#ifndef FLEET_MEMORY_H
#define FLEET_MEMORY_H

#include "fleet/records.h"

/* NAME.json there. Zeroed, nothing is known. */
struct fleet_memory {
	char local[PB_NAME_LEN];
	char id[FLEET_HASH_LEN];  /* the revision in force, confirmed; "": none */
	__s64 in_force;		  /* its number */
	__s64 generation;	  /* the ruleset's with it, */
	char *boot;		  /* in which life of the kernel */
	char remote[PB_NAME_LEN]; /* its ruleset in the fleet; "": not known */
	char failed_id[FLEET_HASH_LEN];
	__s64 failed;		     /* its number; 0: none has failed */
	char *reason;		     /* why */
	char trying[FLEET_HASH_LEN]; /* the revision that waits to be confirmed, or whose agent was killed then */
	__u32 attempts; /* so often */
	/* Of the newest signed revision that was in force here when it was the good one; "": there was none. */
	char settled[FLEET_TIME_LEN];
	__s64 settled_revision;
};

/* `memory` is zeroed but for `local`; a file that is not there, or is none of ours, is nothing known. -ENOMEM, -EMFILE, ... */
int fleet_memory_read(const char *folder, struct fleet_memory *memory);
/* In one step. The folder is made, for root alone, where it is not there. */
int fleet_memory_write(const char *folder, const struct fleet_memory *memory,
		       struct pb_error *error);
/* Frees its texts. */
void fleet_memory_clear(struct fleet_memory *memory);

/* The kernel's life now, as it calls it. */
const char *fleet_boot(void);

/*
 * Writes FOLDER/NAME with that end (".rules") in one step; only its owner may read it. `path` gets its name. With `sync`
 * what is written is on the disk before the name is.
 */
#define FLEET_PATH_MAX 512
int fleet_file_write(const char *folder, const char *name, const char *end, const char *text,
		     bool sync, char path[FLEET_PATH_MAX], struct pb_error *error);

/* What stands there, and a NUL; the caller frees. NULL: nothing (errno ENOENT), or it cannot be read. */
char *fleet_file_load(const char *folder, const char *name, const char *end, size_t *len);

/* FOLDER/NAME gets another end; what has that is replaced. */
void fleet_file_rename(const char *folder, const char *name, const char *from, const char *to);
/* It is removed, if it is there. */
void fleet_file_remove(const char *folder, const char *name, const char *end);

#endif
