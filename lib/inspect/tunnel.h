/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Devices of this host out of which packets come that the device below shows in a wrapping. */
#ifndef PB_TUNNEL_H
#define PB_TUNNEL_H

#include <net/if.h>
#include <stddef.h>

struct pb_tunnel {
	int ifindex;
	char name[IF_NAMESIZE];
	char kind[16]; /* as `ip -d link` calls it */
};

/*
 * Lists those of this network namespace that are up; free() takes the list back. Those that are not
 * made through rtnetlink (L2TP, PPP, IPsec without a device) it does not know.
 */
int pb_tunnels_list(struct pb_tunnel **tunnels, size_t *nr);

#endif
