// SPDX-License-Identifier: GPL-2.0-only
/* Kinds of fields that are a number here; a word of a list is one in memory. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "fleet/shape-parts.h"

static int read_number(const struct place *place, const struct fleet_field *field,
		       struct json_object *value, void *to)
{
	__s64 number = json_object_get_int64(value);

	if (!json_object_is_type(value, json_type_int) || number < 0)
		return fleet_shape_wrong(place, field->key, value, "a number from 0 on");
	*(__s64 *)to = number;
	return 0;
}

static struct json_object *write_number(const struct fleet_field *field, const void *from)
{
	(void)field;
	return json_object_new_int64(*(const __s64 *)from);
}

static bool no_number(const void *at)
{
	return !*(const __s64 *)at;
}

const struct kind fleet_kind_number = { read_number, write_number, NULL, no_number };

static int read_count(const struct place *place, const struct fleet_field *field,
		      struct json_object *value, void *to)
{
	__s64 number = json_object_get_int64(value);

	if (!json_object_is_type(value, json_type_int) || number < 0 ||
	    number > (__s64)(field->limit ?: (__u32)-1))
		return fleet_shape_wrong(place, field->key, value,
					 "a number from 0 on, and no larger than it may be");
	*(__u32 *)to = number;
	return 0;
}

static struct json_object *write_count(const struct fleet_field *field, const void *from)
{
	(void)field;
	return json_object_new_int64(*(const __u32 *)from);
}

static bool no_count(const void *at)
{
	return !*(const __u32 *)at;
}

const struct kind fleet_kind_count = { read_count, write_count, NULL, no_count };

static int read_real(const struct place *place, const struct fleet_field *field,
		     struct json_object *value, void *to)
{
	double number = json_object_get_double(value);

	if (!(json_object_is_type(value, json_type_int) ||
	      json_object_is_type(value, json_type_double)) ||
	    !isfinite(number) || number < 0)
		return fleet_shape_wrong(place, field->key, value, "a number from 0 on");
	*(double *)to = number;
	return 0;
}

static struct json_object *write_real(const struct fleet_field *field, const void *from)
{
	(void)field;
	return json_object_new_double(*(const double *)from);
}

static bool no_real(const void *at)
{
	return !(*(const double *)at > 0);
}

const struct kind fleet_kind_real = { read_real, write_real, NULL, no_real };

static int read_word(const struct place *place, const struct fleet_field *field,
		     struct json_object *value, void *to)
{
	const char *text = fleet_shape_text_in(value);
	char wanted[128] = "";

	for (unsigned int i = 0; field->words[i]; i++) {
		if (text && !strcmp(text, field->words[i])) {
			*(unsigned int *)to = i;
			return 0;
		}
		snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), "%s%s",
			 i ? ", " : "one of ", field->words[i]);
	}
	return fleet_shape_wrong(place, field->key, value, wanted);
}

static struct json_object *write_word(const struct fleet_field *field, const void *from)
{
	return json_object_new_string(field->words[*(const unsigned int *)from]);
}

const struct kind fleet_kind_word = { read_word, write_word, NULL, no_count };
