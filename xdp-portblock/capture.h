/* SPDX-License-Identifier: GPL-2.0-only */
/* A pcap file with times in nanoseconds, by libpcap. All frames are Ethernet in it. */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <time.h>
#include <portblock/portblock.h>

struct capture;

/* "-" is standard output. FAILED after a message. */
int capture_open(const char *path, unsigned int snaplen, struct capture **capture);
/* A packet without link-layer header gets one of zeros. Less than 0: no more can be written. */
int capture_write(struct capture *capture, struct timespec at, const struct pb_event *event,
		  const unsigned char *data);
int capture_flush(struct capture *capture);
/* FAILED after a message. */
int capture_close(struct capture *capture);

#endif
