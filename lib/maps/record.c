// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "maps/folders.h"
#include "maps/record.h"
#include "rule/set-names.h"
#include "rules/rules.h"
#include "util/error.h"

size_t pb_records_prefixes(const struct pb_rules *rules)
{
	size_t nr = 0;

	for (size_t i = 0; i < rules->nr; i++)
		nr += rules->rule[i].nr_from + rules->rule[i].nr_except;
	return nr;
}

size_t pb_records_ranges(const struct pb_rules *rules)
{
	size_t nr = 0;

	for (size_t i = 0; i < rules->nr; i++)
		if (rules->rule[i].nr_ports > PB_RECORD_PORTS)
			nr += rules->rule[i].nr_ports - PB_RECORD_PORTS;
	return nr;
}

/* ---- Sets: their names as bits -------------------------------------------------------------- */

/* The number of the set with that name, or of the first that is free for ""; PB_SETS_MAX: none. */
static unsigned int set_number(const struct pb_set_record *sets, const char *name)
{
	unsigned int i = 0;

	while (i < PB_SETS_MAX && strncmp(sets[i].name, name, sizeof(sets[i].name)))
		i++;
	return i;
}

/* The bits of sets, all of which must be there. */
static int find_sets(const struct pb_set_record *sets, char *const *names, size_t nr,
		     const char *ruleset, __u64 *bits, struct pb_error *error)
{
	char option[PB_RULESET_OPTION_LEN];

	for (size_t i = 0; i < nr; i++) {
		unsigned int number = sets ? set_number(sets, names[i]) : PB_SETS_MAX;

		if (number == PB_SETS_MAX)
			return pb_fail(error, ENOENT,
				       "there is no set '%s' in the ruleset '%s': `xdp-portblock "
				       "set create %s%s` makes one; for a file write @./%s",
				       names[i], ruleset, names[i],
				       pb_ruleset_option(ruleset, option), names[i]);
		*bits |= 1ULL << number;
	}
	return 0;
}

int pb_records_conditions(const struct pb_rules *rules, const struct pb_set_record *sets,
			  const char *ruleset, struct pb_set_condition **conditions,
			  struct pb_error *error)
{
	struct pb_set_condition *made = calloc(rules->nr + 1, sizeof(*made));
	int ret = made ? 0 : pb_fail_memory(error);

	for (size_t i = 0; !ret && i < rules->nr; i++) {
		const struct pb_rule *rule = &rules->rule[i];

		ret = find_sets(sets, rule->from_sets, rule->nr_from_sets, ruleset, &made[i].from,
				error);
		if (!ret)
			ret = find_sets(sets, rule->except_sets, rule->nr_except_sets, ruleset,
					&made[i].except, error);
	}
	if (ret)
		free(made);
	else
		*conditions = made;
	return ret;
}

static int make_sets(struct pb_set_record *sets, char *const *names, size_t nr,
		     struct pb_error *error)
{
	for (size_t i = 0; i < nr; i++) {
		unsigned int free = set_number(sets, "");

		if (set_number(sets, names[i]) < PB_SETS_MAX)
			continue;
		if (free == PB_SETS_MAX)
			return pb_fail(error, ENOSPC,
				       "the rules name more than %d sets, which is the most that a "
				       "ruleset can have",
				       PB_SETS_MAX);
		snprintf(sets[free].name, sizeof(sets[free].name), "%s", names[i]);
	}
	return 0;
}

int pb_records_make_sets(const struct pb_rules *rules, struct pb_set_record *sets,
			 struct pb_error *error)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < rules->nr; i++) {
		const struct pb_rule *rule = &rules->rule[i];

		ret = make_sets(sets, rule->from_sets, rule->nr_from_sets, error);
		if (!ret)
			ret = make_sets(sets, rule->except_sets, rule->nr_except_sets, error);
	}
	return ret;
}

/* ---- Rules ---------------------------------------------------------------------------------- */

static void add_prefixes(struct pb_records *records, const struct pb_prefix *prefixes, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct pb_prefix_record *record = &records->prefixes[records->nr_prefixes++];

		memset(record, 0, sizeof(*record));
		memcpy(record->addr, prefixes[i].addr, sizeof(record->addr));
		record->family = prefixes[i].family;
		record->len = prefixes[i].len;
	}
}

static struct pb_range *more_range(const struct pb_records *records, size_t number)
{
	return &records->ranges[number * PB_SLOTS + records->slot].range;
}

void pb_record_plain(struct pb_rule_record *record, const struct pb_rule *rule, __u32 id)
{
	memset(record, 0, sizeof(*record));
	record->id = id;
	record->action = rule->action;
	record->side = rule->side;
	record->protocols = rule->protocols;
	record->flags = rule->only_new ? PB_RULE_NEW : 0;
	record->nr_ports = rule->nr_ports;
	record->expires = rule->expires;
	record->over = rule->over;
	memcpy(record->comment, rule->comment, sizeof(record->comment));
	for (size_t i = 0; i < rule->nr_ports && i < PB_RECORD_PORTS; i++)
		record->ports[i] = rule->ports[i];
}

void pb_records_add(struct pb_records *records, const struct pb_rule *rule,
		    const struct pb_set_condition *sets)
{
	struct pb_rule_record *record = &records->rules[rule->id * PB_SLOTS + records->slot];

	pb_record_plain(record, rule, rule->id);
	record->more_ports = records->nr_ranges;
	record->first_prefix = records->nr_prefixes;
	record->nr_from = rule->nr_from;
	record->nr_except = rule->nr_except;
	record->from_sets = sets->from;
	record->except_sets = sets->except;
	for (size_t i = PB_RECORD_PORTS; i < rule->nr_ports; i++)
		*more_range(records, records->nr_ranges++) = rule->ports[i];
	add_prefixes(records, rule->from, rule->nr_from);
	add_prefixes(records, rule->except, rule->nr_except);
}

static struct pb_prefix *get_prefixes(const struct pb_prefix_record *records, size_t nr)
{
	struct pb_prefix *prefixes = calloc(nr, sizeof(*prefixes));

	for (size_t i = 0; prefixes && i < nr; i++) {
		memcpy(prefixes[i].addr, records[i].addr, sizeof(prefixes[i].addr));
		prefixes[i].family = records[i].family;
		prefixes[i].len = records[i].len;
	}
	return prefixes;
}

static bool get_ports(const struct pb_records *records, const struct pb_rule_record *record,
		      struct pb_rule *rule)
{
	if (!record->nr_ports)
		return true;
	rule->ports = calloc(record->nr_ports, sizeof(*rule->ports));
	if (!rule->ports)
		return false;
	rule->nr_ports = record->nr_ports;
	for (size_t i = 0; i < rule->nr_ports; i++) {
		size_t more = record->more_ports + i - PB_RECORD_PORTS;

		rule->ports[i] = i < PB_RECORD_PORTS ? record->ports[i] :
						       *more_range(records, more);
	}
	return true;
}

static bool get_sources(const struct pb_records *records, const struct pb_rule_record *record,
			struct pb_rule *rule)
{
	const struct pb_prefix_record *prefixes = records->prefixes + record->first_prefix;

	if (record->nr_from) {
		rule->from = get_prefixes(prefixes, record->nr_from);
		if (!rule->from)
			return false;
		rule->nr_from = record->nr_from;
	}
	if (record->nr_except) {
		rule->except = get_prefixes(prefixes + record->nr_from, record->nr_except);
		if (!rule->except)
			return false;
		rule->nr_except = record->nr_except;
	}
	return true;
}

/*
 * A set that a rule names cannot be destroyed. If one is gone all the same, it gets a name that none
 * can have: without it the rule would be about all sources.
 */
static bool add_name(const struct pb_records *records, unsigned int number,
		     struct pb_set_names *list)
{
	const char *name = records->sets ? records->sets[number].name : "";
	char *copy = NULL;

	if (!pb_set_name_check(name, NULL))
		return !pb_set_names_add(list, name, NULL);
	if (asprintf(&copy, "#%u", number) < 0)
		return false;
	list->names[list->nr++] = copy;
	return true;
}

static bool get_names(const struct pb_records *records, __u64 bits, char ***names, size_t *nr)
{
	struct pb_set_names list = { .room = PB_SETS_MAX };
	bool done = true;

	if (!bits)
		return true;
	list.names = calloc(list.room, sizeof(*list.names));
	if (!list.names)
		return false;
	for (unsigned int i = 0; done && i < PB_SETS_MAX; i++)
		if (bits >> i & 1)
			done = add_name(records, i, &list);
	*names = list.names;
	*nr = list.nr;
	return done;
}

static bool get_sets(const struct pb_records *records, const struct pb_rule_record *record,
		     struct pb_rule *rule)
{
	return get_names(records, record->from_sets, &rule->from_sets, &rule->nr_from_sets) &&
	       get_names(records, record->except_sets, &rule->except_sets, &rule->nr_except_sets);
}

/* A record that is half another one, as who reads without a lock may see it, leads to what is not there. */
static bool is_within(const struct pb_records *records, const struct pb_rule_record *record)
{
	__u64 ports = record->nr_ports,
	      more = ports > PB_RECORD_PORTS ? ports - PB_RECORD_PORTS : 0;

	return record->more_ports + more <= records->nr_ranges &&
	       (__u64)record->first_prefix + record->nr_from + record->nr_except <=
		       records->nr_prefixes;
}

bool pb_records_get(const struct pb_records *records, __u32 id, struct pb_rule *rule)
{
	const struct pb_rule_record copy = records->rules[id * PB_SLOTS + records->slot],
				    *record = &copy;

	if (!is_within(records, record))
		return false;
	rule->id = id;
	rule->action = record->action;
	rule->side = record->side;
	rule->protocols = record->protocols;
	rule->only_new = record->flags & PB_RULE_NEW;
	rule->expires = record->expires;
	rule->over = record->over;
	memcpy(rule->comment, record->comment, sizeof(rule->comment));
	return get_ports(records, record, rule) && get_sources(records, record, rule) &&
	       get_sets(records, record, rule);
}
