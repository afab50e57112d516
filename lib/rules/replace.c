// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The rules of another take the place of those that are there, in time that grows as their number: the new ones
 * get their ids first, and then all are put in order at once.
 */
#include <errno.h>
#include <stdlib.h>
#include "rules/rules.h"
#include "rules/sets.h"
#include "util/error.h"

#define FREE 0
#define RETIRED ((__u32)-1) /* free, too, but to be given out only where there are no others */

struct replacing {
	struct pb_rules *rules;
	struct pb_rule *new; /* behind those of `rules`, in the order of `wanted` */
	size_t nr_new;
	__u32 *place;		 /* of each id, from 1 on in both arrays; or FREE, or RETIRED */
	__u32 first, tried, max; /* ids are tried from `first` on, then from 1 on */
};

static bool not_wanted(const struct pb_rule *rule, void *wanted)
{
	return !pb_rules_find_same(wanted, rule);
}

/*
 * Ids of the rules that went are the last to be given out. Where they will be needed anyhow, all
 * begin anew from 1, so that rules are added in the order of their ids.
 */
static void prepare_ids(struct pb_rules *rules, const struct pb_rules *wanted)
{
	size_t max = pb_rules_max(rules);

	if (wanted->nr - rules->nr <= max - rules->nr_retired)
		return;
	rules->nr_retired = 0;
	rules->next_id = 1;
}

static int begin(struct replacing *to, struct pb_rules *rules, const struct pb_rules *wanted)
{
	__u32 max = pb_rules_max(rules);

	*to = (struct replacing){ .rules = rules, .max = max, .first = 1 };
	to->new = calloc(wanted->nr + 1, sizeof(*to->new));
	to->place = calloc(PB_RULES_LIMIT + 1, sizeof(*to->place));
	if (!to->new || !to->place)
		return -ENOMEM;
	if (rules->next_id && rules->next_id <= max)
		to->first = rules->next_id;
	for (size_t i = 0; i < rules->nr_retired; i++)
		to->place[rules->retired[i]] = RETIRED;
	for (size_t i = 0; i < rules->nr; i++)
		to->place[rules->rule[i].id] = i + 1;
	return 0;
}

static void end(struct replacing *to)
{
	for (size_t i = 0; i < to->nr_new; i++)
		pb_rule_clear(&to->new[i]);
	free(to->new);
	free(to->place);
}

static __u32 next_free(struct replacing *to)
{
	while (to->tried < to->max) {
		__u32 id = 1 + (to->first - 1 + to->tried++) % to->max;

		if (to->place[id] == FREE)
			return id;
	}
	return 0;
}

/* From here on they are as good as any. */
static void free_retired(struct replacing *to)
{
	to->rules->nr_retired = 0;
	for (__u32 id = 1; id <= to->max; id++)
		if (to->place[id] == RETIRED)
			to->place[id] = FREE;
	to->first = 1;
	to->tried = 0;
}

static int add(struct replacing *to, struct pb_rule *rule, struct pb_error *error)
{
	__u32 id = next_free(to);

	if (!id && to->rules->nr_retired) {
		free_retired(to);
		id = next_free(to);
	}
	if (!id)
		return pb_rules_no_id(to->rules, to->rules->nr + to->nr_new, error);
	pb_rules_put(&to->new[to->nr_new++], rule, id);
	to->place[id] = to->rules->nr + to->nr_new;
	to->rules->next_id = id + 1;
	return 0;
}

/* Changes the same rule, or adds it. */
static int take(struct replacing *to, const struct pb_rule *wanted, struct pb_error *error)
{
	struct pb_rule *old = pb_rules_find_same(to->rules, wanted), rule = {};
	int ret = 0;

	if (pb_rule_copy(&rule, wanted))
		return pb_fail_memory(error);
	if (old)
		pb_rules_change(old, &rule);
	else
		ret = add(to, &rule, error);
	pb_rule_clear(&rule);
	return ret;
}

/* Puts all in one array, sorted by id. */
static int sort(struct replacing *to)
{
	struct pb_rules *rules = to->rules;
	size_t room = rules->nr + to->nr_new, nr = 0;
	struct pb_rule *all = calloc(room + 1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	for (__u32 id = 1; id <= PB_RULES_LIMIT; id++) {
		size_t place = to->place[id];

		if (place == FREE || place == RETIRED)
			continue;
		all[nr++] = place <= rules->nr ? rules->rule[place - 1] :
						 to->new[place - 1 - rules->nr];
	}
	free(rules->rule);
	rules->rule = all;
	rules->nr = nr;
	rules->room = room + 1;
	to->nr_new = 0;
	return 0;
}

int pb_rules_replace(struct pb_rules *rules, const struct pb_rules *wanted, struct pb_error *error)
{
	struct replacing to;
	int ret;

	pb_rules_del_if(rules, not_wanted, (void *)wanted);
	prepare_ids(rules, wanted);
	ret = begin(&to, rules, wanted) ? pb_fail_memory(error) : 0;
	for (size_t i = 0; !ret && i < wanted->nr; i++)
		ret = take(&to, &wanted->rule[i], error);
	if (!ret && to.nr_new && sort(&to))
		ret = pb_fail_memory(error);
	end(&to);
	if (!ret)
		ret = pb_rules_declare_all(rules, wanted, error);
	if (!ret)
		rules->settings = wanted->settings;
	return ret;
}
