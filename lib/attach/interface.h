/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What load.c needs to know of an interface beyond struct pb_interface. */
#ifndef PB_INTERFACE_H
#define PB_INTERFACE_H

#include "maps/instance.h"

/* All of ours in an interface's chain, in the order in which they run. */
struct pb_instances {
	struct pb_instance list[PB_CHAIN_PROGRAMS_MAX];
	unsigned int nr;
	unsigned int shown; /* the one that struct pb_interface is about */
};

/* As pb_interface_get(), with the instances. */
int pb_interface_look(int ifindex, struct pb_interface *interface, struct pb_instances *instances,
		      struct pb_error *error);

/* As pb_interface_get(), into memory of the caller's. */
int pb_interface_see(int ifindex, struct pb_interface *interface, struct pb_error *error);

/* -EBUSY where an obstacle is in the way of knowing what is on the interface. */
int pb_interface_clear(const struct pb_interface *interface, struct pb_error *error);

/* -EEXIST where more than one program of ours is on it. */
int pb_interface_single(const struct pb_interface *interface, struct pb_error *error);

#endif
