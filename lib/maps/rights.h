/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef PB_RIGHTS_H
#define PB_RIGHTS_H

#include <portblock/portblock.h>

/* The message for -EPERM and -EACCES, which have several causes: says which were checked. */
int pb_fail_permission(struct pb_error *error, int code, const char *doing);

#endif
