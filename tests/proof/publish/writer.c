// SPDX-License-Identifier: GPL-2.0-only
/*
 * What CBMC is to prove of lib/maps/ruleset.c itself, whatever its calls return and whatever the clock says: that it does
 * things in the order that slots.pml has. Functions that are not here return anything, and change nothing.
 */
#include "ruleset.c"
#include "slot.c" /* pb_config_slot(), pb_config_pending() */

#define assume(condition) __CPROVER_assume(condition)
#define claim(condition) __CPROVER_assert(condition, #condition)

int nondet_int(void);
__u64 nondet_number(void);
struct pb_config nondet_config(void);

static struct pb_config config;
static struct pb_ruleset ruleset;
static struct pb_rules rules;
static __u32 before; /* pb_config.active, when a change begins */
static bool waited, whole, brought;

static int anything(void)
{
	int ret = nondet_int();

	assume(ret <= 0 && ret > -4096);
	return ret;
}

__u64 pb_clock(void)
{
	static __u64 now;
	__u64 later = nondet_number();

	assume(later >= now);
	return now = later;
}

int pb_grace_period_quick(const struct pb_maps *maps, struct pb_error *error)
{
	int ret = anything();

	waited = !ret;
	return ret;
}

/* Nothing of the slot that is not in force is written before; and it is not, for no clock either. */
int pb_slot_put(const struct pb_maps *maps, __u32 slot, const struct pb_rules *all,
		struct pb_compiled *compiled, __u64 generation, struct pb_error *error)
{
	int ret = anything();

	claim(waited);
	claim(config.active == before && !(before & PB_ACTIVE_PENDING));
	claim(slot == !(before & PB_ACTIVE_SLOT));
	claim(!config.slots[slot].generation);
	whole = !ret;
	if (whole)
		config.slots[slot].generation = generation;
	return ret;
}

int pb_fail(struct pb_error *error, int code, const char *format, ...)
{
	return -code;
}

int pb_fail_permission(struct pb_error *error, int code, const char *what)
{
	return -code;
}

int pb_fail_change(struct pb_error *error, int code, const char *name, const char *what)
{
	return -code;
}

int pb_fail_memory(struct pb_error *error)
{
	return -ENOMEM;
}

/* What is pinned is what was opened. */
int pb_pins_id(const char *name, __u32 *id)
{
	*id = 1;
	return 0;
}

__u32 pb_maps_id(const struct pb_maps *maps)
{
	return 1;
}

struct pb_rules *pb_rules_new(void)
{
	return &rules;
}

static int bring(struct pb_ruleset *with, const struct pb_rules *all, struct pb_error *error)
{
	int ret = anything();

	claim(whole);
	brought = !ret;
	return ret;
}

static void begin(void)
{
	config = nondet_config();
	assume(config.active <= (PB_ACTIVE_SLOT | PB_ACTIVE_PENDING | PB_ACTIVE_EXCHANGE));
	ruleset.maps.config = &config;
	rules.nr = 0;
}

/* A change, from where it has the lock. */
void publishes(void)
{
	struct pb_rules *read;
	__u64 confirm = nondet_number();
	__u32 slot;
	int ret;

	begin();
	if (pb_ruleset_begin(&ruleset, &read, NULL))
		return;
	before = config.active;
	slot = before & PB_ACTIVE_SLOT;
	ret = pb_ruleset_publish(&ruleset, read, confirm, bring, NULL);
	claim(ret || brought);
	claim(!ret || config.active == before);
	claim(ret || config.active == (!slot | (confirm ? PB_ACTIVE_PENDING : 0) |
				       (before & PB_ACTIVE_EXCHANGE)));
}

/* What waits is confirmed or rolled back: one of the two slots is in force, and nothing waits. */
void ends(void)
{
	bool keep = nondet_int();
	__u32 slot;
	bool late;
	int ret;

	begin();
	before = config.active;
	slot = before & PB_ACTIVE_SLOT;
	late = pb_clock() >= config.revert_at;
	ret = end_pending(&ruleset, keep, NULL);
	claim(ret || !keep || !late);
	claim(ret || before & PB_ACTIVE_PENDING);
	claim(ret || config.active == ((keep ? slot : !slot) | (before & PB_ACTIVE_EXCHANGE)));
	claim(!ret || config.active == before ||
	      (keep && config.active == (!slot | (before & PB_ACTIVE_EXCHANGE))));
}
