// SPDX-License-Identifier: GPL-2.0-only
/* A record by its fields, and records in a record. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fleet/error.h"
#include "fleet/shape-parts.h"

static const struct kind *const kinds[FLEET_KINDS];

/* ---- Records -------------------------------------------------------------------------------- */

static int read_field(const struct place *place, const struct fleet_field *field,
		      struct json_object *object, char *record)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, field->key, &value) || !value)
		return field->needed ? fleet_shape_lack(place, field->key) : 0;
	return kinds[field->kind]->read(place, field, value, record + field->at);
}

int fleet_record_read(const struct place *place, const struct fleet_shape *shape,
		      struct json_object *object, char *record)
{
	int err = 0;

	for (const struct fleet_field *field = shape->fields; !err && field->key; field++)
		err = read_field(place, field, object, record);
	return err;
}

static bool write_fields(const struct fleet_shape *shape, const char *record,
			 struct json_object *object)
{
	for (const struct fleet_field *field = shape->fields; field->key; field++) {
		const struct kind *kind = kinds[field->kind];
		const void *at = record + field->at;

		if (!field->needed && kind->is_empty && kind->is_empty(at))
			continue;
		if (!fleet_shape_add(object, field->key, kind->write(field, at)))
			return false;
	}
	return true;
}

struct json_object *fleet_record_write(const struct fleet_shape *shape, const char *record)
{
	struct json_object *object = json_object_new_object();

	if (object && write_fields(shape, record, object))
		return object;
	json_object_put(object);
	return NULL;
}

void fleet_record_clear(const struct fleet_shape *shape, char *record)
{
	for (const struct fleet_field *field = shape->fields; field->key; field++)
		if (kinds[field->kind]->clear)
			kinds[field->kind]->clear(field, record + field->at);
}

/* ---- Records in a record -------------------------------------------------------------------- */

struct rows {
	char *list;
	size_t nr;
};

static int make_rows(const struct place *place, const struct fleet_field *field, size_t nr,
		     struct rows *rows)
{
	rows->list = calloc(nr + 1, field->shape->size);
	return rows->list ? 0 : fleet_fail_memory(place->error);
}

static char *row_at(const struct fleet_field *field, const struct rows *rows, size_t i)
{
	return rows->list + i * field->shape->size;
}

/* One more of them, of which there is room for; it counts even if it is read by half. */
static int read_row(const struct place *place, const struct fleet_field *field, const char *name,
		    struct json_object *value, struct rows *rows)
{
	char inside[PB_NAME_LEN + 32];
	struct place within = { place->what, inside, place->error };

	snprintf(inside, sizeof(inside), "%s %.*s: ", field->key, PB_NAME_LEN, name);
	if (!json_object_is_type(value, json_type_object))
		return fleet_shape_wrong(&within, name, value, "an object");
	return fleet_record_read(&within, field->shape, value, row_at(field, rows, rows->nr++));
}

static int read_rows(const struct place *place, const struct fleet_field *field,
		     struct json_object *value, void *to)
{
	size_t nr;
	char number[24];
	int err;

	if (!fleet_shape_is_list(value, field))
		return fleet_shape_wrong(place, field->key, value,
					 "a list of not too many objects");
	nr = json_object_array_length(value);
	err = make_rows(place, field, nr, to);
	for (size_t i = 0; !err && i < nr; i++) {
		snprintf(number, sizeof(number), "%zu", i + 1);
		err = read_row(place, field, number, json_object_array_get_idx(value, i), to);
	}
	return err;
}

static struct json_object *write_rows(const struct fleet_field *field, const void *from)
{
	struct json_object *array = json_object_new_array();
	const struct rows *rows = from;

	for (size_t i = 0; array && i < rows->nr; i++) {
		if (fleet_shape_append(array,
				       fleet_record_write(field->shape, row_at(field, rows, i))))
			continue;
		json_object_put(array);
		array = NULL;
	}
	return array;
}

static int read_named(const struct place *place, const struct fleet_field *field,
		      struct json_object *value, void *to)
{
	struct rows *rows = to;
	int err;

	if (!fleet_shape_is_object(value, field))
		return fleet_shape_wrong(place, field->key, value,
					 "an object with not too many names");
	err = make_rows(place, field, json_object_object_length(value), rows);
	if (err)
		return err;
	json_object_object_foreach(value, name, row) {
		if (fleet_shape_check_name(place, field, name))
			return -EINVAL;
		strcpy(row_at(field, rows, rows->nr), name);
		err = read_row(place, field, name, row, rows);
		if (err)
			return err;
	}
	return 0;
}

static struct json_object *write_named(const struct fleet_field *field, const void *from)
{
	struct json_object *object = json_object_new_object();
	const struct rows *rows = from;

	for (size_t i = 0; object && i < rows->nr; i++) {
		const char *row = row_at(field, rows, i);

		if (fleet_shape_add(object, row, fleet_record_write(field->shape, row)))
			continue;
		json_object_put(object);
		object = NULL;
	}
	return object;
}

static void clear_rows(const struct fleet_field *field, void *at)
{
	struct rows *rows = at;

	for (size_t i = 0; i < rows->nr; i++)
		fleet_record_clear(field->shape, row_at(field, rows, i));
	free(rows->list);
}

static const struct kind kind_rows = { read_rows, write_rows, clear_rows, NULL };
static const struct kind kind_named = { read_named, write_named, clear_rows, NULL };

/* ---- Which kinds there are ------------------------------------------------------------------ */

static const struct kind *const kinds[FLEET_KINDS] = {
	[FLEET_TEXT] = &fleet_kind_text,     [FLEET_FILE] = &fleet_kind_file,
	[FLEET_HOST] = &fleet_kind_host,     [FLEET_NAME] = &fleet_kind_name,
	[FLEET_HASH] = &fleet_kind_hash,     [FLEET_TIME] = &fleet_kind_time,
	[FLEET_NUMBER] = &fleet_kind_number, [FLEET_COUNT] = &fleet_kind_count,
	[FLEET_WORD] = &fleet_kind_word,     [FLEET_REAL] = &fleet_kind_real,
	[FLEET_WORDS] = &fleet_kind_words,   [FLEET_ROWS] = &kind_rows,
	[FLEET_PAIRS] = &fleet_kind_pairs,   [FLEET_NAMED] = &kind_named,
};
