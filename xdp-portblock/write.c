// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that are written whole. What is there is a device, a pipe, a link or a file with a mode
 * and an owner that somebody chose: it stays what it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "tool.h"

/* Who may read it, beyond mode and owner. */
static const char *const attributes[] = { "system.posix_acl_access", "security.selinux" };
#define NR_ATTRIBUTES (sizeof(attributes) / sizeof(attributes[0]))
#define ATTRIBUTE_MAX 65536 /* the kernel's own limit */

/* What is written, by a function that returns -1 and leaves errno. */
struct content {
	int (*write)(int fd, void *context);
	void *context;
};

static int write_text(int fd, void *context)
{
	const char *text = context;
	size_t left = strlen(text);

	while (left) {
		ssize_t done = write(fd, text, left);

		if (done < 0 && errno != EINTR)
			return -1;
		if (done < 0)
			continue;
		text += done;
		left -= done;
	}
	return 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* As the shell's > does it: what is no file, or has no name any more. */
static int write_in_place(const char *path, const struct content *content)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_NOCTTY | O_CLOEXEC);
	int ret = fd < 0 ? -1 : content->write(fd, content->context), err = errno;

	if (fd >= 0)
		close(fd);
	errno = err;
	return ret;
}

static int copy_attribute(const char *path, int fd, const char *name)
{
	char *value = malloc(ATTRIBUTE_MAX);
	ssize_t size = value ? getxattr(path, name, value, ATTRIBUTE_MAX) : -1;
	int ret = 0;

	if (size >= 0)
		ret = fsetxattr(fd, name, value, size, 0);
	else if (errno != ENODATA && errno != ENOTSUP)
		ret = -1;
	free(value);
	return ret;
}

/* Gives the new file what the old one has; before, nobody but its owner reads it. */
static int keep_access(const char *path, const struct stat *old, int fd)
{
	struct stat made;
	int ret = fstat(fd, &made);

	if (!ret && (made.st_uid != old->st_uid || made.st_gid != old->st_gid))
		ret = fchown(fd, old->st_uid, old->st_gid);
	if (!ret)
		ret = fchmod(fd, old->st_mode & 07777);
	for (size_t i = 0; !ret && i < NR_ATTRIBUTES; i++)
		ret = copy_attribute(path, fd, attributes[i]);
	return ret;
}

/* A new file in the folder of `path`; the caller frees its name. */
static int open_aside(const char *path, mode_t mode, char **aside)
{
	unsigned int number;
	int fd;

	do {
		if (getrandom(&number, sizeof(number), 0) < 0 ||
		    asprintf(aside, "%s.%08x", path, number) < 0) {
			*aside = NULL;
			return -1;
		}
		fd = open(*aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		if (fd < 0) {
			free(*aside);
			*aside = NULL;
		}
	} while (fd < 0 && errno == EEXIST);
	return fd;
}

static int open_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, slash - path + 1) : strdup(".");
	int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	free(folder);
	return fd;
}

/* A rename is only there for good when its folder is: whatever may fail is done before. */
static int rename_for_good(const char *from, const char *to)
{
	int folder = open_folder(to), err;
	int ret = folder < 0 ? -1 : rename(from, to);

	if (!ret && fsync(folder) && errno != EINVAL) /* a file system may have nothing to sync */
		ret = -1;
	err = errno;
	if (folder >= 0)
		close(folder);
	errno = err;
	return ret;
}

/* Beside it, then renamed; `old`: NULL where there is none. */
static int replace(const char *path, const struct stat *old, const struct content *content)
{
	char *aside = NULL;
	int fd = open_aside(path, old ? 0600 : 0666, &aside), err;
	int ret = fd < 0 ? -1 : 0;

	if (!ret && old)
		ret = keep_access(path, old, fd);
	if (!ret)
		ret = content->write(fd, content->context);
	if (!ret)
		ret = fsync(fd);
	if (!ret)
		ret = rename_for_good(aside, path);
	err = errno;
	if (ret && aside)
		unlink(aside);
	if (fd >= 0)
		close(fd);
	free(aside);
	errno = err;
	return ret;
}

/* A file that is there, perhaps by links. */
static int replace_file(const char *path, const struct stat *old, const struct content *content)
{
	char *real = realpath(path, NULL);
	struct stat found;
	int ret;

	if (real && !lstat(real, &found) && same_file(&found, old))
		ret = replace(real, old, content);
	else /* by /proc/self/fd, and deleted */
		ret = write_in_place(path, content);
	free(real);
	return ret;
}

/* A link that leads to where no file is: it is made there, and taken back on failure. */
static int make_linked(const char *path, const struct content *content)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666), err;
	struct stat made;
	int ret = fd < 0 ? -1 : fstat(fd, &made);
	char *real = ret ? NULL : realpath(path, NULL);

	if (!ret)
		ret = real ? replace(real, &made, content) : -1;
	err = errno;
	if (ret && real)
		unlink(real);
	if (fd >= 0)
		close(fd);
	free(real);
	errno = err;
	return ret;
}

static int write_path(const char *path, const struct content *content)
{
	struct stat about, output;

	if (stat(path, &about)) {
		if (errno != ENOENT)
			return -1;
		return lstat(path, &about) ? replace(path, NULL, content) :
					     make_linked(path, content);
	}
	if (!fstat(STDOUT_FILENO, &output) && same_file(&about, &output)) {
		fflush(stdout);
		return content->write(STDOUT_FILENO, content->context);
	}
	if (S_ISREG(about.st_mode))
		return replace_file(path, &about, content);
	errno = S_ISDIR(about.st_mode) ? EISDIR : EOPNOTSUPP;
	if (S_ISDIR(about.st_mode) || S_ISSOCK(about.st_mode))
		return -1;
	return write_in_place(path, content);
}

int write_file(const char *path, const char *text)
{
	const struct content content = { write_text, (void *)text };

	if (!write_path(path, &content))
		return DONE;
	note("cannot write '%s': %s", path, strerror(errno));
	return FAILED;
}

/* ---- By the library ------------------------------------------------------------------------- */

struct elements {
	struct pb_ruleset *ruleset;
	struct pb_error error; /* "": none of the library's */
};

static int write_elements(int fd, void *context)
{
	struct elements *elements = context;
	int err = pb_sets_save(elements->ruleset, fd, &elements->error);

	errno = -err;
	return err ? -1 : 0;
}

int save_elements(struct pb_ruleset *ruleset, const char *path)
{
	struct elements elements = { .ruleset = ruleset };
	const struct content content = { write_elements, &elements };

	if (!strcmp(path, "-")) {
		fflush(stdout);
		if (!write_elements(STDOUT_FILENO, &elements))
			return DONE;
	} else if (!write_path(path, &content)) {
		return DONE;
	}
	if (*elements.error.text)
		note("%s: %s", strcmp(path, "-") ? path : "standard output", elements.error.text);
	else
		note("cannot write '%s': %s", path, strerror(errno));
	return FAILED;
}
