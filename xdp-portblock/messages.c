// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages: to stderr, one line each, with the program's name in front. What they and tables quote
 * was written by whomever: this is the border where it is made harmless to a terminal.
 */
#include <stdio.h>
#include <stdlib.h>
#include "tool.h"

static void write_escaped(FILE *out, const char *format, va_list args, enum pb_escape how)
{
	char *raw = NULL, *text = NULL;

	if (vasprintf(&raw, format, args) < 0)
		raw = NULL;
	if (raw)
		text = pb_text_escape(raw, how);
	fputs(text ?: "(out of memory)", out);
	free(text);
	free(raw);
}

static void say(const char *format, va_list args)
{
	fputs("xdp-portblock: ", stderr);
	write_escaped(stderr, format, args, PB_ESCAPE_LINE);
	fputc('\n', stderr);
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_escaped(stdout, format, args, PB_ESCAPE_LINES);
	va_end(args);
}

void print_log(const char *line)
{
	char *text = pb_text_escape(line, PB_ESCAPE_LINES);

	fprintf(stderr, "%s\n", text ?: "(out of memory)");
	free(text);
}

int fail(const struct pb_error *error)
{
	note("%s", error->text);
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
