// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Rules in memory, sorted by id. */
#include <stdlib.h>
#include <string.h>
#include "rule/fields.h"
#include "rules/index.h"
#include "util/array.h"
#include "util/error.h"
#include "util/text.h"

#define IDS_SHOWN 8 /* ranges of ids in a message */
#define NEAR_MAX 3  /* rules in one */

static __u32 max_rules(const struct pb_set *set)
{
	return set->max_rules ? set->max_rules : PB_RULES_LIMIT;
}

static void drop_index(struct pb_set *set)
{
	free(set->index);
	set->index = NULL;
}

void pb_set_clear(struct pb_set *set)
{
	for (size_t i = 0; i < set->nr_rules; i++)
		pb_rule_clear(&set->rules[i]);
	free(set->rules);
	drop_index(set);
	memset(set, 0, sizeof(*set));
}

/* Where the rule with that id is or would be. */
static size_t place_of(const struct pb_set *set, __u32 id)
{
	size_t low = 0, high = set->nr_rules;

	if (high && set->rules[high - 1].id < id)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->rules[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct pb_rule *pb_set_find(const struct pb_set *set, __u32 id)
{
	size_t place = place_of(set, id);

	return place < set->nr_rules && set->rules[place].id == id ? &set->rules[place] : NULL;
}

/* ---- The same rule: an index of hashes, out of date where it has not as many as the set ----- */

static struct pb_index *build_index(const struct pb_set *set)
{
	struct pb_index *index = pb_index_new(set->nr_rules);

	for (size_t i = 0; index && i < set->nr_rules; i++)
		pb_index_add(index, pb_rule_hash(&set->rules[i]), set->rules[i].id);
	return index;
}

/* The index is a cache: making it changes nothing that a const set promises. */
static const struct pb_index *current_index(const struct pb_set *set)
{
	struct pb_set *cache = (struct pb_set *)set;

	if (set->index && pb_index_nr(set->index) == set->nr_rules)
		return set->index;
	drop_index(cache);
	cache->index = build_index(set);
	return cache->index;
}

static struct pb_rule *find_slowly(const struct pb_set *set, const struct pb_rule *rule)
{
	for (size_t i = 0; i < set->nr_rules; i++)
		if (pb_rule_same(&set->rules[i], rule))
			return &set->rules[i];
	return NULL;
}

struct pb_rule *pb_set_find_same(const struct pb_set *set, const struct pb_rule *rule)
{
	const struct pb_index *index = set->nr_rules ? current_index(set) : NULL;
	__u32 hash = pb_rule_hash(rule), id;
	size_t at = 0;

	if (!index)
		return find_slowly(set, rule);
	while ((id = pb_index_next(index, hash, &at))) {
		struct pb_rule *found = pb_set_find(set, id);

		if (found && pb_rule_same(found, rule))
			return found;
	}
	return NULL;
}

/* To be called before the rule is put into the set with that id. */
static void index_rule(struct pb_set *set, const struct pb_rule *rule, __u32 id)
{
	if (set->index && (pb_index_nr(set->index) != set->nr_rules ||
			   !pb_index_add(set->index, pb_rule_hash(rule), id)))
		drop_index(set);
}

/* To be called before it is taken out. */
static void unindex_rule(struct pb_set *set, const struct pb_rule *rule)
{
	if (set->index && (pb_index_nr(set->index) != set->nr_rules ||
			   !pb_index_del(set->index, pb_rule_hash(rule), rule->id)))
		drop_index(set);
}

/* ---- Adding -------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
	__u32 left = *(const __u32 *)a, right = *(const __u32 *)b;

	return (left > right) - (left < right);
}

static bool is_retired(const struct pb_set *set, __u32 id)
{
	return bsearch(&id, set->retired, set->nr_retired, sizeof(id), by_id);
}

/* The first free id from `first` to `last`, and the place of its rule; 0: none is free. */
static __u32 free_id(const struct pb_set *set, __u32 first, __u32 last, bool retired_too,
		     size_t *place)
{
	*place = place_of(set, first);
	for (__u32 id = first; id <= last; id++) {
		if (*place < set->nr_rules && set->rules[*place].id == id)
			++*place;
		else if (retired_too || !is_retired(set, id))
			return id;
	}
	return 0;
}

/* From next_id on, then from 1 on; retired ids only where there is no other. */
static __u32 next_id(struct pb_set *set, size_t *place, struct pb_error *error)
{
	__u32 max = max_rules(set);
	__u32 first = set->next_id && set->next_id <= max ? set->next_id : 1;
	bool full = set->nr_rules >= max; /* no search then: a file may hold any number more */
	__u32 id = full ? 0 : free_id(set, first, max, !set->nr_retired, place);

	if (!id && !full)
		id = free_id(set, 1, first - 1, !set->nr_retired, place);
	if (!id && !full && set->nr_retired) {
		set->nr_retired = 0; /* from here on they are as good as any */
		id = free_id(set, 1, max, true, place);
	}
	if (!id)
		pb_fail(error, ENOSPC, "all %u rule ids are taken (%zu rules): delete rules%s", max,
			set->nr_rules,
			max < PB_RULES_LIMIT ?
				", or load with a higher --max-rules (at most 65535)" :
				"; there can be no more");
	return id;
}

static int insert(struct pb_set *set, struct pb_rule *rule, __u32 *id, struct pb_error *error)
{
	struct pb_rule *rules;
	size_t place;

	*id = next_id(set, &place, error);
	if (!*id)
		return -ENOSPC;
	rules = pb_grow(set->rules, set->nr_rules, &set->room, sizeof(*rules));
	if (!rules)
		return pb_fail_memory(error);
	set->rules = rules;
	index_rule(set, rule, *id);
	memmove(&rules[place + 1], &rules[place], (set->nr_rules - place) * sizeof(*rules));
	rules[place] = *rule;
	rules[place].id = *id;
	rules[place].packets = rules[place].bytes = 0;
	rules[place].added = true;
	set->nr_rules++;
	set->next_id = *id + 1;
	memset(rule, 0, sizeof(*rule));
	return 0;
}

/* Takes over what the same rule may differ in. */
static enum pb_added change(struct pb_rule *old, struct pb_rule *rule)
{
	bool same = old->action == rule->action && old->expires == rule->expires &&
		    !strcmp(old->comment, rule->comment);

	old->action = rule->action;
	old->expires = rule->expires;
	memcpy(old->comment, rule->comment, sizeof(old->comment));
	pb_rule_clear(rule);
	return same ? PB_UNCHANGED : PB_CHANGED;
}

int pb_set_add(struct pb_set *set, struct pb_rule *rule, __u32 *id, enum pb_added *what,
	       struct pb_error *error)
{
	struct pb_rule *old = pb_set_find_same(set, rule);
	enum pb_added done = PB_ADDED;
	__u32 given = old ? old->id : 0;
	int err = 0;

	if (old)
		done = change(old, rule);
	else
		err = insert(set, rule, &given, error);
	if (err)
		return err;
	if (id)
		*id = given;
	if (what)
		*what = done;
	return 0;
}

/* ---- Deleting ------------------------------------------------------------------------------ */

/* "1-3, 7, ..." */
static void print_ids(FILE *out, const struct pb_set *set)
{
	unsigned int shown = 0;

	for (size_t i = 0; i < set->nr_rules; i++) {
		__u32 first = set->rules[i].id;

		if (shown++ == IDS_SHOWN) {
			fputs(", ...", out);
			return;
		}
		while (i + 1 < set->nr_rules && set->rules[i + 1].id == set->rules[i].id + 1)
			i++;
		fprintf(out, "%s%u", shown > 1 ? ", " : "", first);
		if (set->rules[i].id != first)
			fprintf(out, "-%u", set->rules[i].id);
	}
}

static int no_such_id(const struct pb_set *set, __u32 id, struct pb_error *error)
{
	char *ids = NULL;
	size_t len;
	FILE *out = open_memstream(&ids, &len);

	if (!out)
		return pb_fail_memory(error);
	print_ids(out, set);
	if (!pb_stream_take(out, &ids))
		return pb_fail_memory(error);
	if (set->nr_rules)
		pb_fail(error, ENOENT, "there is no rule %u: the ids in use are %s", id, ids);
	else
		pb_fail(error, ENOENT, "there is no rule %u: there are no rules", id);
	free(ids);
	return -ENOENT;
}

int pb_set_del(struct pb_set *set, __u32 id, struct pb_error *error)
{
	struct pb_rule *rule = pb_set_find(set, id);
	size_t behind;

	if (!rule)
		return no_such_id(set, id, error);
	unindex_rule(set, rule);
	pb_rule_clear(rule);
	behind = set->nr_rules - (rule - set->rules) - 1;
	memmove(rule, rule + 1, behind * sizeof(*rule));
	set->nr_rules--;
	return 0;
}

size_t pb_set_del_if(struct pb_set *set, bool (*drop)(const struct pb_rule *rule, void *ctx),
		     void *ctx)
{
	size_t kept = 0, deleted;

	for (size_t i = 0; i < set->nr_rules; i++) {
		if (drop(&set->rules[i], ctx))
			pb_rule_clear(&set->rules[i]);
		else
			set->rules[kept++] = set->rules[i];
	}
	deleted = set->nr_rules - kept;
	set->nr_rules = kept;
	if (deleted)
		drop_index(set);
	return deleted;
}

static bool has_ended(const struct pb_rule *rule, void *now)
{
	return rule->expires && rule->expires <= *(__u64 *)now;
}

size_t pb_set_expire(struct pb_set *set, __u64 now)
{
	return pb_set_del_if(set, has_ended, &now);
}

/* ---- The rules of another ------------------------------------------------------------------ */

static bool not_wanted(const struct pb_rule *rule, void *wanted)
{
	return !pb_set_find_same(wanted, rule);
}

/*
 * Ids of the rules that went are the last to be given out. Where they will be needed anyhow, all
 * begin anew from 1, so that rules are added in the order of their ids.
 */
static void prepare_ids(struct pb_set *set, const struct pb_set *wanted)
{
	size_t max = set->max_rules ?: PB_RULES_LIMIT;

	if (wanted->nr_rules - set->nr_rules <= max - set->nr_retired)
		return;
	set->nr_retired = 0;
	set->next_id = 1;
}

int pb_set_replace(struct pb_set *set, const struct pb_set *wanted, struct pb_error *error)
{
	int ret = 0;

	pb_set_del_if(set, not_wanted, (void *)wanted);
	prepare_ids(set, wanted);
	for (size_t i = 0; !ret && i < wanted->nr_rules; i++) {
		struct pb_rule rule = {};

		ret = pb_rule_copy(&rule, &wanted->rules[i]);
		if (ret)
			return pb_fail_memory(error);
		ret = pb_set_add(set, &rule, NULL, NULL, error);
		pb_rule_clear(&rule);
	}
	if (!ret)
		set->settings = wanted->settings;
	return ret;
}

/* ---- Rules that come near one that is not there: what somebody may have meant ---------------- */

static bool ports_overlap(const struct pb_rule *a, const struct pb_rule *b)
{
	for (size_t i = 0; i < a->nr_ports; i++)
		for (size_t j = 0; j < b->nr_ports; j++)
			if (a->ports[i].first <= b->ports[j].last &&
			    b->ports[j].first <= a->ports[i].last)
				return true;
	return false;
}

static void print_near(FILE *out, const struct pb_set *set, const struct pb_rule *rule)
{
	__u64 now = pb_clock();
	size_t found = 0;
	char *text;

	for (size_t i = 0; i < set->nr_rules && found < NEAR_MAX; i++) {
		if (!ports_overlap(&set->rules[i], rule) ||
		    pb_rule_format(&set->rules[i], now, &text))
			continue;
		fprintf(out, "%s rule %u `%s`", found++ ? "," : "; near it:", set->rules[i].id,
			text);
		free(text);
	}
	if (!found)
		fputs(", nor any rule of those ports", out);
}

int pb_set_missing(const struct pb_set *set, const struct pb_rule *rule, struct pb_error *error)
{
	char *text = NULL, *message = NULL;
	size_t size;
	FILE *out = open_memstream(&message, &size);
	int ret;

	if (!out || pb_rule_format(rule, pb_clock(), &text)) {
		ret = pb_fail_memory(error);
	} else {
		fprintf(out, "there is no rule `%s`", text);
		print_near(out, set, rule);
		fflush(out);
		ret = pb_fail(error, ENOENT, "%s", message);
	}
	if (out)
		fclose(out);
	free(message);
	free(text);
	return ret;
}
