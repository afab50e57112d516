/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What filter.c needs to know of an interface beyond struct pb_interface. */
#ifndef PB_INTERFACE_H
#define PB_INTERFACE_H

#include "portblock.h"

/* Our program, and the maps it uses. */
struct pb_instance {
	__u32 program_id;
	__u32 config_id; /* map ids */
	__u32 outcomes_id;
	bool frags; /* made for frames in several buffers */
	bool twin;  /* none that judges packets: what `explain` runs */
};

/* As pb_interface_get(), with the instance (zeroed where the interface is not loaded). */
int pb_interface_look(int ifindex, struct pb_interface *interface, struct pb_instance *instance,
		      struct pb_error *error);

/* -EBUSY where an obstacle is in the way of knowing what is on the interface. */
int pb_interface_clear(const struct pb_interface *interface, struct pb_error *error);

/* Is the program with this id ours? 1: yes, and the instance is filled; 0: no; or an error. */
int pb_instance_of(__u32 program_id, struct pb_instance *instance);

/*
 * How many programs in the kernel use the ruleset whose pb_config map has this id, those in
 * `without` left out: other mount and network namespaces included. Or an error.
 */
int pb_instances_count(__u32 config_id, const __u32 *without, size_t nr);

#endif
