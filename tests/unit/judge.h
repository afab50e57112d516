/* SPDX-License-Identifier: GPL-2.0-only */
/* The manual's words turned into loops: slow, and nothing of the compiler in it. */
#ifndef JUDGE_H
#define JUDGE_H

#include <portblock/portblock.h>
#include "rules/rules.h"

/* Sets are named a, b, c, ...: their numbers are 0, 1, 2, ... */
#define SET_NUMBER(name) ((name)[0] - 'a')

/* Rules share them, so that there are no more than 64. */
#define BEYOND(id) (1ULL << (id) % 64)

/* A packet, and the time at which it comes. */
struct packet {
	enum pb_proto proto; /* PB_PROTO_MAX: it has no ports */
	__u16 sport;
	__u16 dport;
	__u8 family;
	__u8 addr[16];	 /* source */
	__u64 sets;	 /* that hold the source: bit 1 << number */
	__u64 beyond;	 /* the rates that it is over: bit BEYOND(rule's id) */
	bool connection; /* of this host */
	__u64 now;
};

struct verdict {
	__u32 rule; /* 0: none matched */
	enum pb_outcome outcome;
};

struct verdict judge_packet(const struct pb_rules *rules, const struct packet *packet);

#endif
