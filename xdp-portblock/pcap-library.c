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
	static void *handle;

	if (handle)
		return &library;
	handle = dlopen(PCAP_SONAME, RTLD_NOW);
	for (size_t i = 0; handle && i < sizeof(functions) / sizeof(*functions); i++) {
		void *function = dlsym(handle, functions[i].name);

		if (!function) {
			note("libpcap has no function %s: 1.9 or later is wanted",
			     functions[i].name);
			dlclose(handle);
			handle = NULL;
			return NULL;
		}
		*(void **)functions[i].at = function;
	}
	if (!handle)
		note("cannot load libpcap, which reads and writes captures: %s", dlerror());
	return handle ? &library : NULL;
}
