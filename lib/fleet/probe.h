/* SPDX-License-Identifier: GPL-2.0-only */
/* Does a host still reach what it needs, under rules that wait to be confirmed? */
#ifndef FLEET_PROBE_H
#define FLEET_PROBE_H

#include "fleet/conf.h"

/* What is called each few seconds while one waits, and comes back soon. */
struct fleet_meanwhile {
	void (*call)(void *context);
	void *context;
};

/*
 * Reads a key of etcd by a new connection, again and again until that works or the time is over (ms); then runs the
 * check-command, if there is one, which has what is left of it. The error says how long etcd was tried in all.
 */
int fleet_probe(const struct fleet_conf *conf, const char *key, long long ms,
		const struct fleet_meanwhile *meanwhile, struct pb_error *error);

/* Runs a program, by no shell, with nothing to read; -ETIMEDOUT: it was killed. -ECANCELED: it failed. */
int fleet_command_run(const struct fleet_list *words, long long ms,
		      const struct fleet_meanwhile *meanwhile, struct pb_error *error);

#endif
