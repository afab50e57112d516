/* SPDX-License-Identifier: GPL-2.0-only */
/* What sources.bpf.c, peers.bpf.c and those who load them share. */
#ifndef SOURCES_H
#define SOURCES_H

#include <linux/types.h>

/* In the frames tcp4 and tcp6 of bench.h. */
#define AT_CHECKSUM4 24
#define AT_SOURCE4 26
#define AT_SOURCE6 22

struct source {
	__u32 addr[4];	/* network order; IPv4 in the first */
	__u16 checksum; /* of the IPv4 header with it */
	__u16 reserved[3];
};

#endif
