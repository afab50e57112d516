/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/fleet: one ruleset on many hosts, carried by etcd. It is no part of libportblock: it uses that as
 * any program does, and is linked into the tool alone. Conventions are those of portblock.h.
 */
#ifndef FLEET_ERROR_H
#define FLEET_ERROR_H

#include <errno.h>
#include <portblock/portblock.h>

/* Fills `error` (may be NULL) and returns -code, so that `return fleet_fail(...)` is one line. */
int fleet_fail(struct pb_error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* fleet_fail() with -ENOMEM. */
int fleet_fail_memory(struct pb_error *error);

#endif
