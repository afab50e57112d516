// SPDX-License-Identifier: GPL-2.0-only
/* Counters, read again and again: those of rules from memory, without a system call. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "reading.h"

static int lack_memory(struct pb_error *error)
{
	snprintf(error->text, sizeof(error->text), "out of memory");
	return -ENOMEM;
}

/* The rules with their last counts, in the order of their ids. */
static int read_rules(struct reading *reading, struct pb_error *error)
{
	struct rule_reading *by_rule;
	struct pb_rules rules = {};
	size_t old = 0;
	int ret = pb_ruleset_read(reading->ruleset, &rules, error);

	if (ret)
		return ret;
	by_rule = calloc(rules.nr + 1, sizeof(*by_rule));
	if (!by_rule) {
		pb_rules_clear(&rules);
		return lack_memory(error);
	}
	for (size_t i = 0; i < rules.nr; i++) {
		by_rule[i].rule = &rules.rule[i];
		while (old < reading->nr_rules && reading->by_rule[old].rule->id < rules.rule[i].id)
			old++;
		if (old < reading->nr_rules && reading->by_rule[old].rule->id == rules.rule[i].id)
			by_rule[i].count = reading->by_rule[old].count;
	}
	free(reading->by_rule);
	pb_rules_clear(&reading->rules);
	reading->rules = rules; /* its array of rules does not move */
	reading->by_rule = by_rule;
	reading->nr_rules = rules.nr;
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

static void count_rules(struct reading *reading)
{
	for (size_t i = 0; i < reading->nr_rules; i++) {
		struct rule_reading *rule = &reading->by_rule[i];
		struct pb_count now = pb_ruleset_count(reading->ruleset, rule->rule->id);

		rule->rate = rate_of(&rule->count, &now, reading->interval);
		rule->count = now;
	}
}

static const struct pb_interface *find_before(const struct reading *reading,
					      const struct pb_interface *interface)
{
	for (size_t i = 0; i < reading->nr_interfaces; i++)
		if (reading->interfaces[i].interface.program_id == interface->program_id)
			return &reading->interfaces[i].interface;
	return NULL;
}

static int read_interfaces(struct reading *reading, struct pb_error *error)
{
	const char *name = pb_ruleset_name(reading->ruleset);
	struct interface_reading *made;
	struct pb_interface *list;
	size_t nr, count = 0;
	int ret = pb_interface_list(&list, &nr, error);

	if (ret)
		return ret;
	made = calloc(nr + 1, sizeof(*made));
	if (!made) {
		free(list);
		return lack_memory(error);
	}
	for (size_t i = 0; i < nr; i++) {
		const struct pb_interface *before = find_before(reading, &list[i]);

		if (strcmp(list[i].ruleset, name))
			continue;
		made[count].interface = list[i];
		if (before && (before->outcomes_error || list[i].outcomes_error))
			before = NULL;
		for (int o = 0; before && o < PB_OUTCOME_MAX; o++)
			made[count].rates[o] = rate_of(&before->outcomes[o], &list[i].outcomes[o],
						       reading->interval);
		count++;
	}
	free(list);
	free(reading->interfaces);
	reading->interfaces = made;
	reading->nr_interfaces = count;
	return 0;
}

int reading_update(struct reading *reading, struct pb_error *error)
{
	struct timespec now, before = reading->at;
	int ret = 0;

	if (!pb_ruleset_is_there(reading->ruleset)) {
		snprintf(error->text, sizeof(error->text), "the ruleset '%s' was unloaded",
			 pb_ruleset_name(reading->ruleset));
		return -ENOENT;
	}
	if (!reading->by_rule ||
	    reading->rules.generation != pb_ruleset_generation(reading->ruleset))
		ret = read_rules(reading, error);
	clock_gettime(CLOCK_MONOTONIC, &now);
	reading->interval =
		before.tv_sec || before.tv_nsec ?
			now.tv_sec - before.tv_sec + (now.tv_nsec - before.tv_nsec) / 1e9 :
			0;
	reading->at = now;
	if (ret)
		return ret;
	count_rules(reading);
	return read_interfaces(reading, error);
}

void reading_clear(struct reading *reading)
{
	pb_rules_clear(&reading->rules);
	free(reading->by_rule);
	free(reading->interfaces);
	pb_ruleset_close(reading->ruleset);
	memset(reading, 0, sizeof(*reading));
}
