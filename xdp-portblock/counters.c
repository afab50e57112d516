// SPDX-License-Identifier: GPL-2.0-only
/* Counters, read again and again: those of rules from memory, without a system call. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "counters.h"

/* The rules with their last counts, in the order of their ids. */
static int read_rules(struct counters *counters, struct pb_error *error)
{
	struct rule_counters *by_rule;
	struct pb_rules *rules;
	size_t old = 0, nr;
	int ret = pb_ruleset_read(counters->ruleset, &rules, error);

	if (ret)
		return ret;
	nr = pb_rules_nr(rules);
	by_rule = calloc(nr + 1, sizeof(*by_rule));
	if (!by_rule) {
		pb_rules_free(rules);
		return lack_memory(error);
	}
	for (size_t i = 0; i < nr; i++) {
		const struct pb_rule *rule = pb_rules_at(rules, i);

		by_rule[i].rule = rule;
		while (old < counters->nr_rules && counters->by_rule[old].rule->id < rule->id)
			old++;
		if (old < counters->nr_rules && counters->by_rule[old].rule->id == rule->id)
			by_rule[i].count = counters->by_rule[old].count;
	}
	free(counters->by_rule);
	pb_rules_free(counters->rules);
	counters->rules = rules;
	counters->by_rule = by_rule;
	counters->nr_rules = nr;
	return 0;
}

static struct rate rate_of(const struct pb_count *before, const struct pb_count *now,
			   double interval)
{
	struct rate rate = {};

	/* Less than before: somebody has reset it. */
	if (interval > 0 && now->packets >= before->packets && now->bytes >= before->bytes) {
		rate.packets = (now->packets - before->packets) / interval;
		rate.bytes = (now->bytes - before->bytes) / interval;
	}
	return rate;
}

static void count_rules(struct counters *counters)
{
	for (size_t i = 0; i < counters->nr_rules; i++) {
		struct rule_counters *rule = &counters->by_rule[i];
		struct pb_count now = pb_ruleset_count(counters->ruleset, rule->rule->id);

		rule->rate = rate_of(&rule->count, &now, counters->interval);
		rule->count = now;
	}
}

static const struct pb_interface *find_before(const struct counters *counters,
					      const struct pb_interface *interface)
{
	for (size_t i = 0; i < counters->nr_interfaces; i++)
		if (counters->interfaces[i].interface->program_id == interface->program_id)
			return counters->interfaces[i].interface;
	return NULL;
}

static void clear_interfaces(struct counters *counters)
{
	for (size_t i = 0; i < counters->nr_interfaces; i++)
		free(counters->interfaces[i].interface);
	free(counters->interfaces);
}

/* Who reads by a group has the rules. Said once. */
static int be_blind(struct counters *counters, const struct pb_error *error)
{
	if (!counters->blind)
		note("the interfaces are left out: %s", error->text);
	counters->blind = true;
	return 0;
}

static int read_interfaces(struct counters *counters, struct pb_error *error)
{
	const char *name = pb_ruleset_name(counters->ruleset);
	struct interface_counters *made;
	struct pb_interface **list;
	size_t nr, count = 0;
	int ret = pb_interface_list(&list, &nr, error);

	if (ret == -EPERM && pb_ruleset_is_read_only(counters->ruleset))
		return be_blind(counters, error);
	if (ret)
		return ret;
	made = calloc(nr + 1, sizeof(*made));
	if (!made) {
		pb_interfaces_free(list, nr);
		return lack_memory(error);
	}
	for (size_t i = 0; i < nr; i++) {
		const struct pb_interface *before = find_before(counters, list[i]);

		if (strcmp(list[i]->ruleset, name))
			continue;
		made[count].interface = list[i];
		if (before && (before->outcomes_error || list[i]->outcomes_error))
			before = NULL;
		for (int o = 0; before && o < PB_OUTCOME_MAX; o++)
			made[count].rates[o] = rate_of(&before->outcomes[o], &list[i]->outcomes[o],
						       counters->interval);
		count++;
		list[i] = NULL;
	}
	pb_interfaces_free(list, nr);
	clear_interfaces(counters);
	counters->interfaces = made;
	counters->nr_interfaces = count;
	return 0;
}

int counters_update(struct counters *counters, struct pb_error *error)
{
	struct timespec now, before = counters->at;
	int ret = 0;

	if (!pb_ruleset_is_there(counters->ruleset)) {
		snprintf(error->text, sizeof(error->text), "the ruleset '%s' was unloaded",
			 pb_ruleset_name(counters->ruleset));
		return -ENOENT;
	}
	if (!counters->by_rule ||
	    pb_rules_generation(counters->rules) != pb_ruleset_generation(counters->ruleset))
		ret = read_rules(counters, error);
	clock_gettime(CLOCK_MONOTONIC, &now);
	counters->interval =
		before.tv_sec || before.tv_nsec ?
			now.tv_sec - before.tv_sec + (now.tv_nsec - before.tv_nsec) / 1e9 :
			0;
	counters->at = now;
	if (ret)
		return ret;
	count_rules(counters);
	ret = pb_ruleset_rates(counters->ruleset, &counters->rates, error);
	return ret ?: read_interfaces(counters, error);
}

void counters_clear(struct counters *counters)
{
	pb_rules_free(counters->rules);
	free(counters->by_rule);
	clear_interfaces(counters);
	pb_ruleset_close(counters->ruleset);
	memset(counters, 0, sizeof(*counters));
}
