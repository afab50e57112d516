// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A change of rules with the elements that come with it, and elements as a file.
 *
 * Elements are in force before the rules are: first the idle slot is written, which may fail; then the elements are
 * merged, which may fail and changes nothing then; then the slot is published, which cannot fail. Who is killed
 * before that leaves the rules as they were.
 */
#include <stdlib.h>
#include "maps/restored.h"
#include "rule/element.h"
#include "rules/rules.h"
#include "util/array.h"
#include "util/error.h"
#include "util/log.h"

static int bring(struct pb_ruleset *ruleset, const struct pb_rules *rules, struct pb_error *error)
{
	return rules->saved ? pb_sets_merge(ruleset, rules->saved, error) : 0;
}

int pb_ruleset_commit(struct pb_ruleset *ruleset, struct pb_rules *rules, __u64 confirm,
		      struct pb_error *error)
{
	PB_LOG_HERE();
	int ret = pb_ruleset_publish(ruleset, rules, confirm, bring, error);

	pb_ruleset_abort(ruleset, rules);
	return ret;
}

int pb_sets_save(struct pb_ruleset *ruleset, int fd, struct pb_error *error)
{
	PB_LOG_HERE();
	struct pb_clocks now = pb_clocks_now();
	struct pb_saved *saved;
	int ret = pb_sets_read_all(ruleset, &saved, error);

	if (ret)
		return ret;
	ret = pb_saved_write(saved, &now, pb_ruleset_name(ruleset), fd, error);
	pb_saved_free(saved);
	return ret;
}

/* ---- Taken back ---------------------------------------------------------------------------- */

struct taken_back {
	struct pb_prefix *gone;	 /* were not there */
	struct pb_element *kept; /* had another end */
	size_t nr_gone, nr_kept;
};

static const struct pb_element *find(const struct pb_saved_elements *set,
				     const struct pb_element *element)
{
	if (!set || !set->about.elements)
		return NULL;
	return bsearch(element, set->list, set->about.elements, sizeof(*element), pb_element_order);
}

static void sort_out(const struct pb_saved_elements *set, const struct pb_saved_elements *before,
		     struct taken_back *back)
{
	for (size_t i = 0; i < set->about.elements; i++) {
		const struct pb_element *there = find(before, &set->list[i]);

		if (!there)
			back->gone[back->nr_gone++] = set->list[i].prefix;
		else if (there->expires)
			back->kept[back->nr_kept++] = *there;
	}
}

static void unmerge(struct pb_ruleset *ruleset, const struct pb_saved_elements *set,
		    const struct pb_saved_elements *before)
{
	struct taken_back back = {
		.gone = calloc(set->about.elements + 1, sizeof(*back.gone)),
		.kept = calloc(set->about.elements + 1, sizeof(*back.kept)),
	};

	if (back.gone && back.kept) {
		sort_out(set, before, &back);
		pb_set_del(ruleset, set->about.name, back.gone, back.nr_gone, NULL);
		pb_set_add(ruleset, set->about.name, back.kept, back.nr_kept, NULL);
	}
	free(back.gone);
	free(back.kept);
}

static void unmake(struct pb_ruleset *ruleset, const char *name)
{
	struct pb_element *elements = NULL;
	size_t nr;

	if (!pb_set_elements(ruleset, name, &elements, &nr, NULL) && !nr)
		pb_set_destroy(ruleset, name, NULL);
	free(elements);
}

void pb_sets_unmerge(struct pb_ruleset *ruleset, const struct pb_saved *saved,
		     const struct pb_saved *before)
{
	for (size_t i = 0; i < saved->nr; i++) {
		const char *name = saved->sets[i].about.name;
		const struct pb_saved_elements *there = pb_saved_find(before, name);

		unmerge(ruleset, &saved->sets[i], there);
		if (!there)
			unmake(ruleset, name);
	}
}
