/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef PB_ERROR_H
#define PB_ERROR_H

#include <errno.h>
#include <portblock/portblock.h>

/* Fills `error` (may be NULL) and returns -code, so that `return pb_fail(...)` is one line. */
int pb_fail(struct pb_error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* pb_fail() with -ENOMEM. */
int pb_fail_memory(struct pb_error *error);

#endif
