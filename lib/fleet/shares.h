/* SPDX-License-Identifier: GPL-2.0-only */
/* All sets that this host shares with the fleet, as the agent keeps them. */
#ifndef FLEET_SHARES_H
#define FLEET_SHARES_H

#include "fleet/share.h"

/* Zeroed, there are none. */
struct fleet_shares {
	struct fleet_share *list;
	size_t nr;
	struct fleet_spared spared; /* the agent fills it */
};

/* `conf`, `log` and `shares` have to be there as long. -ENOMEM. */
int fleet_shares_begin(struct fleet_shares *shares, const struct fleet_conf *conf,
		       const struct fleet_log *log);
void fleet_shares_end(struct fleet_shares *shares);

/* What is to be watched of them: so many keys and prefixes. */
#define FLEET_SHARE_KEYS 2
void fleet_shares_keys(const struct fleet_shares *shares, const char **keys);

/* As of fleet_share_read() and fleet_share_take(). */
int fleet_shares_read(struct fleet_shares *shares, struct fleet_etcd *etcd, __s64 *revision,
		      struct pb_error *error);
int fleet_shares_take(struct fleet_shares *shares, const struct fleet_change *change);
/* Does what is to be done now. Fails where etcd does. */
int fleet_shares_act(struct fleet_shares *shares, struct fleet_etcd *etcd, struct pb_error *error);
/* Takes out who is spared by now: etcd may not be reached before. Needs no etcd. */
void fleet_shares_spare(struct fleet_shares *shares);
/* Is nothing wrong with any of them? */
bool fleet_shares_good(const struct fleet_shares *shares);

#endif
