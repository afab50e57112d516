// SPDX-License-Identifier: GPL-2.0-only
/* Kinds of fields that are a text in JSON. */
#include <stdlib.h>
#include <string.h>
#include "fleet/error.h"
#include "fleet/host-name.h"
#include "fleet/shape-parts.h"
#include "fleet/sign.h"

/* ---- Texts ---------------------------------------------------------------------------------- */

/* In one line, without anything that a terminal obeys. 0: no; -ENOMEM. */
static int is_printable(const char *text)
{
	char *escaped = pb_text_escape(text, PB_ESCAPE_LINE);
	int printable = escaped ? !strcmp(escaped, text) : -ENOMEM;

	free(escaped);
	return printable;
}

static int copy(const struct place *place, const char *text, char **to)
{
	*to = strdup(text);
	return *to ? 0 : fleet_fail_memory(place->error);
}

static int read_line(const struct place *place, const struct fleet_field *field,
		     struct json_object *value, void *to)
{
	const char *text = fleet_shape_text_in(value);
	int printable = text && strlen(text) <= field->limit ? is_printable(text) : 0;

	if (printable < 0)
		return fleet_fail_memory(place->error);
	if (!printable)
		return fleet_shape_wrong(place, field->key, value,
					 "a short text that can be printed");
	return copy(place, text, to);
}

static int read_any(const struct place *place, const struct fleet_field *field,
		    struct json_object *value, void *to)
{
	const char *text = fleet_shape_text_in(value);

	if (!text)
		return fleet_shape_wrong(place, field->key, value, "a text");
	return copy(place, text, to);
}

static int read_host(const struct place *place, const struct fleet_field *field,
		     struct json_object *value, void *to)
{
	const char *text = fleet_shape_text_in(value);

	if (!text || fleet_host_check(text, NULL))
		return fleet_shape_wrong(place, field->key, value, "the name of a host");
	return copy(place, text, to);
}

static struct json_object *write_text(const struct fleet_field *field, const void *from)
{
	const char *text = *(char *const *)from;

	(void)field;
	return json_object_new_string(text ?: "");
}

static void clear_text(const struct fleet_field *field, void *at)
{
	(void)field;
	free(*(char **)at);
}

static bool no_text(const void *at)
{
	return !*(char *const *)at;
}

const struct kind fleet_kind_text = { read_line, write_text, clear_text, no_text };
const struct kind fleet_kind_file = { read_any, write_text, clear_text, no_text };
const struct kind fleet_kind_host = { read_host, write_text, clear_text, no_text };

/* ---- Texts that are in the record ----------------------------------------------------------- */

static int read_name(const struct place *place, const struct fleet_field *field,
		     struct json_object *value, void *to)
{
	const char *text = fleet_shape_text_in(value);

	if (!text || pb_ruleset_name_check(text, NULL))
		return fleet_shape_wrong(place, field->key, value, "the name of a ruleset");
	strcpy(to, text);
	return 0;
}

static int read_hash(const struct place *place, const struct fleet_field *field,
		     struct json_object *value, void *to)
{
	const char *text = fleet_shape_text_in(value);

	if (!text || !fleet_is_hash(text))
		return fleet_shape_wrong(place, field->key, value, "64 hexadecimal digits");
	strcpy(to, text);
	return 0;
}

/* "2026-11-29T09:12:03Z", or with 1 to 9 digits behind the seconds, as in "03.123456Z". */
static bool is_time(const char *text)
{
	static const char form[] = "0000-00-00T00:00:00";
	size_t digits;

	for (size_t i = 0; form[i]; i++)
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	text += strlen(form);
	if (*text == '.') {
		digits = strspn(text + 1, "0123456789");
		if (!digits || digits > 9)
			return false;
		text += 1 + digits;
	}
	return !strcmp(text, "Z");
}

static int read_time(const struct place *place, const struct fleet_field *field,
		     struct json_object *value, void *to)
{
	const char *text = fleet_shape_text_in(value);

	if (!text || !is_time(text))
		return fleet_shape_wrong(place, field->key, value,
					 "a time such as 2026-11-29T09:12:03Z");
	strcpy(to, text);
	return 0;
}

static struct json_object *write_array(const struct fleet_field *field, const void *from)
{
	(void)field;
	return json_object_new_string(from);
}

static bool no_array(const void *at)
{
	return !*(const char *)at;
}

const struct kind fleet_kind_name = { read_name, write_array, NULL, no_array };
const struct kind fleet_kind_hash = { read_hash, write_array, NULL, no_array };
const struct kind fleet_kind_time = { read_time, write_array, NULL, no_array };
