// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Rules from JSON: a field's value becomes the text that its `set` takes. null is as if absent. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include "rule/fields.h"
#include "rule/json.h"
#include "util/error.h"
#include "util/text.h"

static int wrong_type(const struct json_object *json, const char *wanted, struct pb_error *error)
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
		return wrong_type(json, "a string", error);
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
		return wrong_type(json, "a string, as in [\"22\"]", error);
	err = string_of(json, &word, error);
	if (!err && (strchr(word, ',') || word[0] == '@'))
		err = pb_fail(error, EINVAL,
			      "%s: an element of a list is one word without commas, and no file",
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
		return wrong_type(json, "a list of strings, as in [\"22\",\"80-90\"]", error);
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
		return wrong_type(json, "true or false", error);
	if (!json_object_get_boolean(json))
		return 0;
	*text = strdup("");
	return *text ? 0 : pb_fail_memory(error);
}

int pb_json_read_seconds(const struct json_object *json, char **text, struct pb_error *error)
{
	if (!json_object_is_type(json, json_type_int))
		return wrong_type(json, "a whole number of seconds", error);
	if (asprintf(text, "%llds", (long long)json_object_get_int64(json)) < 0) {
		*text = NULL;
		return pb_fail_memory(error);
	}
	return 0;
}

static int unknown_key(const char *key, struct pb_error *error)
{
	char *known = NULL;
	size_t len;
	FILE *out = open_memstream(&known, &len);

	if (!out)
		return pb_fail_memory(error);
	for (size_t i = 0; i < pb_nr_fields; i++)
		if (pb_fields[i].key)
			fprintf(out, "%s%s", ftell(out) ? ", " : "", pb_fields[i].key);
	if (!pb_stream_take(out, &known))
		return pb_fail_memory(error);
	pb_fail(error, EINVAL, "%s is not a key of a rule (%s)", PB_Q(key), known);
	free(known);
	return -EINVAL;
}

static bool key_known(const char *key)
{
	for (size_t i = 0; i < pb_nr_fields; i++)
		if (pb_fields[i].key && !strcmp(pb_fields[i].key, key))
			return true;
	return false;
}

static int check_keys(const struct json_object *json, struct pb_error *error)
{
	if (!json_object_is_type(json, json_type_object))
		return wrong_type(json, "an object: write a rule as in {\"ports\":[\"22\"]}",
				  error);
	json_object_object_foreach((struct json_object *)json, key, value) {
		(void)value;
		if (!key_known(key))
			return unknown_key(key, error);
	}
	return 0;
}

static int read_field(const struct pb_field *field, const struct json_object *json, __u64 now,
		      struct pb_rule *rule, struct pb_error *error)
{
	struct pb_error inner = { 0 };
	const struct pb_input in = { now, NULL, &inner };
	char *text = NULL;
	int err = field->read(json, &text, &inner);

	if (!err && text)
		err = field->set(rule, text, &in);
	free(text);
	return err ? pb_fail(error, -err, "\"%s\": %s", field->key, inner.text) : 0;
}

static int read_fields(const struct json_object *json, __u64 now, struct pb_rule *rule,
		       struct pb_error *error)
{
	int err = check_keys(json, error);

	if (!err && !json_object_object_get((struct json_object *)json, "protocols"))
		rule->protocols = 1U << PB_PROTO_TCP | 1U << PB_PROTO_UDP;
	for (size_t i = 0; i < pb_nr_fields && !err; i++) {
		const struct pb_field *field = &pb_fields[i];
		struct json_object *value = NULL;

		if (field->key && field->read &&
		    json_object_object_get_ex(json, field->key, &value) && value)
			err = read_field(field, value, now, rule, error);
	}
	return err ? err : pb_rule_check(rule, error);
}

int pb_rule_from_json(const struct json_object *json, __u64 now, struct pb_rule *rule,
		      struct pb_error *error)
{
	struct pb_rule made = { 0 };
	int err = read_fields(json, now, &made, error);

	if (err) {
		pb_rule_clear(&made);
		return err;
	}
	pb_rule_clear(rule);
	*rule = made;
	return 0;
}
