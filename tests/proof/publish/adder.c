// SPDX-License-Identifier: GPL-2.0-only
/*
 * What CBMC is to prove of lib/maps/adding.c itself, whatever its calls return: after each of its stores packets for all
 * ports of the rule are judged with it, or all without, and who reads the rules then is told which; adding.pml has what
 * packets do meanwhile. For a rule of up to four entries.
 */
#include <stdbool.h>
#include <linux/types.h>

/* There are four ports (test_publish sees to that), and a byte's order is that of the network. */
#include <arpa/inet.h>
#undef htons
#define htons(port) (port)

static void look(void);
#define __atomic_store_n(at, value, order) (*(at) = (value), look())
#include "adding.c"

#define assume(condition) __CPROVER_assume(condition)
#define claim(condition) __CPROVER_assert(condition, #condition)

#define FIRST 1 /* port */
#define DECISIONS 10

int nondet_int(void);
__u32 nondet_number(void);

static struct pb_config config;
static struct pb_rule_record record;
static struct pb_decision spares[PB_SPARE_DECISIONS];
static __u32 table[PB_ENTRY_PROTOS][PB_PORTS];
static struct pb_rule rule;
static struct pb_range range;
static struct pb_slot *slot, before;
static __u32 number; /* of the slot */
static bool held, marked, waited, waited_again;

static int anything(void)
{
	int ret = nondet_int();

	assume(ret <= 0 && ret > -4096);
	return ret;
}

/* ---- What packets get, and readers ---------------------------------------------------------------- */

#define NONE PB_ENTRY(0, PB_OUTCOME_PASS, XDP_PASS)
#define RULE(id) PB_ENTRY(id, PB_OUTCOME_DROP_RULE, XDP_DROP)

static __u32 judged(int proto, __u32 port)
{
	__u32 entry = table[proto][htons(port)];

	if (PB_ENTRY_VERDICT(entry) != PB_ENTRY_INDIRECT)
		return entry;
	return spares[PB_ENTRY_NUMBER(entry) - (DECISIONS - PB_SPARE_DECISIONS)].entry ?: NONE;
}

/* Do all entries of the rule say this themselves? */
static bool say(__u32 verdict)
{
	for (int proto = 0; proto < PB_ENTRY_PROTOS; proto++)
		for (__u32 port = range.first; port <= range.last; port++)
			if (rule.protocols & 1U << proto &&
			    PB_ENTRY_VERDICT(table[proto][htons(port)]) != verdict)
				return false;
	return true;
}

/* Does any? */
static bool any_says(__u32 verdict)
{
	for (int proto = 0; proto < PB_ENTRY_PROTOS; proto++)
		for (__u32 port = range.first; port <= range.last; port++)
			if (rule.protocols & 1U << proto &&
			    PB_ENTRY_VERDICT(table[proto][htons(port)]) == verdict)
				return true;
	return false;
}

static void look(void)
{
	int first = rule.protocols & 1U << PB_PROTO_TCP ? PB_PROTO_TCP : PB_PROTO_UDP;
	__u32 entry = judged(first, range.first);
	bool holds = entry != NONE;

	claim(!holds || entry == RULE(before.next_id));
	for (int proto = 0; proto < PB_ENTRY_PROTOS; proto++)
		for (__u32 port = range.first; port <= range.last; port++)
			claim(!(rule.protocols & 1U << proto) || judged(proto, port) == entry);
	claim(holds || !held);
	claim(!holds || waited || has_one_entry(&rule));
	claim(waited_again || has_one_entry(&rule) || !any_says(XDP_DROP));
	held = holds;
	/* Readers, with the lock: not before the record is there, and by its mark. */
	claim(record.id || !holds);
	claim(!record.id || holds || slot->adding == record.id);
	/* And without: the mark, a number, the record. */
	marked |= slot->adding;
	claim(marked || slot->generation == before.generation);
	claim(!record.id || slot->generation != before.generation);
}

void pb_record_plain(struct pb_rule_record *to, const struct pb_rule *from, __u32 id)
{
	claim(slot->adding == id && slot->generation != before.generation);
	to->id = id;
	look();
}

int pb_grace_period_quick(const struct pb_maps *maps, struct pb_error *error)
{
	int ret = anything();

	look();
	claim(has_one_entry(&rule) || say(PB_ENTRY_INDIRECT));
	claim(!held || (waited && !has_one_entry(&rule)));
	waited_again = held && !ret;
	waited |= !ret;
	return ret;
}

__u32 pb_entry_of_rule(__u32 id, enum pb_action action)
{
	return RULE(id);
}

__u32 pb_entry_of_no_rule(const struct pb_settings *settings, __u32 unmatched)
{
	return NONE;
}

/* ---- Memory ----------------------------------------------------------------------------------------- */

int pb_array_map_element(int fd, size_t index, size_t size, void **element)
{
	if (fd == PB_MAP_RULES)
		*element = &record;
	else
		*element = &spares[index / PB_SLOTS - (DECISIONS - PB_SPARE_DECISIONS)];
	claim(index % PB_SLOTS == number);
	return 0;
}

int pb_array_map_part(int fd, size_t offset, size_t size, void **part)
{
	*part = table[offset == offsetof(struct pb_ports, entry[number][PB_PROTO_UDP])];
	return 0;
}

int pb_fail_permission(struct pb_error *error, int code, const char *what)
{
	return -code;
}

static void any_rule(void)
{
	range.first = FIRST;
	range.last = FIRST + (nondet_int() & 1);
	rule.protocols = nondet_number() & PROTOS_WITH_ENTRIES;
	assume(rule.protocols);
	rule.action = PB_ACTION_DROP;
	rule.side = PB_SIDE_DPORT;
	rule.ports = &range;
	rule.nr_ports = 1;
}

/* A slot in force, without rules for these ports; the spare decisions say anything. */
static void any_slot(void)
{
	number = config.active = nondet_int() & 1;
	config.max_decisions = DECISIONS;
	config.max_rules = 100;
	config.cpus = 1;
	config.generations = 7;
	slot = &config.slots[number];
	slot->generation = 5;
	slot->next_id = 3;
	slot->turns = nondet_number() & 3;
	for (int proto = 0; proto < PB_ENTRY_PROTOS; proto++)
		for (__u32 port = FIRST; port <= FIRST + 1; port++)
			table[proto][htons(port)] = NONE;
	spares[0].entry = RULE(nondet_number() & 0xff);
	spares[1].entry = RULE(nondet_number() & 0xff);
	before = *slot;
}

void adds(void)
{
	struct pb_maps maps = { .config = &config, .fd = { [PB_MAP_RULES] = PB_MAP_RULES } };
	__u32 id;
	int ret;

	any_rule();
	any_slot();
	ret = pb_adding_put(&maps, &rule, &id, NULL);
	claim(ret);
	look();
	claim(held == (ret > 0));
	/* Where nobody could wait once more, it is as if somebody had been killed. */
	bool by_spare = held && !waited_again && !has_one_entry(&rule);
	claim(by_spare ? slot->adding == 3 : !slot->adding);
	claim(say(by_spare ? PB_ENTRY_INDIRECT : held ? XDP_DROP : XDP_PASS));
	claim(record.id == (held ? 3 : 0) && slot->rules == held);
	/* A turn is taken where, and only where, somebody has waited. */
	claim(held || slot->turns == before.turns);
	claim(!held || has_one_entry(&rule) || slot->turns == before.turns + 1);
	claim(!has_one_entry(&rule) || slot->turns == before.turns);
}
