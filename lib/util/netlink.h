/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* One question to the kernel by netlink, over a socket that is open for that long. */
#ifndef PB_NETLINK_H
#define PB_NETLINK_H

#include <libmnl/libmnl.h>

#define PB_NETLINK_ROOM 1024 /* for a question */

/*
 * Sends `question`, of which type, flags and payload are set, and hands each message of the answer
 * to `take`, to its end. `bus` is NETLINK_*. 0 or a negative errno: the kernel's own, too.
 */
int pb_netlink_ask(int bus, struct nlmsghdr *question, mnl_cb_t take, void *context);

/* The same, of all interfaces of this network namespace: an RTM_NEWLINK each. */
int pb_netlink_links(mnl_cb_t take, void *context);

#endif
