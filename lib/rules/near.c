// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Rules that come near one that is not there: what somebody may have meant. */
#include <stdio.h>
#include <stdlib.h>
#include "util/error.h"

#define NEAR_MAX 3

static bool ports_overlap(const struct pb_rule *a, const struct pb_rule *b)
{
	for (size_t i = 0; i < a->nr_ports; i++)
		for (size_t j = 0; j < b->nr_ports; j++)
			if (a->ports[i].first <= b->ports[j].last &&
			    b->ports[j].first <= a->ports[i].last)
				return true;
	return false;
}

static void print_near(FILE *out, const struct pb_set *set, const struct pb_rule *rule)
{
	__u64 now = pb_clock();
	size_t found = 0;
	char *text;

	for (size_t i = 0; i < set->nr_rules && found < NEAR_MAX; i++) {
		if (!ports_overlap(&set->rules[i], rule) ||
		    pb_rule_format(&set->rules[i], now, &text))
			continue;
		fprintf(out, "%s rule %u `%s`", found++ ? "," : "; near it:", set->rules[i].id,
			text);
		free(text);
	}
	if (!found)
		fputs(", nor any rule of those ports", out);
}

int pb_set_missing(const struct pb_set *set, const struct pb_rule *rule, struct pb_error *error)
{
	char *text = NULL, *message = NULL;
	size_t size;
	FILE *out = open_memstream(&message, &size);
	int ret;

	if (!out || pb_rule_format(rule, pb_clock(), &text)) {
		ret = pb_fail_memory(error);
	} else {
		fprintf(out, "there is no rule `%s`", text);
		print_near(out, set, rule);
		fflush(out);
		ret = pb_fail(error, ENOENT, "%s", message);
	}
	if (out)
		fclose(out);
	free(message);
	free(text);
	return ret;
}
