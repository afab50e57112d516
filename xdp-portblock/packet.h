/* SPDX-License-Identifier: GPL-2.0-only */
/* A packet made from options: --proto, --port, --sport, --from, --to. */
#ifndef PACKET_H
#define PACKET_H

#include "tool.h"

#define PACKET_MAX 128

bool packet_options_given(const struct arguments *arguments);
/* WRONG_USAGE after a message. */
int packet_build(const struct arguments *arguments, bool ethernet, unsigned char *frame,
		 size_t *length);

#endif
