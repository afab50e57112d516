// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <portblock/tokens.h>
#include "compile/limits.h"
#include "compile/ports.h"
#include "maps/adding.h"
#include "maps/arrays.h"
#include "maps/record.h"
#include "maps/rights.h"
#include "maps/slot.h"
#include "maps/sources.h"
#include "rules/rules.h"
#include "util/error.h"

static struct pb_limits limits_of(const struct pb_config *config)
{
	return (struct pb_limits){ .decisions = config->max_decisions - PB_SPARE_DECISIONS,
				   .port_classes = config->max_port_classes,
				   .sources = config->max_sources };
}

static const struct pb_set_record *sets_of(const struct pb_maps *maps)
{
	return maps->sets ? maps->sets->record : NULL;
}

/* Of one slot, where nothing is yet. */
static struct pb_records records_of(const struct pb_maps *maps, __u32 slot)
{
	return (struct pb_records){
		.slot = slot, .rules = maps->rules, .ranges = maps->ranges, .sets = sets_of(maps)
	};
}

static int check_sizes(const struct pb_config *config, const struct pb_rules *rules,
		       struct pb_error *error)
{
	size_t prefixes = pb_records_prefixes(rules), ranges = pb_records_ranges(rules);

	if (rules->nr > config->max_rules)
		return pb_fail(error, ENOSPC,
			       "%zu rules are more than the ruleset's %u: load it with a larger "
			       "--max-rules",
			       rules->nr, config->max_rules);
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

/*
 * Compiles what is seen to fit, and whose sets are there. `conditions`: the sets of each rule; the
 * caller frees, also when this fails.
 */
static int compile(const struct pb_rules *rules, const struct pb_config *config,
		   const struct pb_set_record *sets, struct pb_set_condition **conditions,
		   struct pb_tables *tables, struct pb_error *error)
{
	const struct pb_limits limits = limits_of(config);
	int ret = check_sizes(config, rules, error);

	if (!ret)
		ret = pb_records_conditions(rules, sets, config->ruleset, conditions, error);
	if (!ret)
		ret = pb_compile(rules, &limits, *conditions, tables, error);
	return ret;
}

int pb_rules_check(const struct pb_rules *rules, __u32 max_rules, struct pb_error *error)
{
	const struct pb_config config = pb_config_sized(max_rules, PB_SOURCES_LIMIT);
	struct pb_set_record sets[PB_SETS_MAX] = {};
	struct pb_set_condition *conditions = NULL;
	struct pb_tables tables = {};
	int ret = pb_records_make_sets(rules, sets, error);

	if (!ret)
		ret = compile(rules, &config, sets, &conditions, &tables, error);
	pb_tables_free(&tables);
	free(conditions);
	return ret;
}

/* Writes the rules as they were written. All parts were seen to fit. */
static int write_rules(const struct pb_maps *maps, __u32 slot, const struct pb_rules *rules,
		       const struct pb_set_condition *conditions, struct pb_error *error)
{
	struct pb_records records = records_of(maps, slot);
	int ret;

	records.prefixes = calloc(pb_records_prefixes(rules) + 1, sizeof(*records.prefixes));
	if (!records.prefixes)
		return pb_fail_memory(error);
	for (__u32 id = 0; id <= maps->config->max_rules; id++)
		maps->rules[id * PB_SLOTS + slot].id = 0;
	for (size_t i = 0; i < rules->nr; i++)
		pb_records_add(&records, &rules->rule[i], &conditions[i]);
	ret = pb_prefixes_replace(maps, slot, records.prefixes, records.nr_prefixes, error);
	free(records.prefixes);
	return ret;
}

static void set_secrets(struct pb_rule_limits *limits, __u32 id, const __u64 seed[2])
{
	limits->secret4 = pb_token_secret(id | PB_TOKEN_IPV4, limits->epoch, seed);
	limits->secret6 = pb_token_secret(id, limits->epoch, seed);
}

/*
 * The limits of each rule that has a rate. A rule that stays has its buckets as they were, so its epoch is that of
 * the other slot, which is in force; one that is new begins with full ones: what lies under its id, and the epoch, of
 * another rule is not its own.
 */
static void write_limits(const struct pb_maps *maps, __u32 slot, const struct pb_rules *rules,
			 __u64 generation)
{
	/* Where they are not mapped, no rule has a rate, and nothing asks for what is there. */
	for (size_t i = 0; maps->limits && i < rules->nr; i++) {
		const struct pb_rule *rule = &rules->rule[i];
		struct pb_rule_limits limits = pb_limits_of(&rule->over);
		struct pb_rule_limits *at = &maps->limits[rule->id * PB_SLOTS];

		limits.epoch = rule->added ? generation : at[!slot].epoch;
		if (limits.each)
			set_secrets(&limits, rule->id, maps->rates->seed);
		at[slot] = limits;
	}
}

/* The class of the ports of which the rate of one rule says all. Where that are several, each is as good. */
static void write_limit_classes(const struct pb_maps *maps, __u32 slot,
				const struct pb_tables *tables)
{
	for (size_t i = 1; i < tables->nr_decisions; i++) {
		const struct pb_decision *decision = &tables->decisions[i];
		struct pb_rule_limits *limits;

		if (!pb_decision_is_rate(decision))
			continue;
		limits = &maps->limits[PB_ENTRY_NUMBER(decision->entry) * PB_SLOTS + slot];
		limits->entry = decision->entry;
		limits->port_class = i;
	}
}

/* ---- The tables: of each, what is written is mapped, for the kernel enters each page by itself ------ */

/* Ports that are looked at as one */
#define ROW 16

/* `to` is `nr` times as long as what it begins with; both are powers of two. */
static void repeat(void *to, size_t first, size_t nr)
{
	for (size_t done = first; done < first * nr; done *= 2)
		memcpy((char *)to + done, to, done);
}

/*
 * From here on a port is where a packet has it, in network byte order, and is looked up as it was read. Most ports are
 * as the first one is: these are written one after the other, and the others to where they are.
 */
static void write_by_port(char *to, const char *from, size_t size)
{
	char usual[ROW * sizeof(__u32)];

	memcpy(usual, from, size);
	repeat(usual, size, ROW);
	memcpy(to, usual, ROW * size);
	repeat(to, ROW * size, PB_PORTS / ROW);
	for (size_t row = 0; row < PB_PORTS; row += ROW)
		if (memcmp(from + row * size, usual, ROW * size))
			for (size_t port = row; port < row + ROW; port++)
				memcpy(to + htons(port) * size, from + port * size, size);
}

/* `nr` tables of all ports, elements of `size` bytes; from `offset` on in pb_ports. */
static int write_ports(const struct pb_maps *maps, size_t offset, const void *from, size_t nr,
		       size_t size)
{
	const size_t table = PB_PORTS * size;
	void *part;
	int ret = pb_array_map_part(maps->fd[PB_MAP_PORTS], offset, nr * table, &part);

	if (ret)
		return ret;
	for (size_t i = 0; i < nr; i++)
		write_by_port((char *)part + i * table, (const char *)from + i * table, size);
	munmap(part, nr * table);
	return 0;
}

/* The first `nr` elements, of `size` bytes, of an array that has a slot's beside the other's. */
static int write_elements(const struct pb_maps *maps, enum pb_map which, __u32 slot,
			  const void *from, size_t nr, size_t size)
{
	void *part;
	int ret;

	if (!nr)
		return 0;
	ret = pb_array_map_part(maps->fd[which], 0, nr * PB_SLOTS * size, &part);
	if (ret)
		return ret;
	for (size_t i = 0; i < nr; i++)
		memcpy((char *)part + (i * PB_SLOTS + slot) * size, (const char *)from + i * size,
		       size);
	munmap(part, nr * PB_SLOTS * size);
	return 0;
}

static int write_tables(const struct pb_maps *maps, __u32 slot, const struct pb_tables *tables,
			struct pb_error *error)
{
	const struct pb_port_tables *ports = tables->ports;
	int ret = write_ports(maps, offsetof(struct pb_ports, entry[slot]), ports->entry,
			      PB_ENTRY_PROTOS, sizeof(ports->entry[0][0]));

	if (!ret)
		ret = write_ports(maps, offsetof(struct pb_ports, classes[slot]), ports->classes,
				  PB_CLASSES_MAX, sizeof(ports->classes[0][0]));
	if (!ret)
		ret = write_elements(maps, PB_MAP_PORT_CLASSES, slot, tables->port_classes,
				     tables->nr_port_classes, sizeof(*tables->port_classes));
	if (!ret)
		ret = write_elements(maps, PB_MAP_DECISIONS, slot, tables->decisions,
				     tables->nr_decisions, sizeof(*tables->decisions));
	if (ret)
		return pb_fail_permission(error, -ret, "map the tables into memory");
	/* Only rules that name sets have conditions, and they are refused where there are none. */
	for (size_t i = 0; maps->sets && i < tables->nr_conditions; i++)
		maps->sets->conditions[slot][i] = tables->conditions[i];
	return 0;
}

/* Does a rule look at source ports of protocols that have entries? */
static __u32 flag_of_sports(const struct pb_tables *tables)
{
	for (int proto = 0; proto < PB_ENTRY_PROTOS; proto++)
		if (tables->sides[proto] & 1U << PB_SIDE_SPORT)
			return PB_SLOT_SPORTS;
	return 0;
}

static void write_header(struct pb_slot *header, const struct pb_rules *rules,
			 const struct pb_tables *tables, __u64 generation)
{
	header->generation = generation;
	header->flags = pb_settings_flags(&rules->settings) | flag_of_sports(tables);
	header->rules = rules->nr;
	header->next_id = rules->next_id;
	header->prefixes = pb_records_prefixes(rules);
	header->ranges = pb_records_ranges(rules);
	header->portless = tables->portless;
	header->unmatched = tables->unmatched;
	header->answers = pb_settings_answers(&rules->settings);
	header->adding = 0;
	header->turns = 0;
}

int pb_slot_compile(const struct pb_maps *maps, const struct pb_rules *rules,
		    const struct pb_set_record *sets, struct pb_compiled *compiled,
		    struct pb_error *error)
{
	memset(compiled, 0, sizeof(*compiled));
	return compile(rules, maps->config, sets, &compiled->conditions, &compiled->tables, error);
}

void pb_compiled_free(struct pb_compiled *compiled)
{
	pb_tables_free(&compiled->tables);
	free(compiled->conditions);
	memset(compiled, 0, sizeof(*compiled));
}

int pb_slot_put(const struct pb_maps *maps, __u32 slot, const struct pb_rules *rules,
		struct pb_compiled *compiled, __u64 generation, struct pb_error *error)
{
	struct pb_tables *tables = &compiled->tables;
	int ret = pb_sources_replace(maps, slot, tables, error);

	if (!ret)
		ret = write_rules(maps, slot, rules, compiled->conditions, error);
	if (!ret)
		ret = write_tables(maps, slot, tables, error);
	if (ret)
		return ret;
	write_limits(maps, slot, rules, generation);
	write_limit_classes(maps, slot, tables);
	if (maps->sets)
		maps->sets->files[slot] = compiled->files;
	write_header(&maps->config->slots[slot], rules, tables, generation);
	return 0;
}

int pb_slot_write(const struct pb_maps *maps, __u32 slot, const struct pb_rules *rules,
		  __u64 generation, struct pb_error *error)
{
	struct pb_compiled compiled;
	int ret = pb_slot_compile(maps, rules, sets_of(maps), &compiled, error);

	if (!ret)
		ret = pb_slot_put(maps, slot, rules, &compiled, generation, error);
	pb_compiled_free(&compiled);
	return ret;
}

/* Is there a rule with that id? 1, 0, -errno. */
static int has_rule(const struct pb_maps *maps, __u32 slot, __u32 id)
{
	struct pb_rule_record *record = &maps->rules[id * PB_SLOTS + slot];

	if (!record->id || id != maps->config->slots[slot].adding)
		return record->id != 0;
	return pb_adding_holds(maps, slot, record);
}

static bool read_rule(const struct pb_maps *maps, const struct pb_records *records, __u32 id,
		      struct pb_rule *rule)
{
	const struct pb_counters counters = pb_maps_counters(maps);
	struct pb_count count;

	pb_counters_read(&counters, id, 1, &count);
	rule->packets = count.packets;
	rule->bytes = count.bytes;
	return pb_records_get(records, id, rule);
}

int pb_slot_read(const struct pb_maps *maps, __u32 slot, struct pb_rules *rules,
		 struct pb_error *error)
{
	/* A copy: who reads without a lock may see it change, and is told so by pb_ruleset_read(). */
	const struct pb_slot header = maps->config->slots[slot];
	struct pb_records records = records_of(maps, slot);
	struct pb_rules read = { .settings = pb_settings_of_slot(&header),
				 .next_id = header.next_id,
				 .max_rules = maps->config->max_rules,
				 .generation = header.generation };
	size_t room = header.rules + 1; /* and one that is being added */
	int ret;

	records.prefixes = calloc(header.prefixes + 1, sizeof(*records.prefixes));
	records.nr_prefixes = header.prefixes;
	records.nr_ranges = maps->config->max_ranges;
	read.rule = calloc(room, sizeof(*read.rule));
	read.room = room;
	ret = records.prefixes && read.rule ? 0 : pb_fail_memory(error);
	if (!ret)
		ret = pb_prefixes_read(maps, slot, records.prefixes, header.prefixes, error);
	for (__u32 id = 1; !ret && id <= maps->config->max_rules; id++) {
		int there = read.nr < room ? has_rule(maps, slot, id) : 0;

		if (there < 0)
			ret = pb_fail_permission(error, -there, "read the tables");
		else if (there && !read_rule(maps, &records, id, &read.rule[read.nr++]))
			ret = pb_fail_memory(error);
	}
	free(records.prefixes);
	if (ret)
		pb_rules_clear(&read);
	else
		*rules = read;
	return ret;
}

__u32 pb_slot_live_rules(const struct pb_maps *maps, __u32 slot, __u64 now)
{
	__u32 live = 0;

	for (__u32 id = 1; id <= maps->config->max_rules; id++) {
		const struct pb_rule_record *record = &maps->rules[id * PB_SLOTS + slot];

		live += has_rule(maps, slot, id) > 0 && (!record->expires || now < record->expires);
	}
	return live;
}
