/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules that a host had before the fleet's first revision: FOLDER/LOCAL.before, in the text form. They are kept from
 * the first attempt of a revision on until one is known to be good, so that one that is stopped before has a way back, too.
 */
#ifndef FLEET_BEFORE_H
#define FLEET_BEFORE_H

#include "fleet/records.h"

bool fleet_before_is_there(const char *folder, const char *local);
/* The rules are these; sets are named in them, and keep what they have. */
int fleet_before_keep(const char *folder, const char *local, const struct pb_rules *now,
		      struct pb_error *error);
void fleet_before_forget(const char *folder, const char *local);

/* As a revision without a number, which no etcd has. NULL: they are not there, or no memory. The caller frees. */
struct fleet_revision *fleet_before_revision(const char *folder, const char *local,
					     const char *ruleset);
/* Their rules. The files that they name are the host's own. The caller frees `rules`. */
int fleet_before_read(const char *folder, const char *local, struct pb_rules **rules,
		      struct pb_error *error);

#endif
