// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Files that somebody wrote, as a whole: a file of rules names others, and each of them may be
 * without end, or wait for a writer who never comes.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "util/error.h"
#include "util/escape.h"
#include "util/files.h"

#define MIB (1U << 20)
#define FILE_MAX (64 * MIB)
#define ALL_MAX (256 * MIB)
#define FILES_MAX 65536

/* What a ruleset has read so far. */
static __thread struct {
	bool counted;
	size_t files;
	size_t bytes;
} all;

void pb_files_begin(void)
{
	all.counted = true;
	all.files = all.bytes = 0;
}

void pb_files_end(void)
{
	all.counted = false;
}

static bool is_nameless_pipe(int fd)
{
	struct statfs about;

	return !fstatfs(fd, &about) && about.f_type == PIPEFS_MAGIC;
}

static int wrong_kind(const char *path, int code, const char *kind, struct pb_error *error)
{
	return pb_fail(error, code, "%s is a %s: a file is wanted", PB_Q(path), kind);
}

/* A pipe without a name is <(command): somebody writes. */
static int check_kind(const char *path, mode_t mode, bool any, int fd, struct pb_error *error)
{
	if (S_ISDIR(mode))
		return wrong_kind(path, EISDIR, "directory", error);
	if (any || S_ISREG(mode))
		return 0;
	if (!S_ISFIFO(mode))
		return wrong_kind(path, EINVAL, S_ISSOCK(mode) ? "socket" : "device", error);
	return fd < 0 || is_nameless_pipe(fd) ? 0 : wrong_kind(path, EINVAL, "named pipe", error);
}

static int too_large(const char *path, struct pb_error *error)
{
	return pb_fail(error, EFBIG, "%s is too large: at most %u MiB are read of a file",
		       PB_Q(path), FILE_MAX / MIB);
}

static int cannot_open(const char *path, struct pb_error *error)
{
	return pb_fail(error, errno, "cannot open %s: %s", PB_Q(path), strerror(errno));
}

/* Before it is opened: to open a device may do something, and a named pipe waits. */
static int check_before(const char *path, struct pb_error *error)
{
	struct stat about;

	if (stat(path, &about))
		return cannot_open(path, error);
	return check_kind(path, about.st_mode, false, -1, error);
}

static int check_open(const char *path, bool any, int fd, struct stat *about,
		      struct pb_error *error)
{
	int ret;

	if (fstat(fd, about))
		return cannot_open(path, error);
	ret = check_kind(path, about->st_mode, any, fd, error);
	if (ret)
		return ret;
	if (S_ISREG(about->st_mode) && about->st_size > FILE_MAX)
		return too_large(path, error);
	if (all.counted && ++all.files > FILES_MAX)
		return pb_fail(error, EMFILE, "%s is one file too many: at most %u are read",
			       PB_Q(path), FILES_MAX);
	return 0;
}

int pb_file_open(const char *path, bool any, int *fd, struct stat *about, struct pb_error *error)
{
	int made, ret = any ? 0 : check_before(path, error);

	if (ret)
		return ret;
	made = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (any ? 0 : O_NONBLOCK));
	if (made < 0)
		return cannot_open(path, error);
	if (!any) /* it need not be the same any more: O_NONBLOCK was for that */
		fcntl(made, F_SETFL, 0);
	ret = check_open(path, any, made, about, error);
	if (ret)
		close(made);
	else
		*fd = made;
	return ret;
}

int pb_file_open_stream(const char *path, int *fd, struct pb_error *error)
{
	int made = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), ret = 0;
	struct stat about;

	if (made < 0 || fstat(made, &about))
		ret = cannot_open(path, error);
	else
		ret = check_kind(path, about.st_mode, true, made, error);
	if (!ret)
		*fd = made;
	else if (made >= 0)
		close(made);
	return ret;
}

/* What a shell hands over lies in no folder, whatever it is called. */
static bool is_handed_over(const char *path)
{
	static const char *const names[] = { "/dev/stdin", "/dev/fd/", "/proc/self/fd/" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncmp(path, names[i], strlen(names[i])))
			return true;
	return false;
}

char *pb_file_beside(const char *name, const char *from)
{
	const char *slash = from && !is_handed_over(from) ? strrchr(from, '/') : NULL;
	char *path;

	if (*name == '/' || !slash)
		return strdup(name);
	if (!strncmp(name, "./", 2) && name[2])
		name += 2; /* for messages */
	return asprintf(&path, "%.*s%s", (int)(slash + 1 - from), from, name) < 0 ? NULL : path;
}

/* Room for more, of a text that is at most FILE_MAX + 1 long. */
static int grow(char **text, size_t len, size_t *room, struct pb_error *error)
{
	char *grown;

	if (len < *room)
		return 0;
	*room = *room ? *room * 2 : 65536;
	if (*room > FILE_MAX)
		*room = FILE_MAX + 1;
	grown = realloc(*text, *room + 1);
	if (!grown)
		return pb_fail_memory(error);
	*text = grown;
	return 0;
}

static int check_bytes(const char *text, size_t len, struct pb_error *error)
{
	if (memchr(text, '\0', len))
		return pb_fail(error, EINVAL, "it holds a NUL byte: this is not a text file");
	if (all.counted && (all.bytes += len) > ALL_MAX)
		return pb_fail(error, EFBIG, "more than %u MiB in all: this is no ruleset",
			       ALL_MAX / MIB);
	return 0;
}

static unsigned long line_of(const char *text, size_t len)
{
	unsigned long line = 1;

	for (size_t i = 0; i < len && text[i]; i++)
		line += text[i] == '\n';
	return line;
}

/* Up to the end; `len` is what was read by then, also after a failure. */
static int read_all(int fd, const char *path, char **text, size_t *len, struct pb_error *error)
{
	size_t room = 0;
	ssize_t more = 1;
	int ret = 0;

	while (!ret && more) {
		ret = grow(text, *len, &room, error);
		if (ret)
			break;
		more = read(fd, *text + *len, room - *len);
		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			return pb_fail(error, errno, "cannot read it: %s", strerror(errno));
		ret = check_bytes(*text + *len, more, error);
		*len += more;
		if (!ret && *len > FILE_MAX)
			ret = too_large(path, error);
	}
	return ret;
}

/* Editors of another system begin a file so. */
static int skip_mark(char *text, size_t *len, struct pb_error *error)
{
	if (!strncmp(text, "\xff\xfe", 2) || !strncmp(text, "\xfe\xff", 2))
		return pb_fail(error, EINVAL, "it is UTF-16: save it as UTF-8");
	if (!strncmp(text, "\xef\xbb\xbf", 3)) {
		*len -= 3;
		memmove(text, text + 3, *len + 1);
	}
	return 0;
}

int pb_file_read(int fd, const char *path, char **text, unsigned long *line, struct pb_error *error)
{
	char *made = NULL;
	size_t len = 0;
	int ret = read_all(fd, path, &made, &len, error);

	if (made)
		made[len] = '\0';
	if (!ret || ret == -EINVAL) {
		int marked = skip_mark(made, &len, error);

		if (marked)
			ret = marked;
	}
	if (ret) {
		*line = ret == -EINVAL ? line_of(made, len) : 0;
		free(made);
		return ret;
	}
	*text = made;
	return 0;
}
