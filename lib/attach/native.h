/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The kernel module of the native engine. */
#ifndef PB_NATIVE_ENGINE_H
#define PB_NATIVE_ENGINE_H

#include <portblock/portblock.h>

/* The version that the loaded module says it has; -ENOENT: none is loaded. */
int pb_native_version(char *version, size_t size);

/* -ENOPKG, with what to do, unless the module is loaded and of this version. */
int pb_native_check(struct pb_error *error);

#endif
