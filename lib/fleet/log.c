// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <portblock/portblock.h>
#include "fleet/log.h"

void fleet_say(const struct fleet_log *log, const char *format, ...)
{
	struct pb_error line;
	va_list args;

	va_start(args, format);
	vsnprintf(line.text, sizeof(line.text), format, args);
	va_end(args);
	log->say(line.text, log->context);
}
