/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Documents of json-c that are whole or not at all: what cannot be made for want of memory is
 * remembered, by all of these, until the document is asked for its text.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <json-c/json.h>
#include <linux/types.h>

struct json_object *json_new_object(void);
struct json_object *json_new_array(void);
struct json_object *json_string(const char *text);
struct json_object *json_int(long long number);
struct json_object *json_uint(__u64 number);
struct json_object *json_double(double number);
struct json_object *json_boolean(bool value);

/* They take the value over; NULL is null. */
void json_add(struct json_object *object, const char *key, struct json_object *value);
void json_append(struct json_object *array, struct json_object *value);

/* Frees the document; its text is fit for a terminal, and the caller's to free. NULL: no memory. */
char *json_take_text(struct json_object *json, int flags);
/* Prints and frees; FAILED after a message. */
int json_print(struct json_object *json);

#endif
