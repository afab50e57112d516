// SPDX-License-Identifier: GPL-2.0-only
#include <dlfcn.h>
#include "fleet/error.h"
#include "fleet/library.h"

int fleet_library_load(const struct fleet_library *library, struct pb_error *error)
{
	void *handle = dlopen(library->soname, RTLD_NOW);

	if (!handle)
		return fleet_fail(error, ENOPKG, "cannot load %s, %s: %s", library->name,
				  library->use, dlerror());
	for (size_t i = 0; i < library->nr; i++) {
		void *function = dlsym(handle, library->functions[i].name);

		if (!function)
			return fleet_fail(error, ENOPKG,
					  "%s has no function %s: %s or later is wanted",
					  library->name, library->functions[i].name,
					  library->oldest);
		*(void **)library->functions[i].at = function;
	}
	return 0;
}
