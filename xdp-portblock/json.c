// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "json.h"
#include "tool.h"

/* Of the document that is being made something is missing. */
static bool lost;

static struct json_object *made(struct json_object *json)
{
	lost |= !json;
	return json;
}

struct json_object *json_new_object(void)
{
	return made(json_object_new_object());
}

struct json_object *json_new_array(void)
{
	return made(json_object_new_array());
}

struct json_object *json_string(const char *text)
{
	return made(text ? json_object_new_string(text) : NULL);
}

struct json_object *json_int(long long number)
{
	return made(json_object_new_int64(number));
}

struct json_object *json_uint(__u64 number)
{
	return made(json_object_new_uint64(number));
}

struct json_object *json_double(double number)
{
	return made(json_object_new_double(number));
}

struct json_object *json_boolean(bool value)
{
	return made(json_object_new_boolean(value));
}

void json_add(struct json_object *object, const char *key, struct json_object *value)
{
	if (object && !json_object_object_add(object, key, value))
		return;
	json_object_put(value);
	lost = true;
}

void json_append(struct json_object *array, struct json_object *value)
{
	if (array && !json_object_array_add(array, value))
		return;
	json_object_put(value);
	lost = true;
}

/*
 * json-c goes on where its buffer does not grow, and leaves out what found no room: errno is all that
 * tells (ENOMEM by malloc(), EFBIG by json-c).
 */
static const char *text_of(struct json_object *json, int flags)
{
	const char *text;

	errno = 0;
	text = json_object_to_json_string_ext(json, flags | JSON_C_TO_STRING_NOSLASHESCAPE);
	return errno == ENOMEM || errno == EFBIG ? NULL : text;
}

char *json_take_text(struct json_object *json, int flags)
{
	const char *text = json && !lost ? text_of(json, flags) : NULL;
	char *escaped = text ? pb_text_escape(text, PB_ESCAPE_JSON) : NULL;

	json_object_put(json);
	lost = false;
	return escaped;
}

int json_print(struct json_object *json)
{
	char *text = json_take_text(json, JSON_C_TO_STRING_PLAIN);

	if (!text)
		return out_of_memory();
	printf("%s\n", text);
	free(text);
	return finish_output();
}
