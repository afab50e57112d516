/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* One program on one interface. attach.c and interface.c are the only users of libxdp. */
#ifndef PB_ATTACH_H
#define PB_ATTACH_H

#include "maps/instance.h"
#include "maps/maps.h"

struct pb_attach {
	const struct pb_maps *maps; /* of the ruleset */
	enum pb_mode mode;
	bool native;	   /* the engine in the kernel module */
	int priority;	   /* 0: PB_PRIORITY_DEFAULT */
	__u32 outcomes_id; /* the map of counters to go on with; 0: new ones */
	__u32 exchange_id; /* the map of turns with the program beside it; 0: none is there */
	__u32 number;	   /* its own there */
};

/*
 * Attaches an instance of our program to an interface that has none. `auto` tries native mode,
 * then skb mode where the driver is the reason; `note` (256 bytes) then says so.
 */
int pb_attach(const struct pb_attach *how, const struct pb_interface *interface, char note[256],
	      struct pb_error *error);

/* Attaches one to an interface that has another, under the dispatcher; mode as it is. */
int pb_attach_beside(const struct pb_attach *how, const struct pb_interface *interface,
		     struct pb_error *error);

/*
 * Attaches one in the place of a single program, by the kernel in one step, if it is still the one
 * that was seen; mode as it is. On failure the old one stays.
 */
int pb_attach_over(const struct pb_attach *how, const struct pb_interface *interface,
		   struct pb_error *error);

/*
 * Takes the program with that id off; others of the chain stay. Where libxdp fails and yet has
 * taken it off, that is success; on failure it is there as before.
 */
int pb_detach(int ifindex, __u32 program_id, struct pb_error *error);

#endif
