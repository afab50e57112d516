/* SPDX-License-Identifier: GPL-2.0-only */
/* Looking at what the fleet has of a shared set: bans and the list. `name` is the fleet's. */
#ifndef FLEET_SET_CONTENT_H
#define FLEET_SET_CONTENT_H

#include "fleet/etcd.h"
#include "fleet/set-keys.h"

struct fleet_banned {
	struct pb_prefix prefix;
	struct fleet_ban ban;
};

/* What there is, as it is at one moment. */
struct fleet_content {
	struct fleet_banned *bans; /* as etcd sorts their keys */
	size_t nr_bans;
	size_t wrong; /* bans beside those that are none */
	bool listed;  /* there is a list: */
	__u32 nr;     /* elements */
	size_t chunks;
};

int fleet_content_read(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *name,
		       struct fleet_content *content, struct pb_error *error);
void fleet_content_free(struct fleet_content *content);

#endif
