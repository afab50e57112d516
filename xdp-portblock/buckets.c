// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include "buckets.h"
#include "json.h"

bool rate_counts_any(const struct pb_rate_counts *counts)
{
	return counts->evicted || counts->answered || counts->held_back || counts->buckets;
}

struct json_object *rate_counts_to_json(const struct pb_rate_counts *counts, bool now)
{
	struct json_object *json;

	if (!counts->max_buckets)
		return NULL;
	json = json_new_object();
	json_add(json, "evicted", json_uint(counts->evicted));
	json_add(json, "answered", json_uint(counts->answered));
	json_add(json, "held_back", json_uint(counts->held_back));
	if (now)
		json_add(json, "buckets", json_int(counts->buckets));
	json_add(json, "max_buckets", json_int(counts->max_buckets));
	return json;
}

void print_rate_counts(const struct pb_rate_counts *counts, bool now)
{
	if (now)
		printf("%u of %u buckets of sources in use, ", counts->buckets,
		       counts->max_buckets);
	else
		printf("%u buckets of sources, ", counts->max_buckets);
	printf("%llu evicted; %llu answer%s sent, %llu held back\n", counts->evicted,
	       counts->answered, counts->answered == 1 ? "" : "s", counts->held_back);
}

struct json_object *bucket_to_json(const struct pb_bucket *bucket)
{
	struct json_object *json;

	if (!bucket->burst)
		return NULL;
	json = json_new_object();
	json_add(json, "left", json_uint(bucket->left));
	json_add(json, "burst", json_uint(bucket->burst));
	json_add(json, "full_in", json_double(bucket->full_in / 1e9));
	return json;
}

const char *bucket_text(const struct pb_bucket *bucket, const struct pb_rate *rate,
			char text[BUCKET_TEXT])
{
	const char *what = rate->unit == PB_RATE_BITS ? "bits" : "packets";
	char *full = bucket->full_in ? pb_duration_text(bucket->full_in) : NULL;

	if (bucket->full_in)
		snprintf(text, BUCKET_TEXT, "%llu of %llu %s left, full in %s", bucket->left,
			 bucket->burst, what, full ?: "?");
	else
		snprintf(text, BUCKET_TEXT, "%llu of %llu %s left, full", bucket->left,
			 bucket->burst, what);
	free(full);
	return text;
}

/* ---- rule list ------------------------------------------------------------------------------- */

/* Null of a rule that went meanwhile. */
static struct json_object *state_of(struct pb_ruleset *ruleset, __u32 id)
{
	struct pb_buckets buckets = { .size = sizeof(buckets) };
	struct json_object *json;

	if (pb_rule_buckets(ruleset, id, NULL, 0, &buckets, NULL))
		return NULL;
	json = json_new_object();
	json_add(json, "bucket", bucket_to_json(&buckets.rate));
	json_add(json, "total", bucket_to_json(&buckets.total));
	return json;
}

void add_states(struct json_object *json, struct pb_ruleset *ruleset)
{
	struct json_object *rules = json_object_object_get(json, "rules");
	size_t nr = rules ? json_object_array_length(rules) : 0;

	for (size_t i = 0; i < nr; i++) {
		struct json_object *rule = json_object_array_get_idx(rules, i);
		struct json_object *over = json_object_object_get(rule, "over");
		int id = json_object_get_int(json_object_object_get(rule, "id"));

		if (over)
			json_add(over, "state", state_of(ruleset, id));
	}
}
