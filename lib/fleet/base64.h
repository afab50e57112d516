/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FLEET_BASE64_H
#define FLEET_BASE64_H

#include <stddef.h>

/* The caller frees. NULL: no memory, or no libcrypto. */
char *fleet_base64(const void *data, size_t len);
/* -EINVAL: it is none; -ENOPKG: no libcrypto. `data` is NUL-terminated beyond `len`; the caller frees it. */
int fleet_base64_decode(const char *text, char **data, size_t *len);

#endif
