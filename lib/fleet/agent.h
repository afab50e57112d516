/* SPDX-License-Identifier: GPL-2.0-only */
/* The agent: keeps the rulesets of this host what the fleet's etcd says. */
#ifndef FLEET_AGENT_H
#define FLEET_AGENT_H

#include "fleet/conf.h"
#include "fleet/log.h"

/*
 * Follows until it is killed, at whatever point, by which no rule is lost: it returns only where it cannot begin
 * (-ENOPKG, -ENOMEM, -EINVAL: no rulesets, groups or sets are named). Where etcd is not reached, the rules in force stay, and it tries
 * again, after pauses that grow.
 */
int fleet_agent_run(const struct fleet_conf *conf, const struct fleet_log *log,
		    struct pb_error *error);

/* Does once what is to be done. -ENOMSG: a ruleset has not what it is to have; the log was told which. */
int fleet_agent_once(const struct fleet_conf *conf, const struct fleet_log *log,
		     struct pb_error *error);

#endif
