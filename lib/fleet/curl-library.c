// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include "fleet/curl-library.h"
#include "fleet/error.h"
#include "fleet/library.h"

static struct curl_library library;

static const struct fleet_function functions[] = {
#define ENTRY(function) { "curl_" #function, &library.function },
	CURL_FUNCTIONS(ENTRY)
#undef ENTRY
};

static int load(struct pb_error *error)
{
	static const struct fleet_library libcurl = {
		.soname = CURL_SONAME,
		.name = "libcurl",
		.use = "which talks to etcd (Debian: libcurl4, Fedora: libcurl)",
		.oldest = "7.68",
		.nr = sizeof(functions) / sizeof(*functions),
		.functions = functions,
	};
	int err;

	/* A shell that has it for a browser would have the keys of our connections, and so the password, in that file. */
	unsetenv("SSLKEYLOGFILE");
	err = fleet_library_load(&libcurl, error);
	if (!err && library.global_init(CURL_GLOBAL_DEFAULT))
		err = fleet_fail(error, ENOPKG, "libcurl cannot be used");
	return err;
}

int fleet_curl_load(const struct curl_library **out, struct pb_error *error)
{
	static bool loaded;
	int err = loaded ? 0 : load(error);

	if (err)
		return err;
	loaded = true;
	*out = &library;
	return 0;
}
