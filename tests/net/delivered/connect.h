/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests/net/delivered.c: TCP connections whose client is nobody's kernel but this program, so
 * that each of its segments can be a train.
 */
#ifndef DELIVERED_CONNECT_H
#define DELIVERED_CONNECT_H

#include "wire.h"

#define BATCH_MAX 24

/* How far a connection came at a port; shifted by 4, at the blocked one */
#define CONNECT_ANSWERED 1 /* the host sent its SYN and ACK */
#define CONNECT_ACCEPTED 2
#define CONNECT_READ 4 /* with all that was sent */
#define CONNECT_OPEN 0x0f
#define CONNECT_BLOCKED 0xf0

/* What of a connection is sent, in this order; without an answer the first only */
enum { CONNECT_SYN, CONNECT_ACK, CONNECT_DATA, CONNECT_TRAINS };

struct connection {
	uint32_t index, serial;
	bool ipv6, blocked;
	uint16_t sport;
	uint32_t sequence, answer;
	uint8_t came; /* CONNECT_... */
	struct train trains[CONNECT_TRAINS];
};

struct batch {
	struct wire *wire;
	uint64_t seed;
	bool all; /* send what a filter drops by the manual, too */
	unsigned int nr;
	struct connection connections[BATCH_MAX];
};

/* Connects nr times: index `first` and the following, serial likewise. */
void connect_batch(struct batch *batch, uint32_t first, uint32_t serial, unsigned int nr);

#endif
