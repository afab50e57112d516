// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Unload, and the removal of rulesets that no interface uses. */
#include <stdlib.h>
#include <string.h>
#include "attach/attach.h"
#include "attach/exchange.h"
#include "attach/interface.h"
#include "maps/folders.h"
#include "maps/instance.h"
#include "maps/lock.h"
#include "maps/pins.h"
#include "maps/rights.h"
#include "maps/ruleset.h"
#include "util/error.h"
#include "util/log.h"

/* An interface of an unload. */
struct target {
	int ifindex;
	struct pb_instances ours;
};

/*
 * Programs that were taken off, to be left out where a ruleset's users are counted: the kernel may
 * have them still, for libxdp keeps descriptors.
 */
struct unload {
	struct target *targets;
	size_t nr;
	__u32 *gone;
	size_t nr_gone;
};

static int make_room(struct unload *unload, size_t nr, struct pb_error *error)
{
	unload->targets = calloc(nr + 1, sizeof(*unload->targets));
	unload->gone = calloc((nr + 1) * PB_CHAIN_PROGRAMS_MAX, sizeof(*unload->gone));
	return unload->targets && unload->gone ? 0 : pb_fail_memory(error);
}

static void clear(struct unload *unload)
{
	free(unload->targets);
	free(unload->gone);
}

static int add_target(struct unload *unload, int ifindex, struct pb_error *error)
{
	struct target *target = &unload->targets[unload->nr];
	struct pb_interface interface;
	int ret = pb_interface_look(ifindex, &interface, &target->ours, error);

	if (!ret)
		ret = pb_interface_clear(&interface, error);
	if (!ret && !interface.loaded)
		ret = pb_fail(error, ENOENT, "%s: xdp-portblock is not loaded on it%s",
			      interface.name,
			      interface.nr_chain ? " (another XDP program is)" : "");
	if (ret)
		return ret;
	target->ifindex = ifindex;
	unload->nr++;
	return 0;
}

/* All of ours, however many there are. */
static int take_off(struct unload *unload, const struct target *target, struct pb_error *error)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < target->ours.nr; i++) {
		ret = pb_detach(target->ifindex, target->ours.list[i].program_id, error);
		if (!ret)
			unload->gone[unload->nr_gone++] = target->ours.list[i].program_id;
	}
	return ret;
}

/* Before it is let go of, for then there is no way back. */
static int keep_rulesets(const struct target *target, struct pb_error *error)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < target->ours.nr; i++)
		ret = pb_ruleset_keep(target->ours.list[i].config_id, error);
	return ret;
}

static int release_target(const struct unload *unload, const struct target *target,
			  struct pb_error *error)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < target->ours.nr; i++)
		ret = pb_ruleset_release(target->ours.list[i].config_id, unload->gone,
					 unload->nr_gone, error);
	return ret;
}

static int release(const struct unload *unload, struct pb_error *error)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < unload->nr; i++)
		ret = release_target(unload, &unload->targets[i], error);
	return ret;
}

static int unload_locked(const int *ifindexes, size_t nr, bool keep, struct pb_error *error)
{
	struct unload unload = {};
	int ret = make_room(&unload, nr, error), released;

	for (size_t i = 0; !ret && i < nr; i++)
		ret = add_target(&unload, ifindexes[i], error);
	for (size_t i = 0; !ret && keep && i < nr; i++)
		ret = keep_rulesets(&unload.targets[i], error);
	for (size_t i = 0; !ret && i < nr; i++)
		ret = take_off(&unload, &unload.targets[i], error);
	if (unload.nr_gone && !keep) { /* of some, where another could not be taken off */
		released = release(&unload, ret ? NULL : error);
		ret = ret ?: released;
	}
	clear(&unload);
	return ret;
}

int pb_filter_unload(const int *ifindexes, size_t nr, bool keep, struct pb_error *error)
{
	PB_LOG_HERE();
	int lock, ret = pb_bpffs_check(error);

	if (ret)
		return ret;
	lock = pb_lock(NULL, PB_LOCK_CHANGE, error);
	if (lock >= 0) /* if that fails, all of ours are taken off all the same */
		pb_exchanges_recover(NULL, NULL);
	ret = lock < 0 ? lock : unload_locked(ifindexes, nr, keep, error);
	pb_pins_tidy();
	pb_unlock(lock);
	return ret;
}

/* One of all: a device that is gone by now is as good. */
static void unload_one(struct unload *unload, const struct pb_interface *interface, bool keep,
		       pb_unloaded_function *function, void *context)
{
	struct pb_error error;
	int ret = add_target(unload, interface->ifindex, &error);

	if (!ret && keep)
		ret = keep_rulesets(&unload->targets[unload->nr - 1], &error);
	if (!ret)
		ret = take_off(unload, &unload->targets[unload->nr - 1], &error);
	if (ret != -ENODEV)
		function(interface, ret ? &error : NULL, context);
}

static int unload_all_locked(bool keep, pb_unloaded_function *function, void *context,
			     struct pb_error *error)
{
	struct pb_interface **interfaces = NULL;
	struct unload unload = {};
	size_t nr = 0;
	int ret = pb_interface_list(&interfaces, &nr, error);

	if (!ret)
		ret = make_room(&unload, nr, error);
	for (size_t i = 0; !ret && i < nr; i++)
		unload_one(&unload, interfaces[i], keep, function, context);
	if (!ret && !keep)
		ret = release(&unload, error);
	clear(&unload);
	pb_interfaces_free(interfaces, nr);
	return ret;
}

int pb_filter_unload_all(bool keep, pb_unloaded_function *function, void *context,
			 struct pb_error *error)
{
	PB_LOG_HERE();
	int lock, ret = pb_bpffs_check(error);

	if (ret)
		return ret;
	lock = pb_lock(NULL, PB_LOCK_CHANGE, error);
	if (lock >= 0)
		pb_exchanges_recover(NULL, NULL);
	ret = lock < 0 ? lock : unload_all_locked(keep, function, context, error);
	pb_pins_tidy();
	pb_unlock(lock);
	return ret;
}

/* Another ruleset's pb_config, in a folder of which it is no part: its users are not this one's. */
static bool is_anothers(const char *name)
{
	struct pb_config config;
	__u32 id;

	return !pb_pins_config(name, &id, &config) && strcmp(config.ruleset, name) &&
	       pb_pins_check(name, &config, id) == -EPROTO;
}

/* By the map's id: what else the maps hold may be of another version. Or an error. */
static int count_users(const char *name)
{
	__u32 id;
	int ret = pb_pins_id(name, &id);

	if (ret == -ENOENT || ret == -EPROTO || ret == -ENOTDIR)
		return 0; /* none of ours: whatever it is, it is in the way */
	if (ret)
		return ret;
	return is_anothers(name) ? 0 : pb_instances_count(id, NULL, 0);
}

/* 1: yes, 0: no, or that can't be known; or an error. */
static int is_kept(const char *name, struct pb_error *error)
{
	struct pb_ruleset *ruleset;
	int ret = pb_ruleset_open(name, &ruleset, error);

	if (ret == -ENOENT || ret == -EPROTO || ret == -ENOTDIR)
		return 0;
	if (ret)
		return ret;
	ret = !!ruleset->maps.config->keep;
	pb_ruleset_close(ruleset);
	return ret;
}

static int remove_if_unused(const char *name, bool kept, size_t *removed, struct pb_error *error)
{
	int stays = count_users(name);

	if (stays < 0)
		return pb_fail_permission(error, -stays, "see who uses the ruleset: its pins stay");
	if (!stays && !kept)
		stays = is_kept(name, error);
	if (!stays)
		stays = pb_maps_unpin(name, error) ?: (++*removed, 0);
	return stays < 0 ? stays : 0;
}

int pb_rulesets_remove_unused(bool kept, size_t *removed, struct pb_error *error)
{
	PB_LOG_HERE();
	char **names = NULL;
	size_t nr = 0, count = 0;
	int lock, ret = pb_bpffs_check(error);

	if (ret)
		return ret;
	lock = pb_lock(NULL, PB_LOCK_CHANGE, error);
	ret = lock < 0 ? lock : pb_pins_sweep(error);
	if (!ret)
		ret = pb_ruleset_names(&names, &nr, error);
	for (size_t i = 0; i < nr; i++) {
		if (!ret)
			ret = remove_if_unused(names[i], kept, &count, error);
		free(names[i]);
	}
	free(names);
	pb_pins_tidy();
	pb_unlock(lock);
	if (!ret)
		*removed = count;
	return ret;
}
