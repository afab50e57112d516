// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fleet/error.h"
#include "fleet/memory.h"
#include "fleet/shape.h"

#define AT(field) offsetof(struct fleet_memory, field)
static const struct fleet_field fields[] = {
	{ "local", FLEET_NAME, true, AT(local), 0, NULL, NULL },
	{ "id", FLEET_HASH, false, AT(id), 0, NULL, NULL },
	{ "in_force", FLEET_NUMBER, false, AT(in_force), 0, NULL, NULL },
	{ "remote", FLEET_NAME, false, AT(remote), 0, NULL, NULL },
	{ "generation", FLEET_NUMBER, false, AT(generation), 0, NULL, NULL },
	{ "boot", FLEET_TEXT, false, AT(boot), 100, NULL, NULL },
	{ "failed_id", FLEET_HASH, false, AT(failed_id), 0, NULL, NULL },
	{ "failed", FLEET_NUMBER, false, AT(failed), 0, NULL, NULL },
	{ "reason", FLEET_TEXT, false, AT(reason), FLEET_NOTE_MAX, NULL, NULL },
	{ "trying", FLEET_HASH, false, AT(trying), 0, NULL, NULL },
	{ "attempts", FLEET_COUNT, false, AT(attempts), 0, NULL, NULL },
	{ "settled", FLEET_TIME, false, AT(settled), 0, NULL, NULL },
	{ "settled_revision", FLEET_NUMBER, false, AT(settled_revision), 0, NULL, NULL },
	{ NULL, 0, false, 0, 0, NULL, NULL },
};
static const struct fleet_shape shape = { sizeof(struct fleet_memory), fields };

const char *fleet_boot(void)
{
	static char boot[64];
	int fd = *boot ? -1 : open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, boot, sizeof(boot) - 1) : 0;

	if (fd >= 0)
		close(fd);
	if (len > 0)
		boot[len] = '\0';
	boot[strcspn(boot, "\n")] = '\0';
	return boot;
}

/* ---- Files --------------------------------------------------------------------------------- */

static int make_one(const char *folder, mode_t mode, struct pb_error *error)
{
	if (!mkdir(folder, mode) || errno == EEXIST)
		return 0;
	return fleet_fail(error, errno, "cannot make the folder %s: %s", folder, strerror(errno));
}

/* Whoever may write there says which rules are in force: a file of rules there is read as soon as it is written. */
static int check_folder(const char *folder, const struct stat *about, struct pb_error *error)
{
	if (about->st_mode & 022)
		return fleet_fail(
			error, EPERM,
			"%s: others than its owner may write there: `chmod go-w` it first", folder);
	if (about->st_uid && about->st_uid != geteuid())
		return fleet_fail(error, EPERM, "%s: it belongs to somebody else (user %u)", folder,
				  about->st_uid);
	return 0;
}

/* With all that are above it, which are nobody's secret. */
static int make_folder(const char *folder, struct pb_error *error)
{
	char path[FLEET_PATH_MAX];
	struct stat about;
	int err = 0;

	if (!stat(folder, &about))
		return check_folder(folder, &about, error);
	if (snprintf(path, sizeof(path), "%s", folder) >= FLEET_PATH_MAX)
		return fleet_fail(error, ENAMETOOLONG, "%s: too long a path", folder);
	for (char *slash = strchr(path + 1, '/'); slash && !err; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		err = make_one(path, 0755, error);
		*slash = '/';
	}
	return err ?: make_one(folder, 0700, error);
}

static int write_all(int fd, const char *text, bool sync)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t done = write(fd, text, left);

		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			text += done;
			left -= done;
		}
	}
	return sync && fsync(fd) ? -errno : 0;
}

static int write_new(const char *path, const char *text, bool sync)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), err;

	if (fd < 0)
		return -errno;
	err = fchmod(fd, 0600) ? -errno : write_all(fd, text, sync);
	if (close(fd) && !err)
		err = -errno;
	return err;
}

int fleet_file_write(const char *folder, const char *name, const char *end, const char *text,
		     bool sync, char path[FLEET_PATH_MAX], struct pb_error *error)
{
	char made[FLEET_PATH_MAX], new[FLEET_PATH_MAX];
	int err = make_folder(folder, error);

	if (err)
		return err;
	if (snprintf(new, sizeof(new), "%s/.%s%s", folder, name, end) >= FLEET_PATH_MAX)
		return fleet_fail(error, ENAMETOOLONG, "%s: too long a path", folder);
	snprintf(made, sizeof(made), "%s/%s%s", folder, name, end);
	err = write_new(new, text, sync);
	if (!err && rename(new, made))
		err = -errno;
	if (err) {
		unlink(new);
		return fleet_fail(error, -err, "cannot write %s: %s", made, strerror(-err));
	}
	strcpy(path, made);
	return 0;
}

void fleet_file_rename(const char *folder, const char *name, const char *from, const char *to)
{
	char old[FLEET_PATH_MAX], new[FLEET_PATH_MAX];

	snprintf(old, sizeof(old), "%s/%s%s", folder, name, from);
	snprintf(new, sizeof(new), "%s/%s%s", folder, name, to);
	rename(old, new);
}

void fleet_file_remove(const char *folder, const char *name, const char *end)
{
	char path[FLEET_PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s%s", folder, name, end);
	unlink(path);
}

/* ---- What is known ------------------------------------------------------------------------- */

/* Below what is no folder, nothing is kept: who writes there says so. */
static char *read_file(const char *path, size_t *len)
{
	FILE *file = fopen(path, "re");
	char *text = file ? malloc(FLEET_VALUE_MAX + 1) : NULL;
	int err = errno;

	if (text) {
		*len = fread(text, 1, FLEET_VALUE_MAX, file);
		text[*len] = '\0';
	}
	if (file)
		fclose(file);
	errno = err == ENOTDIR ? ENOENT : err;
	return text;
}

char *fleet_file_load(const char *folder, const char *name, const char *end, size_t *len)
{
	char path[FLEET_PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s%s", folder, name, end);
	return read_file(path, len);
}

int fleet_memory_read(const char *folder, struct fleet_memory *memory)
{
	char path[FLEET_PATH_MAX];
	void *record;
	size_t len;
	char *text;
	int err;

	snprintf(path, sizeof(path), "%s/%s.json", folder, memory->local);
	text = read_file(path, &len);
	/* Not to know it, though it is there, would be to take changes of this host for none. */
	if (!text)
		return errno == ENOENT ? 0 : -errno;
	err = fleet_shape_read(&shape, text, len, path, &record, NULL);
	free(text);
	if (err)
		return err == -ENOMEM ? err : 0;
	if (!strcmp(((struct fleet_memory *)record)->local, memory->local)) {
		*memory = *(struct fleet_memory *)record;
		free(record);
	} else {
		fleet_shape_free(&shape, record);
	}
	return 0;
}

int fleet_memory_write(const char *folder, const struct fleet_memory *memory,
		       struct pb_error *error)
{
	char path[FLEET_PATH_MAX];
	char *text = fleet_shape_text(&shape, memory);
	int err = text ? fleet_file_write(folder, memory->local, ".json", text, true, path, error) :
			 fleet_fail_memory(error);

	free(text);
	return err;
}

void fleet_memory_clear(struct fleet_memory *memory)
{
	free(memory->boot);
	free(memory->reason);
}
