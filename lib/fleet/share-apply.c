// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is to be done with elements of the host's set. Elements come before others go, so no address that is in both
 * is let in meanwhile. One that the host has had by itself, for longer, is left alone; for less, it gets its own end back
 * when the fleet's is gone. One that somebody has changed since is his.
 */
#include <stdlib.h>
#include <string.h>
#include "fleet/error.h"
#include "fleet/http.h"
#include "fleet/journal.h"
#include "fleet/set-keys.h"
#include "fleet/share.h"

#define SECOND 1000000000ULL
#define SAME_END (2 * SECOND) /* times of the wall clock are whole seconds */
/* For so many elements each is looked up; for more, all of the set are read. */
#define FEW 64

enum act {
	PUT,	   /* it is the fleet's from then on */
	GIVE_BACK, /* to the host, with the end that it had */
	TAKE,
};

struct step {
	enum act act;
	size_t at; /* in the entries */
	struct pb_element element;
	bool had;     /* PUT: the host has it, */
	__u64 before; /* until then */
};

struct plan {
	struct fleet_share *share;
	bool read;		  /* all of the host's set: */
	struct pb_element *local; /* sorted */
	size_t nr_local;
	struct step *steps;
	size_t nr;
};

static bool same_end(__u64 a, __u64 b)
{
	if (!a || !b)
		return a == b;
	return a > b ? a - b <= SAME_END : b - a <= SAME_END;
}

static bool ends_before(__u64 a, __u64 b)
{
	return a && (!b || a < b);
}

/* ---- What the host has --------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	const struct pb_prefix *left = a, *right = &((const struct pb_element *)b)->prefix;
	int order = left->family - right->family;

	if (!order)
		order = memcmp(left->addr, right->addr, sizeof(left->addr));
	return order ?: left->len - right->len;
}

static int read_local(struct plan *plan, struct pb_error *error)
{
	int err = plan->read ? 0 :
			       pb_set_elements(plan->share->ruleset, plan->share->names->local,
					       &plan->local, &plan->nr_local, error);

	if (!err)
		plan->read = true;
	return err;
}

static int find_in_all(struct plan *plan, const struct pb_prefix *prefix,
		       struct pb_element *element, struct pb_error *error)
{
	const struct pb_element *found;
	int err = read_local(plan, error);

	if (err)
		return err;
	found = plan->nr_local ? bsearch(prefix, plan->local, plan->nr_local, sizeof(*plan->local),
					 compare) :
				 NULL;
	if (found)
		*element = *found;
	return found ? 1 : 0;
}

/* 1: the host's set has the element. A longer one in its place may hide it: then all of them say it. */
static int find_local(struct plan *plan, const struct pb_prefix *prefix, struct pb_element *element,
		      struct pb_error *error)
{
	struct pb_prefix host = *prefix;
	int in;

	if (plan->read)
		return find_in_all(plan, prefix, element, error);
	host.len = host.family == 4 ? 32 : 128;
	in = pb_set_test(plan->share->ruleset, plan->share->names->local, &host, element, error);
	if (in <= 0)
		return in;
	if (element->prefix.len > prefix->len)
		return find_in_all(plan, prefix, element, error);
	return element->prefix.len == prefix->len;
}

/* ---- What is to be done -------------------------------------------------------------------- */

static bool is_asked_for(const struct fleet_entry *entry, __u64 *expires)
{
	*expires = 0;
	if (entry->listed)
		return true;
	return entry->banned && fleet_until_expires(entry->until, expires);
}

static void leave_out(struct fleet_share *share, struct fleet_entry *entry,
		      const struct pb_prefix *host)
{
	char element[FLEET_PREFIX_TEXT], address[FLEET_PREFIX_TEXT];

	entry->left_out = true;
	share->nr_left_out++;
	fleet_fail(&share->left_out, EINVAL,
		   "set %s/%s: %s is left out: etcd is reached at %s, and would not be any more",
		   share->names->ruleset, share->names->local,
		   fleet_prefix_text(&entry->prefix, element), fleet_prefix_text(host, address));
	fleet_say(share->log, "%s", share->left_out.text);
}

/* Nobody is to be cut off from etcd by what stands there. */
static bool is_wanted(struct fleet_share *share, struct fleet_entry *entry, __u64 *expires)
{
	const struct pb_prefix *host = NULL;
	bool asked = is_asked_for(entry, expires);

	if (asked && share->spared && !share->lets_in)
		host = fleet_spared_in(share->spared, &entry->prefix);
	if (host && !entry->left_out)
		leave_out(share, entry, host);
	if (!host && entry->left_out) {
		entry->left_out = false;
		share->nr_left_out--;
	}
	return asked && !host;
}

bool fleet_share_harms(const struct fleet_share *share)
{
	const struct fleet_entries *entries = &share->entries;

	for (size_t i = 0; i < entries->nr; i++)
		if (entries->list[i].applied &&
		    fleet_spared_in(share->spared, &entries->list[i].prefix))
			return true;
	return false;
}

static struct step *add_step(struct plan *plan, const struct fleet_entry *entry, enum act act,
			     __u64 expires)
{
	struct step *step = &plan->steps[plan->nr++];

	*step = (struct step){
		.act = act,
		.at = entry - plan->share->entries.list,
		.element = { entry->prefix, expires },
	};
	return step;
}

/* `local` NULL: the host's set has it not. */
static bool is_ours(const struct fleet_entry *entry, const struct pb_element *local)
{
	return entry->applied && local &&
	       (entry->otherwise || same_end(local->expires, entry->expires));
}

static void plan_wanted(struct plan *plan, struct fleet_entry *entry,
			const struct pb_element *local, __u64 expires)
{
	bool ours = is_ours(entry, local);
	struct step *step;

	if (!ours)
		entry->applied = false;
	/* A ban that became shorter is not to end before what the host has had. */
	if (ours && entry->had && ends_before(expires, entry->before))
		expires = entry->before;
	if (ours && same_end(local->expires, expires)) {
		entry->otherwise = false;
		entry->expires = local->expires;
		return;
	}
	if (!ours && local && !ends_before(local->expires, expires))
		return;
	step = add_step(plan, entry, PUT, expires);
	step->had = ours ? entry->had : local != NULL;
	step->before = ours ? entry->before : local ? local->expires : 0;
}

/* Whether what an agent before us has put there is still wanted is not known at first. */
static bool stays_for_now(const struct fleet_share *share, const struct fleet_entry *entry)
{
	if (!entry->restored || share->settled)
		return false;
	return share->lets_in || !share->spared || !fleet_spared_in(share->spared, &entry->prefix);
}

static void plan_unwanted(struct plan *plan, struct fleet_entry *entry,
			  const struct pb_element *local)
{
	if (!entry->applied || stays_for_now(plan->share, entry))
		return;
	if (!is_ours(entry, local))
		entry->applied = false;
	else if (entry->had && !ends_before(entry->before, pb_clock()))
		add_step(plan, entry, GIVE_BACK, entry->before);
	else
		add_step(plan, entry, TAKE, 0);
}

static int plan_entry(struct plan *plan, struct fleet_entry *entry, struct pb_error *error)
{
	struct pb_element local;
	__u64 expires;
	int in = find_local(plan, &entry->prefix, &local, error);

	if (in < 0)
		return in;
	if (is_wanted(plan->share, entry, &expires))
		plan_wanted(plan, entry, in ? &local : NULL, expires);
	else
		plan_unwanted(plan, entry, in ? &local : NULL);
	return 0;
}

static int make_plan(struct plan *plan, struct pb_error *error)
{
	struct fleet_entries *entries = &plan->share->entries;
	int err = 0;

	plan->steps = calloc(entries->nr_touched + 1, sizeof(*plan->steps));
	if (!plan->steps)
		return fleet_fail_memory(error);
	if (plan->share->whole || entries->nr_touched > FEW)
		err = read_local(plan, error);
	for (size_t i = 0; !err && i < entries->nr_touched; i++)
		err = plan_entry(plan, &entries->list[entries->touched[i]], error);
	return err;
}

/* ---- Doing it ------------------------------------------------------------------------------ */

static void become(struct fleet_entry *entry, const struct step *step)
{
	entry->applied = step->act == PUT;
	entry->restored = entry->otherwise = false;
	entry->expires = step->element.expires;
	entry->had = step->had;
	entry->before = step->before;
}

/* The lines of what comes, or of what goes. */
static int note_steps(const struct plan *plan, bool come, struct pb_error *error)
{
	struct fleet_share *share = plan->share;
	struct fleet_lines lines = {};
	int err = 0;

	for (size_t i = 0; !err && i < plan->nr; i++) {
		struct fleet_entry entry = share->entries.list[plan->steps[i].at];

		if ((plan->steps[i].act == PUT) != come)
			continue;
		become(&entry, &plan->steps[i]);
		err = fleet_lines_add(&lines, &entry);
	}
	if (err)
		fleet_fail_memory(error);
	else if (lines.len)
		err = fleet_journal_append(share->conf, share->names, &lines, error);
	fleet_lines_free(&lines);
	return err;
}

/* They have become what the steps say. */
static void settle(const struct plan *plan, bool take)
{
	for (size_t i = 0; i < plan->nr; i++)
		if ((plan->steps[i].act == TAKE) == take)
			become(&plan->share->entries.list[plan->steps[i].at], &plan->steps[i]);
}

static int put(const struct plan *plan, struct pb_error *error)
{
	struct pb_element *elements = calloc(plan->nr + 1, sizeof(*elements));
	size_t nr = 0;
	int err = 0;

	if (!elements)
		return fleet_fail_memory(error);
	for (size_t i = 0; i < plan->nr; i++)
		if (plan->steps[i].act != TAKE)
			elements[nr++] = plan->steps[i].element;
	if (nr)
		err = pb_set_add(plan->share->ruleset, plan->share->names->local, elements, nr,
				 error);
	free(elements);
	if (!err)
		settle(plan, false);
	return err;
}

static int take(const struct plan *plan, struct pb_error *error)
{
	struct pb_prefix *prefixes = calloc(plan->nr + 1, sizeof(*prefixes));
	size_t nr = 0;
	int err = 0;

	if (!prefixes)
		return fleet_fail_memory(error);
	for (size_t i = 0; i < plan->nr; i++)
		if (plan->steps[i].act == TAKE)
			prefixes[nr++] = plan->steps[i].element.prefix;
	if (nr)
		err = pb_set_del(plan->share->ruleset, plan->share->names->local, prefixes, nr,
				 error);
	free(prefixes);
	if (!err)
		settle(plan, true);
	return err;
}

/* A set that has no room for both has room for one after the other. */
static int carry_out(const struct plan *plan, struct pb_error *error)
{
	int err = put(plan, error);

	if (!err)
		return take(plan, error);
	if (err != -ENOSPC)
		return err;
	return take(plan, error) ?: put(plan, error);
}

/* What cannot be noted is done all the same: who is banned is not to wait for a disk. */
static int do_plan(struct plan *plan, struct pb_error *error)
{
	struct fleet_share *share = plan->share;
	struct pb_error why;
	int err, unnoted = 0;

	if (share->written)
		unnoted = note_steps(plan, true, &why);
	err = carry_out(plan, error);
	if (!err && !unnoted && share->written)
		unnoted = note_steps(plan, false, &why);
	if (!err && (share->whole || unnoted)) {
		unnoted = fleet_journal_write(share->conf, share->names, &share->entries, &why);
		share->written = !unnoted;
	}
	if (unnoted)
		fleet_share_complain(share, why.text);
	return err;
}

/* ---- When ---------------------------------------------------------------------------------- */

/* One that was unloaded, or loaded anew, is opened anew. */
static int open_ruleset(struct fleet_share *share, struct pb_error *error)
{
	if (share->ruleset && pb_ruleset_is_there(share->ruleset))
		return 0;
	pb_ruleset_close(share->ruleset);
	share->ruleset = NULL;
	share->whole = true;
	return pb_ruleset_open(share->names->ruleset, &share->ruleset, error);
}

/* Rules that have changed may say another thing of the set. */
static void look_at_rules(struct fleet_share *share)
{
	__u64 generation = pb_ruleset_generation(share->ruleset);
	bool lets_in = share->lets_in;
	struct pb_rules *rules;

	if (generation == share->rules_seen && !share->whole)
		return;
	if (!share->spared || pb_ruleset_read(share->ruleset, &rules, NULL))
		return;
	share->lets_in = fleet_set_lets_in(rules, share->names->local);
	share->rules_seen = generation;
	pb_rules_free(rules);
	share->whole |= lets_in != share->lets_in;
}

/* What is spared, and whether it is to be: where that has changed, all elements are looked at. */
static void look_at_spared(struct fleet_share *share)
{
	if (!share->spared)
		return;
	look_at_rules(share);
	share->whole |= share->spared_seen != share->spared->changes;
	share->spared_seen = share->spared->changes;
}

static int apply(struct fleet_share *share, struct pb_error *error)
{
	struct plan plan = { .share = share };
	int err = make_plan(&plan, error);

	if (!err)
		err = do_plan(&plan, error);
	free(plan.local);
	free(plan.steps);
	return err;
}

void fleet_share_apply(struct fleet_share *share)
{
	struct pb_error error;
	int err;

	if (fleet_now_ms() < share->again)
		return;
	err = open_ruleset(share, &error);
	if (!err)
		look_at_spared(share);
	if (!err && share->whole && fleet_entries_touch_all(&share->entries))
		err = fleet_fail_memory(&error);
	if (!err && (share->whole || share->entries.nr_touched))
		err = apply(share, &error);
	if (err) {
		share->whole = true;
		share->again = fleet_now_ms() + FLEET_SHARE_AGAIN_MS;
		fleet_share_complain(share, error.text);
		return;
	}
	if (share->whole)
		fleet_entries_sweep(&share->entries);
	else
		fleet_entries_untouch(&share->entries);
	share->whole = false;
}
