// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Rates in JSON: {"rate":6,"unit":"packets","per":"m","burst":6,"each":{"ipv4":32,"ipv6":64},"total":null} */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include "rule/json.h"
#include "rule/rate.h"
#include "util/error.h"
#include "util/escape.h"
#include "util/text.h"

/* ---- To JSON --------------------------------------------------------------------------------- */

/* Adds a value that there must be memory for. */
static int add(struct json_object *object, const char *key, struct json_object *value)
{
	return value ? pb_json_add(object, key, value) : -ENOMEM;
}

static int add_rate(struct json_object *object, const struct pb_rate *rate)
{
	int err = add(object, "rate", json_object_new_uint64(rate->amount));

	if (!err)
		err = add(object, "unit", json_object_new_string(pb_rate_unit_name(rate->unit)));
	if (!err)
		err = add(object, "per", json_object_new_string(pb_rate_per_name(rate->per)));
	return err ?: add(object, "burst", json_object_new_uint64(rate->burst));
}

static int add_each(struct json_object *object, const struct pb_over *over)
{
	struct json_object *each = over->each ? json_object_new_object() : NULL;
	int err = 0;

	if (over->each && !each)
		return -ENOMEM;
	if (each)
		err = add(each, "ipv4", json_object_new_int(over->len4));
	if (each && !err)
		err = add(each, "ipv6", json_object_new_int(over->len6));
	if (!err)
		return pb_json_add(object, "each", each);
	json_object_put(each);
	return err;
}

static int add_total(struct json_object *object, const struct pb_over *over)
{
	struct json_object *total = NULL;
	int err = 0;

	if (over->total.amount) {
		total = json_object_new_object();
		err = total ? add_rate(total, &over->total) : -ENOMEM;
	}
	if (!err)
		return pb_json_add(object, "total", total);
	json_object_put(total);
	return err;
}

int pb_json_write_over(const struct pb_field *field PB_UNUSED, const struct pb_rule *rule,
		       __u64 now PB_UNUSED, struct json_object **json)
{
	const struct pb_over *over = &rule->over;
	struct json_object *object;
	int err;

	*json = NULL;
	if (!over->rate.amount)
		return 0;
	object = json_object_new_object();
	err = object ? add_rate(object, &over->rate) : -ENOMEM;
	if (!err)
		err = add_each(object, over);
	if (!err)
		err = add_total(object, over);
	if (err)
		json_object_put(object);
	else
		*json = object;
	return err;
}

/* ---- From JSON ------------------------------------------------------------------------------- */

#define EXAMPLE "an object, as in {\"rate\":6,\"unit\":\"packets\",\"per\":\"m\"}"

/* The value of a key; NULL: it is absent, or null. */
static struct json_object *value_of(const struct json_object *json, const char *key)
{
	return json_object_object_get((struct json_object *)json, key);
}

static int check_keys(const struct json_object *json, const char *const *known,
		      struct pb_error *error)
{
	json_object_object_foreach((struct json_object *)json, key, value) {
		size_t i = 0;

		(void)value;
		while (known[i] && strcmp(known[i], key))
			i++;
		if (!known[i])
			return pb_fail(error, EINVAL, "%s is not a key here: %s", PB_Q(key),
				       EXAMPLE);
	}
	return 0;
}

/* A whole number, as text; `key` must be there. */
static int number_of(const struct json_object *json, const char *key, FILE *out,
		     struct pb_error *error)
{
	struct json_object *value = value_of(json, key);

	if (!value)
		return pb_fail(error, EINVAL, "\"%s\" is missing: write %s", key, EXAMPLE);
	if (!json_object_is_type(value, json_type_int))
		return pb_json_wrong_type(value, "a whole number", error);
	fputs(json_object_to_json_string(value), out);
	return 0;
}

/* One of the words, whose number it returns; the first one where the key is absent. */
static int word_of(const struct json_object *json, const char *key, const char *const *words,
		   struct pb_error *error)
{
	struct json_object *value = value_of(json, key);

	for (int i = 0; words[i]; i++)
		if (!value || (json_object_is_type(value, json_type_string) &&
			       !strcmp(json_object_get_string(value), words[i])))
			return i;
	return pb_fail(error, EINVAL, "%s is no \"%s\" of a rate: write %s",
		       PB_Q(json_object_to_json_string(value)), key, EXAMPLE);
}

/* "6/m", and the burst if there is one. */
static int rate_text(const struct json_object *json, FILE *out, struct pb_error *error)
{
	static const char *const units[] = { "packets", "bits", NULL };
	static const char *const pers[] = { "s", "m", "h", NULL };
	int unit = word_of(json, "unit", units, error), per, err;

	if (unit < 0)
		return unit;
	per = word_of(json, "per", pers, error);
	if (per < 0)
		return per;
	err = number_of(json, "rate", out, error);
	fprintf(out, "%s/%s", unit ? "bit" : "", pers[per]);
	if (err || !value_of(json, "burst"))
		return err;
	fputs(" burst ", out);
	err = number_of(json, "burst", out, error);
	if (unit)
		fputs("bit", out);
	return err;
}

static int each_text(const struct json_object *json, FILE *out, struct pb_error *error)
{
	static const char *const known[] = { "ipv4", "ipv6", NULL };
	const struct json_object *each = value_of(json, "each");
	int err;

	if (!each)
		return 0;
	if (!json_object_is_type(each, json_type_object))
		return pb_json_wrong_type(each, "an object, as in {\"ipv4\":32,\"ipv6\":64}",
					  error);
	err = check_keys(each, known, error);
	fputs(" each source/", out);
	if (!err)
		err = number_of(each, "ipv4", out, error);
	putc(',', out);
	return err ?: number_of(each, "ipv6", out, error);
}

static int total_text(const struct json_object *json, FILE *out, struct pb_error *error)
{
	static const char *const known[] = { "rate", "unit", "per", "burst", NULL };
	const struct json_object *total = value_of(json, "total");
	int err;

	if (!total)
		return 0;
	if (!json_object_is_type(total, json_type_object))
		return pb_json_wrong_type(total, EXAMPLE, error);
	if (!value_of(json, "each"))
		return pb_fail(
			error, EINVAL,
			"\"total\" is of the sources that have a bucket each: give \"each\", too");
	err = check_keys(total, known, error);
	fputs(" total ", out);
	return err ?: rate_text(total, out, error);
}

static int over_text(const struct json_object *json, FILE *out, struct pb_error *error)
{
	static const char *const known[] = { "rate", "unit",  "per",   "burst",
					     "each", "total", "state", NULL };
	int err = check_keys(json, known, error);

	if (!err)
		err = rate_text(json, out, error);
	if (!err)
		err = each_text(json, out, error);
	return err ?: total_text(json, out, error);
}

int pb_json_read_over(const struct json_object *json, char **text, struct pb_error *error)
{
	char *made = NULL;
	size_t len;
	FILE *out;
	int err;

	if (!json_object_is_type(json, json_type_object))
		return pb_json_wrong_type(json, EXAMPLE, error);
	out = open_memstream(&made, &len);
	if (!out)
		return pb_fail_memory(error);
	err = over_text(json, out, error);
	if (!pb_stream_take(out, &made) && !err)
		err = pb_fail_memory(error);
	if (err)
		free(made);
	else
		*text = made;
	return err;
}
