// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include "maps/record.h"
#include "rules/rules.h"

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

void pb_records_add(struct pb_records *records, const struct pb_rule *rule)
{
	struct pb_rule_record *record = &records->rules[rule->id * PB_SLOTS + records->slot];

	memset(record, 0, sizeof(*record));
	record->id = rule->id;
	record->action = rule->action;
	record->side = rule->side;
	record->protocols = rule->protocols;
	record->flags = rule->only_new ? PB_RULE_NEW : 0;
	record->nr_ports = rule->nr_ports;
	record->expires = rule->expires;
	record->more_ports = records->nr_ranges;
	record->first_prefix = records->nr_prefixes;
	record->nr_from = rule->nr_from;
	record->nr_except = rule->nr_except;
	memcpy(record->comment, rule->comment, sizeof(record->comment));
	for (size_t i = 0; i < rule->nr_ports; i++) {
		if (i < PB_RECORD_PORTS)
			record->ports[i] = rule->ports[i];
		else
			*more_range(records, records->nr_ranges++) = rule->ports[i];
	}
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

bool pb_records_get(const struct pb_records *records, __u32 id, struct pb_rule *rule)
{
	const struct pb_rule_record *record = &records->rules[id * PB_SLOTS + records->slot];

	rule->id = id;
	rule->action = record->action;
	rule->side = record->side;
	rule->protocols = record->protocols;
	rule->only_new = record->flags & PB_RULE_NEW;
	rule->expires = record->expires;
	memcpy(rule->comment, record->comment, sizeof(rule->comment));
	return get_ports(records, record, rule) && get_sources(records, record, rule);
}
