/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the driver of an interface can do with XDP, as the kernel tells it. */
#ifndef PB_DRIVER_H
#define PB_DRIVER_H

#include <linux/types.h>

/* Kernel: enum netdev_xdp_act (<linux/netdev.h>, since 6.3; Debian 12's headers are older). */
#define PB_DRIVER_NATIVE (1ULL << 0) /* NETDEV_XDP_ACT_BASIC */
#define PB_DRIVER_FRAGS (1ULL << 5)  /* NETDEV_XDP_ACT_RX_SG: frames in several buffers */

/*
 * Asks for the features of an interface's driver by the generic netlink family "netdev" (Linux 6.3).
 * 0, and `features` has NETDEV_XDP_ACT_* bits; -EOPNOTSUPP: the kernel cannot be asked; or an error.
 */
int pb_driver_features(int ifindex, __u64 *features);

#endif
