/* SPDX-License-Identifier: GPL-2.0-only */
/* The packets of a capture as frames that come in on an interface: pcap and pcapng, by libpcap. */
#ifndef FRAMES_H
#define FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include "link-type.h"

struct frames;

struct frame {
	size_t number; /* of the packet in the file, from 1 */
	const unsigned char *bytes;
	size_t length; /* of the bytes, which are what is to be run */
	size_t needed; /* all that the program reads: cut behind it, the verdict is the same */
	size_t captured, whole; /* what the file has of the packet, and its length on the wire */
	bool truncated;		/* what the program would read next is not captured */
	char why_not[WHY_NOT];	/* not empty: it is no frame of such an interface */
};

/* "-" is standard input. FAILED after a message. */
int frames_open(const char *path, bool ethernet, struct frames **frames);
/* 1: `frame` is the next one, until the next call. 0: the end. -1: an error, after a message. */
int frames_next(struct frames *frames, struct frame *frame);
void frames_close(struct frames *frames);

#endif
