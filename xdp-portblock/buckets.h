/* SPDX-License-Identifier: GPL-2.0-only */
/* How full token buckets are, and what is counted of rates, for people and in JSON. */
#ifndef BUCKETS_H
#define BUCKETS_H

#include <json-c/json.h>
#include "tool.h"

/* What is counted; null where that is not known. With `now` also how many buckets are in use. */
struct json_object *rate_counts_to_json(const struct pb_rate_counts *counts, bool now);
/* "3 of 65536 buckets of sources in use, 2 evicted; 5 answers sent, 1 held back" */
void print_rate_counts(const struct pb_rate_counts *counts, bool now);
/* Has anything been counted? */
bool rate_counts_any(const struct pb_rate_counts *counts);

/* {"left":5,"burst":6,"full_in":12.1}; null: there is none. */
struct json_object *bucket_to_json(const struct pb_bucket *bucket);
#define BUCKET_TEXT 128
/* "5 of 6 packets left, full in 12s"; what it counts, the rate says. */
const char *bucket_text(const struct pb_bucket *bucket, const struct pb_rate *rate,
			char text[BUCKET_TEXT]);

/* Adds a "state" to the "over" of each rule in a list of rules that is `json`. */
void add_states(struct json_object *json, struct pb_ruleset *ruleset);

#endif
