/* SPDX-License-Identifier: GPL-2.0-only */
/* What a host may be called. */
#ifndef FLEET_HOST_NAME_H
#define FLEET_HOST_NAME_H

#include <portblock/portblock.h>

#define FLEET_HOST_MAX 253 /* bytes */

/* Letters, digits, dots, - and _, and no dot at its beginning. -EINVAL quotes it. */
int fleet_host_check(const char *host, struct pb_error *error);

#endif
