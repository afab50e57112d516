// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include "error.h"
#include "slot.h"

static void record_prefix(struct pb_prefix_record *record, const struct pb_prefix *prefix)
{
	memset(record, 0, sizeof(*record));
	memcpy(record->addr, prefix->addr, sizeof(record->addr));
	record->family = prefix->family;
	record->len = prefix->len;
}

static size_t count_prefixes(const struct pb_set *set)
{
	size_t nr = 0;

	for (size_t i = 0; i < set->nr_rules; i++)
		nr += set->rules[i].nr_from + set->rules[i].nr_except;
	return nr;
}

static size_t count_ranges(const struct pb_set *set)
{
	size_t nr = 0;

	for (size_t i = 0; i < set->nr_rules; i++)
		if (set->rules[i].nr_ports > PB_RECORD_PORTS)
			nr += set->rules[i].nr_ports - PB_RECORD_PORTS;
	return nr;
}

static struct pb_limits limits_of(const struct pb_config *config)
{
	return (struct pb_limits){ .decisions = config->max_decisions,
				   .heads = config->max_heads,
				   .sources = config->max_sources };
}

static int check_sizes(const struct pb_config *config, const struct pb_set *set,
		       struct pb_error *error)
{
	size_t prefixes = count_prefixes(set), ranges = count_ranges(set);

	if (set->nr_rules > config->max_rules)
		return pb_fail(error, ENOSPC,
			       "%zu rules are more than the ruleset's %u: load it with a larger "
			       "--max-rules",
			       set->nr_rules, config->max_rules);
	if (prefixes > config->max_sources)
		return pb_fail(error, ENOSPC,
			       "%zu source prefixes are more than the ruleset's %u: load it with "
			       "a larger --max-sources",
			       prefixes, config->max_sources);
	if (ranges > config->max_ranges)
		return pb_fail(error, ENOSPC,
			       "the rules' long port lists need %zu entries, more than the "
			       "ruleset's %u: load it with a larger --max-rules",
			       ranges, config->max_ranges);
	return 0;
}

int pb_set_check(const struct pb_set *set, __u32 max_rules, struct pb_error *error)
{
	const struct pb_config config = pb_config_sized(max_rules, PB_SOURCES_LIMIT);
	const struct pb_limits limits = limits_of(&config);
	struct pb_tables tables = {};
	int ret = check_sizes(&config, set, error);

	if (!ret)
		ret = pb_compile(set, &limits, &tables, error);
	pb_tables_free(&tables);
	return ret;
}

/* Writes the rules as they were written. All parts were seen to fit. */
static void write_record(const struct pb_maps *maps, __u32 slot, const struct pb_rule *rule,
			 __u32 *ranges, __u32 prefixes)
{
	struct pb_rule_record *record = &maps->rules[rule->id * PB_SLOTS + slot];

	memset(record, 0, sizeof(*record));
	record->id = rule->id;
	record->action = rule->action;
	record->side = rule->side;
	record->protocols = rule->protocols;
	record->flags = rule->only_new ? PB_RULE_NEW : 0;
	record->nr_ports = rule->nr_ports;
	record->expires = rule->expires;
	record->more_ports = *ranges;
	record->first_prefix = prefixes;
	record->nr_from = rule->nr_from;
	record->nr_except = rule->nr_except;
	memcpy(record->comment, rule->comment, sizeof(record->comment));
	for (size_t i = 0; i < rule->nr_ports; i++) {
		if (i < PB_RECORD_PORTS)
			record->ports[i] = rule->ports[i];
		else
			maps->ranges[(*ranges)++ * PB_SLOTS + slot].range = rule->ports[i];
	}
}

static int write_rules(const struct pb_maps *maps, __u32 slot, const struct pb_set *set,
		       struct pb_error *error)
{
	size_t nr = count_prefixes(set), at = 0;
	struct pb_prefix_record *prefixes = calloc(nr + 1, sizeof(*prefixes));
	const struct pb_rule *rule;
	__u32 ranges = 0;
	int ret;

	if (!prefixes)
		return pb_fail_memory(error);
	for (__u32 id = 0; id <= maps->config->max_rules; id++)
		maps->rules[id * PB_SLOTS + slot].id = 0;
	for (rule = set->rules; rule < set->rules + set->nr_rules; rule++) {
		write_record(maps, slot, rule, &ranges, at);
		for (size_t i = 0; i < rule->nr_from; i++)
			record_prefix(&prefixes[at++], &rule->from[i]);
		for (size_t i = 0; i < rule->nr_except; i++)
			record_prefix(&prefixes[at++], &rule->except[i]);
	}
	ret = pb_prefixes_replace(maps, slot, prefixes, nr, error);
	free(prefixes);
	return ret;
}

static void write_tables(const struct pb_maps *maps, __u32 slot, const struct pb_tables *tables)
{
	const struct pb_port_tables *ports = tables->ports;

	memcpy(maps->ports->entry[slot], ports->entry, sizeof(ports->entry));
	memcpy(maps->ports->shared[slot], ports->shared, sizeof(ports->shared));
	for (size_t i = 0; i < tables->nr_heads; i++)
		maps->heads[i * PB_SLOTS + slot] = tables->heads[i];
	for (size_t i = 0; i < tables->nr_decisions; i++)
		maps->decisions[i * PB_SLOTS + slot] = tables->decisions[i];
}

static void write_head(struct pb_slot *head, const struct pb_set *set, __u64 generation)
{
	head->generation = generation;
	head->flags = pb_settings_flags(&set->settings);
	head->rules = set->nr_rules;
	head->next_id = set->next_id;
	head->prefixes = count_prefixes(set);
	head->ranges = count_ranges(set);
}

int pb_slot_write(const struct pb_maps *maps, __u32 slot, const struct pb_set *set,
		  __u64 generation, struct pb_error *error)
{
	const struct pb_limits limits = limits_of(maps->config);
	struct pb_tables tables = {};
	int ret = check_sizes(maps->config, set, error);

	if (!ret)
		ret = pb_compile(set, &limits, &tables, error);
	if (!ret)
		ret = pb_sources_replace(maps, slot, tables.sources, tables.nr_sources, error);
	if (!ret)
		ret = write_rules(maps, slot, set, error);
	if (!ret) {
		write_tables(maps, slot, &tables);
		write_head(&maps->config->slots[slot], set, generation);
	}
	pb_tables_free(&tables);
	return ret;
}

static struct pb_prefix *read_prefixes(const struct pb_prefix_record *records, size_t nr)
{
	struct pb_prefix *prefixes = calloc(nr, sizeof(*prefixes));

	for (size_t i = 0; prefixes && i < nr; i++) {
		memcpy(prefixes[i].addr, records[i].addr, sizeof(prefixes[i].addr));
		prefixes[i].family = records[i].family;
		prefixes[i].len = records[i].len;
	}
	return prefixes;
}

/* Copies what the record points at; false when memory ran out. */
static bool read_lists(const struct pb_maps *maps, __u32 slot, const struct pb_rule_record *record,
		       const struct pb_prefix_record *prefixes, struct pb_rule *rule)
{
	rule->ports = calloc(record->nr_ports, sizeof(*rule->ports));
	if (!rule->ports)
		return false;
	rule->nr_ports = record->nr_ports;
	for (size_t i = 0; i < rule->nr_ports; i++) {
		size_t more = record->more_ports + i - PB_RECORD_PORTS;

		rule->ports[i] = i < PB_RECORD_PORTS ? record->ports[i] :
						       maps->ranges[more * PB_SLOTS + slot].range;
	}
	prefixes += record->first_prefix;
	if (record->nr_from) {
		rule->from = read_prefixes(prefixes, record->nr_from);
		if (!rule->from)
			return false;
		rule->nr_from = record->nr_from;
	}
	if (record->nr_except) {
		rule->except = read_prefixes(prefixes + record->nr_from, record->nr_except);
		if (!rule->except)
			return false;
		rule->nr_except = record->nr_except;
	}
	return true;
}

static bool read_rule(const struct pb_maps *maps, __u32 slot, __u32 id,
		      const struct pb_prefix_record *prefixes, struct pb_rule *rule)
{
	const struct pb_rule_record *record = &maps->rules[id * PB_SLOTS + slot];
	struct pb_count count =
		pb_counts_sum(maps->counts, maps->config->cpus, maps->config->max_rules + 1, id);

	rule->id = id;
	rule->action = record->action;
	rule->side = record->side;
	rule->protocols = record->protocols;
	rule->only_new = record->flags & PB_RULE_NEW;
	rule->expires = record->expires;
	memcpy(rule->comment, record->comment, sizeof(rule->comment));
	rule->packets = count.packets;
	rule->bytes = count.bytes;
	return read_lists(maps, slot, record, prefixes, rule);
}

int pb_slot_read(const struct pb_maps *maps, __u32 slot, struct pb_set *set, struct pb_error *error)
{
	const struct pb_slot *head = &maps->config->slots[slot];
	struct pb_prefix_record *prefixes = calloc(head->prefixes + 1, sizeof(*prefixes));
	struct pb_set read = { .settings = pb_settings_of(head->flags),
			       .next_id = head->next_id,
			       .max_rules = maps->config->max_rules,
			       .generation = head->generation };
	int ret;

	read.rules = calloc(head->rules + 1, sizeof(*read.rules));
	read.room = head->rules + 1;
	ret = prefixes && read.rules ? 0 : pb_fail_memory(error);
	if (!ret)
		ret = pb_prefixes_read(maps, slot, prefixes, head->prefixes, error);
	for (__u32 id = 1; !ret && id <= maps->config->max_rules; id++) {
		if (!maps->rules[id * PB_SLOTS + slot].id || read.nr_rules == head->rules)
			continue;
		if (!read_rule(maps, slot, id, prefixes, &read.rules[read.nr_rules++]))
			ret = pb_fail_memory(error);
	}
	free(prefixes);
	if (ret)
		pb_set_clear(&read);
	else
		*set = read;
	return ret;
}

__u32 pb_slot_live_rules(const struct pb_maps *maps, __u32 slot, __u64 now)
{
	__u32 live = 0;

	for (__u32 id = 1; id <= maps->config->max_rules; id++) {
		const struct pb_rule_record *record = &maps->rules[id * PB_SLOTS + slot];

		live += record->id && (!record->expires || now < record->expires);
	}
	return live;
}
