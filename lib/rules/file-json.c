// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* A ruleset in JSON, from and to, in the shape that `rule list -j` and `save -j` print. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "rule/duration.h"
#include "rule/json.h"
#include "rules/file.h"
#include "rules/sets.h"
#include "util/error.h"
#include "util/escape.h"

/* More than what fits into PB_RULES_LIMIT rules and their lists. */
#define ARRAYS_MAX (8U * PB_RULES_LIMIT)
#define KEYS_MAX (32U * PB_RULES_LIMIT)
#define VALUES_MAX (8U << 20)

static void problem(const struct pb_reading *reading, const char *path,
		    const struct pb_error *error)
{
	pb_problem_add(reading->problems, path, 0, error->text);
}

static void read_rules(struct pb_reading *reading, const char *path, struct json_object *rules)
{
	struct pb_error error, placed;

	if (!json_object_is_type(rules, json_type_array)) {
		pb_problem_add(reading->problems, path, 0, "\"rules\" is not an array");
		return;
	}
	for (size_t i = 0; i < json_object_array_length(rules) && !pb_reading_is_over(reading);
	     i++) {
		struct pb_rule rule = {};

		if (!pb_rule_from_json(json_object_array_get_idx(rules, i), reading->now, &rule,
				       &error)) {
			pb_reading_add(reading, path, 0, &rule);
			continue;
		}
		pb_fail(&placed, EINVAL, "rules[%zu]: %.900s", i, error.text);
		problem(reading, path, &placed);
	}
}

static int read_number(const struct json_object *json, char **text, struct pb_error *error)
{
	if (!json_object_is_type(json, json_type_int))
		return pb_json_wrong_type(json, "a whole number", error);
	*text = strdup(json_object_get_string((struct json_object *)json));
	return *text ? 0 : pb_fail_memory(error);
}

/* The keys of a set. null is as if absent. */
static const struct set_key {
	const char *key;
	pb_field_read *read;
	int (*set)(struct pb_set *set, const char *text, struct pb_error *error);
} set_keys[] = {
	{ "name", pb_json_read_string, pb_set_read_name },
	{ "timeout", pb_json_read_seconds, pb_set_read_timeout },
	{ "max", read_number, pb_set_read_max },
	{ "file", pb_json_read_string, pb_set_read_file },
};
#define NR_SET_KEYS (sizeof(set_keys) / sizeof(set_keys[0]))

static int read_set_key(const char *key, const struct json_object *value, struct pb_set *set,
			struct pb_error *error)
{
	const struct set_key *found = set_keys;
	struct pb_error inner = { 0 };
	char *text = NULL;
	int err;

	while (found < set_keys + NR_SET_KEYS && strcmp(found->key, key))
		found++;
	if (found == set_keys + NR_SET_KEYS)
		return pb_fail(error, EINVAL, "%s is not a key of a set (name, timeout, max, file)",
			       PB_Q(key));
	if (!value)
		return 0;
	err = found->read(value, &text, &inner);
	if (!err)
		err = found->set(set, text, &inner);
	free(text);
	return err ? pb_fail(error, -err, "\"%s\": %s", key, inner.text) : 0;
}

static int read_set_keys(struct json_object *json, struct pb_set *set, struct pb_error *error)
{
	if (!json_object_is_type(json, json_type_object))
		return pb_json_wrong_type(json, "an object: write a set as in {\"name\":\"bans\"}",
					  error);
	json_object_object_foreach(json, key, value) {
		int err = read_set_key(key, value, set, error);

		if (err)
			return err;
	}
	if (!*set->name)
		return pb_fail(error, EINVAL,
			       "the set lacks its name: write as in "
			       "{\"name\":\"bans\"}");
	return pb_set_complete(set, error);
}

static int read_set(struct pb_reading *reading, const char *path, struct json_object *json,
		    struct pb_error *error)
{
	struct pb_error note = { "" };
	struct pb_set set = { .max = 0 };
	int err = read_set_keys(json, &set, error);

	if (!err)
		err = pb_rules_declare_read(reading->rules, &set, path, &note, error);
	if (!err && *note.text)
		pb_problem_add(reading->notes, path, 0, note.text);
	return err;
}

static void read_sets(struct pb_reading *reading, const char *path, struct json_object *sets)
{
	struct pb_error error, placed;

	if (!json_object_is_type(sets, json_type_array)) {
		pb_problem_add(reading->problems, path, 0, "\"sets\" is not an array");
		return;
	}
	for (size_t i = 0; i < json_object_array_length(sets) && !pb_reading_is_over(reading);
	     i++) {
		if (!read_set(reading, path, json_object_array_get_idx(sets, i), &error))
			continue;
		pb_fail(&placed, EINVAL, "sets[%zu]: %.900s", i, error.text);
		problem(reading, path, &placed);
	}
}

static void read_key(struct pb_reading *reading, const char *path, const char *key,
		     struct json_object *value)
{
	struct pb_error error;

	if (!strcmp(key, "rules")) {
		read_rules(reading, path, value);
		return;
	}
	if (!strcmp(key, "sets")) {
		read_sets(reading, path, value);
		return;
	}
	if (!strcmp(key, "ruleset"))
		return; /* which one it goes to is the caller's to say */
	if (!json_object_is_type(value, json_type_string))
		pb_fail(&error, EINVAL, "the value of %s is not a string", PB_Q(key));
	else if (!pb_setting_set(&reading->rules->settings, key, json_object_get_string(value),
				 &error))
		return;
	problem(reading, path, &error);
}

static void read_keys(struct pb_reading *reading, const char *path, struct json_object *json)
{
	struct json_object_iterator at = json_object_iter_begin(json);
	struct json_object_iterator end = json_object_iter_end(json);

	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
		read_key(reading, path, json_object_iter_peek_name(&at),
			 json_object_iter_peek_value(&at));
}

static unsigned long line_of(const char *text, size_t offset)
{
	unsigned long line = 1;

	for (size_t i = 0; i < offset && text[i]; i++)
		line += text[i] == '\n';
	return line;
}

static const char no_memory[] = "out of memory";

/* NULL, and why and where, if it is no JSON. */
static struct json_object *parse(const char *text, int flags, const char **why, size_t *end)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *json;

	*why = no_memory;
	if (!tokener)
		return NULL;
	json_tokener_set_flags(tokener, flags);
	errno = 0;
	/* With its NUL, so that a text that breaks off is told from one to be continued. */
	json = json_tokener_parse_ex(tokener, text, strlen(text) + 1);
	*end = json_tokener_get_parse_end(tokener);
	/* json-c leaves out some of what it finds no room for: a list of sources, say. */
	if (errno != ENOMEM)
		*why = json_tokener_get_error(tokener) == json_tokener_success ?
			       NULL :
			       json_tokener_error_desc(json_tokener_get_error(tokener));
	json_tokener_free(tokener);
	return json;
}

/*
 * The strict parser of json-c 0.18 (Debian 13) takes all bytes beyond ASCII for control characters:
 * it is shown the text without them, and the other parser then reads what is known to be right.
 */
static struct json_object *parse_strictly(const char *text, const char **why, size_t *end)
{
	char *ascii = strdup(text);
	struct json_object *json;
	bool same = true;

	*why = no_memory;
	if (!ascii)
		return NULL;
	for (char *at = ascii; *at; at++) {
		if (*at & 0x80) {
			*at = '?';
			same = false;
		}
	}
	json = parse(ascii, JSON_TOKENER_STRICT, why, end);
	free(ascii);
	if (*why || same)
		return json;
	json_object_put(json);
	return parse(text, 0, why, end);
}

/* What the text holds outside of its strings. */
struct shape {
	size_t objects, arrays, keys, commas;
};

static struct shape shape_of(const char *text)
{
	struct shape shape = { 0 };
	bool string = false;

	for (; *text; text++) {
		if (*text == '"')
			string = !string;
		else if (string && *text == '\\' && text[1])
			text++;
		if (string)
			continue;
		shape.objects += *text == '{';
		shape.arrays += *text == '[';
		shape.keys += *text == ':';
		shape.commas += *text == ',';
	}
	return shape;
}

/* Before json-c makes an object of each: of 64 MiB of `{},` it would make 17 GB. */
static bool is_too_much(const struct shape *shape)
{
	return shape->objects > PB_RULES_LIMIT + PB_SETS_MAX + 1 || shape->arrays > ARRAYS_MAX ||
	       shape->keys > KEYS_MAX || shape->commas > VALUES_MAX;
}

/* Adds what json-c has made of it, as far as duplicates and losses show. */
static void add_shape(struct json_object *json, struct shape *shape)
{
	size_t nr = 0;

	if (json_object_is_type(json, json_type_array)) {
		nr = json_object_array_length(json);
		for (size_t i = 0; i < nr; i++)
			add_shape(json_object_array_get_idx(json, i), shape);
	} else if (json_object_is_type(json, json_type_object)) {
		nr = json_object_object_length(json);
		shape->keys += nr;
		json_object_object_foreach(json, key, value) {
			(void)key;
			add_shape(value, shape);
		}
	}
	shape->commas += nr ? nr - 1 : 0;
}

/*
 * json-c takes the last of keys that are the same, and leaves out what it finds no memory for, of
 * which it tells not always: rules would vanish, or their sources, unseen.
 */
static bool is_whole(struct json_object *json, const struct shape *shape)
{
	struct shape made = { 0 };

	add_shape(json, &made);
	return made.keys == shape->keys && made.commas == shape->commas;
}

static void read_whole(struct pb_reading *reading, const char *path, struct json_object *json,
		       const struct shape *shape)
{
	if (!json_object_is_type(json, json_type_object))
		pb_problem_add(reading->problems, path, 0,
			       "this is not a ruleset: an object with \"rules\" is wanted");
	else if (!is_whole(json, shape))
		pb_problem_add(reading->problems, path, 0,
			       "an object holds a key twice, and each may stand there once; or "
			       "memory ran out");
	else
		read_keys(reading, path, json);
}

void pb_read_json(struct pb_reading *reading, const char *path, char *text)
{
	const struct shape shape = shape_of(text);
	struct json_object *json;
	struct pb_error error;
	const char *why;
	size_t end = 0;

	if (is_too_much(&shape)) {
		pb_problem_add(reading->problems, path, 0,
			       "it holds more than any ruleset: at most 65535 rules can be");
		return;
	}
	json = parse_strictly(text, &why, &end);
	if (why == no_memory) {
		pb_problem_add(reading->problems, path, 0, why);
	} else if (why) {
		pb_fail(&error, EINVAL, "this is not JSON: %s", why);
		pb_problem_add(reading->problems, path, line_of(text, end), error.text);
	} else {
		read_whole(reading, path, json, &shape);
	}
	json_object_put(json);
}

/* ---- To JSON ------------------------------------------------------------------------------- */

static int add_string(struct json_object *json, const char *key, const char *text)
{
	struct json_object *string = json_object_new_string(text);

	return string ? pb_json_add(json, key, string) : -ENOMEM;
}

static int add_settings(struct json_object *json, const struct pb_settings *settings)
{
	const char *name;
	int err = 0;

	for (size_t i = 0; !err && (name = pb_setting_name(i)); i++)
		err = add_string(json, name, pb_setting_value(settings, name));
	return err;
}

/* The value must be one: where it is null for want of memory, so is all. */
static int add_number(struct json_object *json, const char *key, __u64 number)
{
	struct json_object *value = json_object_new_uint64(number);

	return value ? pb_json_add(json, key, value) : -ENOMEM;
}

static int add_set(struct json_object *array, const struct pb_set *set)
{
	struct json_object *json = json_object_new_object();
	int err = pb_json_append(array, json);

	if (!err)
		err = add_string(json, "name", set->name);
	if (!err)
		err = set->timeout ?
			      add_number(json, "timeout", pb_duration_seconds(set->timeout)) :
			      pb_json_add(json, "timeout", NULL);
	if (!err)
		err = add_number(json, "max", set->max);
	if (err)
		return err;
	return *set->file ? add_string(json, "file", set->file) : pb_json_add(json, "file", NULL);
}

static int add_sets(struct json_object *json, const struct pb_rules *rules)
{
	struct json_object *array = json_object_new_array();
	int err = array ? pb_json_add(json, "sets", array) : -ENOMEM;

	for (size_t i = 0; !err && i < rules->nr_sets; i++)
		err = add_set(array, rules->sets[i]);
	return err;
}

static int add_rules(struct json_object *json, const struct pb_rules *rules, __u64 now)
{
	struct json_object *array = json_object_new_array();
	int err = array ? pb_json_add(json, "rules", array) : -ENOMEM;

	for (size_t i = 0; !err && i < rules->nr; i++)
		if (!rules->rule[i].expires || rules->rule[i].expires > now)
			err = pb_json_append(array, pb_rule_to_json(&rules->rule[i], now));
	return err;
}

struct json_object *pb_rules_to_json(const struct pb_rules *rules, const char *ruleset, __u64 now)
{
	struct json_object *json = json_object_new_object();
	int err = json ? 0 : -ENOMEM;

	if (!err && ruleset)
		err = add_string(json, "ruleset", ruleset);
	if (!err)
		err = add_settings(json, &rules->settings);
	if (!err)
		err = add_sets(json, rules);
	if (!err)
		err = add_rules(json, rules, now);
	if (!err)
		return json;
	json_object_put(json);
	return NULL;
}
