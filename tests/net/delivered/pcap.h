/* SPDX-License-Identifier: GPL-2.0-only */
/* For tests/net/delivered.c: the frames of a failure, written and sent again. */
#ifndef DELIVERED_PCAP_H
#define DELIVERED_PCAP_H

#include <stdio.h>
#include "wire.h"

FILE *pcap_create(const char *path, bool ethernet);
void pcap_write(FILE *file, const struct train *train);

/* Sends the frames and says what arrives; 1: something does at the blocked port, 0: nothing. */
int replay_pcap(struct wire *wire, const char *path);

#endif
