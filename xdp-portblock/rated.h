/* SPDX-License-Identifier: GPL-2.0-only */
/* explain: rules with `over` that are about a packet but for their rate. */
#ifndef RATED_H
#define RATED_H

#include <json-c/json.h>
#include "tool.h"

struct rated {
	const struct pb_rule *rule;
	struct pb_buckets buckets;
};

/* Zeroed: none. */
struct rated_list {
	struct rated *list;
	size_t nr;
};

/*
 * Adds those of the matches that have a rate, and takes out of the matches those beyond whose rate the packet is not,
 * by how full their buckets are. They change all the time: the rule that has `decided` was over. -ENOMEM.
 */
int rated_take(struct pb_ruleset *ruleset, const struct pb_prefix *source, size_t length,
	       __u32 decided, struct pb_match *matches, size_t *nr, struct rated_list *rated);
void rated_print(const struct rated_list *rated);
struct json_object *rated_to_json(const struct rated_list *rated);

#endif
