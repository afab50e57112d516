/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Connected sockets of this host that are bound to an interface, for which the program cannot find them elsewhere. */
#ifndef PB_BOUND_H
#define PB_BOUND_H

#include <stddef.h>

struct pb_bound {
	int ifindex;
	const char *protocol; /* "tcp" or "udp" */
	unsigned int port;    /* its own */
};

/* Lists those of this network namespace, by sock_diag; free() takes the list back. 0 or a negative errno. */
int pb_bound_list(struct pb_bound **sockets, size_t *nr);

#endif
