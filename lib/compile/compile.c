// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A sweep over the ports of each protocol and side. The items that hold at the port are marked
 * in a tree, in order of group and rank, from which the few that can win are read at each border
 * of a range; so the work grows with the number of ranges (times its logarithm), however they
 * overlap. Equal chains are kept once, so the tables grow with the rules, not with the ports.
 */
#include <stdlib.h>
#include <string.h>
#include "compile/compile.h"
#include "compile/decisions.h"
#include "compile/item.h"
#include "compile/ports.h"
#include "rules/rules.h"
#include "util/error.h"

struct compiler {
	const struct pb_rules *rules;
	struct pb_parts parts;
	struct pb_tables tables;
	struct pb_item *items; /* sorted by group, the best first */
	size_t nr_items;
	size_t *group_end; /* [group]: behind its last item */
	struct pb_tree tree;
	__u32 *first_at; /* [port]: an item that begins there */
	__u32 *last_at;	 /* [port]: an item that ends there */
	struct pb_cover cover;
	struct pb_classes classes;
	struct pb_error *error;
};

/* ---- Items --------------------------------------------------------------------------------- */

static int compare_items(const void *left, const void *right)
{
	const struct pb_item *a = left, *b = right;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (pb_item_beats(a, 0, b, 0))
		return -1;
	return pb_item_beats(b, 0, a, 0);
}

/* A set counts as the host alone, whatever element of it holds that. */
static struct pb_item item_of(const struct pb_rule_part *part, __u32 group, size_t i)
{
	static const struct pb_range all = { 0, PB_PORTS - 1 };
	bool alone = pb_part_is_alone(part);
	const struct pb_range *ports = alone ? &all : &part->rule->ports[i];
	__u32 width = alone ? PB_WIDTH_ALL : ports->last - ports->first + 1;

	return (struct pb_item){
		.part = part,
		.id = part->rule->id,
		.rank = PB_RANK(part->by_set ? 128 : 0, width, part->rule->action),
		.group = group,
		.first = ports->first,
		.last = ports->last,
	};
}

static int add_part(struct compiler *c, const struct pb_rule_part *part)
{
	__u32 group;
	int ret = pb_sources_group(&c->classes.sources, part, &group);

	for (size_t i = 0; !ret && i < pb_part_nr_ports(part); i++)
		c->items[c->nr_items++] = item_of(part, group, i);
	for (int proto = 0; proto < PB_PROTO_MAX; proto++) {
		if (pb_part_protocols(part) & 1U << proto)
			c->tables.sides[proto] |= 1U << part->rule->side;
	}
	return ret;
}

static int add_parts(struct compiler *c)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < c->parts.nr; i++)
		ret = add_part(c, &c->parts.part[i]);
	if (ret)
		return ret;
	if (c->nr_items)
		qsort(c->items, c->nr_items, sizeof(*c->items), compare_items);
	for (size_t i = 0; i < c->nr_items; i++)
		c->group_end[c->items[i].group] = i + 1;
	return 0;
}

/* ---- What covers a port -------------------------------------------------------------------- */

/* Is a rule that has `except` only dead behind plain rules? Then nobody need ask for the source. */
static bool shadowed(const struct compiler *c, const struct pb_item *item)
{
	const struct pb_cover *cover = &c->cover;
	struct pb_until until = { { 0, 0 } };

	if (!item->group || pb_part_nr_from(item->part) || !cover->nr_stairs ||
	    cover->stairs[0].group)
		return false;
	for (size_t i = 0; i < cover->stairs[0].nr; i++) {
		if (pb_item_beats(cover->items[i], 0, item, 0))
			pb_until_add(&until, cover->items[i]);
	}
	return pb_item_within(item, &until);
}

/* Is another range of the same part before it? Where it has a rate a packet is to ask for that once. */
static bool is_there(const struct compiler *c, const struct pb_stair *stair,
		     const struct pb_item *item)
{
	for (size_t i = stair->first; i < c->cover.nr_items; i++)
		if (c->cover.items[i]->part == item->part)
			return true;
	return false;
}

/* Of a group, from its best item that holds here, those that hold longer than all before. */
static void add_stair(struct compiler *c, size_t i)
{
	struct pb_cover *cover = &c->cover;
	struct pb_stair stair = { .group = c->items[i].group, .first = cover->nr_items };
	struct pb_until until = { { 0, 0 } };

	while (i < c->group_end[stair.group]) {
		pb_until_add(&until, &c->items[i]);
		if (!shadowed(c, &c->items[i]) &&
		    !(pb_part_has_rate(c->items[i].part) && is_there(c, &stair, &c->items[i])))
			cover->items[cover->nr_items++] = &c->items[i];
		i = pb_tree_find(&c->tree, i + 1, &until);
	}
	stair.nr = cover->nr_items - stair.first;
	if (stair.nr)
		cover->stairs[cover->nr_stairs++] = stair;
}

static void find_cover(struct compiler *c)
{
	static const struct pb_until any;
	size_t i = pb_tree_find(&c->tree, 0, &any);

	c->cover.nr_stairs = 0;
	c->cover.nr_items = 0;
	while (i < c->nr_items) {
		__u32 group = c->items[i].group;

		add_stair(c, i);
		i = pb_tree_find(&c->tree, c->group_end[group], &any);
	}
}

/* ---- The sweep ----------------------------------------------------------------------------- */

static void index_borders(struct compiler *c)
{
	memset(c->first_at, 0xff, PB_PORTS * sizeof(*c->first_at));
	memset(c->last_at, 0xff, PB_PORTS * sizeof(*c->last_at));
	for (size_t i = 0; i < c->nr_items; i++) {
		struct pb_item *item = &c->items[i];

		if (item->part->rule->side != c->cover.side ||
		    !(pb_part_protocols(item->part) & 1U << c->cover.proto))
			continue;
		item->next_first = c->first_at[item->first];
		c->first_at[item->first] = i;
		item->next_last = c->last_at[item->last];
		c->last_at[item->last] = i;
	}
}

static void mark(struct compiler *c, __u32 i, __u64 until)
{
	pb_tree_set(&c->tree, i, pb_item_only_new(&c->items[i]), until);
}

/* Marks what begins here and what ended at the port before. Tells whether anything changed. */
static bool step(struct compiler *c, unsigned int port)
{
	bool changed = false;
	__u32 i;

	for (i = c->first_at[port]; i != PB_NONE; i = c->items[i].next_first) {
		mark(c, i, pb_item_until(&c->items[i]));
		changed = true;
	}
	for (i = port ? c->last_at[port - 1] : PB_NONE; i != PB_NONE; i = c->items[i].next_last) {
		mark(c, i, 0);
		changed = true;
	}
	return changed;
}

static int sweep(struct compiler *c, enum pb_proto proto, enum pb_side side)
{
	struct pb_class_table *table = &c->tables.classes[proto * PB_SIDE_MAX + side];
	__u16 class = 0;
	int ret = 0;

	c->cover.proto = proto;
	c->cover.side = side;
	index_borders(c);
	pb_tree_clear(&c->tree);
	for (unsigned int port = 0; !ret && port < PB_PORTS; port++) {
		c->cover.port = port;
		if (step(c, port)) {
			find_cover(c);
			ret = pb_classes_find(&c->classes, &c->cover, &class, c->error);
		}
		table->class[port] = class;
	}
	return ret;
}

/* Do rules of this side treat both protocols alike? */
static bool same_rules(const struct compiler *c, int a, int b, enum pb_side side)
{
	for (size_t i = 0; i < c->rules->nr; i++) {
		const struct pb_rule *rule = &c->rules->rule[i];

		if (rule->side == side && (rule->protocols >> a & 1) != (rule->protocols >> b & 1))
			return false;
	}
	return true;
}

/* Rules are mostly for tcp and udp alike: the second gets a copy. */
static int sweep_or_copy(struct compiler *c, int proto, enum pb_side side)
{
	struct pb_class_table *classes = c->tables.classes;

	for (int other = 0; other < proto; other++) {
		if (same_rules(c, proto, other, side)) {
			classes[proto * PB_SIDE_MAX + side] = classes[other * PB_SIDE_MAX + side];
			return 0;
		}
	}
	return sweep(c, proto, side);
}

static int sweep_all(struct compiler *c)
{
	int ret = 0;

	for (int i = 0; !ret && i < PB_PROTO_MAX * PB_SIDE_MAX; i++) {
		int proto = i / PB_SIDE_MAX, side = i % PB_SIDE_MAX;

		if (c->tables.sides[proto] & 1U << side)
			ret = sweep_or_copy(c, proto, side);
	}
	return ret;
}

/* Packets without ports are a class, too: that of the rules about sources alone. */
static int find_portless(struct compiler *c)
{
	__u16 class;
	int ret;

	c->cover.proto = PB_PROTO_MAX;
	pb_tree_clear(&c->tree);
	for (size_t i = 0; i < c->nr_items; i++)
		if (pb_part_is_alone(c->items[i].part))
			mark(c, i, pb_item_until(&c->items[i]));
	find_cover(c);
	ret = pb_classes_find(&c->classes, &c->cover, &class, c->error);
	if (!ret)
		c->tables.portless = class;
	return ret;
}

/* ---- From the outside ---------------------------------------------------------------------- */

static int init(struct compiler *c)
{
	size_t groups = c->parts.nr + 1, ranges = 0;

	for (size_t i = 0; i < c->parts.nr; i++)
		ranges += pb_part_nr_ports(&c->parts.part[i]);
	c->items = calloc(ranges + 1, sizeof(*c->items));
	c->group_end = calloc(groups, sizeof(*c->group_end));
	c->first_at = calloc(PB_PORTS, sizeof(*c->first_at));
	c->last_at = calloc(PB_PORTS, sizeof(*c->last_at));
	c->cover.stairs = calloc(groups, sizeof(*c->cover.stairs));
	c->cover.items = calloc(ranges + 1, sizeof(*c->cover.items));
	c->tables.classes = calloc(PB_PROTO_MAX * PB_SIDE_MAX, sizeof(*c->tables.classes));
	if (!c->items || !c->group_end || !c->first_at || !c->last_at || !c->cover.stairs ||
	    !c->cover.items || !c->tables.classes)
		return -ENOMEM;
	return pb_tree_init(&c->tree, ranges);
}

static void finish(struct compiler *c)
{
	pb_tables_free(&c->tables);
	pb_classes_free(&c->classes);
	pb_tree_free(&c->tree);
	pb_parts_free(&c->parts);
	free(c->items);
	free(c->group_end);
	free(c->first_at);
	free(c->last_at);
	free(c->cover.stairs);
	free(c->cover.items);
}

/* The compiler's tables become the caller's. */
static void hand_over(struct compiler *c, struct pb_tables *tables)
{
	struct pb_sources *sources = &c->classes.sources;

	c->tables.sources = sources->entries;
	c->tables.nr_sources = sources->nr_entries;
	sources->entries = NULL;
	c->tables.conditions = c->parts.conditions;
	c->tables.nr_conditions = c->parts.nr_conditions;
	c->parts.conditions = NULL;
	*tables = c->tables;
	memset(&c->tables, 0, sizeof(c->tables));
}

int pb_compile(const struct pb_rules *rules, const struct pb_limits *limits,
	       const struct pb_set_condition *sets, struct pb_tables *tables,
	       struct pb_error *error)
{
	struct compiler c = { .rules = rules, .error = error };
	int ret;

	if (rules->nr > PB_RULES_LIMIT)
		return pb_fail(error, ENOSPC,
			       "%zu rules are more than the %d that --max-rules can be", rules->nr,
			       PB_RULES_LIMIT);
	ret = pb_parts_make(&c.parts, rules, sets, error);
	if (!ret)
		ret = init(&c);
	if (!ret)
		ret = pb_classes_init(&c.classes, &c.parts, limits);
	if (!ret)
		ret = add_parts(&c);
	if (!ret)
		ret = sweep_all(&c);
	if (!ret)
		ret = find_portless(&c);
	if (!ret)
		ret = pb_classes_decisions(&c.classes, &c.tables.decisions, &c.tables.nr_decisions,
					   error);
	if (!ret)
		ret = pb_ports_make(&c.tables, &rules->settings, limits, error);
	if (!ret)
		hand_over(&c, tables);
	if (ret == -ENOMEM)
		pb_fail_memory(error);
	finish(&c);
	return ret;
}

void pb_tables_free(struct pb_tables *tables)
{
	free(tables->classes);
	free(tables->ports);
	free(tables->port_classes);
	free(tables->decisions);
	free(tables->sources);
	free(tables->conditions);
	memset(tables, 0, sizeof(*tables));
}
