/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the fields of a rule are in JSON. */
#ifndef PB_JSON_H
#define PB_JSON_H

#include "rule/fields.h"

pb_field_write pb_json_write_string, pb_json_write_list, pb_json_write_given;
pb_field_write pb_json_write_seconds, pb_json_write_comment, pb_json_write_over;
pb_field_write pb_json_write_id, pb_json_write_packets, pb_json_write_bytes;
pb_field_read pb_json_read_string, pb_json_read_list, pb_json_read_given, pb_json_read_seconds;
pb_field_read pb_json_read_over;
/* -EINVAL, with what was wanted instead. */
int pb_json_wrong_type(const struct json_object *json, const char *wanted, struct pb_error *error);
/* Takes the value over, also when it fails (-ENOMEM); NULL is null. */
int pb_json_add(struct json_object *object, const char *key, struct json_object *value);
/* The same, but NULL is a value for which there was no memory. */
int pb_json_append(struct json_object *array, struct json_object *value);

#endif
