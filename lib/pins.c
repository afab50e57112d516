// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Where the maps are pinned: one directory a ruleset, below xdp-portblock/ on bpffs. */
#include <linux/magic.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "error.h"
#include "maps.h"

static const char *const pin_names[PB_MAP_MAX] = {
	[PB_MAP_CONFIG] = "pb_config",	 [PB_MAP_PORTS] = "pb_ports",
	[PB_MAP_HEADS] = "pb_heads",	 [PB_MAP_DECISIONS] = "pb_decisions",
	[PB_MAP_SOURCES] = "pb_sources", [PB_MAP_RULES] = "pb_rules",
	[PB_MAP_RANGES] = "pb_ranges",	 [PB_MAP_PREFIXES] = "pb_prefixes",
	[PB_MAP_COUNTS] = "pb_counts",	 [PB_MAP_EVENTS] = "pb_events",
	[PB_MAP_METERS] = "pb_meters",
};

const char *pb_bpffs(void)
{
	const char *path = getenv("LIBXDP_BPFFS"); /* so that libxdp and we agree */

	return path && *path ? path : "/sys/fs/bpf";
}

void pb_pins_path(char path[PB_PATH_LEN], const char *ruleset)
{
	snprintf(path, PB_PATH_LEN, "%s/xdp-portblock%s%s", pb_bpffs(), ruleset ? "/" : "",
		 ruleset ?: "");
}

int pb_bpffs_check(struct pb_error *error)
{
	struct statfs fs;

	if (!statfs(pb_bpffs(), &fs) && fs.f_type == BPF_FS_MAGIC)
		return 0;
	return pb_fail(error, ENODEV,
		       "bpffs, where the rules are pinned, is not mounted on %s: mount it with "
		       "`mount -t bpf bpf %s`",
		       pb_bpffs(), pb_bpffs());
}

/* CAP_NET_ADMIN 12, CAP_SYS_ADMIN 21, CAP_BPF 39 of the effective set. */
static __u64 effective_capabilities(void)
{
	char line[256];
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long long set = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %llx", &set) == 1)
			break;
	if (file)
		fclose(file);
	return set;
}

int pb_fail_permission(struct pb_error *error, int code, const char *doing)
{
	__u64 has = effective_capabilities();
	bool admin = has >> 21 & 1, net = has >> 12 & 1, bpf = has >> 39 & 1;

	if (code != EPERM && code != EACCES)
		return pb_fail(error, code, "cannot %s: %s", doing, strerror(code));
	if (!admin)
		return pb_fail(error, code,
			       "cannot %s: %s: this needs root, or the capabilities CAP_NET_ADMIN "
			       "and CAP_BPF, and CAP_SYS_ADMIN to look programs up (missing "
			       "here:%s%s CAP_SYS_ADMIN)",
			       doing, strerror(code), net ? "" : " CAP_NET_ADMIN",
			       bpf ? "" : " CAP_BPF");
	return pb_fail(error, code,
		       "cannot %s: %s, though the capabilities are there: a locked-down kernel, a "
		       "security module, a container's seccomp filter, or on kernels before 5.11 "
		       "the limit of locked memory (ulimit -l) may refuse it",
		       doing, strerror(code));
}

static void pin_path(char path[PB_PATH_LEN], const char *directory, enum pb_map which)
{
	snprintf(path, PB_PATH_LEN, "%.200s/%s", directory, pin_names[which]);
}

/* Removes pins and directory; what is not there is no fault. */
static int remove_pins(const char *directory)
{
	char path[PB_PATH_LEN];

	for (int i = 0; i < PB_MAP_MAX; i++) {
		pin_path(path, directory, i);
		if (unlink(path) && errno != ENOENT)
			return -errno;
	}
	return rmdir(directory) && errno != ENOENT ? -errno : 0;
}

/* The name under which a ruleset's pins are made, or unmade: no ruleset can have it. */
static void aside(char path[PB_PATH_LEN], const char *directory)
{
	snprintf(path, PB_PATH_LEN, "%.200s~", directory);
}

int pb_maps_pin(const struct pb_maps *maps, const char *directory, struct pb_error *error)
{
	char temporary[PB_PATH_LEN], path[PB_PATH_LEN];
	int ret;

	aside(temporary, directory);
	ret = remove_pins(temporary); /* of somebody who was killed */
	if (!ret && mkdir(temporary, 0700))
		ret = -errno;
	for (int i = 0; !ret && i < PB_MAP_MAX; i++) {
		pin_path(path, temporary, i);
		ret = bpf_obj_pin(maps->fd[i], path) ? -errno : 0;
	}
	if (!ret && rename(temporary, directory))
		ret = -errno;
	if (ret) {
		remove_pins(temporary);
		return pb_fail_permission(error, -ret, "pin the rules");
	}
	return 0;
}

int pb_maps_unpin(const char *directory, struct pb_error *error)
{
	char temporary[PB_PATH_LEN];
	int ret;

	aside(temporary, directory);
	ret = remove_pins(temporary);
	if (!ret && rename(directory, temporary) && errno != ENOENT)
		ret = -errno;
	if (!ret)
		ret = remove_pins(temporary);
	if (ret)
		return pb_fail(error, -ret, "cannot remove the pins in %s: %s", directory,
			       strerror(-ret));
	return 0;
}

void pb_pins_tidy(void)
{
	char path[PB_PATH_LEN];

	pb_pins_path(path, NULL);
	rmdir(path);
}

__u32 pb_pins_id(const char *ruleset)
{
	char directory[PB_PATH_LEN], path[PB_PATH_LEN];
	__u32 id = 0;
	int fd;

	pb_pins_path(directory, ruleset);
	/* All must be there; the first is the one that is asked for. */
	for (int i = PB_MAP_MAX - 1; i >= 0; i--) {
		pin_path(path, directory, i);
		fd = bpf_obj_get(path);
		if (fd < 0)
			return 0;
		id = pb_map_id(fd);
		close(fd);
	}
	return id;
}

static int check_version(const struct pb_maps *maps, const char *directory, struct pb_error *error)
{
	__u32 version = 0;
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	if (!bpf_obj_get_info_by_fd(maps->fd[PB_MAP_CONFIG], &info, &len) &&
	    info.value_size == sizeof(struct pb_config))
		version = maps->config->abi_version;
	if (version == PB_ABI_VERSION)
		return 0;
	return pb_fail(
		error, EPROTO,
		"the maps in %s are of another version of xdp-portblock (layout %u, this one "
		"has %u): unload with that version, or `xdp-portblock unload --all`, then "
		"load again",
		directory, version, PB_ABI_VERSION);
}

int pb_maps_open(const char *directory, struct pb_maps *maps, struct pb_error *error)
{
	struct pb_maps opened = PB_MAPS_NONE;
	char path[PB_PATH_LEN];
	int ret = 0;

	for (int i = 0; !ret && i < PB_MAP_MAX; i++) {
		pin_path(path, directory, i);
		opened.fd[i] = bpf_obj_get(path);
		if (opened.fd[i] < 0)
			ret = -errno;
	}
	if (ret == -ENOENT && opened.fd[PB_MAP_CONFIG] >= 0)
		ret = pb_fail(error, EPROTO,
			      "some of the maps in %s are missing: `xdp-portblock unload --all`, "
			      "then load again",
			      directory);
	else if (ret)
		ret = pb_fail_permission(error, -ret, "open the pinned rules");
	else if ((ret = pb_maps_memory(&opened)))
		ret = pb_fail_permission(error, -ret, "map the rules into memory");
	else
		ret = check_version(&opened, directory, error);
	if (ret)
		pb_maps_close(&opened);
	else
		*maps = opened;
	return ret;
}

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

int pb_ruleset_names(char ***names, size_t *nr, struct pb_error *error)
{
	char path[PB_PATH_LEN], **found = NULL;
	struct dirent *entry;
	size_t count = 0;
	int ret = 0;
	DIR *dir;

	pb_pins_path(path, NULL);
	dir = opendir(path);
	if (!dir && errno != ENOENT)
		return pb_fail_permission(error, errno, "look at the pinned rulesets");
	while (!ret && dir && (entry = readdir(dir)))
		if (!pb_ruleset_name_check(entry->d_name, NULL))
			ret = append_name(&found, &count, entry->d_name);
	if (dir)
		closedir(dir);
	if (ret) {
		while (count--)
			free(found[count]);
		free(found);
		return pb_fail_memory(error);
	}
	if (count)
		qsort(found, count, sizeof(*found), compare_names);
	*names = found;
	*nr = count;
	return 0;
}
