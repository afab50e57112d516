/* SPDX-License-Identifier: GPL-2.0-only */
/* A kind of field, and what the parts that read and write them, shape*.c, offer each other; see shape.h for the rest. */
#ifndef FLEET_SHAPE_PARTS_H
#define FLEET_SHAPE_PARTS_H

#include <json-c/json.h>
#include "fleet/shape.h"

/* Where the reader is, for messages: `inside` is the row of it, or "". */
struct place {
	const char *what;
	const char *inside;
	struct pb_error *error;
};

/* How a value of a kind is read (what was there is empty), written (NULL: no memory) and freed. */
struct kind {
	int (*read)(const struct place *place, const struct fleet_field *field,
		    struct json_object *value, void *to);
	struct json_object *(*write)(const struct fleet_field *field, const void *from);
	void (*clear)(const struct fleet_field *field, void *at);
	bool (*is_empty)(const void *at);
};

/* shape-text.c, shape-number.c, shape-list.c: kinds that hold no records */

extern const struct kind fleet_kind_text, fleet_kind_file, fleet_kind_host, fleet_kind_name,
	fleet_kind_hash, fleet_kind_time;
extern const struct kind fleet_kind_number, fleet_kind_count, fleet_kind_word, fleet_kind_real;
extern const struct kind fleet_kind_words, fleet_kind_pairs;

/* shape-record.c: a record by its fields, and the kinds that hold records */

/* Reads into a record, which is zeroed, and is to be cleared if it is read by half, too. */
int fleet_record_read(const struct place *place, const struct fleet_shape *shape,
		      struct json_object *object, char *record);
/* NULL: no memory. */
struct json_object *fleet_record_write(const struct fleet_shape *shape, const char *record);
void fleet_record_clear(const struct fleet_shape *shape, char *record);

/* shape-value.c: what all kinds need of a value */

/* "hosts/a: rulesets web: "state" is 7, and has to be ..." -EINVAL. */
int fleet_shape_wrong(const struct place *place, const char *key, struct json_object *value,
		      const char *wanted);
int fleet_shape_lack(const struct place *place, const char *key);
/* The text of a string that holds no NUL; NULL: it is none. */
const char *fleet_shape_text_in(struct json_object *value);
/* An array, or an object, of no more than the field may have? */
bool fleet_shape_is_list(struct json_object *value, const struct fleet_field *field);
bool fleet_shape_is_object(struct json_object *value, const struct fleet_field *field);
/* Of a key in such an object, which has to be a ruleset's: -EINVAL. */
int fleet_shape_check_name(const struct place *place, const struct fleet_field *field,
			   const char *name);
/* Both take the value over (NULL: there was no memory). */
bool fleet_shape_append(struct json_object *array, struct json_object *value);
bool fleet_shape_add(struct json_object *object, const char *key, struct json_object *value);

#endif
