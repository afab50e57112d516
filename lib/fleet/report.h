/* SPDX-License-Identifier: GPL-2.0-only */
/* What a host says of itself, as hosts/HOST of etcd has it. */
#ifndef FLEET_REPORT_H
#define FLEET_REPORT_H

#include "fleet/follow.h"
#include "fleet/shares.h"

/* Packets dropped or rejected by the interfaces of a ruleset, and when they were counted. Zeroed: not yet. */
struct fleet_drops {
	__u64 packets;
	long long at;	   /* ms */
	double per_second; /* two digits of it, so that it does not change with each look */
};

/*
 * The record as JSON; `count`: look at the drops anew. It has a time of 1970, which fleet_report_now() changes to now: what
 * changes but in its time is no other record. Interfaces that cannot be seen are left out. The caller frees; NULL: no
 * memory.
 */
char *fleet_report(const struct fleet_conf *conf, const struct fleet_follow *follows,
		   struct fleet_drops *drops, size_t nr, const struct fleet_shares *shares,
		   bool count);
void fleet_report_now(char *report);

/* What stays of it when the host is gone, as seen/HOST has it; likewise. */
char *fleet_report_seen(const struct fleet_conf *conf, const struct fleet_follow *follows,
			size_t nr);

#endif
