/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What load.c needs to know of an interface beyond struct pb_interface. */
#ifndef PB_INTERFACE_H
#define PB_INTERFACE_H

#include <portblock/portblock.h>

/* Our program, and the maps it uses. */
struct pb_instance {
	__u32 program_id;
	__u32 btf_id;	 /* of the program; 0: it has none */
	__u32 config_id; /* map ids */
	__u32 outcomes_id;
	__u32 exchange_id; /* 0: made by a version that had none */
	bool frags;	   /* made for frames in several buffers */
	bool twin;	   /* none that judges packets: what `explain` runs */
};

/* All of ours in an interface's chain, in the order in which they run. */
struct pb_instances {
	struct pb_instance list[PB_CHAIN_PROGRAMS_MAX];
	unsigned int nr;
	unsigned int shown; /* the one that struct pb_interface is about */
};

/* As pb_interface_get(), with the instances. */
int pb_interface_look(int ifindex, struct pb_interface *interface, struct pb_instances *instances,
		      struct pb_error *error);

/* -EBUSY where an obstacle is in the way of knowing what is on the interface. */
int pb_interface_clear(const struct pb_interface *interface, struct pb_error *error);

/* -EEXIST where more than one program of ours is on it. */
int pb_interface_single(const struct pb_interface *interface, struct pb_error *error);

/* Is the program with this id ours? 1: yes, and the instance is filled; 0: no; or an error. */
int pb_instance_of(__u32 program_id, struct pb_instance *instance);

/*
 * How many programs in the kernel use the ruleset whose pb_config map has this id, those in
 * `without` left out: other mount and network namespaces included. Or an error.
 */
int pb_instances_count(__u32 config_id, const __u32 *without, size_t nr);

#endif
