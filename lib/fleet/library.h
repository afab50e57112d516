/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Libraries that are loaded when a `fleet` command needs them: libcurl, libcrypto, and the thirty that those bring, take
 * several times as long to load as any other command takes.
 */
#ifndef FLEET_LIBRARY_H
#define FLEET_LIBRARY_H

#include <stddef.h>
#include <portblock/portblock.h>

struct fleet_library {
	const char *soname;
	const char *name;
	const char *use;    /* what for, and the packages that have it; for messages */
	const char *oldest; /* the oldest version that has all the functions */
	size_t nr;
	const struct fleet_function {
		const char *name;
		void *at; /* where the pointer to it is put */
	} * functions;
};

/* -ENOPKG: it cannot be loaded, or lacks a function, and `error` (may be NULL) says what helps. It stays loaded. */
int fleet_library_load(const struct fleet_library *library, struct pb_error *error);

#endif
