// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Text of whomever, made fit for a terminal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "util/escape.h"

/* Bytes that follow the first one of a character; -1: it is no first one. */
static int utf8_more(unsigned char first)
{
	if (first < 0x80)
		return 0;
	if (first < 0xc0 || first > 0xf4)
		return -1;
	return first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
}

/* Reads one character of UTF-8 and moves on; -1: it is none. */
static long utf8_next(const unsigned char **at)
{
	static const long least[] = { 0, 0x80, 0x800, 0x10000 };
	const unsigned char *s = *at;
	int more = utf8_more(s[0]);
	long c;

	if (more < 0)
		return -1;
	c = more ? s[0] & (0x3f >> more) : s[0];
	for (int i = 1; i <= more; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return -1;
		c = c << 6 | (s[i] & 0x3f);
	}
	*at += more + 1;
	return c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? -1 : c;
}

/*
 * Does it do more than stand where it is? Control characters (C0, DEL, C1), those that turn the
 * direction of writing or end a line, and what is no character (-1).
 */
static bool is_unclean(long c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

bool pb_text_is_clean(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at)
		if (is_unclean(utf8_next(&at)))
			return false;
	return true;
}

/* Room for one character in any escape, and a NUL. */
#define ESCAPED_MAX 17

/* Puts a character of `len` bytes; returns behind it. */
static char *put(char *out, long c, const unsigned char *bytes, size_t len, enum pb_escape how)
{
	bool kept = how != PB_ESCAPE_LINE && (c == '\n' || c == '\t');

	if (!is_unclean(c) || kept)
		return mempcpy(out, bytes, len);
	if (how == PB_ESCAPE_JSON)
		return out + sprintf(out, "\\u%04lx", c < 0 ? 0xfffd : c);
	for (size_t i = 0; i < len; i++)
		out += sprintf(out, "\\x%02x", bytes[i]);
	return out;
}

/* Escapes as much of the text as there is room for; returns what is left of it. */
static const char *escape(const char *text, enum pb_escape how, char **out, size_t room)
{
	const unsigned char *at = (const unsigned char *)text;
	const char *end = *out + room - ESCAPED_MAX;

	while (*at && *out <= end) {
		const unsigned char *next = at;
		long c = utf8_next(&next);

		if (c < 0)
			next = at + 1;
		*out = put(*out, c, at, next - at, how);
		at = next;
	}
	**out = '\0';
	return (const char *)at;
}

void pb_text_escape_into(char *out, size_t room, const char *text, enum pb_escape how)
{
	escape(text, how, &out, room);
}

char *pb_text_escape(const char *text, enum pb_escape how)
{
	size_t room = PB_ESCAPED(strlen(text));
	char *made = malloc(room), *out = made;

	if (made)
		escape(text, how, &out, room);
	return made;
}

struct pb_quoted pb_quote(const char *word)
{
	struct pb_quoted quoted = { "\"" };
	char *out = quoted.text + 1;
	const char *rest =
		escape(word, PB_ESCAPE_LINE, &out, sizeof(quoted.text) - strlen("\"...\""));

	strcpy(out, *rest ? "...\"" : "\"");
	return quoted;
}
