// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The fields of a rule in JSON: a value from its text, and back to the text that its `set` takes. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include "rule/duration.h"
#include "rule/fields.h"
#include "rule/json.h"
#include "util/error.h"
#include "util/escape.h"
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

/* ---- From JSON ----------------------------------------------------------------------------- */

int pb_json_wrong_type(const struct json_object *json, const char *wanted, struct pb_error *error)
{
	const char *text = json_object_to_json_string((struct json_object *)json);

	return pb_fail(error, EINVAL, "%s is not %s", PB_Q(text), wanted);
}

/* The characters of a string, which may not hold NUL. */
static int string_of(const struct json_object *json, const char **text, struct pb_error *error)
{
	struct json_object *string = (struct json_object *)json;

	*text = json_object_get_string(string);
	if (strlen(*text) != (size_t)json_object_get_string_len(string))
		return pb_fail(error, EINVAL, "%s goes on behind a NUL character: leave it out",
			       PB_Q(*text));
	return 0;
}

int pb_json_read_string(const struct json_object *json, char **text, struct pb_error *error)
{
	const char *string;
	int err;

	if (!json_object_is_type(json, json_type_string))
		return pb_json_wrong_type(json, "a string", error);
	err = string_of(json, &string, error);
	if (err)
		return err;
	*text = strdup(string);
	return *text ? 0 : pb_fail_memory(error);
}

static int print_element(const struct json_object *json, FILE *out, struct pb_error *error)
{
	const char *word;
	int err;

	if (!json_object_is_type(json, json_type_string))
		return pb_json_wrong_type(json, "a string, as in [\"22\"]", error);
	err = string_of(json, &word, error);
	if (!err && word[0] == '@')
		err = pb_fail(
			error, EINVAL,
			"%s: an element of a list is no file; sets stand in \"from_sets\" and "
			"\"except_sets\", by their names without @",
			PB_Q(word));
	else if (!err && strchr(word, ','))
		err = pb_fail(error, EINVAL, "%s: an element of a list is one word without commas",
			      PB_Q(word));
	if (!err)
		fputs(word, out);
	return err;
}

static int print_elements(const struct json_object *json, FILE *out, struct pb_error *error)
{
	size_t nr = json_object_array_length(json);
	int err = 0;

	for (size_t i = 0; i < nr && !err; i++) {
		if (i)
			putc(',', out);
		err = print_element(json_object_array_get_idx(json, i), out, error);
	}
	return err;
}

int pb_json_read_list(const struct json_object *json, char **text, struct pb_error *error)
{
	char *joined = NULL;
	size_t len;
	FILE *out;
	int err;

	if (!json_object_is_type(json, json_type_array))
		return pb_json_wrong_type(json, "a list of strings, as in [\"22\",\"80-90\"]",
					  error);
	if (!json_object_array_length(json))
		return 0;
	out = open_memstream(&joined, &len);
	if (!out)
		return pb_fail_memory(error);
	err = print_elements(json, out, error);
	if (!pb_stream_take(out, &joined) && !err)
		err = pb_fail_memory(error);
	if (err)
		free(joined);
	else
		*text = joined;
	return err;
}

int pb_json_read_given(const struct json_object *json, char **text, struct pb_error *error)
{
	if (!json_object_is_type(json, json_type_boolean))
		return pb_json_wrong_type(json, "true or false", error);
	if (!json_object_get_boolean(json))
		return 0;
	*text = strdup("");
	return *text ? 0 : pb_fail_memory(error);
}

int pb_json_read_seconds(const struct json_object *json, char **text, struct pb_error *error)
{
	if (!json_object_is_type(json, json_type_int))
		return pb_json_wrong_type(json, "a whole number of seconds", error);
	if (asprintf(text, "%llds", (long long)json_object_get_int64(json)) < 0) {
		*text = NULL;
		return pb_fail_memory(error);
	}
	return 0;
}
