// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* A rule to JSON and from it. null is as if absent. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include "rule/fields.h"
#include "rule/json.h"
#include "util/error.h"
#include "util/escape.h"
#include "util/text.h"

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
		return pb_json_wrong_type(
			json, "an object: write a rule as in {\"ports\":[\"22\"]}", error);
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
	const struct pb_input in = { now, NULL, NULL, &inner };
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
	if (!err && !rule->nr_ports && (rule->nr_from || rule->nr_from_sets) &&
	    !json_object_object_get((struct json_object *)json, "protocols"))
		rule->protocols = 0;
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
