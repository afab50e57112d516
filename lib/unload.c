// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Unload, and the removal of rulesets that no interface uses. */
#include <stdlib.h>
#include "attach.h"
#include "error.h"
#include "interface.h"
#include "lock.h"
#include "ruleset.h"

static int unload_locked(const int *ifindexes, size_t nr, bool keep, struct pb_error *error)
{
	struct pb_instance instances[PB_INTERFACES_MAX];
	struct pb_interface interface;
	__u32 gone[PB_INTERFACES_MAX];
	int ret = 0;

	for (size_t i = 0; !ret && i < nr; i++) {
		ret = pb_interface_look(ifindexes[i], &interface, &instances[i], error);
		if (!ret && !interface.loaded)
			ret = pb_fail(error, ENOENT, "%s: xdp-portblock is not loaded on it%s",
				      interface.name,
				      interface.nr_chain ? " (another XDP program is)" : "");
		gone[i] = instances[i].program_id;
	}
	for (size_t i = 0; !ret && i < nr; i++)
		ret = pb_detach(ifindexes[i], instances[i].program_id, error);
	for (size_t i = 0; !ret && i < nr; i++)
		ret = pb_ruleset_release(instances[i].config_id, gone, nr, keep, error);
	return ret;
}

int pb_filter_unload(const int *ifindexes, size_t nr, bool keep, struct pb_error *error)
{
	int lock, ret = pb_bpffs_check(error);

	if (ret)
		return ret;
	if (nr > PB_INTERFACES_MAX)
		return pb_fail(error, EINVAL, "%zu interfaces are too many at once: at most %d", nr,
			       PB_INTERFACES_MAX);
	lock = pb_lock(NULL, PB_LOCK_CHANGE, error);
	ret = lock < 0 ? lock : unload_locked(ifindexes, nr, keep, error);
	pb_pins_tidy();
	pb_unlock(lock);
	return ret;
}

/* By the map's id: what else the maps hold may be of another version. */
static bool is_used(const char *name)
{
	__u32 id = pb_pins_id(name);

	return id && pb_instances_count(id, NULL, 0) != 0;
}

static bool is_kept(const char *name)
{
	struct pb_ruleset *ruleset;
	bool keep = false;

	if (!pb_ruleset_open(name, &ruleset, NULL)) {
		keep = ruleset->maps.config->keep;
		pb_ruleset_close(ruleset);
	}
	return keep;
}

static int remove_if_unused(const char *name, bool kept, size_t *removed, struct pb_error *error)
{
	char path[PB_PATH_LEN];
	int ret;

	if (is_used(name) || (!kept && is_kept(name)))
		return 0;
	pb_pins_path(path, name);
	ret = pb_maps_unpin(path, error);
	if (!ret)
		++*removed;
	return ret;
}

int pb_rulesets_remove_unused(bool kept, size_t *removed, struct pb_error *error)
{
	char **names = NULL;
	size_t nr = 0, count = 0;
	int lock, ret = pb_bpffs_check(error);

	if (ret)
		return ret;
	lock = pb_lock(NULL, PB_LOCK_CHANGE, error);
	ret = lock < 0 ? lock : pb_ruleset_names(&names, &nr, error);
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
