/* SPDX-License-Identifier: GPL-2.0-only */
/* The elements of a shared set: what the fleet says of each, and what was done of that on this host. */
#ifndef FLEET_ENTRIES_H
#define FLEET_ENTRIES_H

#include <portblock/portblock.h>

struct fleet_entry {
	struct pb_prefix prefix;
	bool banned;
	bool applied;	 /* we have put it into the host's set */
	bool restored;	 /* so it was by an agent before us, */
	bool otherwise;	 /* in another life of the kernel: `expires` is not known */
	bool had;	 /* the host had it before, */
	bool touched;	 /* it is among those to be looked at */
	bool left_out;	 /* the fleet wants it, and it has an address in it that is spared */
	__u32 listed;	 /* so many chunks of the list have it */
	__u32 seen;	 /* in which reading of all bans */
	__u64 before;	 /* until then; 0: for ever */
	__u64 expires;	 /* with `applied`: the end that we gave it */
	long long until; /* of the ban: see set-keys.h */
};

/* Zeroed, there are none. */
struct fleet_entries {
	struct fleet_entry *list;
	size_t nr, room;
	__u32 *slots; /* places in `list`, from 1 on, by hash; 0: none */
	size_t nr_slots;
	size_t *touched; /* places in `list` */
	size_t nr_touched, room_touched;
	__u64 seed;
};

/* NULL: there is none. */
struct fleet_entry *fleet_entries_find(const struct fleet_entries *entries,
				       const struct pb_prefix *prefix);
/* The same; one is made where there is none, and all others may be elsewhere then. NULL: no memory. */
struct fleet_entry *fleet_entries_make(struct fleet_entries *entries,
				       const struct pb_prefix *prefix);
/* It is to be looked at. -ENOMEM. */
int fleet_entries_touch(struct fleet_entries *entries, struct fleet_entry *entry);
int fleet_entries_touch_all(struct fleet_entries *entries);
/* All were looked at. */
void fleet_entries_untouch(struct fleet_entries *entries);
/* Forgets those of which neither the fleet nor the host has anything; none is touched then. */
void fleet_entries_sweep(struct fleet_entries *entries);
void fleet_entries_free(struct fleet_entries *entries);

#endif
