// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <string.h>
#include "util/error.h"
#include "util/options.h"

static int fail_size(size_t size, struct pb_error *error)
{
	return pb_fail(error, EINVAL,
		       "options of %zu bytes: they begin with their size, as in "
		       "options.size = sizeof(options)",
		       size);
}

int pb_options_take(void *to, size_t known, const void *options, struct pb_error *error)
{
	const char *bytes = options;
	size_t size = known;

	if (options)
		memcpy(&size, options, sizeof(size));
	if (size < sizeof(size))
		return fail_size(size, error);
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

int pb_options_give(void *to, const void *options, size_t known, struct pb_error *error)
{
	size_t size;

	memcpy(&size, to, sizeof(size));
	if (size < sizeof(size))
		return fail_size(size, error);
	memset(to, 0, size);
	memcpy(to, options, size < known ? size : known);
	memcpy(to, &size, sizeof(size));
	return 0;
}
