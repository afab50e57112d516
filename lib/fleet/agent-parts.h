/* SPDX-License-Identifier: GPL-2.0-only */
/* The agent while it runs, and what its parts, agent*.c, offer each other; see agent.h for what others may ask. */
#ifndef FLEET_AGENT_PARTS_H
#define FLEET_AGENT_PARTS_H

#include "fleet/agent.h"
#include "fleet/etcd.h"
#include "fleet/membership.h"
#include "fleet/report.h"
#include "fleet/shares.h"

struct agent {
	const struct fleet_conf *conf;
	struct fleet_etcd *etcd;
	struct fleet_watch *watch;
	struct fleet_membership membership;
	struct fleet_followed *followed; /* what `follows` are about, */
	struct fleet_follow *follows;
	struct fleet_drops *drops;
	size_t nr; /* so many of each */
	struct fleet_shares shares;
	struct fleet_calls calls;
	const struct fleet_log *log;
	char *host_key, *seen_key;
	char *reported; /* what etcd has of us; NULL: nothing, or it is not known */
	char *seen;	/* likewise, of what stays when we are gone */
	__s64 lease;	/* 0: none */
	long long lease_seconds;
	long long tick, count, anew; /* when these are due (ms) */
	long long renew;	     /* and the lease, while a change is proved */
	int said;		     /* the last trouble, which is told once; 0: none */
	bool small;		     /* nothing came since memory was given back */
};

/* agent-record.c: what the host says of itself, and the lease that it says so by */

/* Writes what is not there yet. */
int fleet_agent_report(struct agent *agent, struct pb_error *error);
int fleet_agent_hold_lease(struct agent *agent, struct pb_error *error);
/* For struct fleet_calls, while a change is proved. */
void fleet_agent_stay_seen(void *agent);

/* agent-keys.c: what etcd has for this host */

/* All keys as they were at one moment. */
int fleet_agent_read_keys(struct agent *agent, __s64 *revision, struct pb_error *error);
int fleet_agent_watch_keys(struct agent *agent, __s64 from, struct pb_error *error);
/* Takes a change of a ruleset's key; false: it is none. */
bool fleet_agent_take_change(struct agent *agent, const struct fleet_change *change);
void fleet_agent_end_follows(struct agent *agent);
/* What is kept on this host is there, and cannot be read: -ENOMEM, -EMFILE, ... Returns `err`. */
int fleet_agent_cannot_know(const struct agent *agent, int err, struct pb_error *error);

#endif
