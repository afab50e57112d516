/* SPDX-License-Identifier: GPL-2.0-only */
/* Who carries the rollout of a ruleset: one process at a time, by a key under a lease. */
#ifndef FLEET_ELECTION_H
#define FLEET_ELECTION_H

#include "fleet/etcd.h"
#include "fleet/records.h"

/* Seconds after which etcd takes a process that says nothing for dead. */
#define FLEET_ELECTION_TTL 10

struct fleet_election {
	struct fleet_etcd *etcd;
	char *key;
	char *value; /* who we are */
	__s64 lease;
	__s64 held; /* create_revision of the key: what is written is written only while that holds */
	__u64 kept; /* when etcd last heard of us, by pb_clock() */
};

/* `key` (rollouts/NAME in whole) is copied. -EBUSY: says who has it. */
int fleet_election_take(struct fleet_etcd *etcd, const char *key,
			const struct fleet_carrier *carrier, struct fleet_election *election,
			struct pb_error *error);
/*
 * Keeps the lease where it is time to; one that has ended is taken again. -EBUSY: another has it now; others: etcd
 * does not answer, try again.
 */
int fleet_election_keep(struct fleet_election *election, struct pb_error *error);
/* Milliseconds until it has to be kept again. */
int fleet_election_due(const struct fleet_election *election);
/* Lets go, so that another need not wait; frees what it holds. One that is zeroed is none. */
void fleet_election_leave(struct fleet_election *election);

#endif
