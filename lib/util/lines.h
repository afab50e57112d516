/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Text that may have millions of lines, and is not held in memory. */
#ifndef PB_LINES_H
#define PB_LINES_H

#include <portblock/portblock.h>

/* A line without its end, which may be written to; `cut`: it had none, as only the last can. */
typedef int pb_line_function(char *line, unsigned long number, bool cut, void *context,
			     struct pb_error *error);

/*
 * Calls the function with each line of what is read, without a byte order mark, until it fails. `path` is for
 * messages. -EINVAL: it is no text, or a line is far too long.
 */
int pb_lines_each(int fd, const char *path, pb_line_function *function, void *context,
		  struct pb_error *error);

#endif
