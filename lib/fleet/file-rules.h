/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules as a revision has them. */
#ifndef FLEET_FILE_RULES_H
#define FLEET_FILE_RULES_H

#include "fleet/records.h"

/* -EINVAL: the text of a file of rules names another file, by which line. What is wrong in it otherwise is not asked. */
int fleet_rules_alone(const char *text, struct pb_error *error);

/*
 * Reads the file of a revision, which is written to FOLDER/LOCAL.new for that; the caller removes it. -EINVAL: the
 * first that is wrong in it, and whether there is more; others are of this host, and may be over the next time. A file that names other files of the host is refused: whoever
 * owns etcd is not to read them. The caller frees `rules`.
 */
#define FLEET_RULES_NEW ".new"
int fleet_rules_read(const struct fleet_revision *revision, const char *folder, const char *local,
		     struct pb_rules **rules, struct pb_error *error);

/*
 * Are the rules in force what was wanted? Rules that end by themselves may have ended; counters, ids and elements of
 * sets do not matter.
 */
bool fleet_rules_same(const struct pb_rules *wanted, const struct pb_rules *in_force);

/* The same of a file that was written before: FOLDER/LOCAL and that end. No: it is not there. */
bool fleet_rules_are_of(const struct pb_rules *in_force, const char *folder, const char *local,
			const char *end);

#endif
