// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * One rule into the slot in force. A rule that is about ports of TCP and UDP which no rule covers, and asks for nothing
 * else, changes nothing but their entries in pb_ports: whatever else is in the slot stays as it is, in whatever number.
 *
 * One entry (a port of one protocol) is one store of 32 bits: a packet loads it once, before it or after.
 *
 * Several entries are to change in one step, too. Each is first made to lead to a spare decision D, which says what the
 * entry said, that no rule decides (its entry is 0); then a tour of the processors is waited for, so that each packet
 * that is judged from then on finds D; then one store into D makes the rule hold, for all of them; then each entry says by
 * itself what D says now.
 *   - Wholly: a packet loads its entry once, and then D.entry; it is 0 or the rule's.
 *   - In one step: when D is stored all packets are judged by D, and what a processor has seen of one word no packet
 *     sees undone: loads of one address are coherent. Before an entry says so by itself there is another tour: else a
 *     processor that loads out of order (arm64) might judge a packet by that, and the next one by what it had
 *     loaded of D before.
 *   - D is used again at the change after next that has held. A packet that has loaded an entry which leads to it, before
 *     that was stored for good, has been waited for by the next change's tour, before that returned: there are two, in turns.
 *     (A change of one entry needs no D, and takes no turn; nor does one that is taken back, whose D never said a rule.)
 * Order: D before the entries that lead to it, and these before the tour, by release; on the packet's side the address
 * of D comes from the entry (LKMM: "addr").
 *
 * Killed at any place: `adding` is stored before the record, which is whole before packets see the rule. Whether the rule is
 * there is then what packets say: the first of its entries, pb_adding_holds(). So it is for who reads without the lock
 * meanwhile; the generation gets a number before, and another after, so that he reads again. While `adding` is not 0 each change goes the long way, which writes the other slot, with or without the
 * rule, and leaves this one as it is until no packet is judged by it.
 *
 * The id may have been that of a rule of the slot that was in force before, by which packets may count that have not ended: they
 * are waited for before its counters begin anew. Older ones were waited for when this slot was written.
 *
 * tests/proof/publish has a model of this, and others of it with a part left out.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <bpf/bpf.h>
#include <portblock/abi.h>
#include "compile/decisions.h"
#include "compile/ports.h"
#include "maps/adding.h"
#include "maps/arrays.h"
#include "maps/grace.h"
#include "maps/record.h"
#include "maps/rights.h"
#include "rules/rules.h"
#include "util/error.h"

struct adding {
	const struct pb_maps *maps;
	const struct pb_rule *rule;
	struct pb_slot *slot;
	__u32 number; /* of the slot */
	__u32 id;
	/* Mapped, to be written; NULL: not yet, or the rule is not about that protocol. */
	struct pb_rule_record *record;
	struct pb_decision *spare;
	__u32 *table[PB_ENTRY_PROTOS];
};

/* ---- Which rules --------------------------------------------------------------------------- */

#define PROTOS_WITH_ENTRIES (1U << PB_PROTO_TCP | 1U << PB_PROTO_UDP)

static bool asks_for_ports_alone(const struct pb_rule *rule)
{
	return !rule->only_new && !rule->expires && !rule->nr_from && !rule->nr_except &&
	       !rule->nr_from_sets && !rule->nr_except_sets && !rule->over.rate.amount;
}

static bool is_plain(const struct pb_rule *rule)
{
	return rule->action != PB_ACTION_REJECT && rule->side == PB_SIDE_DPORT && rule->protocols &&
	       !(rule->protocols & ~PROTOS_WITH_ENTRIES) && rule->nr_ports &&
	       rule->nr_ports <= PB_RECORD_PORTS && asks_for_ports_alone(rule);
}

static bool has_one_entry(const struct pb_rule *rule)
{
	bool one_protocol = !(rule->protocols & (rule->protocols - 1));

	return one_protocol && rule->nr_ports == 1 && rule->ports[0].first == rule->ports[0].last;
}

/* ---- Entries ------------------------------------------------------------------------------- */

static void set_entries(const struct adding *adding, __u32 value)
{
	const struct pb_rule *rule = adding->rule;

	for (int proto = 0; proto < PB_ENTRY_PROTOS; proto++)
		for (size_t i = 0; adding->table[proto] && i < rule->nr_ports; i++)
			for (__u32 port = rule->ports[i].first; port <= rule->ports[i].last; port++)
				__atomic_store_n(&adding->table[proto][htons(port)], value,
						 __ATOMIC_RELEASE);
}

static bool are_entries(const struct adding *adding, __u32 value)
{
	const struct pb_rule *rule = adding->rule;

	for (int proto = 0; proto < PB_ENTRY_PROTOS; proto++)
		for (size_t i = 0; adding->table[proto] && i < rule->nr_ports; i++)
			for (__u32 port = rule->ports[i].first; port <= rule->ports[i].last; port++)
				if (adding->table[proto][htons(port)] != value)
					return false;
	return true;
}

static __u32 entry_of_no_rule(const struct adding *adding)
{
	const struct pb_settings settings = pb_settings_of_slot(adding->slot);

	return pb_entry_of_no_rule(&settings, adding->slot->unmatched);
}

/* ---- Maps: of each what is written ---------------------------------------------------------- */

static __u32 first_spare(const struct pb_maps *maps)
{
	return maps->config->max_decisions - PB_SPARE_DECISIONS;
}

static int map_record(struct adding *adding)
{
	return pb_array_map_element(adding->maps->fd[PB_MAP_RULES],
				    adding->id * PB_SLOTS + adding->number, sizeof(*adding->record),
				    (void **)&adding->record);
}

static int map_spare(struct adding *adding)
{
	__u32 spare = first_spare(adding->maps) + adding->slot->turns % PB_SPARE_DECISIONS;

	return pb_array_map_element(adding->maps->fd[PB_MAP_DECISIONS],
				    spare * PB_SLOTS + adding->number, sizeof(*adding->spare),
				    (void **)&adding->spare);
}

static int map_table(struct adding *adding, int proto)
{
	return pb_array_map_part(adding->maps->fd[PB_MAP_PORTS],
				 offsetof(struct pb_ports, entry[adding->number][proto]),
				 sizeof(((struct pb_ports *)0)->entry[0][0]),
				 (void **)&adding->table[proto]);
}

static int map_all(struct adding *adding)
{
	int ret = map_record(adding);

	if (!ret && !has_one_entry(adding->rule))
		ret = map_spare(adding);
	for (int proto = 0; !ret && proto < PB_ENTRY_PROTOS; proto++)
		if (adding->rule->protocols & 1U << proto)
			ret = map_table(adding, proto);
	return ret;
}

static void unmap_all(const struct adding *adding)
{
	pb_array_unmap_element(adding->record, sizeof(*adding->record));
	pb_array_unmap_element(adding->spare, sizeof(*adding->spare));
	for (int proto = 0; proto < PB_ENTRY_PROTOS; proto++)
		if (adding->table[proto])
			munmap(adding->table[proto], sizeof(((struct pb_ports *)0)->entry[0][0]));
}

/* ---- Its counters begin anew ----------------------------------------------------------------- */

static int add_count(int fd, __u32 key, struct pb_count *sum)
{
	struct pb_count count;

	if (bpf_map_lookup_elem(fd, &key, &count))
		return -errno;
	sum->packets += count.packets;
	sum->bytes += count.bytes;
	return 0;
}

/* As pb_counters_restart(), without the counters of all rules in memory. */
static int restart_counter(const struct pb_maps *maps, __u32 id)
{
	const struct pb_config *config = maps->config;
	const __u32 width = PB_COUNT_ROW(config->max_rules);
	const __u32 base = (config->cpus + config->resets % PB_BASE_ROWS) * width + id;
	struct pb_count sum = {};
	int ret = 0;

	for (__u32 cpu = 0; !ret && cpu < config->cpus; cpu++)
		ret = add_count(maps->fd[PB_MAP_COUNTS], cpu * width + id, &sum);
	if (!ret && bpf_map_update_elem(maps->fd[PB_MAP_COUNTS], &base, &sum, BPF_ANY))
		ret = -errno;
	return ret;
}

/* Had a rule of the slot that was in force before this id? 1, 0, -errno. */
static int was_in_use(const struct adding *adding)
{
	__u32 key = adding->id * PB_SLOTS + !adding->number;
	struct pb_rule_record record;

	if (bpf_map_lookup_elem(adding->maps->fd[PB_MAP_RULES], &key, &record))
		return -errno;
	return record.id != 0;
}

/* ---- Adding -------------------------------------------------------------------------------- */

static void mark(const struct adding *adding, __u32 id)
{
	__atomic_store_n(&adding->slot->adding, id, __ATOMIC_SEQ_CST);
}

/* Nobody takes what is read of this slot from now on for what was read before. */
static void number_anew(const struct adding *adding)
{
	struct pb_config *config = adding->maps->config;

	__atomic_store_n(&adding->slot->generation, ++config->generations, __ATOMIC_SEQ_CST);
}

static void begin(struct adding *adding)
{
	mark(adding, adding->id);
	number_anew(adding);
	pb_record_plain(adding->record, adding->rule, adding->id);
}

/* The rule holds. With `marked` as whoever is killed leaves it. */
static void end(struct adding *adding, bool marked)
{
	adding->slot->rules++;
	adding->slot->next_id = adding->id + 1;
	number_anew(adding);
	if (!marked)
		mark(adding, 0);
}

static void take_back(struct adding *adding)
{
	set_entries(adding, entry_of_no_rule(adding));
	__atomic_store_n(&adding->record->id, 0, __ATOMIC_SEQ_CST);
	mark(adding, 0);
}

#define HOLDS_BY_SPARE 1 /* the rule holds, but its entries cannot be stored for good */

static int fail_counters(int ret, struct pb_error *error)
{
	return ret < 0 ? pb_fail_permission(error, -ret, "reach the rule's counters") : 0;
}

static int put_one_entry(struct adding *adding, __u32 entry, struct pb_error *error)
{
	int used = was_in_use(adding);
	int ret = used > 0 ? pb_grace_period_quick(adding->maps, error) :
			     fail_counters(used, error);

	if (!ret)
		ret = fail_counters(restart_counter(adding->maps, adding->id), error);
	if (!ret)
		set_entries(adding, entry);
	return ret;
}

static int put_entries(struct adding *adding, __u32 entry, struct pb_error *error)
{
	__u32 spare = first_spare(adding->maps) + adding->slot->turns % PB_SPARE_DECISIONS;
	int ret;

	*adding->spare = (struct pb_decision){ .rank = PB_RANK(0, 1, adding->rule->action) };
	set_entries(adding, PB_ENTRY(spare, 0, PB_ENTRY_INDIRECT));
	ret = pb_grace_period_quick(adding->maps, error);
	if (!ret)
		ret = fail_counters(restart_counter(adding->maps, adding->id), error);
	if (ret)
		return ret;
	adding->slot->turns++;
	__atomic_store_n(&adding->spare->entry, entry, __ATOMIC_SEQ_CST);
	if (pb_grace_period_quick(adding->maps, NULL))
		return HOLDS_BY_SPARE;
	set_entries(adding, entry);
	return 0;
}

static int put(struct adding *adding, struct pb_error *error)
{
	__u32 entry = pb_entry_of_rule(adding->id, adding->rule->action);
	int ret;

	begin(adding);
	ret = adding->spare ? put_entries(adding, entry, error) :
			      put_one_entry(adding, entry, error);
	if (ret < 0)
		take_back(adding);
	else
		end(adding, ret == HOLDS_BY_SPARE);
	return ret < 0 ? ret : 0;
}

/* The next id, if that is free: the long way looks for others. 0: it is not. */
static __u32 next_id(const struct pb_config *config, const struct pb_slot *slot)
{
	if (slot->rules >= config->max_rules)
		return 0;
	return slot->next_id && slot->next_id <= config->max_rules ? slot->next_id : 1;
}

/* Elements of a file that this generation has not: the next change takes them away, by the long way. */
static bool has_others_elements(const struct pb_maps *maps, __u32 slot)
{
	for (int i = 0; maps->sets && i < PB_SETS_MAX; i++)
		if (maps->sets->record[i].flags & PB_SET_FILE &&
		    !(maps->sets->files[slot] >> i & 1))
			return true;
	return false;
}

int pb_adding_put(const struct pb_maps *maps, const struct pb_rule *rule, __u32 *id,
		  struct pb_error *error)
{
	struct pb_config *config = maps->config;
	struct adding adding = { .maps = maps, .rule = rule };
	int ret;

	adding.number = config->active & PB_ACTIVE_SLOT;
	adding.slot = &config->slots[adding.number];
	adding.id = next_id(config, adding.slot);
	if (!is_plain(rule) || config->active & PB_ACTIVE_PENDING || adding.slot->adding ||
	    adding.slot->flags & PB_SLOT_SPORTS || !adding.id ||
	    has_others_elements(maps, adding.number))
		return 0;
	ret = map_all(&adding);
	if (ret)
		pb_fail_permission(error, -ret, "map the tables into memory");
	else if (!adding.record->id && are_entries(&adding, entry_of_no_rule(&adding)))
		ret = put(&adding, error) ?: 1;
	unmap_all(&adding);
	*id = adding.id;
	return ret;
}

/* ---- Is it there? --------------------------------------------------------------------------- */

/* Does this decision say that the rule holds? Another one than the spare ones is of no rule that is being added. */
static int decision_holds(const struct pb_maps *maps, __u32 slot, __u32 number, __u32 id)
{
	__u32 key = number * PB_SLOTS + slot;
	struct pb_decision decision;

	if (number < first_spare(maps))
		return false;
	if (bpf_map_lookup_elem(maps->fd[PB_MAP_DECISIONS], &key, &decision))
		return -errno;
	return PB_ENTRY_NUMBER(decision.entry) == id;
}

static int entry_holds(const struct pb_maps *maps, __u32 slot, __u32 entry, __u32 id)
{
	if (PB_ENTRY_VERDICT(entry) != PB_ENTRY_INDIRECT)
		return PB_ENTRY_NUMBER(entry) == id;
	return decision_holds(maps, slot, PB_ENTRY_NUMBER(entry), id);
}

/* The copy may be of before the record was whole; packets are judged by the rule, so now it is. */
static int copy_anew(const struct pb_maps *maps, __u32 slot, struct pb_rule_record *record)
{
	__u32 key = record->id * PB_SLOTS + slot;

	if (!pb_array_is_copy(maps->fd[PB_MAP_RULES]))
		return 0;
	return bpf_map_lookup_elem(maps->fd[PB_MAP_RULES], &key, record) ? -errno : 0;
}

int pb_adding_holds(const struct pb_maps *maps, __u32 slot, struct pb_rule_record *record)
{
	int proto = record->protocols & 1U << PB_PROTO_TCP ? PB_PROTO_TCP : PB_PROTO_UDP;
	struct pb_ports *ports = malloc(sizeof(*ports));
	__u32 zero = 0, port = htons(record->ports[0].first);
	int ret;

	if (!ports)
		return -ENOMEM;
	if (bpf_map_lookup_elem(maps->fd[PB_MAP_PORTS], &zero, ports))
		ret = -errno;
	else
		ret = entry_holds(maps, slot, ports->entry[slot][proto][port], record->id);
	free(ports);
	return ret > 0 ? copy_anew(maps, slot, record) ?: 1 : ret;
}
