// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include "util/error.h"
#include "util/text.h"

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

int pb_number_parse(const char *text, size_t len, unsigned long max, unsigned long *value)
{
	unsigned long number = 0;

	if (!len || strspn(text, "0123456789") < len || (len > 1 && text[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		unsigned long digit = text[i] - '0';

		if (digit > max || number > (max - digit) / 10)
			return -ERANGE;
		number = number * 10 + digit;
	}
	*value = number;
	return 0;
}

static int empty_item(const char *text, const char *what, struct pb_error *error)
{
	if (!*text)
		return pb_fail(error, EINVAL, "the list of %s is empty", what);
	return pb_fail(error, EINVAL,
		       "%s has an empty place: between %s stands one comma, and none at either end",
		       PB_Q(text), what);
}

int pb_list_each(const char *text, const char *what, pb_list_item *item, void *ctx,
		 struct pb_error *error)
{
	char *copy = strdup(text), *rest = copy, *word;
	int err = copy ? 0 : pb_fail_memory(error);

	while (!err && (word = strsep(&rest, ",")))
		err = *word ? item(word, ctx, error) : empty_item(text, what, error);
	free(copy);
	return err;
}

char *pb_stream_take(FILE *stream, char **text)
{
	bool failed = ferror(stream);

	if (fclose(stream) || failed) {
		free(*text);
		*text = NULL;
	}
	return *text;
}
