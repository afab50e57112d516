// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include "fleet/error.h"
#include "fleet/host-name.h"

int fleet_host_check(const char *host, struct pb_error *error)
{
	size_t len =
		strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	if (len && !host[len] && len <= FLEET_HOST_MAX && *host != '.')
		return 0;
	return fleet_fail(
		error, EINVAL,
		"'%.300s' is no name of a host: it has 1 to %d letters, digits, dots, - and _, and no "
		"dot at its beginning",
		host, FLEET_HOST_MAX);
}
