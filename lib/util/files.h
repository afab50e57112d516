/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Files of rules and of prefixes, read as a whole and within limits. */
#ifndef PB_READ_FILE_H
#define PB_READ_FILE_H

#include <sys/stat.h>
#include <portblock/portblock.h>

/* In between, files and bytes are counted, and there is an end to them. */
void pb_files_begin(void);
void pb_files_end(void);

/*
 * Opens a file, without waiting for anybody. With `any` it may be a device or a pipe with a name,
 * and is waited for: the user has named it himself. The caller closes `fd`.
 */
int pb_file_open(const char *path, bool any, int *fd, struct stat *about, struct pb_error *error);

/* The same with `any`, of a file of any size, which is not held in memory: see lines.h. */
int pb_file_open_stream(const char *path, int *fd, struct pb_error *error);

/*
 * The path of what the file `from` calls `name`: relative to the folder of `from`, or to the working
 * directory where that has none, as a command line (NULL) and standard input. NULL: no memory. The
 * caller frees it.
 */
char *pb_file_beside(const char *name, const char *from);

/*
 * Reads text up to its end, without a byte order mark. The caller frees it. After a failure `line`
 * tells where; 0: it has no place. `path` is for messages.
 */
int pb_file_read(int fd, const char *path, char **text, unsigned long *line,
		 struct pb_error *error);

#endif
