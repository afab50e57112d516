/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* An instance: a program of ours that obeys a ruleset, wherever it is attached. */
#ifndef PB_INSTANCE_H
#define PB_INSTANCE_H

#include <portblock/portblock.h>

/* Our program, and the maps it uses. */
struct pb_instance {
	__u32 program_id;
	__u32 btf_id;	 /* of the program; 0: it has none */
	__u32 config_id; /* map ids */
	__u32 outcomes_id;
	__u32 exchange_id; /* 0: made by a version that had none */
	bool frags;	   /* made for frames in several buffers */
	bool native;	   /* by the engine in the kernel module */
	bool test_run;	   /* none that judges packets: what `explain` runs */
};

/* Is the program with this id ours? 1: yes, and the instance is filled; 0: no; or an error. */
int pb_instance_of(__u32 program_id, struct pb_instance *instance);

/*
 * How many programs in the kernel use the ruleset whose pb_config map has this id, those in
 * `without` left out: other mount and network namespaces included. Or an error.
 */
int pb_instances_count(__u32 config_id, const __u32 *without, size_t nr);

#endif
