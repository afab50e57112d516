// SPDX-License-Identifier: GPL-2.0-only
/* Kinds of fields that are a list of words, or of pairs of them: what rulesets are called. */
#include <stdlib.h>
#include <string.h>
#include "fleet/conf.h"
#include "fleet/error.h"
#include "fleet/host-name.h"
#include "fleet/shape-parts.h"

/* ---- Words ---------------------------------------------------------------------------------- */

struct words {
	char **list;
	size_t nr;
};

static int read_words(const struct place *place, const struct fleet_field *field,
		      struct json_object *value, void *to)
{
	const struct fleet_field line = { .key = field->key, .limit = FLEET_HOST_MAX };
	struct words *words = to;
	int err = 0;

	if (!fleet_shape_is_list(value, field))
		return fleet_shape_wrong(place, field->key, value, "a list of not too many words");
	words->list = calloc(json_object_array_length(value) + 1, sizeof(*words->list));
	if (!words->list)
		return fleet_fail_memory(place->error);
	for (size_t i = 0; !err && i < json_object_array_length(value); i++) {
		err = fleet_kind_text.read(place, &line, json_object_array_get_idx(value, i),
					   &words->list[i]);
		words->nr += !err;
	}
	return err;
}

static struct json_object *write_words(const struct fleet_field *field, const void *from)
{
	struct json_object *array = json_object_new_array();
	const struct words *words = from;

	(void)field;
	for (size_t i = 0; array && i < words->nr; i++) {
		if (fleet_shape_append(array, json_object_new_string(words->list[i])))
			continue;
		json_object_put(array);
		array = NULL;
	}
	return array;
}

static void clear_words(const struct fleet_field *field, void *at)
{
	struct words *words = at;

	(void)field;
	for (size_t i = 0; i < words->nr; i++)
		free(words->list[i]);
	free(words->list);
}

const struct kind fleet_kind_words = { read_words, write_words, clear_words, NULL };

/* ---- What rulesets are called --------------------------------------------------------------- */

struct pairs {
	struct fleet_ruleset *list;
	size_t nr;
};

static int read_pair(const struct place *place, const struct fleet_field *field, const char *local,
		     struct json_object *value, struct pairs *pairs)
{
	const char *remote = fleet_shape_text_in(value);
	struct fleet_ruleset *pair = &pairs->list[pairs->nr];

	if (fleet_shape_check_name(place, field, local))
		return -EINVAL;
	if (!remote || pb_ruleset_name_check(remote, NULL))
		return fleet_shape_wrong(place, local, value, "the name of a ruleset");
	for (size_t i = 0; i < pairs->nr; i++)
		if (!strcmp(pairs->list[i].remote, remote))
			return fleet_fail(place->error, EINVAL, "%s: \"%s\": '%s' is named twice",
					  place->what, field->key, remote);
	strcpy(pair->local, local);
	strcpy(pair->remote, remote);
	pairs->nr++;
	return 0;
}

static int read_pairs(const struct place *place, const struct fleet_field *field,
		      struct json_object *value, void *to)
{
	struct pairs *pairs = to;

	if (!fleet_shape_is_object(value, field))
		return fleet_shape_wrong(place, field->key, value,
					 "an object with not too many names");
	pairs->list = calloc(json_object_object_length(value) + 1, sizeof(*pairs->list));
	if (!pairs->list)
		return fleet_fail_memory(place->error);
	json_object_object_foreach(value, local, remote) {
		int err = read_pair(place, field, local, remote, pairs);

		if (err)
			return err;
	}
	return 0;
}

static struct json_object *write_pairs(const struct fleet_field *field, const void *from)
{
	struct json_object *object = json_object_new_object();
	const struct pairs *pairs = from;

	(void)field;
	for (size_t i = 0; object && i < pairs->nr; i++) {
		const struct fleet_ruleset *pair = &pairs->list[i];

		if (fleet_shape_add(object, pair->local, json_object_new_string(pair->remote)))
			continue;
		json_object_put(object);
		object = NULL;
	}
	return object;
}

static void clear_pairs(const struct fleet_field *field, void *at)
{
	(void)field;
	free(((struct pairs *)at)->list);
}

const struct kind fleet_kind_pairs = { read_pairs, write_pairs, clear_pairs, NULL };
