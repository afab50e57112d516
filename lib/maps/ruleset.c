// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Rulesets: read, change, publish a generation. */
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include "maps/adding.h"
#include "maps/arrays.h"
#include "maps/buckets.h"
#include "maps/declared.h"
#include "maps/grace.h"
#include "maps/instance.h"
#include "maps/lock.h"
#include "maps/pins.h"
#include "maps/reader.h"
#include "maps/rights.h"
#include "maps/ruleset.h"
#include "maps/slot.h"
#include "maps/variables.h"
#include "rules/rules.h"
#include "util/array.h"
#include "util/error.h"
#include "util/log.h"
#include "util/options.h"

static struct pb_ruleset *new_ruleset(const char *name)
{
	const struct pb_maps none = PB_MAPS_NONE;
	struct pb_ruleset *ruleset = calloc(1, sizeof(*ruleset));

	if (!ruleset)
		return NULL;
	strncpy(ruleset->name, name, sizeof(ruleset->name) - 1);
	ruleset->maps = none;
	ruleset->lock = -1;
	return ruleset;
}

static int check_limit(const char *option, __u32 value, __u32 limit, struct pb_error *error)
{
	if (value <= limit)
		return 0;
	return pb_fail(error, EINVAL, "%s %u is too large: at most %u", option, value, limit);
}

int pb_ruleset_create(const char *name, const struct pb_ruleset_options *options,
		      struct pb_ruleset **ruleset, struct pb_error *error)
{
	struct pb_ruleset *made;
	int ret = check_limit("--max-rules", options->max_rules, PB_RULES_LIMIT, error);

	if (!ret)
		ret = check_limit("--max-sources", options->max_sources, PB_SOURCES_LIMIT, error);
	if (!ret)
		ret = check_limit("--max-buckets", options->max_buckets, PB_BUCKETS_LIMIT, error);
	if (ret)
		return ret;
	made = new_ruleset(name);
	if (!made)
		return pb_fail_memory(error);
	ret = pb_maps_create(name, options, &made->maps, error);
	if (ret)
		pb_ruleset_close(made);
	else
		*ruleset = made;
	return ret;
}

/* A generation that is to come: all that can be known of it before anything is written. */
struct coming {
	struct pb_sets_plan sets;
	struct pb_compiled compiled;
};

/* Rates are written where they are read. */
static int map_limits(struct pb_ruleset *ruleset, const struct pb_rules *rules,
		      struct pb_error *error)
{
	bool any = false;
	int ret;

	for (size_t i = 0; i < rules->nr; i++)
		any |= rules->rule[i].over.rate.amount;
	ret = any ? pb_maps_map_limits(&ruleset->maps) : 0;
	return ret ? pb_fail_permission(error, -ret, "map the rates into memory") : 0;
}

static int compile_coming(struct pb_ruleset *ruleset, const struct pb_rules *rules,
			  struct coming *coming, struct pb_error *error)
{
	int ret = pb_slot_compile(&ruleset->maps, rules, coming->sets.record, &coming->compiled,
				  error);

	coming->compiled.files = coming->sets.files;
	return ret ?: map_limits(ruleset, rules, error);
}

/* Nobody has it yet, so no lock is needed. */
int pb_ruleset_fill(struct pb_ruleset *ruleset, const struct pb_rules *rules,
		    struct pb_error *error)
{
	const struct pb_maps *maps = &ruleset->maps;
	struct coming coming = {};
	int ret = pb_sets_plan(maps, rules, false, &coming.sets, error);

	if (!ret)
		ret = compile_coming(ruleset, rules, &coming, error);
	if (!ret)
		ret = pb_sets_carry_out(maps, maps, &coming.sets, error);
	if (!ret)
		ret = pb_slot_put(maps, maps->config->active & PB_ACTIVE_SLOT, rules,
				  &coming.compiled, 1, error);
	pb_compiled_free(&coming.compiled);
	return ret;
}

static int fail_not_loaded(const char *name, struct pb_error *error)
{
	char option[PB_RULESET_OPTION_LEN];

	return pb_fail(error, ENOENT,
		       "nothing is loaded with the ruleset '%s': load it on an interface first, "
		       "for example `xdp-portblock load eth0%s`",
		       name, pb_ruleset_option(name, option));
}

int pb_ruleset_open(const char *name, struct pb_ruleset **ruleset, struct pb_error *error)
{
	struct pb_ruleset *opened;
	int ret = pb_ruleset_name_check(name, error), lock;

	if (ret)
		return ret;
	opened = new_ruleset(name);
	if (!opened)
		return pb_fail_memory(error);
	lock = pb_lock(name, PB_LOCK_READ, error);
	ret = lock < 0 ? lock : pb_maps_open_unlocked(name, &opened->maps, error);
	pb_unlock(lock);
	if (ret == -ENOENT)
		fail_not_loaded(name, error);
	if (ret)
		pb_ruleset_close(opened);
	else
		*ruleset = opened;
	return ret;
}

void pb_ruleset_close(struct pb_ruleset *ruleset)
{
	if (!ruleset)
		return;
	pb_unlock(ruleset->lock);
	pb_maps_close(&ruleset->maps);
	free(ruleset->ids);
	free(ruleset);
}

const char *pb_ruleset_name(const struct pb_ruleset *ruleset)
{
	return ruleset->name;
}

int pb_ruleset_limits(const struct pb_ruleset *ruleset, struct pb_ruleset_options *limits,
		      struct pb_error *error)
{
	const struct pb_config *config = ruleset->maps.config;
	const struct pb_ruleset_options made_with = {
		.max_rules = config->max_rules,
		.max_sources = config->max_sources,
		.max_buckets = config->max_buckets,
	};

	return pb_options_give(limits, &made_with, sizeof(made_with), error);
}

__u64 pb_ruleset_generation(const struct pb_ruleset *ruleset)
{
	const struct pb_config *config = ruleset->maps.config;

	pb_maps_refresh(&ruleset->maps, true);
	return __atomic_load_n(&config->slots[pb_config_slot(config)].generation, __ATOMIC_ACQUIRE);
}

/* Before any of the rules is looked at. */
static int map_rules(struct pb_ruleset *ruleset, struct pb_error *error)
{
	int ret = pb_maps_map_rules(&ruleset->maps);

	return ret ? pb_fail_permission(error, -ret, "map the rules into memory") : 0;
}

static int read_slot(struct pb_ruleset *ruleset, __u32 slot, struct pb_rules **rules,
		     struct pb_error *error)
{
	struct pb_rules *read = pb_rules_new();
	int ret = read ? map_rules(ruleset, error) : pb_fail_memory(error);

	if (!ret)
		ret = pb_slot_read(&ruleset->maps, slot, read, error);
	if (!ret)
		ret = pb_sets_read(&ruleset->maps, slot, read, error);
	if (ret)
		pb_rules_free(read);
	else
		*rules = read;
	return ret;
}

static int refresh(const struct pb_ruleset *ruleset, bool all, struct pb_error *error)
{
	int ret = pb_maps_refresh(&ruleset->maps, all);

	return ret ? pb_fail_permission(error, -ret, "read the pinned rules") : 0;
}

/* By which who reads without a lock is told that what was read changed meanwhile. */
struct version {
	__u64 generation;
	__u32 adding;
};

static struct version version_of(const struct pb_slot *slot)
{
	return (struct version){
		.generation = __atomic_load_n(&slot->generation, __ATOMIC_ACQUIRE),
		.adding = __atomic_load_n(&slot->adding, __ATOMIC_ACQUIRE),
	};
}

static bool same_version(const struct version *a, const struct version *b)
{
	return a->generation == b->generation && a->adding == b->adding;
}

/*
 * A slot that is in force is not written, but two changes later: its generation is 0 then, before anything of it changes.
 * Or a rule is added to it: its generation is another one before, and `adding` not 0 until it is done. With a lock there
 * is none meanwhile, and this reads once.
 */
static int read_whole(struct pb_ruleset *ruleset, struct pb_rules **rules, struct pb_error *error)
{
	const struct pb_config *config = ruleset->maps.config;
	struct version before, after;
	int ret;

	do {
		__u32 slot;

		ret = refresh(ruleset, false, error);
		if (ret)
			return ret;
		slot = pb_config_slot(config);
		before = version_of(&config->slots[slot]);
		ret = refresh(ruleset, true, error) ?: read_slot(ruleset, slot, rules, error);
		if (refresh(ruleset, false, NULL))
			return ret;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		after = version_of(&config->slots[slot]);
		if (!same_version(&before, &after) && !ret)
			pb_rules_free(*rules);
	} while (!same_version(&before, &after));
	return ret;
}

/* Without its lock where it was unloaded: then nobody changes it any more. */
int pb_ruleset_read(struct pb_ruleset *ruleset, struct pb_rules **rules, struct pb_error *error)
{
	int lock = pb_lock(ruleset->name, PB_LOCK_READ, error), ret;

	if (lock < 0 && lock != -ENOENT)
		return lock;
	ret = read_whole(ruleset, rules, error);
	pb_unlock(lock);
	return ret;
}

/* Who may read folders, and so lock them, may not for that write to pins: a change of a copy would be none. */
int pb_ruleset_check_writable(const struct pb_ruleset *ruleset, struct pb_error *error)
{
	return pb_ruleset_is_read_only(ruleset) ?
		       pb_fail_change(error, EACCES, ruleset->name, "write to the pinned rules") :
		       0;
}

/* What is pinned now, in the place of what was opened. */
static int open_anew(struct pb_ruleset *ruleset, struct pb_error *error)
{
	struct pb_maps maps;
	__u32 id;
	int ret;

	if (!pb_pins_id(ruleset->name, &id) && id == pb_maps_id(&ruleset->maps))
		return 0;
	ret = pb_maps_open(ruleset->name, &maps, error);
	if (ret)
		return ret == -ENOENT ? fail_not_loaded(ruleset->name, error) : ret;
	pb_maps_close(&ruleset->maps);
	ruleset->maps = maps;
	return 0;
}

int pb_ruleset_lock(struct pb_ruleset *ruleset, enum pb_lock_kind kind, struct pb_error *error)
{
	int lock = pb_lock(ruleset->name, kind, error), ret;

	if (lock < 0)
		return lock;
	ret = open_anew(ruleset, error) ?: pb_ruleset_check_writable(ruleset, error);
	if (ret)
		pb_unlock(lock);
	return ret ?: lock;
}

/* Ids in use now are the last to be given out, so that no counter serves two rules at once. */
static int retire_ids(struct pb_ruleset *ruleset, struct pb_rules *rules)
{
	ruleset->ids = calloc(rules->nr + 1, sizeof(*ruleset->ids));
	if (!ruleset->ids)
		return -ENOMEM;
	for (size_t i = 0; i < rules->nr; i++)
		ruleset->ids[i] = rules->rule[i].id;
	rules->retired = ruleset->ids;
	rules->nr_retired = rules->nr;
	return 0;
}

/*
 * Publishes: a slot, and PB_ACTIVE_PENDING or not. Whether programs are exchanged is for others to
 * say, who do not hold the lock of this ruleset. How packets see what was stored before: lib/bpf/slot.h.
 */
static void set_active(struct pb_config *config, __u32 active)
{
	__u32 was = __atomic_load_n(&config->active, __ATOMIC_SEQ_CST);

	while (!__atomic_compare_exchange_n(&config->active, &was,
					    active | (was & PB_ACTIVE_EXCHANGE), false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

/* Makes what the clock has done, or `rollback` does, lasting: then nothing is pending. */
static void revert(struct pb_config *config)
{
	__u32 slot = config->active & PB_ACTIVE_SLOT;

	set_active(config, !slot);
}

/* Nobody confirmed in time: the old generation is in force already, by the clock. */
static void settle(struct pb_config *config)
{
	if (config->active & PB_ACTIVE_PENDING && pb_clock() >= config->revert_at)
		revert(config);
}

__u64 pb_ruleset_pending(const struct pb_ruleset *ruleset)
{
	return pb_config_pending(ruleset->maps.config);
}

/* Both slots are in use until the change that is pending is confirmed or rolled back. */
static int refuse_pending(const struct pb_ruleset *ruleset, struct pb_error *error)
{
	__u64 left = pb_ruleset_pending(ruleset);
	char option[PB_RULESET_OPTION_LEN], *text;

	if (!left)
		return 0;
	pb_ruleset_option(ruleset->name, option);
	text = pb_duration_text(left);
	pb_fail(error, EBUSY,
		"a change of the ruleset '%s' waits to be confirmed (%s left): `xdp-portblock "
		"confirm%s` keeps it, `xdp-portblock rollback%s` takes it back",
		ruleset->name, text ?: "?", option, option);
	free(text);
	return -EBUSY;
}

int pb_ruleset_begin(struct pb_ruleset *ruleset, struct pb_rules **rules, struct pb_error *error)
{
	struct pb_rules *read = NULL;
	int ret;

	ruleset->lock = pb_ruleset_lock(ruleset, PB_LOCK_CHANGE, error);
	if (ruleset->lock < 0)
		return ruleset->lock;
	ret = refuse_pending(ruleset, error);
	if (!ret) {
		/* Not before: the time may come in between. */
		settle(ruleset->maps.config);
		ret = read_slot(ruleset, pb_config_slot(ruleset->maps.config), &read, error);
	}
	if (!ret && retire_ids(ruleset, read))
		ret = pb_fail_memory(error);
	if (ret) {
		pb_ruleset_abort(ruleset, read);
		return ret;
	}
	pb_rules_expire(read, pb_clock());
	*rules = read;
	return 0;
}

int pb_ruleset_add_alone(struct pb_ruleset *ruleset, const struct pb_rule *rule, __u32 *id,
			 struct pb_error *error)
{
	PB_LOG_HERE();
	int lock = pb_ruleset_lock(ruleset, PB_LOCK_CHANGE, error), ret;

	if (lock < 0)
		return lock;
	ret = pb_adding_put(&ruleset->maps, rule, id, error);
	pb_unlock(lock);
	return ret;
}

void pb_ruleset_abort(struct pb_ruleset *ruleset, struct pb_rules *rules)
{
	pb_rules_free(rules);
	free(ruleset->ids);
	ruleset->ids = NULL;
	pb_unlock(ruleset->lock);
	ruleset->lock = -1;
}

/*
 * Nobody counts by the idle slot, nor takes tokens: packets that were judged by it have been waited for. The buckets of
 * its sources are by their epoch other ones.
 */
static void restart_new(const struct pb_ruleset *ruleset, const struct pb_rules *rules)
{
	const struct pb_counters counters = pb_maps_counters(&ruleset->maps);

	for (size_t i = 0; i < rules->nr; i++) {
		if (!rules->rule[i].added)
			continue;
		pb_counters_restart(&counters, rules->rule[i].id);
		pb_buckets_refill_rule(&ruleset->maps, rules->rule[i].id);
	}
}

/* Where elements are compared with those that are there, these do not change meanwhile. */
static int plan_sets(struct pb_ruleset *ruleset, const struct pb_rules *rules,
		     struct pb_sets_plan *plan, struct pb_error *error)
{
	bool looks = pb_rules_bring_elements(rules);
	int lock = looks ? pb_lock(ruleset->name, PB_LOCK_ELEMENTS_READ, error) : -1, ret;

	if (looks && lock < 0)
		return lock;
	ret = pb_sets_plan(&ruleset->maps, rules, true, plan, error);
	pb_unlock(lock);
	return ret;
}

/* Who changes elements waits for no rules that are compiled, and the other way round only where it must be. */
static int carry_out_sets(struct pb_ruleset *ruleset, const struct pb_sets_plan *plan,
			  struct pb_error *error)
{
	int lock = -1, ret;

	if (pb_sets_plan_rebuilds(plan))
		lock = pb_lock(ruleset->name, PB_LOCK_ELEMENTS, error);
	if (lock < 0 && pb_sets_plan_rebuilds(plan))
		return lock;
	ret = pb_sets_carry_out(&ruleset->maps, &ruleset->maps, plan, error);
	pb_unlock(lock);
	return ret;
}

/* Where it fails, elements stay nobody's, and the next change takes them. */
static void sweep_sets(const struct pb_ruleset *ruleset)
{
	int lock = pb_lock(ruleset->name, PB_LOCK_ELEMENTS, NULL);

	if (lock >= 0)
		pb_sets_sweep(&ruleset->maps, NULL);
	pb_unlock(lock);
}

/* Elements that came for it go with it. */
static void undo_sets(const struct pb_ruleset *ruleset, const struct pb_sets_plan *plan)
{
	pb_sets_undo(&ruleset->maps, plan);
	if (plan->fresh)
		sweep_sets(ruleset);
}

void pb_ruleset_sweep(struct pb_ruleset *ruleset)
{
	int lock = pb_ruleset_lock(ruleset, PB_LOCK_CHANGE, NULL);

	if (lock >= 0)
		sweep_sets(ruleset);
	pb_unlock(lock);
}

/*
 * The idle slot was published once, and packets may still be judged by it: they are waited for
 * before it is written, and before elements go that it asks for. Its generation is 0, none to go back to, until
 * it is whole again.
 */
static int write_idle(struct pb_ruleset *ruleset, __u32 idle, const struct pb_rules *rules,
		      struct coming *coming, struct pb_error *error)
{
	struct pb_config *config = ruleset->maps.config;
	int ret = pb_grace_period_quick(&ruleset->maps, error);

	if (ret)
		return ret;
	__atomic_store_n(&config->slots[idle].generation, 0, __ATOMIC_SEQ_CST);
	ret = carry_out_sets(ruleset, &coming->sets, error);
	if (ret)
		return ret;
	ret = pb_slot_put(&ruleset->maps, idle, rules, &coming->compiled, ++config->generations,
			  error);
	if (ret)
		undo_sets(ruleset, &coming->sets);
	else
		restart_new(ruleset, rules);
	return ret;
}

/* So long from now; the end of time if that comes first. */
static __u64 from_now(__u64 duration)
{
	__u64 now = pb_clock();

	return duration < ~0ULL - now ? now + duration : ~0ULL;
}

static int make_idle(struct pb_ruleset *ruleset, __u32 idle, const struct pb_rules *rules,
		     pb_bring_function *bring, struct pb_error *error)
{
	struct coming coming = {};
	int ret = plan_sets(ruleset, rules, &coming.sets, error);

	if (!ret)
		ret = compile_coming(ruleset, rules, &coming, error);
	if (!ret)
		ret = write_idle(ruleset, idle, rules, &coming, error);
	pb_compiled_free(&coming.compiled);
	if (ret)
		return ret;
	ret = bring(ruleset, rules, error);
	if (ret)
		undo_sets(ruleset, &coming.sets);
	return ret;
}

int pb_ruleset_publish(struct pb_ruleset *ruleset, const struct pb_rules *rules, __u64 confirm,
		       pb_bring_function *bring, struct pb_error *error)
{
	struct pb_config *config = ruleset->maps.config;
	__u32 idle = !pb_config_slot(config);
	int ret = make_idle(ruleset, idle, rules, bring, error);

	if (ret)
		return ret;
	if (confirm) /* nobody asks for the time before the next store says that it counts */
		__atomic_store_n(&config->revert_at, from_now(confirm), __ATOMIC_SEQ_CST);
	set_active(config, confirm ? idle | PB_ACTIVE_PENDING : idle);
	return 0;
}

static int fail_not_pending(const struct pb_ruleset *ruleset, struct pb_error *error)
{
	return pb_fail(error, ENOENT, "no change of the ruleset '%s' waits to be confirmed",
		       ruleset->name);
}

int pb_ruleset_read_before(struct pb_ruleset *ruleset, struct pb_rules **rules,
			   struct pb_error *error)
{
	const struct pb_config *config = ruleset->maps.config;
	int lock = pb_lock(ruleset->name, PB_LOCK_READ, error), ret;

	if (lock < 0)
		return lock;
	if (!pb_ruleset_pending(ruleset))
		ret = fail_not_pending(ruleset, error);
	else
		ret = read_slot(ruleset, !(config->active & PB_ACTIVE_SLOT), rules, error);
	pb_unlock(lock);
	return ret;
}

static int end_pending(struct pb_ruleset *ruleset, bool keep, struct pb_error *error)
{
	int lock = pb_ruleset_lock(ruleset, PB_LOCK_CHANGE, error), ret = 0;
	struct pb_config *config = ruleset->maps.config;

	if (lock < 0)
		return lock;
	if (!(config->active & PB_ACTIVE_PENDING))
		ret = fail_not_pending(ruleset, error);
	else if (keep && !pb_ruleset_pending(ruleset))
		ret = pb_fail(error, ETIME,
			      "too late: the change of the ruleset '%s' was not confirmed in time, "
			      "and the rules from before are back",
			      ruleset->name);
	else if (keep)
		set_active(config, config->active & PB_ACTIVE_SLOT);
	else
		revert(config);
	if (ret == -ETIME)
		settle(config);
	pb_unlock(lock);
	return ret;
}

int pb_ruleset_confirm(struct pb_ruleset *ruleset, struct pb_error *error)
{
	PB_LOG_HERE();
	return end_pending(ruleset, true, error);
}

int pb_ruleset_rollback(struct pb_ruleset *ruleset, struct pb_error *error)
{
	PB_LOG_HERE();
	return end_pending(ruleset, false, error);
}

static int keep(const char *name, struct pb_error *error)
{
	struct pb_ruleset *ruleset;
	int ret = pb_ruleset_open(name, &ruleset, error);

	if (ret == -ENOENT || ret == -EPROTO) /* gone, or another version's: that keeps none */
		return 0;
	if (ret)
		return ret;
	ret = pb_ruleset_check_writable(ruleset, error);
	if (!ret)
		ruleset->maps.config->keep = true;
	pb_ruleset_close(ruleset);
	return ret;
}

/* Calls the function with the name under which the ruleset with that pb_config is pinned, if any. */
static int if_pinned(const char *name, __u32 config_id,
		     int (*function)(const char *name, struct pb_error *error),
		     struct pb_error *error)
{
	__u32 id;
	int ret = pb_pins_id(name, &id);

	if (ret == -ENOENT || ret == -EPROTO || ret == -ENOTDIR)
		return 0;
	if (ret)
		return pb_fail_permission(error, -ret, "look at the pins, which may stay");
	return id == config_id ? function(name, error) : 0;
}

/* By the map's id: what else the maps hold may be of another version. */
static int with_pinned(__u32 config_id, int (*function)(const char *name, struct pb_error *error),
		       struct pb_error *error)
{
	char **names;
	size_t count;
	int ret = pb_ruleset_names(&names, &count, error);

	if (ret)
		return ret;
	for (size_t i = 0; i < count; i++) {
		if (!ret)
			ret = if_pinned(names[i], config_id, function, error);
		free(names[i]);
	}
	free(names);
	return ret;
}

int pb_ruleset_keep(__u32 config_id, struct pb_error *error)
{
	return with_pinned(config_id, keep, error);
}

int pb_ruleset_release(__u32 config_id, const __u32 *gone, size_t nr, struct pb_error *error)
{
	int ret = pb_instances_count(config_id, gone, nr);
	struct pb_error why;

	if (ret < 0)
		return pb_fail_permission(error, -ret, "see who uses the ruleset: its pins stay");
	ret = ret ? 0 : with_pinned(config_id, pb_maps_unpin, &why);
	if (ret)
		pb_fail(error, -ret, "pins of a ruleset that no interface uses stay: %.900s",
			why.text);
	return ret;
}

/* Outcome counters of the interfaces that are bound to a ruleset, mapped. */
struct bound {
	__u32 config_id;
	struct pb_outcomes **outcomes;
	size_t nr, room;
};

static int find_bound(struct bound *bound, __u32 program_id)
{
	struct pb_outcomes **grown;
	struct pb_instance instance;
	int ours = pb_instance_of(program_id, &instance);

	if (ours <= 0 || instance.config_id != bound->config_id)
		return ours < 0 ? ours : 0;
	grown = pb_grow(bound->outcomes, bound->nr, &bound->room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	bound->outcomes = grown;
	ours = pb_outcomes_map(instance.outcomes_id, &grown[bound->nr]);
	if (ours == -ENOENT)
		return 0; /* gone since it was seen */
	bound->nr += !ours;
	return ours;
}

static int find_all_bound(struct bound *bound)
{
	__u32 id = 0;
	int ret = 0;

	while (!ret && !bpf_prog_get_next_id(id, &id))
		ret = find_bound(bound, id);
	if (!ret && errno != ENOENT)
		ret = -errno;
	return ret;
}

/* All are found before the first is reset: then nothing can fail any more. */
int pb_ruleset_reset(struct pb_ruleset *ruleset, struct pb_error *error)
{
	PB_LOG_HERE();
	int lock = pb_ruleset_lock(ruleset, PB_LOCK_CHANGE, error), ret;
	struct bound bound = {};
	struct pb_counters counters;

	if (lock < 0)
		return lock;
	bound.config_id = pb_maps_id(&ruleset->maps);
	ret = pb_maps_map_buckets(&ruleset->maps);
	if (!ret)
		ret = find_all_bound(&bound);
	counters = pb_maps_counters(&ruleset->maps);
	if (!ret)
		pb_counters_reset(&counters);
	if (!ret)
		pb_buckets_refill(&ruleset->maps);
	for (size_t i = 0; i < bound.nr; i++) {
		counters = pb_outcomes_counters(bound.outcomes[i]);
		if (!ret)
			pb_counters_reset(&counters);
		pb_outcomes_unmap(bound.outcomes[i]);
	}
	free(bound.outcomes);
	pb_unlock(lock);
	if (ret)
		return pb_fail_permission(error, -ret,
					  "reach the interfaces' counters (no counter was reset)");
	return 0;
}

/* For the caller, nothing of the ruleset changes where its counters are mapped. */
struct pb_count pb_ruleset_count(const struct pb_ruleset *ruleset, __u32 id)
{
	struct pb_maps *maps = (struct pb_maps *)&ruleset->maps;
	struct pb_counters counters;
	struct pb_count count = {};

	if (pb_maps_map_rules(maps))
		return count;
	counters = pb_maps_counters(maps);
	if (id < counters.width)
		pb_counters_read(&counters, id, 1, &count);
	return count;
}

bool pb_ruleset_is_read_only(const struct pb_ruleset *ruleset)
{
	return pb_array_is_copy(ruleset->maps.fd[PB_MAP_CONFIG]);
}

bool pb_ruleset_is_there(const struct pb_ruleset *ruleset)
{
	__u32 id;
	int ret = pb_pins_id(ruleset->name, &id);

	/* What can't be looked at now is not gone for that. */
	return ret ? ret != -ENOENT && ret != -EPROTO && ret != -ENOTDIR :
		     id == pb_maps_id(&ruleset->maps);
}
