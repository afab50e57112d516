// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include "fleet/error.h"

int fleet_fail(struct pb_error *error, int code, const char *format, ...)
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

int fleet_fail_memory(struct pb_error *error)
{
	return fleet_fail(error, ENOMEM, "out of memory");
}
