// SPDX-License-Identifier: GPL-2.0-only
/* What all kinds of fields need of a value of JSON. */
#include <string.h>
#include "fleet/error.h"
#include "fleet/shape-parts.h"

int fleet_shape_wrong(const struct place *place, const char *key, struct json_object *value,
		      const char *wanted)
{
	const char *text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_NOSLASHESCAPE);

	return fleet_fail(place->error, EINVAL, "%s: %s\"%s\" is %.80s%s, and has to be %.200s",
			  place->what, place->inside, key, text ?: "?",
			  text && strlen(text) > 80 ? "..." : "", wanted);
}

int fleet_shape_lack(const struct place *place, const char *key)
{
	return fleet_fail(place->error, EINVAL, "%s: %s\"%s\" is missing", place->what,
			  place->inside, key);
}

const char *fleet_shape_text_in(struct json_object *value)
{
	const char *text;

	if (!json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	return text && strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

bool fleet_shape_is_list(struct json_object *value, const struct fleet_field *field)
{
	return json_object_is_type(value, json_type_array) &&
	       json_object_array_length(value) <= field->limit;
}

bool fleet_shape_is_object(struct json_object *value, const struct fleet_field *field)
{
	return json_object_is_type(value, json_type_object) &&
	       (size_t)json_object_object_length(value) <= field->limit;
}

int fleet_shape_check_name(const struct place *place, const struct fleet_field *field,
			   const char *name)
{
	if (!pb_ruleset_name_check(name, NULL))
		return 0;
	return fleet_fail(place->error, EINVAL, "%s: \"%s\": '%.80s' is no name of a ruleset",
			  place->what, field->key, name);
}

bool fleet_shape_append(struct json_object *array, struct json_object *value)
{
	if (value && !json_object_array_add(array, value))
		return true;
	json_object_put(value);
	return false;
}

bool fleet_shape_add(struct json_object *object, const char *key, struct json_object *value)
{
	if (value && !json_object_object_add(object, key, value))
		return true;
	json_object_put(value);
	return false;
}
