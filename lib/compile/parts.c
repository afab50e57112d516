// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include "compile/parts.h"
#include "rules/rules.h"
#include "util/error.h"

static int too_many(struct pb_error *error)
{
	return pb_fail(error, ENOSPC,
		       "the rules name sets in more than %d different combinations: let rules "
		       "name the same sets in \"from\" and \"except\"",
		       PB_SET_CONDITIONS);
}

/* The number of the condition, which is kept once. */
static int number_of(struct pb_parts *parts, struct pb_set_condition wanted, __u32 *number,
		     struct pb_error *error)
{
	struct pb_set_condition *all = parts->conditions;

	for (size_t i = 0; i < parts->nr_conditions; i++) {
		if (all[i].from == wanted.from && all[i].except == wanted.except) {
			*number = i;
			return 0;
		}
	}
	if (parts->nr_conditions == PB_SET_CONDITIONS)
		return too_many(error);
	all[parts->nr_conditions] = wanted;
	*number = parts->nr_conditions++;
	return 0;
}

static int add_part(struct pb_parts *parts, const struct pb_rule *rule, bool by_set,
		    struct pb_set_condition sets, struct pb_error *error)
{
	struct pb_rule_part *part = &parts->part[parts->nr++];

	*part = (struct pb_rule_part){ rule, PB_NONE, by_set };
	if (!by_set && rule->over.rate.amount)
		sets.except |= sets.from;
	if (!by_set)
		sets.from = 0;
	return sets.from || sets.except ? number_of(parts, sets, &part->condition, error) : 0;
}

static int add_rule(struct pb_parts *parts, const struct pb_rule *rule,
		    const struct pb_set_condition *sets, struct pb_error *error)
{
	struct pb_set_condition masks = sets ? *sets : (struct pb_set_condition){ 0 };
	int ret = 0;

	/* Else the rule would be about all sources, or about those that are taken out of it. */
	if (!masks.from != !rule->nr_from_sets || !masks.except != !rule->nr_except_sets)
		return pb_fail(error, EINVAL, "the sets of rule %u are not known", rule->id);
	if (rule->nr_from || !masks.from)
		ret = add_part(parts, rule, false, masks, error);
	if (!ret && masks.from)
		ret = add_part(parts, rule, true, masks, error);
	return ret;
}

int pb_parts_make(struct pb_parts *parts, const struct pb_rules *rules,
		  const struct pb_set_condition *sets, struct pb_error *error)
{
	size_t room = rules->nr;
	int ret = 0;

	for (size_t i = 0; i < rules->nr; i++)
		room += rules->rule[i].nr_from && rules->rule[i].nr_from_sets;
	parts->part = calloc(room + 1, sizeof(*parts->part));
	parts->conditions = calloc(PB_SET_CONDITIONS, sizeof(*parts->conditions));
	if (!parts->part || !parts->conditions)
		return -ENOMEM;
	for (size_t i = 0; !ret && i < rules->nr; i++)
		ret = add_rule(parts, &rules->rule[i], sets ? &sets[i] : NULL, error);
	return ret;
}

void pb_parts_free(struct pb_parts *parts)
{
	free(parts->part);
	free(parts->conditions);
}
