// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include "fleet/json.h"

/* Up to the next number; what begins here is in no string. */
static size_t piece_of(const char *text, size_t len)
{
	bool in_string = false;
	size_t nr;

	for (nr = 0; nr < len; nr++) {
		if (in_string && text[nr] == '\\')
			nr++;
		else if (text[nr] == '"')
			in_string = !in_string;
		else if (nr && !in_string &&
			 (isdigit((unsigned char)text[nr]) || text[nr] == '-') &&
			 !isalnum((unsigned char)text[nr - 1]) && !strchr("+-.", text[nr - 1]))
			return nr;
	}
	return len;
}

/* errno alone tells of lack of memory, and each number that is read sets it to 0: there is a look at it before. */
struct json_object *fleet_json_parse(struct json_tokener *tokener, const char *text, size_t len,
				     size_t *end)
{
	struct json_object *json = NULL;
	size_t at = 0, piece;

	do {
		piece = piece_of(text + at, len - at);
		errno = 0;
		json = json_tokener_parse_ex(tokener, text + at, (int)piece);
		if (errno == ENOMEM) {
			json_object_put(json);
			return NULL;
		}
		at += piece;
	} while (!json && json_tokener_get_error(tokener) == json_tokener_continue && at < len);
	*end = at - piece + json_tokener_get_parse_end(tokener);
	return json;
}

bool fleet_json_has_more(const char *text, size_t len, size_t most)
{
	bool in_string = false;
	size_t nr = 0;

	for (size_t i = 0; i < len && nr <= most; i++) {
		if (in_string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			in_string = !in_string;
		else
			nr += !in_string && (text[i] == '{' || text[i] == '[');
	}
	return nr > most;
}
