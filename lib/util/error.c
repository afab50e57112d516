// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdarg.h>
#include <stdio.h>
#include "util/error.h"

int pb_fail(struct pb_error *error, int code, const char *format, ...)
{
	struct pb_error raw;
	va_list args;

	if (error) {
		va_start(args, format);
		vsnprintf(raw.text, sizeof(raw.text), format, args);
		va_end(args);
		pb_text_escape_into(error->text, sizeof(error->text), raw.text, PB_ESCAPE_LINE);
	}
	return -code;
}

int pb_fail_memory(struct pb_error *error)
{
	return pb_fail(error, ENOMEM, "out of memory");
}
