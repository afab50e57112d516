// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include "in-set.h"

bool set_holds(const char *name, const struct pb_prefix *source, void *ruleset)
{
	return pb_set_test(ruleset, name, source, NULL, NULL) > 0;
}

void find_in_set(struct pb_ruleset *ruleset, const struct pb_rule *rule,
		 const struct pb_prefix *source, struct in_set *in)
{
	struct pb_element element;

	memset(in, 0, sizeof(*in));
	for (size_t i = 0; rule && source->family && i < rule->nr_from_sets; i++) {
		if (pb_set_test(ruleset, rule->from_sets[i], source, &element, NULL) <= 0)
			continue;
		memcpy(in->name, rule->from_sets[i], strnlen(rule->from_sets[i], PB_NAME_LEN - 1));
		in->element = pb_prefixes_text(&element.prefix, 1);
		return;
	}
}
