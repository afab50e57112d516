/* SPDX-License-Identifier: GPL-2.0-only */
/* What sources.bpf.c, peers.bpf.c and those who load them share. */
#ifndef SOURCES_H
#define SOURCES_H

#include <linux/types.h>

/* In the frames tcp4 and tcp6 of bench.h. */
#define AT_CHECKSUM4 24
#define AT_SOURCE4 26
#define AT_SOURCE6 22

/* The barest table: buckets of words, and cells, so many for each bucket, that say which lengths are worth a look. */
#define PEER_WORDS 8
#define PEER_CELLS 32
#define PEER_HAS_32 1
#define PEER_HAS_24 2
#define PEER_WORD(address, len) ((__u64)(address) << 8 | (len))
#define PEER_MIX(number, factor) (((number) ^ (number) >> 32) * (factor))
#define PEER_HASH(word) (PEER_MIX((__u64)(word)*0x9e3779b97f4a7c15ULL, 0xc2b2ae3d27d4eb4fULL) >> 29)

struct source {
	__u32 addr[4];	/* network order; IPv4 in the first */
	__u16 checksum; /* of the IPv4 header with it */
	__u16 reserved[3];
};

#endif
