// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include "buckets.h"
#include "json.h"
#include "rated.h"

/* A rule that went meanwhile is as one that is over: it has matched. */
static bool is_over(struct pb_ruleset *ruleset, const struct pb_prefix *source, size_t length,
		    __u32 decided, struct rated *rated)
{
	struct pb_buckets *buckets = &rated->buckets;

	*buckets = (struct pb_buckets){ .size = sizeof(*buckets) };
	if (pb_rule_buckets(ruleset, rated->rule->id, source->family ? source : NULL, length,
			    buckets, NULL))
		return true;
	buckets->over |= rated->rule->id == decided;
	return buckets->over;
}

int rated_take(struct pb_ruleset *ruleset, const struct pb_prefix *source, size_t length,
	       __u32 decided, struct pb_match *matches, size_t *nr, struct rated_list *rated)
{
	size_t kept = 0;

	rated->list = calloc(*nr + 1, sizeof(*rated->list));
	rated->nr = 0;
	if (!rated->list)
		return -ENOMEM;
	for (size_t i = 0; i < *nr; i++) {
		struct rated *next = &rated->list[rated->nr];

		if (matches[i].rule->over.rate.amount) {
			next->rule = matches[i].rule;
			rated->nr++;
			if (!is_over(ruleset, source, length, decided, next))
				continue;
		}
		matches[kept++] = matches[i];
	}
	*nr = kept;
	return 0;
}

void rated_print(const struct rated_list *rated)
{
	char text[BUCKET_TEXT];

	for (size_t i = 0; i < rated->nr; i++) {
		const struct rated *at = &rated->list[i];
		const struct pb_over *over = &at->rule->over;

		printf("  rate:  rule %u: ", at->rule->id);
		if (at->buckets.rate.burst)
			printf("%s%s; ", over->each ? "of the source " : "",
			       bucket_text(&at->buckets.rate, &over->rate, text));
		if (at->buckets.total.burst)
			printf("in total %s; ",
			       bucket_text(&at->buckets.total, &over->total, text));
		printf("the packet is %sover it\n", at->buckets.over ? "" : "not ");
	}
}

struct json_object *rated_to_json(const struct rated_list *rated)
{
	struct json_object *array = json_new_array(), *json;

	for (size_t i = 0; i < rated->nr; i++) {
		const struct rated *at = &rated->list[i];

		json = json_new_object();
		json_add(json, "rule", json_int(at->rule->id));
		json_add(json, "over", json_boolean(at->buckets.over));
		json_add(json, "bucket", bucket_to_json(&at->buckets.rate));
		json_add(json, "total", bucket_to_json(&at->buckets.total));
		json_append(array, json);
	}
	return array;
}
