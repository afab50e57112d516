/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests/net/delivered.c: the device into which frames are put, and the sockets at which the
 * kernel delivers. The kernel is the only judge.
 */
#ifndef DELIVERED_WIRE_H
#define DELIVERED_WIRE_H

#include "train.h"

#define SOCKETS_MAX 8
#define WIRE_CHUNK 120 /* frames: less than a veth device's ring holds */

/* What a test of the one kind or the other wants to hear of */
struct listener {
	void *context;
	/* A datagram with DATAGRAM_MAGIC */
	void (*datagram)(void *context, uint32_t index, bool blocked);
	/* A packet that the host sends, from its IP header on; NULL: nobody listens */
	void (*answer)(void *context, const unsigned char *packet, unsigned int len);
};

struct wire {
	struct place place;
	int out, ears; /* the same for tun */
	struct wire_socket {
		int fd;
		bool blocked;
	} sockets[SOCKETS_MAX];
	unsigned int nr_sockets;
	int tcp[2][2], sctp[2][2]; /* listening: [IPv6][blocked] */
	uint32_t marker;
	bool heard_marker, heard_echo;
	const struct listener *listener;
	struct frame chunk[WIRE_CHUNK];
	unsigned int nr_chunk;
};

/*
 * `device` is HERE@THERE@NETNS for a veth pair, of which the end THERE is in another namespace,
 * or HERE for a tun device. `place` comes with addresses, ports and what else is known of the
 * host. All that fails ends the program.
 */
void wire_open(struct wire *wire, const char *device, const struct place *place);
/* The frame is on its way when wire_settle() returns, or before. */
void wire_put(struct wire *wire, const struct frame *frame);
/*
 * Sends what was put, and a marker behind it: when that has arrived, so has all that was put
 * before, if it ever does. Where `listener` hears answers, these have come, too.
 */
void wire_settle(struct wire *wire);

void die(const char *what) __attribute__((noreturn));

#endif
