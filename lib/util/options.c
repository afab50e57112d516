// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <string.h>
#include "util/error.h"
#include "util/options.h"

int pb_options_take(void *to, size_t known, const void *options, struct pb_error *error)
{
	const char *bytes = options;
	size_t size = known;

	if (options)
		memcpy(&size, options, sizeof(size));
	if (size < sizeof(size))
		return pb_fail(error, EINVAL,
			       "options of %zu bytes: they begin with their size, as in "
			       "options.size = sizeof(options)",
			       size);
	for (size_t i = known; i < size; i++)
		if (bytes[i])
			return pb_fail(error, E2BIG,
				       "the program was built for a later libportblock: options of "
				       "%zu bytes ask for what this one (%zu bytes) does not know",
				       size, known);
	memset(to, 0, known);
	if (options)
		memcpy(to, options, size < known ? size : known);
	return 0;
}
