// SPDX-License-Identifier: GPL-2.0-only
#include <dlfcn.h>
#include "pcap-library.h"
#include "tool.h"

static struct pcap_library library;

static const struct {
	const char *name;
	void *at;
} functions[] = {
#define ENTRY(function) { "pcap_" #function, &library.function },
	PCAP_FUNCTIONS(ENTRY)
#undef ENTRY
};

const struct pcap_library *pcap_library_load(void)
{
	static bool loaded;
	void *handle;

	if (loaded)
		return &library;
	handle = dlopen(PCAP_SONAME, RTLD_NOW);
	if (!handle) {
		note("cannot load libpcap, which reads and writes captures: %s", dlerror());
		return NULL;
	}
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		void *function = dlsym(handle, functions[i].name);

		if (!function) {
			note("libpcap has no function %s: 1.9 or later is wanted",
			     functions[i].name);
			dlclose(handle);
			return NULL;
		}
		*(void **)functions[i].at = function;
	}
	loaded = true;
	return &library;
}
