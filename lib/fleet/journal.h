/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which elements of a host's set are the fleet's, in a file: an agent that begins anew is to take away what the fleet has
 * taken away meanwhile, and nothing that somebody else has put there.
 */
#ifndef FLEET_JOURNAL_H
#define FLEET_JOURNAL_H

#include "fleet/conf.h"
#include "fleet/entries.h"

/* Reads STATE/RULESET.SET.set into `entries`, as restored; lines that are none are left out. -ENOMEM. */
int fleet_journal_read(const struct fleet_conf *conf, const struct fleet_shared *names,
		       struct fleet_entries *entries);
/* Writes it anew, of what is applied. */
int fleet_journal_write(const struct fleet_conf *conf, const struct fleet_shared *names,
			const struct fleet_entries *entries, struct pb_error *error);

/* Lines for its end, which are written at once. */
struct fleet_lines {
	char *text;
	size_t len, room;
};
/* As `entry` will be: applied, or no longer. -ENOMEM. */
int fleet_lines_add(struct fleet_lines *lines, const struct fleet_entry *entry);
int fleet_journal_append(const struct fleet_conf *conf, const struct fleet_shared *names,
			 const struct fleet_lines *lines, struct pb_error *error);
void fleet_lines_free(struct fleet_lines *lines);

#endif
