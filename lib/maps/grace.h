/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Waiting for packets that are being judged. */
#ifndef PB_GRACE_H
#define PB_GRACE_H

#include "maps/maps.h"

/*
 * Waits until no packet is judged by what it read of the maps before this call: a grace period of RCU, some ten
 * milliseconds.
 */
int pb_grace_period(const struct pb_maps *maps, struct pb_error *error);

/*
 * The same, in a tenth of a millisecond on few processors, where it can be had so: see grace.c. A test run
 * (BPF_PROG_TEST_RUN without live frames) is no packet here.
 */
int pb_grace_period_quick(const struct pb_maps *maps, struct pb_error *error);

#endif
