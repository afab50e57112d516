/* SPDX-License-Identifier: GPL-2.0-only */
/* Changing what the fleet has of a shared set: bans and the list. `name` is the fleet's. */
#ifndef FLEET_PUBLISH_H
#define FLEET_PUBLISH_H

#include "fleet/etcd.h"
#include "fleet/set-keys.h"

/*
 * Bans them (each once), in this host's name, for so long (ns; 0: for ever). What failed may be done in part, and may be
 * done again.
 */
int fleet_bans_put(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *name,
		   const struct pb_element *elements, size_t nr, __u64 timeout,
		   struct pb_error *error);
/* Takes bans away; one that is not there is no error. */
int fleet_bans_delete(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *name,
		      const struct pb_element *elements, size_t nr, struct pb_error *error);
/* All of them. */
int fleet_bans_flush(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *name,
		     struct pb_error *error);

struct fleet_published {
	size_t chunks;	/* of the list */
	size_t written; /* of those: they were not there */
	size_t deleted; /* of the list before */
};

/*
 * Makes these (sorted, each once; none: there is no list) the list. Only chunks that differ are written, before
 * the list is, and those of no list any more are deleted. -EBUSY: another process is at it, and it says who.
 */
int fleet_list_put(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *name,
		   const struct pb_element *elements, size_t nr, struct fleet_published *published,
		   struct pb_error *error);

#endif
