/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What a connection looks like on the wire, where this host translates its addresses. */
#ifndef PB_CONNTRACK_H
#define PB_CONNTRACK_H

#include <portblock/portblock.h>

/*
 * Finds the addresses and ports that the client's packets have before the connection tracking of
 * this network namespace translates them. `wire` is then those, or `connection` as it is where it is
 * not tracked. A negative errno: it cannot be asked.
 */
int pb_conntrack_wire(const struct pb_connection *connection, struct pb_connection *wire);

#endif
