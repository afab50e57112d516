// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The pins of a ruleset: made, opened and removed all at once. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "maps/folders.h"
#include "maps/lock.h"
#include "maps/pin.h"
#include "maps/pins.h"
#include "maps/readers.h"
#include "maps/rights.h"
#include "maps/segments.h"
#include "util/error.h"

static void pin_path(char path[PB_PATH_LEN], const char *ruleset, enum pb_map which)
{
	snprintf(path, PB_PATH_LEN, "%s/xdp-portblock/%s/%s", pb_bpffs(), ruleset,
		 pb_map_name(which));
}

static int remove_at(int at, const char *name);

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static int remove_content(int folder)
{
	DIR *open = fdopendir(folder);
	struct dirent *entry;
	int ret = open ? 0 : -errno;

	while (!ret && open && (entry = readdir(open)))
		if (!is_dots(entry->d_name))
			ret = remove_at(folder, entry->d_name);
	if (open)
		closedir(open);
	else
		close(folder);
	return ret;
}

/* Removes a folder with all that is in it, and what is no folder; what is not there is no fault. */
static int remove_at(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int ret = fd < 0 ? 0 : remove_content(fd);

	if (!ret && unlinkat(at, name, fd < 0 ? 0 : AT_REMOVEDIR) && errno != ENOENT)
		ret = -errno;
	return ret;
}

static int remove_folder(const char *path)
{
	return remove_at(AT_FDCWD, path);
}

/* The name under which a ruleset's pins are made, or unmade: no ruleset can have it. */
#define ASIDE '~'

static void aside(char path[PB_PATH_LEN], const char *ruleset)
{
	char name[PB_NAME_LEN + 1];

	snprintf(name, sizeof(name), "%s%c", ruleset, ASIDE);
	pb_pins_path(path, name);
}

static int make_folders(const char *folder, struct pb_error *error)
{
	static const char *const locks[] = { PB_LISTENER, PB_ELEMENTS };
	char path[PB_PATH_LEN + 16];
	int ret = pb_folder_make(folder, error);

	for (size_t i = 0; !ret && i < sizeof(locks) / sizeof(locks[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, locks[i]);
		ret = pb_folder_make(path, error);
	}
	return ret;
}

static int pin_all(const struct pb_maps *maps, const char *folder)
{
	char path[PB_PATH_LEN + 16];
	int ret = 0;

	for (int i = 0; !ret && i < PB_MAP_MAX; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, pb_map_name(i));
		ret = pb_pin_make(maps->fd[i], path, PB_PIN_MODE);
	}
	return ret ?: pb_segments_pin_all(maps, folder);
}

int pb_maps_pin(const struct pb_maps *maps, const char *ruleset, __u32 group,
		struct pb_error *error)
{
	char folder[PB_PATH_LEN], temporary[PB_PATH_LEN];
	int ret, made;

	pb_pins_path(folder, ruleset);
	aside(temporary, ruleset);
	ret = remove_folder(temporary); /* of somebody who was killed */
	if (ret)
		return pb_fail_permission(error, -ret, "pin the rules");
	made = make_folders(temporary, error);
	if (!made)
		ret = pin_all(maps, temporary);
	if (!made && !ret && group)
		ret = pb_readers_give(temporary, group);
	if (!made && !ret && rename(temporary, folder))
		ret = -errno;
	if (made || ret)
		remove_folder(temporary);
	return made ?: ret ? pb_fail_permission(error, -ret, "pin the rules") : 0;
}

int pb_maps_unpin(const char *ruleset, struct pb_error *error)
{
	char folder[PB_PATH_LEN], temporary[PB_PATH_LEN];
	int lock = pb_lock(ruleset, PB_LOCK_CHANGE, error), ret;

	/* What is no folder has no lock either. */
	if (lock < 0 && lock != -ENOENT && lock != -ENOTDIR)
		return lock;
	pb_pins_path(folder, ruleset);
	aside(temporary, ruleset);
	ret = remove_folder(temporary);
	if (!ret && rename(folder, temporary) && errno != ENOENT)
		ret = -errno;
	if (!ret)
		ret = remove_folder(temporary);
	pb_unlock(lock);
	if (ret)
		return pb_fail(error, -ret, "cannot remove the pins in %s: %s", folder,
			       strerror(-ret));
	return 0;
}

void pb_pins_tidy(void)
{
	int folder = pb_folder_open(NULL, NULL);
	char path[PB_PATH_LEN];

	if (folder < 0) /* somebody else's stays as it is */
		return;
	close(folder);
	pb_pins_path(path, NULL);
	rmdir(path);
}

/* Opens what is pinned there. -EPROTO: nothing that was pinned. */
static int open_pin(const char *ruleset, enum pb_map which)
{
	char path[PB_PATH_LEN];
	struct stat is;
	int fd, err;

	pin_path(path, ruleset, which);
	fd = pb_pin_open(path);
	if (fd >= 0)
		return fd;
	err = -fd;
	/* The kernel has one answer for no right, and for a folder or a link in the pin's place. */
	return !lstat(path, &is) && !S_ISREG(is.st_mode) ? -EPROTO : -err;
}

/* The id of a map of that name that is pinned there; -EPROTO: it is none. */
static int id_of_pin(const char *ruleset, enum pb_map which, __u32 *id)
{
	int fd = open_pin(ruleset, which), ret = 0;
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		ret = -errno;
	else if (strncmp(info.name, pb_map_name(which), sizeof(info.name)))
		ret = -EPROTO;
	else
		*id = info.id;
	close(fd);
	return ret;
}

/* Is the folder there, and root's or ours alone? */
static int check_folder(const char *ruleset)
{
	int folder = pb_folder_find(ruleset, NULL);

	if (folder >= 0)
		close(folder);
	return folder < 0 ? folder : 0;
}

int pb_pins_id(const char *ruleset, __u32 *id)
{
	return check_folder(ruleset) ?: id_of_pin(ruleset, PB_MAP_CONFIG, id);
}

int pb_pins_config(const char *ruleset, __u32 *id, struct pb_config *config)
{
	int fd = check_folder(ruleset) ?: open_pin(ruleset, PB_MAP_CONFIG), ret;
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	if (fd < 0)
		return fd;
	ret = pb_config_read(fd, config);
	if (!ret && bpf_obj_get_info_by_fd(fd, &info, &len))
		ret = -errno;
	close(fd);
	if (!ret)
		*id = info.id;
	return ret;
}

/*
 * Pins come and go all at once, and an id is given once: where pb_config has the same one before
 * and after the others were looked at, they were all of one folder.
 */
int pb_pins_check(const char *ruleset, const struct pb_config *config, __u32 config_id)
{
	int ret, wrong = 0;
	__u32 id;

	for (int i = 0; config->abi_version == PB_ABI_VERSION && i < PB_MAP_MAX; i++) {
		ret = id_of_pin(ruleset, i, &id);
		if (ret && ret != -ENOENT && ret != -EPROTO)
			return ret;
		if (ret || id != config->maps[i])
			wrong = -EPROTO;
	}
	ret = pb_pins_id(ruleset, &id);
	if (ret)
		return ret;
	return id == config_id ? wrong : -ENOENT;
}

static int fail_pin(const char *ruleset, enum pb_map which, int code, struct pb_error *error)
{
	char path[PB_PATH_LEN];

	pin_path(path, ruleset, which);
	if (code == ENOENT)
		return pb_fail(error, EPROTO,
			       "some of the maps of the ruleset '%s' are missing (%s): "
			       "`xdp-portblock unload --all`, then load again",
			       ruleset, path);
	if (code == EPROTO)
		return pb_fail(error, EPROTO,
			       "%s is no map of the ruleset '%s': `xdp-portblock unload --all`, "
			       "then load again",
			       path, ruleset);
	return pb_fail_permission(error, code, "open the pinned rules");
}

static int fail_version(const char *ruleset, __u32 version, struct pb_error *error)
{
	char path[PB_PATH_LEN];

	pb_pins_path(path, ruleset);
	return pb_fail(
		error, EPROTO,
		"the maps in %s are of another version of xdp-portblock (layout %u, this one "
		"has %u): unload with that version, or `xdp-portblock unload --all`, then "
		"load again",
		path, version, PB_ABI_VERSION);
}

/* Opens all pins, as far as they are there; the caller closes. */
static int open_pins(const char *ruleset, struct pb_maps *maps, struct pb_error *error)
{
	struct pb_config config;
	int missing = -1, nr = 0;

	for (int i = 0; i < PB_MAP_MAX; i++) {
		maps->fd[i] = open_pin(ruleset, i);
		if (maps->fd[i] == -ENOENT) {
			missing = i;
			nr++;
		} else if (maps->fd[i] < 0) {
			return fail_pin(ruleset, i, -maps->fd[i], error);
		} else if (i == PB_MAP_CONFIG && !pb_config_read(maps->fd[i], &config) &&
			   config.abi_version != PB_ABI_VERSION) {
			return fail_version(ruleset, config.abi_version, error);
		}
	}
	if (nr == PB_MAP_MAX)
		return -ENOENT;
	return nr ? fail_pin(ruleset, missing, ENOENT, error) : 0;
}

int pb_maps_open(const char *ruleset, struct pb_maps *maps, struct pb_error *error)
{
	struct pb_maps opened = PB_MAPS_NONE;
	enum pb_map wrong;
	int ret = open_pins(ruleset, &opened, error);

	if (!ret && (ret = pb_maps_prove(&opened, &wrong)))
		ret = fail_pin(ruleset, wrong, -ret, error);
	if (ret)
		pb_maps_close(&opened);
	else
		*maps = opened;
	return ret;
}

/* What was opened while pins came or went may be of two rulesets: then once more. */
int pb_maps_open_unlocked(const char *ruleset, struct pb_maps *maps, struct pb_error *error)
{
	__u32 before, after;
	bool known;
	int ret;

	do {
		known = !pb_pins_id(ruleset, &before);
		ret = pb_maps_open(ruleset, maps, error);
	} while (ret && known && (pb_pins_id(ruleset, &after) || after != before));
	return ret;
}

/* ---- What there is ----------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int append_name(char ***names, size_t *nr, const char *name)
{
	char **grown = reallocarray(*names, *nr + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	*names = grown;
	grown[*nr] = strdup(name);
	return grown[*nr] ? (++*nr, 0) : -ENOMEM;
}

static void free_names(char **names, size_t nr)
{
	while (nr--)
		free(names[nr]);
	free(names);
}

/* The names in the folder of all rulesets that are wanted. */
static int list_folder(bool (*wanted)(const char *name), char ***names, size_t *nr,
		       struct pb_error *error)
{
	int fd = pb_folder_open(NULL, error), ret = 0;
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	*names = NULL;
	*nr = 0;
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	while (!ret && folder && (entry = readdir(folder)))
		if (wanted(entry->d_name))
			ret = append_name(names, nr, entry->d_name);
	if (folder)
		closedir(folder);
	else
		close(fd);
	if (folder && !ret)
		return 0;
	free_names(*names, *nr);
	return pb_fail_memory(error);
}

static bool is_ruleset(const char *name)
{
	return !pb_ruleset_name_check(name, NULL);
}

int pb_ruleset_names(char ***names, size_t *nr, struct pb_error *error)
{
	char **found;
	size_t count;
	int ret = list_folder(is_ruleset, &found, &count, error);

	if (ret)
		return ret;
	if (count)
		qsort(found, count, sizeof(*found), compare_names);
	*names = found;
	*nr = count;
	return 0;
}

static bool is_aside(const char *name)
{
	size_t len = strlen(name);

	return len && name[len - 1] == ASIDE;
}

int pb_pins_sweep(struct pb_error *error)
{
	char path[PB_PATH_LEN], **names;
	size_t nr;
	int ret = list_folder(is_aside, &names, &nr, error), err = 0;

	if (ret)
		return ret;
	for (size_t i = 0; i < nr; i++) {
		pb_pins_path(path, names[i]);
		ret = remove_folder(path);
		if (ret)
			err = pb_fail(error, -ret, "cannot remove %s: %s", path, strerror(-ret));
	}
	free_names(names, nr);
	return err;
}
