// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "fleet/entries.h"

#define SLOTS_LEAST 64

/* Whoever is banned chooses his address: where it comes to lie he is not to know. */
static __u64 hash_of(const struct fleet_entries *entries, const struct pb_prefix *prefix)
{
	__u64 hash = entries->seed ^ prefix->family << 8 ^ prefix->len, part;

	for (size_t i = 0; i < sizeof(prefix->addr); i += sizeof(part)) {
		memcpy(&part, prefix->addr + i, sizeof(part));
		hash = (hash ^ part) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 29;
	}
	hash *= 0xbf58476d1ce4e5b9ULL ^ entries->seed << 1;
	return hash ^ hash >> 32;
}

static bool is_of(const struct fleet_entry *entry, const struct pb_prefix *prefix)
{
	return entry->prefix.family == prefix->family && entry->prefix.len == prefix->len &&
	       !memcmp(entry->prefix.addr, prefix->addr, sizeof(prefix->addr));
}

/* Where it is, or would be; there are free ones always. */
static __u32 *slot_of(const struct fleet_entries *entries, const struct pb_prefix *prefix)
{
	size_t at = hash_of(entries, prefix) & (entries->nr_slots - 1);

	while (entries->slots[at] && !is_of(&entries->list[entries->slots[at] - 1], prefix))
		at = (at + 1) & (entries->nr_slots - 1);
	return &entries->slots[at];
}

struct fleet_entry *fleet_entries_find(const struct fleet_entries *entries,
				       const struct pb_prefix *prefix)
{
	__u32 place = entries->nr_slots ? *slot_of(entries, prefix) : 0;

	return place ? &entries->list[place - 1] : NULL;
}

static void fill_slots(struct fleet_entries *entries)
{
	memset(entries->slots, 0, entries->nr_slots * sizeof(*entries->slots));
	for (size_t i = 0; i < entries->nr; i++)
		*slot_of(entries, &entries->list[i].prefix) = i + 1;
}

/* For one more: twice as many slots as entries, at least. */
static int make_room(struct fleet_entries *entries)
{
	size_t room = entries->room ? entries->room * 2 : SLOTS_LEAST / 2;
	struct fleet_entry *list;
	__u32 *slots;

	if (entries->nr < entries->room)
		return 0;
	if (!entries->seed && getrandom(&entries->seed, sizeof(entries->seed), GRND_NONBLOCK) < 0)
		entries->seed = pb_clock();
	list = reallocarray(entries->list, room, sizeof(*list));
	if (!list)
		return -ENOMEM;
	entries->list = list;
	slots = reallocarray(entries->slots, room * 2, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	entries->slots = slots;
	entries->nr_slots = room * 2;
	entries->room = room;
	fill_slots(entries);
	return 0;
}

struct fleet_entry *fleet_entries_make(struct fleet_entries *entries,
				       const struct pb_prefix *prefix)
{
	struct fleet_entry *found = fleet_entries_find(entries, prefix);

	if (found)
		return found;
	if (make_room(entries))
		return NULL;
	found = &entries->list[entries->nr++];
	*found = (struct fleet_entry){ .prefix = *prefix };
	*slot_of(entries, prefix) = entries->nr;
	return found;
}

int fleet_entries_touch(struct fleet_entries *entries, struct fleet_entry *entry)
{
	size_t room = entries->room_touched ? entries->room_touched * 2 : 64, *grown;

	if (entry->touched)
		return 0;
	if (entries->nr_touched == entries->room_touched) {
		grown = reallocarray(entries->touched, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		entries->touched = grown;
		entries->room_touched = room;
	}
	entries->touched[entries->nr_touched++] = entry - entries->list;
	entry->touched = true;
	return 0;
}

int fleet_entries_touch_all(struct fleet_entries *entries)
{
	int err = 0;

	for (size_t i = 0; !err && i < entries->nr; i++)
		err = fleet_entries_touch(entries, &entries->list[i]);
	return err;
}

void fleet_entries_untouch(struct fleet_entries *entries)
{
	for (size_t i = 0; i < entries->nr_touched; i++)
		entries->list[entries->touched[i]].touched = false;
	entries->nr_touched = 0;
}

void fleet_entries_sweep(struct fleet_entries *entries)
{
	size_t nr = 0;

	fleet_entries_untouch(entries);
	for (size_t i = 0; i < entries->nr; i++) {
		const struct fleet_entry *entry = &entries->list[i];

		if (entry->banned || entry->applied || entry->listed)
			entries->list[nr++] = *entry;
	}
	if (nr == entries->nr)
		return;
	entries->nr = nr;
	fill_slots(entries);
}

void fleet_entries_free(struct fleet_entries *entries)
{
	free(entries->list);
	free(entries->slots);
	free(entries->touched);
	*entries = (struct fleet_entries){};
}
