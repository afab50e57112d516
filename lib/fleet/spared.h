/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses by which this host reaches its etcd. Who may ban in the fleet may ban any address: of these, none gets into
 * a set whose elements are kept out, for the host would hear of nothing any more, not even that the ban is lifted.
 */
#ifndef FLEET_SPARED_H
#define FLEET_SPARED_H

#include "fleet/conf.h"

#define FLEET_SPARED_MAX 256

/* Zeroed, there are none. */
struct fleet_spared {
	struct pb_prefix hosts[FLEET_SPARED_MAX];
	size_t nr;
	size_t next;   /* whose place the next one takes, where there is no more room */
	__u32 changes; /* so often one has come */
};

/* One more, as it is written; what is no address is none. */
void fleet_spared_add(struct fleet_spared *spared, const char *address);
/* Those that `endpoints` say, and what their names mean now: it may wait for an answer of the DNS. */
void fleet_spared_resolve(struct fleet_spared *spared, const struct fleet_conf *conf);
/* The first that is in a prefix; NULL: none is. */
const struct pb_prefix *fleet_spared_in(const struct fleet_spared *spared,
					const struct pb_prefix *prefix);
/* Do these rules let in who is in a set, and keep nobody out for it? Then it is no set of bans. */
bool fleet_set_lets_in(const struct pb_rules *rules, const char *set);

#endif
