// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "fleet/conf.h"
#include "fleet/error.h"
#include "fleet/json.h"
#include "fleet/records.h"
#include "fleet/shape.h"

#define FORMAT 1
#define DEPTH 16
/* A host that tells of 4096 interfaces with a ruleset each has half as many objects and arrays. */
#define PARTS_MAX 20000

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
static const struct kind kinds[FLEET_KINDS];

struct words {
	char **list;
	size_t nr;
};

struct rows {
	char *list;
	size_t nr;
};

/* ---- Messages -------------------------------------------------------------------------------- */

/* "hosts/a: rulesets web: "state" is 7, and has to be ..." */
static int wrong(const struct place *place, const char *key, struct json_object *value,
		 const char *wanted)
{
	const char *text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_NOSLASHESCAPE);

	return fleet_fail(place->error, EINVAL, "%s: %s\"%s\" is %.80s%s, and has to be %.200s",
			  place->what, place->inside, key, text ?: "?",
			  text && strlen(text) > 80 ? "..." : "", wanted);
}

static int lack(const struct place *place, const char *key)
{
	return fleet_fail(place->error, EINVAL, "%s: %s\"%s\" is missing", place->what,
			  place->inside, key);
}

/* ---- Texts ----------------------------------------------------------------------------------- */

/* The text of a string that holds no NUL; NULL: it is none. */
static const char *text_in(struct json_object *value)
{
	const char *text;

	if (!json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	return text && strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

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
	const char *text = text_in(value);
	int printable = text && strlen(text) <= field->limit ? is_printable(text) : 0;

	if (printable < 0)
		return fleet_fail_memory(place->error);
	if (!printable)
		return wrong(place, field->key, value, "a short text that can be printed");
	return copy(place, text, to);
}

static int read_any(const struct place *place, const struct fleet_field *field,
		    struct json_object *value, void *to)
{
	const char *text = text_in(value);

	if (!text)
		return wrong(place, field->key, value, "a text");
	return copy(place, text, to);
}

static int read_host(const struct place *place, const struct fleet_field *field,
		     struct json_object *value, void *to)
{
	const char *text = text_in(value);

	if (!text || fleet_host_check(text, NULL))
		return wrong(place, field->key, value, "the name of a host");
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

/* ---- Texts that are in the record ------------------------------------------------------------ */

static int read_name(const struct place *place, const struct fleet_field *field,
		     struct json_object *value, void *to)
{
	const char *text = text_in(value);

	if (!text || pb_ruleset_name_check(text, NULL))
		return wrong(place, field->key, value, "the name of a ruleset");
	strcpy(to, text);
	return 0;
}

static int read_hash(const struct place *place, const struct fleet_field *field,
		     struct json_object *value, void *to)
{
	const char *text = text_in(value);

	if (!text || !fleet_is_hash(text))
		return wrong(place, field->key, value, "64 hexadecimal digits");
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
	const char *text = text_in(value);

	if (!text || !is_time(text))
		return wrong(place, field->key, value, "a time such as 2026-11-29T09:12:03Z");
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

/* ---- Numbers --------------------------------------------------------------------------------- */

static int read_number(const struct place *place, const struct fleet_field *field,
		       struct json_object *value, void *to)
{
	__s64 number = json_object_get_int64(value);

	if (!json_object_is_type(value, json_type_int) || number < 0)
		return wrong(place, field->key, value, "a number from 0 on");
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

static int read_count(const struct place *place, const struct fleet_field *field,
		      struct json_object *value, void *to)
{
	__s64 number = json_object_get_int64(value);

	if (!json_object_is_type(value, json_type_int) || number < 0 ||
	    number > (__s64)(field->limit ?: (__u32)-1))
		return wrong(place, field->key, value,
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

static int read_real(const struct place *place, const struct fleet_field *field,
		     struct json_object *value, void *to)
{
	double number = json_object_get_double(value);

	if (!(json_object_is_type(value, json_type_int) ||
	      json_object_is_type(value, json_type_double)) ||
	    !isfinite(number) || number < 0)
		return wrong(place, field->key, value, "a number from 0 on");
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

static int read_word(const struct place *place, const struct fleet_field *field,
		     struct json_object *value, void *to)
{
	const char *text = text_in(value);
	char wanted[128] = "";

	for (unsigned int i = 0; field->words[i]; i++) {
		if (text && !strcmp(text, field->words[i])) {
			*(unsigned int *)to = i;
			return 0;
		}
		snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), "%s%s",
			 i ? ", " : "one of ", field->words[i]);
	}
	return wrong(place, field->key, value, wanted);
}

static struct json_object *write_word(const struct fleet_field *field, const void *from)
{
	return json_object_new_string(field->words[*(const unsigned int *)from]);
}

/* ---- Lists ----------------------------------------------------------------------------------- */

static bool is_list(struct json_object *value, const struct fleet_field *field)
{
	return json_object_is_type(value, json_type_array) &&
	       json_object_array_length(value) <= field->limit;
}

static int read_words(const struct place *place, const struct fleet_field *field,
		      struct json_object *value, void *to)
{
	const struct fleet_field line = { .key = field->key, .limit = FLEET_HOST_MAX };
	struct words *words = to;
	int err = 0;

	if (!is_list(value, field))
		return wrong(place, field->key, value, "a list of not too many words");
	words->list = calloc(json_object_array_length(value) + 1, sizeof(*words->list));
	if (!words->list)
		return fleet_fail_memory(place->error);
	for (size_t i = 0; !err && i < json_object_array_length(value); i++) {
		err = read_line(place, &line, json_object_array_get_idx(value, i), &words->list[i]);
		words->nr += !err;
	}
	return err;
}

/* Takes the value over. */
static bool append(struct json_object *array, struct json_object *value)
{
	if (value && !json_object_array_add(array, value))
		return true;
	json_object_put(value);
	return false;
}

static struct json_object *write_words(const struct fleet_field *field, const void *from)
{
	struct json_object *array = json_object_new_array();
	const struct words *words = from;

	(void)field;
	for (size_t i = 0; array && i < words->nr; i++) {
		if (append(array, json_object_new_string(words->list[i])))
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

/* ---- Records --------------------------------------------------------------------------------- */

static int read_field(const struct place *place, const struct fleet_field *field,
		      struct json_object *object, char *record)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, field->key, &value) || !value)
		return field->needed ? lack(place, field->key) : 0;
	return kinds[field->kind].read(place, field, value, record + field->at);
}

static int read_fields(const struct place *place, const struct fleet_shape *shape,
		       struct json_object *object, char *record)
{
	int err = 0;

	for (const struct fleet_field *field = shape->fields; !err && field->key; field++)
		err = read_field(place, field, object, record);
	return err;
}

/* Takes the value over. */
static bool add(struct json_object *object, const char *key, struct json_object *value)
{
	if (value && !json_object_object_add(object, key, value))
		return true;
	json_object_put(value);
	return false;
}

static bool write_fields(const struct fleet_shape *shape, const char *record,
			 struct json_object *object)
{
	for (const struct fleet_field *field = shape->fields; field->key; field++) {
		const struct kind *kind = &kinds[field->kind];
		const void *at = record + field->at;

		if (!field->needed && kind->is_empty && kind->is_empty(at))
			continue;
		if (!add(object, field->key, kind->write(field, at)))
			return false;
	}
	return true;
}

static struct json_object *write_record(const struct fleet_shape *shape, const char *record)
{
	struct json_object *object = json_object_new_object();

	if (object && write_fields(shape, record, object))
		return object;
	json_object_put(object);
	return NULL;
}

static void clear_record(const struct fleet_shape *shape, char *record)
{
	for (const struct fleet_field *field = shape->fields; field->key; field++)
		if (kinds[field->kind].clear)
			kinds[field->kind].clear(field, record + field->at);
}

/* ---- Records in a record --------------------------------------------------------------------- */

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
		return wrong(&within, name, value, "an object");
	return read_fields(&within, field->shape, value, row_at(field, rows, rows->nr++));
}

static int read_rows(const struct place *place, const struct fleet_field *field,
		     struct json_object *value, void *to)
{
	size_t nr;
	char number[24];
	int err;

	if (!is_list(value, field))
		return wrong(place, field->key, value, "a list of not too many objects");
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
		if (append(array, write_record(field->shape, row_at(field, rows, i))))
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

	if (!json_object_is_type(value, json_type_object) ||
	    (size_t)json_object_object_length(value) > field->limit)
		return wrong(place, field->key, value, "an object with not too many names");
	err = make_rows(place, field, json_object_object_length(value), rows);
	if (err)
		return err;
	json_object_object_foreach(value, name, row) {
		if (pb_ruleset_name_check(name, NULL))
			return fleet_fail(place->error, EINVAL,
					  "%s: \"%s\": '%.80s' is no name of a ruleset",
					  place->what, field->key, name);
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

		if (add(object, row, write_record(field->shape, row)))
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
		clear_record(field->shape, row_at(field, rows, i));
	free(rows->list);
}

/* ---- What rulesets are called ---------------------------------------------------------------- */

struct pairs {
	struct fleet_ruleset *list;
	size_t nr;
};

static int read_pair(const struct place *place, const struct fleet_field *field, const char *local,
		     struct json_object *value, struct pairs *pairs)
{
	const char *remote = text_in(value);
	struct fleet_ruleset *pair = &pairs->list[pairs->nr];

	if (pb_ruleset_name_check(local, NULL))
		return fleet_fail(place->error, EINVAL,
				  "%s: \"%s\": '%.80s' is no name of a ruleset", place->what,
				  field->key, local);
	if (!remote || pb_ruleset_name_check(remote, NULL))
		return wrong(place, local, value, "the name of a ruleset");
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

	if (!json_object_is_type(value, json_type_object) ||
	    (size_t)json_object_object_length(value) > field->limit)
		return wrong(place, field->key, value, "an object with not too many names");
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

		if (add(object, pair->local, json_object_new_string(pair->remote)))
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

static const struct kind kinds[FLEET_KINDS] = {
	[FLEET_TEXT] = { read_line, write_text, clear_text, no_text },
	[FLEET_FILE] = { read_any, write_text, clear_text, no_text },
	[FLEET_HOST] = { read_host, write_text, clear_text, no_text },
	[FLEET_NAME] = { read_name, write_array, NULL, no_array },
	[FLEET_HASH] = { read_hash, write_array, NULL, no_array },
	[FLEET_TIME] = { read_time, write_array, NULL, no_array },
	[FLEET_NUMBER] = { read_number, write_number, NULL, no_number },
	[FLEET_COUNT] = { read_count, write_count, NULL, no_count },
	[FLEET_WORD] = { read_word, write_word, NULL, no_count },
	[FLEET_REAL] = { read_real, write_real, NULL, no_real },
	[FLEET_WORDS] = { read_words, write_words, clear_words, NULL },
	[FLEET_ROWS] = { read_rows, write_rows, clear_rows, NULL },
	[FLEET_PAIRS] = { read_pairs, write_pairs, clear_pairs, NULL },
	[FLEET_NAMED] = { read_named, write_named, clear_rows, NULL },
};

/* ---- Documents ------------------------------------------------------------------------------- */

/* One document of JSON, and nothing behind it; what json-c says of it otherwise. */
static int parse(const char *text, size_t len, const char *what, struct json_object **object,
		 struct pb_error *error)
{
	struct json_tokener *tokener;
	struct json_object *parsed;
	enum json_tokener_error why;
	size_t end;

	if (fleet_json_has_more(text, len, PARTS_MAX))
		return fleet_fail(error, EINVAL, "%s has more than %d objects and arrays", what,
				  PARTS_MAX);
	tokener = json_tokener_new_ex(DEPTH);
	if (!tokener)
		return fleet_fail_memory(error);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	parsed = fleet_json_parse(tokener, text, len, &end);
	if (!parsed && errno == ENOMEM) {
		json_tokener_free(tokener);
		return fleet_fail_memory(error);
	}
	why = json_tokener_get_error(tokener);
	if (parsed && end != len)
		why = json_tokener_error_parse_unexpected;
	json_tokener_free(tokener);
	if (why == json_tokener_success && json_object_is_type(parsed, json_type_object)) {
		*object = parsed;
		return 0;
	}
	json_object_put(parsed);
	return fleet_fail(error, EINVAL, "%s is no JSON object: %s", what,
			  why == json_tokener_success ? "something else" :
							json_tokener_error_desc(why));
}

static int check_format(const struct place *place, struct json_object *object)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, "format", &value))
		return lack(place, "format");
	if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) != FORMAT)
		return wrong(place, "format", value,
			     "1: a later xdp-portblock has written it, or something else");
	return 0;
}

static int read_document(const struct fleet_shape *shape, struct json_object *object,
			 const char *what, void **record, struct pb_error *error)
{
	const struct place place = { what, "", error };
	void *made = calloc(1, shape->size);
	int err = made ? check_format(&place, object) : fleet_fail_memory(error);

	if (!err)
		err = read_fields(&place, shape, object, made);
	if (!err)
		*record = made;
	else
		fleet_shape_free(shape, made);
	return err;
}

int fleet_shape_read(const struct fleet_shape *shape, const char *text, size_t len,
		     const char *what, void **record, struct pb_error *error)
{
	struct json_object *object = NULL;
	int err;

	if (len > FLEET_VALUE_MAX)
		return fleet_fail(error, EINVAL, "%s has %zu bytes, and may have %d", what, len,
				  FLEET_VALUE_MAX);
	err = parse(text, len, what, &object, error);
	if (err)
		return err;
	err = read_document(shape, object, what, record, error);
	json_object_put(object);
	return err;
}

char *fleet_shape_text(const struct fleet_shape *shape, const void *record)
{
	struct json_object *object = write_record(shape, record), *format;
	const char *text = NULL;
	char *taken = NULL;

	format = json_object_new_int(FORMAT);
	/* json-c goes on where its buffer does not grow: errno alone tells. */
	errno = 0;
	if (object && add(object, "format", format))
		text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_NOSLASHESCAPE);
	else if (!object)
		json_object_put(format);
	if (text && errno != ENOMEM && errno != EFBIG)
		taken = strdup(text);
	json_object_put(object);
	return taken;
}

void fleet_shape_free(const struct fleet_shape *shape, void *record)
{
	if (record)
		clear_record(shape, record);
	free(record);
}
