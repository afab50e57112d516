/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The sets of a ruleset in another one, which nobody uses: as they are, or as they would be. */
#ifndef PB_MAPS_TRIED_H
#define PB_MAPS_TRIED_H

#include "maps/maps.h"
#include "rules/rules.h"

/* What is to become of the sets, as it is tried. */
struct pb_sets_trial {
	const struct pb_saved *saved; /* comes to them first; NULL: nothing */
	const struct pb_set_prospect *sets;
	size_t nr;
	const struct pb_prefix *hosts; /* other addresses need not be in them */
	size_t nr_hosts;
};

/*
 * Gives a ruleset that nobody uses the sets of another one, elements included: so whoever tries `rules` out has
 * them. They are shared, or, where the rules bring elements of their own, copied with these, which `rules` are then
 * told; or, with a `trial` (else NULL) that says something, they are what it says. Returns a lock that holds them as
 * they are, for the caller to release, or -errno.
 */
int pb_sets_share(struct pb_maps *maps, const char *ruleset, const struct pb_rules *rules,
		  const struct pb_sets_trial *trial, struct pb_error *error);

#endif
