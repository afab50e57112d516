/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Why a driver refused the program, in its own words, and what helps. */
#ifndef PB_REFUSAL_H
#define PB_REFUSAL_H

#include <stddef.h>

/*
 * What the driver said when it refused the last program of this thread: util/log.h has kept it. NULL: nothing,
 * or what says no more than that it has no such mode.
 */
const char *pb_refusal(void);

/* What helps against that; "" if it is not known. */
void pb_refusal_help(const char *refusal, const char *ifname, char *text, size_t size);

#endif
