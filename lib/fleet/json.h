/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FLEET_JSON_H
#define FLEET_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <json-c/json.h>

/*
 * json_tokener_parse_ex(), which goes on without what it has no memory for: NULL and errno ENOMEM then. `end` gets where it
 * has stopped. The caller puts the object.
 */
struct json_object *fleet_json_parse(struct json_tokener *tokener, const char *text, size_t len,
				     size_t *end);

/*
 * Has it more objects and arrays than that? json-c makes 800 bytes of each "{}": a text of 1 MiB can be more memory than
 * there is.
 */
bool fleet_json_has_more(const char *text, size_t len, size_t most);

#endif
