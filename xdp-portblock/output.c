// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages: to stderr, one line each, with the program's name in front. What they and tables quote
 * was written by whomever: this is the border where it is made harmless to a terminal.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "tool.h"

/* Part of what was to go to stdout, for want of memory. */
static bool lost;

/* Most texts are so short that none of them is lost where memory has run out. */
#define SHORT 1024

static bool write_long(FILE *out, const char *format, va_list args, enum pb_escape how)
{
	char *raw = NULL, *text = NULL;
	bool whole;

	if (vasprintf(&raw, format, args) < 0)
		raw = NULL;
	if (raw)
		text = pb_text_escape(raw, how);
	whole = text;
	fputs(text ?: "(out of memory)", out);
	free(raw);
	free(text);
	return whole;
}

/* Returns whether the text was there to be written. */
static bool write_escaped(FILE *out, const char *format, va_list args, enum pb_escape how)
{
	char raw[SHORT], text[PB_ESCAPED(SHORT)];
	va_list again;
	bool written = true;
	int len;

	va_copy(again, args);
	len = vsnprintf(raw, sizeof(raw), format, args);
	if (len >= 0 && (size_t)len < sizeof(raw)) {
		pb_text_escape_into(text, sizeof(text), raw, how);
		fputs(text, out);
	} else {
		written = write_long(out, format, again, how);
	}
	va_end(again);
	return written;
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
	lost |= !write_escaped(stdout, format, args, PB_ESCAPE_LINES);
	va_end(args);
}

const char *kept(const char *text)
{
	lost |= !text;
	return text ?: "(out of memory)";
}

int finish_output(void)
{
	static bool said;

	if (fflush(stdout) || ferror(stdout)) {
		if (!said && errno != EPIPE)
			note("cannot write to stdout: %s", strerror(errno));
		said = true;
		return FAILED;
	}
	if (!lost)
		return DONE;
	lost = false;
	return out_of_memory();
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

int lack_memory(struct pb_error *error)
{
	snprintf(error->text, sizeof(error->text), "out of memory");
	return -ENOMEM;
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

int refused(const struct arguments *arguments, int err, enum option_id id,
	    const struct pb_error *error)
{
	if (err == -ENOMEM)
		return fail(error);
	if (id == OPT_MAX)
		return wrong(arguments, "%s", error->text);
	return wrong(arguments, "--%s: %s", option_infos[id].name, error->text);
}

void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}

/* ---- Numbers and times --------------------------------------------------------------------- */

const char *human(__u64 number, char text[16])
{
	static const char units[] = " kMGTPE";
	double value = number;
	int unit = 0;

	while (value >= 999.5 && units[unit + 1]) {
		value /= 1000;
		unit++;
	}
	if (!unit)
		snprintf(text, 16, "%llu", (unsigned long long)number);
	else
		snprintf(text, 16, value < 9.95 ? "%.1f%c" : "%.0f%c", value, units[unit]);
	return text;
}

const char *iso_time(char text[ISO_TIME])
{
	struct timespec now;
	struct tm utc;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	len = strftime(text, ISO_TIME, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + len, ISO_TIME - len, ".%03ldZ", now.tv_nsec / 1000000);
	return text;
}
