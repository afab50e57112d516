// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include "attach/dispatch.h"
#include "attach/exchange.h"
#include "attach/interface.h"
#include "maps/grace.h"
#include "maps/instance.h"
#include "maps/lock.h"
#include "maps/pins.h"
#include "maps/rights.h"
#include "maps/ruleset.h"
#include "maps/variables.h"
#include "util/error.h"
#include "util/log.h"

/* An exchange on one interface. */
struct exchange {
	int ifindex;
	__u32 record_id;
	struct pb_exchange *record;
	struct pb_maps maps; /* no more than what pb_grace_period() needs */
};

/* The two programs, by their numbers. */
struct partners {
	bool there[2];
	struct pb_instance instance[2];
	__u32 first; /* the number of the one that runs first */
};

/* ---- Turns ------------------------------------------------------------------------------- */

static __u32 turn_of(enum pb_phase phase, __u32 old, __u32 first)
{
	return phase | (old ? PB_TURN_OLD : 0) | (first ? PB_TURN_FIRST : 0);
}

/* From then on all packets see that turn. */
static int step(const struct exchange *exchange, __u32 turn, struct pb_error *error)
{
	__atomic_store_n(&exchange->record->turn, turn, __ATOMIC_SEQ_CST);
	return pb_grace_period(&exchange->maps, error);
}

/*
 * Lets that program act, whichever does now. Where the new one acts on all packets it may as well
 * be called the old one; that is the way back.
 */
static int turn_to(const struct exchange *exchange, const struct partners *partners, __u32 number,
		   struct pb_error *error)
{
	__u32 turn = exchange->record->turn, first = partners->first;
	int ret = 0;

	if ((turn & PB_TURN_PHASE) == PB_PHASE_LATCH) {
		turn = (turn & ~PB_TURN_PHASE) | PB_PHASE_NEW;
		ret = step(exchange, turn, error);
	}
	if (ret || PB_TURN_ACTING(turn) == number)
		return ret;
	for (int phase = PB_PHASE_OLD; !ret && phase <= PB_PHASE_NEW; phase++)
		ret = step(exchange, turn_of(phase, !number, first), error);
	return ret;
}

/* ---- The mark of a ruleset: its interfaces' programs look whose turn it is --------------------- */

static int mark(__u32 config_id)
{
	struct pb_config *config;
	int ret = pb_config_map(config_id, &config);

	if (ret)
		return ret;
	__atomic_fetch_or(&config->active, PB_ACTIVE_EXCHANGE, __ATOMIC_SEQ_CST);
	pb_config_unmap(config);
	return 0;
}

/* Does that program, if it is one of the ruleset, take part in an exchange? */
static int takes_part(__u32 program_id, __u32 config_id)
{
	struct pb_exchange *record;
	struct pb_instance instance;
	int ret = pb_instance_of(program_id, &instance);

	if (ret <= 0 || instance.config_id != config_id || !instance.exchange_id)
		return ret < 0 ? ret : 0;
	ret = pb_exchange_map(instance.exchange_id, &record);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = (record->turn & PB_TURN_PHASE) != PB_PHASE_NONE;
	pb_exchange_unmap(record);
	return ret;
}

/* Of any interface of the ruleset, other network namespaces included. */
static int is_under_way(__u32 config_id)
{
	__u32 id = 0;
	int ret = 0;

	while (!ret && !bpf_prog_get_next_id(id, &id))
		ret = takes_part(id, config_id);
	return ret ?: errno == ENOENT ? 0 : -errno;
}

/* Where this fails the mark stays, for the next command to remove. */
static int unmark(__u32 config_id)
{
	struct pb_config *config;
	int ret = is_under_way(config_id);

	if (ret)
		return ret < 0 ? ret : 0;
	ret = pb_config_map(config_id, &config);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	__atomic_fetch_and(&config->active, ~PB_ACTIVE_EXCHANGE, __ATOMIC_SEQ_CST);
	pb_config_unmap(config);
	return 0;
}

/* ---- One exchange ------------------------------------------------------------------------ */

static void close_exchange(struct exchange *exchange)
{
	if (exchange->record)
		pb_exchange_unmap(exchange->record);
	pb_maps_close(&exchange->maps);
}

static int open_exchange(int ifindex, const struct pb_instance *instance, struct exchange *exchange,
			 struct pb_error *error)
{
	struct exchange opened = { .ifindex = ifindex,
				   .record_id = instance->exchange_id,
				   .maps = PB_MAPS_NONE };
	int ret = pb_map_open(instance->config_id); /* the program's, as pb_instance_of() */

	if (ret >= 0) {
		opened.maps.fd[PB_MAP_CONFIG] = ret;
		ret = pb_exchange_map(opened.record_id, &opened.record);
	}
	if (!ret) {
		*exchange = opened;
		return 0;
	}
	close_exchange(&opened);
	return pb_fail_permission(error, -ret, "look at the program's exchange");
}

/* Which of the two are in the chain, and in which order. */
static int look(const struct exchange *exchange, struct partners *partners, struct pb_error *error)
{
	struct pb_instances ours;
	struct pb_interface interface;
	int ret = pb_interface_look(exchange->ifindex, &interface, &ours, error);

	memset(partners, 0, sizeof(*partners));
	if (!ret)
		ret = pb_interface_clear(&interface, error);
	for (unsigned int i = 0; !ret && i < ours.nr; i++) {
		__u32 number = pb_exchange_number(exchange->record, ours.list[i].program_id);

		if (ours.list[i].exchange_id != exchange->record_id)
			continue;
		if (!partners->there[0] && !partners->there[1])
			partners->first = number;
		if (partners->there[number])
			ret = pb_fail(error, EBUSY,
				      "%s: another process changed its chain of programs meanwhile",
				      interface.name);
		partners->there[number] = true;
		partners->instance[number] = ours.list[i];
		exchange->record->programs[number] = ours.list[i].program_id;
	}
	return ret;
}

/* Removes what libxdp has left of the one that was taken off. */
static int clean(const struct exchange *exchange)
{
	const struct pb_dispatch_programs both = { exchange->record->programs, 2,
						   exchange->record_id };

	return pb_dispatch_clean(exchange->ifindex, &both, NULL);
}

/*
 * Goes on from wherever the exchange is, until that program is the only one. What cannot be cleaned
 * up then, which changes nothing for packets, leaves the exchange to the next command to end.
 */
static int conclude(const struct exchange *exchange, __u32 keep, struct partners *partners,
		    struct pb_error *error)
{
	int ret = look(exchange, partners, error);

	if (!ret && !partners->there[keep])
		ret = pb_fail(error, EBUSY,
			      "the program that was to stay on interface %d is gone: another "
			      "process has taken it off",
			      exchange->ifindex);
	if (!ret && partners->there[!keep]) {
		ret = turn_to(exchange, partners, keep, error);
		if (!ret)
			ret = pb_detach(exchange->ifindex, partners->instance[!keep].program_id,
					error);
	}
	if (!ret)
		ret = pb_grace_period(&exchange->maps, error);
	if (!ret && !clean(exchange))
		__atomic_store_n(&exchange->record->turn, turn_of(PB_PHASE_NONE, keep, 0),
				 __ATOMIC_SEQ_CST);
	return ret;
}

/* The old one acts on all packets, and so does the new one's ruleset as far as it is concerned. */
static int begin(const struct exchange *exchange, const struct pb_instance *old, __u32 number,
		 __u32 new_config_id, struct pb_error *error)
{
	int ret = mark(old->config_id);

	if (!ret)
		ret = mark(new_config_id);
	if (ret)
		return pb_fail_permission(error, -ret, "mark the ruleset");
	exchange->record->programs[number] = old->program_id;
	exchange->record->programs[!number] = 0;
	return step(exchange, turn_of(PB_PHASE_OLD, number, 0), error);
}

/* On failure the old one is alone again. */
static int exchange_programs(const struct pb_attach *how, const struct pb_interface *interface,
			     const struct pb_instance *old, struct pb_error *error)
{
	__u32 new_config_id = pb_maps_id(how->maps), number;
	struct pb_attach beside = *how;
	struct exchange exchange;
	struct partners partners;
	int ret = open_exchange(interface->ifindex, old, &exchange, error);

	if (ret)
		return ret;
	number = PB_TURN_ACTING(exchange.record->turn);
	beside.exchange_id = old->exchange_id;
	beside.number = !number;
	ret = begin(&exchange, old, number, new_config_id, error);
	if (!ret)
		ret = pb_attach_beside(&beside, interface, error);
	if (!ret)
		ret = conclude(&exchange, !number, &partners, error);
	if (ret)
		conclude(&exchange, number, &partners, NULL);
	close_exchange(&exchange);
	unmark(old->config_id);
	unmark(new_config_id);
	return ret;
}

int pb_replace(const struct pb_attach *how, const struct pb_interface *interface,
	       const struct pb_instance *old, struct pb_error *error)
{
	if (!interface->dispatcher)
		return pb_attach_over(how, interface, error);
	return exchange_programs(how, interface, old, error);
}

/* ---- What a killed process has left ------------------------------------------------------------ */

/* The one that acts stays, if it is there still. */
static int recover(struct exchange *exchange, struct pb_error *error)
{
	__u32 keep = PB_TURN_ACTING(exchange->record->turn);
	const struct pb_instance *gone;
	struct partners partners;
	int ret = look(exchange, &partners, error);

	if (ret)
		return ret;
	if (!partners.there[keep])
		keep = !keep;
	ret = conclude(exchange, keep, &partners, error);
	gone = &partners.instance[!keep];
	if (!ret && partners.there[!keep] && gone->config_id != partners.instance[keep].config_id)
		ret = pb_ruleset_keep(gone->config_id, error);
	return ret;
}

/* Is it under way, or not cleaned up after? */
static bool is_open(const struct exchange *exchange)
{
	return (exchange->record->turn & PB_TURN_PHASE) != PB_PHASE_NONE;
}

static int recover_instance(int ifindex, const struct pb_instance *instance, size_t *recovered,
			    struct pb_error *error)
{
	struct exchange exchange;
	int ret = instance->exchange_id ? open_exchange(ifindex, instance, &exchange, error) : 1;

	if (ret)
		return ret < 0 ? ret : 0;
	if (is_open(&exchange)) {
		ret = recover(&exchange, error);
		*recovered += !ret && !is_open(&exchange);
	}
	close_exchange(&exchange);
	return ret;
}

static int recover_interface(int ifindex, size_t *recovered, struct pb_error *error)
{
	struct pb_instances ours;
	struct pb_interface interface;
	int ret = pb_interface_look(ifindex, &interface, &ours, error);

	for (unsigned int i = 0; !ret && i < ours.nr; i++)
		ret = recover_instance(ifindex, &ours.list[i], recovered, error);
	return ret == -ENODEV ? 0 : ret;
}

static int recover_interfaces(size_t *recovered, struct pb_error *error)
{
	struct if_nameindex *names = if_nameindex();
	int ret = names ? 0 : pb_fail(error, errno, "cannot list interfaces: %s", strerror(errno));

	for (struct if_nameindex *at = names; !ret && at && at->if_index; at++)
		ret = recover_interface(at->if_index, recovered, error);
	if (names)
		if_freenameindex(names);
	return ret;
}

/* The pb_config ids of marked rulesets, as many as there are; the caller frees. */
static int find_marked(__u32 **ids, size_t *nr)
{
	struct pb_config config;
	char **names;
	size_t count;
	int ret = pb_ruleset_names(&names, &count, NULL);

	if (ret)
		return ret;
	*nr = 0;
	*ids = calloc(count + 1, sizeof(**ids));
	for (size_t i = 0; i < count; i++) {
		__u32 id;

		if (*ids && !pb_pins_config(names[i], &id, &config) &&
		    config.active & PB_ACTIVE_EXCHANGE)
			(*ids)[(*nr)++] = id;
		free(names[i]);
	}
	free(names);
	return *ids ? 0 : -ENOMEM;
}

int pb_exchanges_recover(size_t *recovered, struct pb_error *error)
{
	__u32 *marked = NULL;
	size_t nr = 0, count = 0;
	int ret = find_marked(&marked, &nr);

	if (ret)
		return pb_fail_permission(error, -ret, "look for exchanges that were interrupted");
	if (nr)
		ret = recover_interfaces(&count, error);
	for (size_t i = 0; !ret && i < nr; i++)
		unmark(marked[i]);
	free(marked);
	if (recovered)
		*recovered = count;
	return ret;
}

int pb_filter_recover(size_t *recovered, struct pb_error *error)
{
	PB_LOG_HERE();
	__u32 *marked = NULL;
	size_t nr = 0;
	int lock, ret = find_marked(&marked, &nr);

	free(marked);
	*recovered = 0;
	if (ret || !nr)
		return 0; /* nothing, or nothing that this process may see */
	lock = pb_lock(NULL, PB_LOCK_TRY, error);
	if (lock == -EBUSY)
		return 0; /* another process is at it */
	ret = lock < 0 ? lock : pb_exchanges_recover(recovered, error);
	pb_pins_tidy();
	pb_unlock(lock);
	return ret == -EPERM ? 0 : ret; /* that is for the next command that has the rights */
}
