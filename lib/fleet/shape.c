// SPDX-License-Identifier: GPL-2.0-only
/* A document: JSON with a format, to a record, and a record to it. */
#include <stdlib.h>
#include <string.h>
#include "fleet/error.h"
#include "fleet/json.h"
#include "fleet/records.h"
#include "fleet/shape-parts.h"

#define FORMAT 1
#define DEPTH 16
/* A host that tells of 4096 interfaces with a ruleset each has half as many objects and arrays. */
#define PARTS_MAX 20000

/* One document, and nothing behind it, or NULL; `why` is what json-c says of it. -ENOMEM, or 0. */
static int parse_by(int flags, const char *text, size_t len, struct json_object **object,
		    enum json_tokener_error *why)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH);
	size_t end;
	int err = 0;

	*object = NULL;
	if (!tokener)
		return -ENOMEM;
	json_tokener_set_flags(tokener, flags);
	*object = fleet_json_parse(tokener, text, len, &end);
	if (!*object && errno == ENOMEM)
		err = -ENOMEM;
	*why = json_tokener_get_error(tokener);
	if (*object && end != len)
		*why = json_tokener_error_parse_unexpected;
	json_tokener_free(tokener);
	return err;
}

/*
 * The strict parser of json-c 0.18 (Debian 13) takes all bytes beyond ASCII for control characters: it is shown
 * the text without them.
 */
static int check_strictly(const char *text, size_t len, enum json_tokener_error *why)
{
	char *ascii = malloc(len + 1);
	struct json_object *object;
	int err;

	if (!ascii)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++)
		ascii[i] = text[i] & 0x80 ? '?' : text[i];
	err = parse_by(JSON_TOKENER_STRICT, ascii, len, &object, why);
	json_object_put(object);
	free(ascii);
	return err;
}

static int parse(const char *text, size_t len, const char *what, struct json_object **object,
		 struct pb_error *error)
{
	struct json_object *parsed = NULL;
	enum json_tokener_error why;
	int err;

	if (fleet_json_has_more(text, len, PARTS_MAX))
		return fleet_fail(error, EINVAL, "%s has more than %d objects and arrays", what,
				  PARTS_MAX);
	err = check_strictly(text, len, &why);
	if (!err && why == json_tokener_success)
		err = parse_by(JSON_TOKENER_VALIDATE_UTF8, text, len, &parsed, &why);
	if (!err && why == json_tokener_success && json_object_is_type(parsed, json_type_object)) {
		*object = parsed;
		return 0;
	}
	json_object_put(parsed);
	if (err)
		return fleet_fail_memory(error);
	return fleet_fail(error, EINVAL, "%s is no JSON object: %s", what,
			  why == json_tokener_success ? "something else" :
							json_tokener_error_desc(why));
}

static int check_format(const struct place *place, struct json_object *object)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, "format", &value))
		return fleet_shape_lack(place, "format");
	if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) != FORMAT)
		return fleet_shape_wrong(
			place, "format", value,
			"1: a later xdp-portblock has written it, or something else");
	return 0;
}

static int read_document(const struct fleet_shape *shape, struct json_object *object,
			 const char *what, void **record, struct pb_error *error)
{
	const struct place place = { what, "", error };
	void *made = calloc(1, shape->size);
	int err = made ? check_format(&place, object) : fleet_fail_memory(error);

	if (!err)
		err = fleet_record_read(&place, shape, object, made);
	if (!err)
		*record = made;
	else
		fleet_shape_free(shape, made);
	return err;
}

int fleet_shape_read(const struct fleet_shape *shape, const char *text, size_t len,
		     const char *what, void **record, struct pb_error *error)
{
	struct json_object *object = NULL;
	int err;

	if (len > FLEET_VALUE_MAX)
		return fleet_fail(error, EINVAL, "%s has %zu bytes, and may have %d", what, len,
				  FLEET_VALUE_MAX);
	err = parse(text, len, what, &object, error);
	if (err)
		return err;
	err = read_document(shape, object, what, record, error);
	json_object_put(object);
	return err;
}

char *fleet_shape_text(const struct fleet_shape *shape, const void *record)
{
	struct json_object *object = fleet_record_write(shape, record), *format;
	const char *text = NULL;
	char *taken = NULL;

	format = json_object_new_int(FORMAT);
	/* json-c goes on where its buffer does not grow: errno alone tells. */
	errno = 0;
	if (object && fleet_shape_add(object, "format", format))
		text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_NOSLASHESCAPE);
	else if (!object)
		json_object_put(format);
	if (text && errno != ENOMEM && errno != EFBIG)
		taken = strdup(text);
	json_object_put(object);
	return taken;
}

void fleet_shape_free(const struct fleet_shape *shape, void *record)
{
	if (record)
		fleet_record_clear(shape, record);
	free(record);
}
