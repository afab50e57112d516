// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdarg.h>
#include <stdio.h>
#include "error.h"

int pb_fail(struct pb_error *error, int code, const char *format, ...)
{
	va_list args;

	if (error) {
		va_start(args, format);
		vsnprintf(error->text, sizeof(error->text), format, args);
		va_end(args);
	}
	return -code;
}

int pb_fail_memory(struct pb_error *error)
{
	return pb_fail(error, ENOMEM, "out of memory");
}
