// SPDX-License-Identifier: GPL-2.0-only
/* Messages: to stderr, one line each, with the program's name in front. */
#include <stdio.h>
#include "tool.h"

static void say(const char *format, va_list args)
{
	fputs("xdp-portblock: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

int fail(const struct pb_error *error)
{
	fprintf(stderr, "xdp-portblock: %s\n", error->text);
	return FAILED;
}

int out_of_memory(void)
{
	note("out of memory");
	return FAILED;
}

int wrong(const struct arguments *arguments, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	fprintf(stderr, "`xdp-portblock %s --help` shows how it is used.\n",
		arguments->command->name);
	return WRONG_USAGE;
}

void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}
