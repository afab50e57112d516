// SPDX-License-Identifier: GPL-2.0-only
#include <dlfcn.h>
#include <stdlib.h>
#include "fleet/curl-library.h"
#include "fleet/error.h"

static struct curl_library library;

static const struct {
	const char *name;
	void *at;
} functions[] = {
#define ENTRY(function) { "curl_" #function, &library.function },
	CURL_FUNCTIONS(ENTRY)
#undef ENTRY
};

static int load(struct pb_error *error)
{
	void *handle;

	/* A shell that has it for a browser would have the keys of our connections, and so the password, in that file. */
	unsetenv("SSLKEYLOGFILE");
	handle = dlopen(CURL_SONAME, RTLD_NOW);
	if (!handle)
		return fleet_fail(error, ENOPKG,
				  "cannot load libcurl, which talks to etcd (Debian: libcurl4, "
				  "Fedora: libcurl): %s",
				  dlerror());
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		void *function = dlsym(handle, functions[i].name);

		if (!function)
			return fleet_fail(error, ENOPKG,
					  "libcurl has no function %s: 7.68 or later is wanted",
					  functions[i].name);
		*(void **)functions[i].at = function;
	}
	if (library.global_init(CURL_GLOBAL_DEFAULT))
		return fleet_fail(error, ENOPKG, "libcurl cannot be used");
	return 0;
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
