/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Options that a program hands in, or asks for: they begin with the size that it was built with. */
#ifndef PB_OPTIONS_H
#define PB_OPTIONS_H

#include <portblock/portblock.h>

/*
 * Copies options to `to`, which has the `known` size of this library; what they lack is 0, and so is
 * all where they are NULL. -EINVAL: no size. -E2BIG: they ask for what is not known here.
 */
int pb_options_take(void *to, size_t known, const void *options, struct pb_error *error);

/*
 * The other way: copies options of the `known` size to `to`, whose size its owner has set and keeps;
 * what it has beyond is 0. -EINVAL: no size.
 */
int pb_options_give(void *to, const void *options, size_t known, struct pb_error *error);

#endif
