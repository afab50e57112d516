// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Rules to JSON. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include "rule/duration.h"
#include "rule/fields.h"
#include "rule/json.h"
#include "util/error.h"
#include "util/text.h"

static int made(struct json_object *value, struct json_object **json)
{
	*json = value;
	return value ? 0 : -ENOMEM;
}

int pb_json_add(struct json_object *object, const char *key, struct json_object *value)
{
	if (!json_object_object_add(object, key, value))
		return 0;
	json_object_put(value);
	return -ENOMEM;
}

int pb_json_append(struct json_object *array, struct json_object *value)
{
	if (value && !json_object_array_add(array, value))
		return 0;
	json_object_put(value);
	return -ENOMEM;
}

static char *field_text(const struct pb_field *field, const struct pb_rule *rule, __u64 now)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	field->print(rule, now, out);
	return pb_stream_take(out, &text);
}

int pb_json_write_string(const struct pb_field *field, const struct pb_rule *rule, __u64 now,
			 struct json_object **json)
{
	char *text = field_text(field, rule, now);
	int err = text ? made(json_object_new_string(text), json) : -ENOMEM;

	free(text);
	return err;
}

static int add_words(struct json_object *list, char *text)
{
	char *rest = *text ? text : NULL, *word;

	while ((word = strsep(&rest, ","))) {
		int err = pb_json_append(list, json_object_new_string(word));

		if (err)
			return err;
	}
	return 0;
}

int pb_json_write_list(const struct pb_field *field, const struct pb_rule *rule, __u64 now,
		       struct json_object **json)
{
	char *text = field_text(field, rule, now);
	struct json_object *list = json_object_new_array();
	int err = text && list ? add_words(list, text) : -ENOMEM;

	free(text);
	if (err)
		json_object_put(list);
	else
		*json = list;
	return err;
}

int pb_json_write_given(const struct pb_field *field, const struct pb_rule *rule,
			__u64 now PB_UNUSED, struct json_object **json)
{
	return made(json_object_new_boolean(field->given(rule)), json);
}

int pb_json_write_seconds(const struct pb_field *field, const struct pb_rule *rule, __u64 now,
			  struct json_object **json)
{
	__u64 left = rule->expires > now ? rule->expires - now : 0;

	if (field->given(rule))
		return made(json_object_new_int64(pb_duration_seconds(left)), json);
	*json = NULL;
	return 0;
}

int pb_json_write_comment(const struct pb_field *field, const struct pb_rule *rule,
			  __u64 now PB_UNUSED, struct json_object **json)
{
	if (field->given(rule))
		return made(json_object_new_string(rule->comment), json);
	*json = NULL;
	return 0;
}

int pb_json_write_id(const struct pb_field *field PB_UNUSED, const struct pb_rule *rule,
		     __u64 now PB_UNUSED, struct json_object **json)
{
	return made(json_object_new_int64(rule->id), json);
}

int pb_json_write_packets(const struct pb_field *field PB_UNUSED, const struct pb_rule *rule,
			  __u64 now PB_UNUSED, struct json_object **json)
{
	return made(json_object_new_uint64(rule->packets), json);
}

int pb_json_write_bytes(const struct pb_field *field PB_UNUSED, const struct pb_rule *rule,
			__u64 now PB_UNUSED, struct json_object **json)
{
	return made(json_object_new_uint64(rule->bytes), json);
}

struct json_object *pb_rule_to_json(const struct pb_rule *rule, __u64 now)
{
	struct json_object *object = json_object_new_object();
	int err = object ? 0 : -ENOMEM;

	for (size_t i = 0; i < pb_nr_fields && !err; i++) {
		const struct pb_field *field = &pb_fields[i];
		struct json_object *value = NULL;

		if (!field->key)
			continue;
		err = field->write(field, rule, now, &value);
		if (!err)
			err = pb_json_add(object, field->key, value);
	}
	if (!err)
		return object;
	json_object_put(object);
	return NULL;
}
