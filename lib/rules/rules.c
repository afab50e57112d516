// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Rules in memory, sorted by id. */
#include <stdlib.h>
#include <string.h>
#include "rule/fields.h"
#include "rules/index.h"
#include "rules/sets.h"
#include "util/array.h"
#include "util/error.h"
#include "util/text.h"

#define IDS_SHOWN 8 /* ranges of ids in a message */
#define NEAR_MAX 3  /* rules in one */

__u32 pb_rules_max(const struct pb_rules *rules)
{
	return rules->max_rules ? rules->max_rules : PB_RULES_LIMIT;
}

static void drop_index(struct pb_rules *rules)
{
	free(rules->index);
	rules->index = NULL;
}

void pb_rules_clear(struct pb_rules *rules)
{
	for (size_t i = 0; i < rules->nr; i++)
		pb_rule_clear(&rules->rule[i]);
	free(rules->rule);
	pb_rules_forget_sets(rules);
	drop_index(rules);
	memset(rules, 0, sizeof(*rules));
}

struct pb_rules *pb_rules_new(void)
{
	return calloc(1, sizeof(struct pb_rules));
}

void pb_rules_free(struct pb_rules *rules)
{
	if (rules)
		pb_rules_clear(rules);
	free(rules);
}

size_t pb_rules_nr(const struct pb_rules *rules)
{
	return rules->nr;
}

struct pb_rule *pb_rules_at(const struct pb_rules *rules, size_t place)
{
	return place < rules->nr ? &rules->rule[place] : NULL;
}

struct pb_settings *pb_rules_settings(const struct pb_rules *rules)
{
	return (struct pb_settings *)&rules->settings;
}

__u64 pb_rules_generation(const struct pb_rules *rules)
{
	return rules->generation;
}

/* Where the rule with that id is or would be. */
static size_t place_of(const struct pb_rules *rules, __u32 id)
{
	size_t low = 0, high = rules->nr;

	if (high && rules->rule[high - 1].id < id)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (rules->rule[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct pb_rule *pb_rules_find(const struct pb_rules *rules, __u32 id)
{
	size_t place = place_of(rules, id);

	return place < rules->nr && rules->rule[place].id == id ? &rules->rule[place] : NULL;
}

/* ---- The same rule: an index of hashes, out of date where it has not as many as there are ----- */

static struct pb_index *build_index(const struct pb_rules *rules)
{
	struct pb_index *index = pb_index_new(rules->nr);

	for (size_t i = 0; index && i < rules->nr; i++)
		pb_index_add(index, pb_rule_hash(&rules->rule[i]), rules->rule[i].id);
	return index;
}

/* The index is a cache: making it changes nothing that a const set promises. */
static const struct pb_index *current_index(const struct pb_rules *rules)
{
	struct pb_rules *cache = (struct pb_rules *)rules;

	if (rules->index && pb_index_nr(rules->index) == rules->nr)
		return rules->index;
	drop_index(cache);
	cache->index = build_index(rules);
	return cache->index;
}

static struct pb_rule *find_slowly(const struct pb_rules *rules, const struct pb_rule *rule)
{
	for (size_t i = 0; i < rules->nr; i++)
		if (pb_rule_same(&rules->rule[i], rule))
			return &rules->rule[i];
	return NULL;
}

struct pb_rule *pb_rules_find_same(const struct pb_rules *rules, const struct pb_rule *rule)
{
	const struct pb_index *index = rules->nr ? current_index(rules) : NULL;
	__u32 hash = pb_rule_hash(rule), id;
	size_t at = 0;

	if (!index)
		return find_slowly(rules, rule);
	while ((id = pb_index_next(index, hash, &at))) {
		struct pb_rule *found = pb_rules_find(rules, id);

		if (found && pb_rule_same(found, rule))
			return found;
	}
	return NULL;
}

/* To be called before the rule is put in with that id. */
static void index_rule(struct pb_rules *rules, const struct pb_rule *rule, __u32 id)
{
	if (rules->index && (pb_index_nr(rules->index) != rules->nr ||
			     !pb_index_add(rules->index, pb_rule_hash(rule), id)))
		drop_index(rules);
}

/* To be called before it is taken out. */
static void unindex_rule(struct pb_rules *rules, const struct pb_rule *rule)
{
	if (rules->index && (pb_index_nr(rules->index) != rules->nr ||
			     !pb_index_del(rules->index, pb_rule_hash(rule), rule->id)))
		drop_index(rules);
}

/* ---- Adding -------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
	__u32 left = *(const __u32 *)a, right = *(const __u32 *)b;

	return (left > right) - (left < right);
}

static bool is_retired(const struct pb_rules *rules, __u32 id)
{
	return bsearch(&id, rules->retired, rules->nr_retired, sizeof(id), by_id);
}

/* The first free id from `first` to `last`, and the place of its rule; 0: none is free. */
static __u32 free_id(const struct pb_rules *rules, __u32 first, __u32 last, bool retired_too,
		     size_t *place)
{
	*place = place_of(rules, first);
	for (__u32 id = first; id <= last; id++) {
		if (*place < rules->nr && rules->rule[*place].id == id)
			++*place;
		else if (retired_too || !is_retired(rules, id))
			return id;
	}
	return 0;
}

int pb_rules_no_id(const struct pb_rules *rules, size_t nr, struct pb_error *error)
{
	__u32 max = pb_rules_max(rules);

	return pb_fail(error, ENOSPC, "all %u rule ids are taken (%zu rules): delete rules%s", max,
		       nr,
		       max < PB_RULES_LIMIT ?
			       ", or load with a higher --max-rules (at most 65535)" :
			       "; there can be no more");
}

/* From next_id on, then from 1 on; retired ids only where there is no other. */
static __u32 next_id(struct pb_rules *rules, size_t *place, struct pb_error *error)
{
	__u32 max = pb_rules_max(rules);
	__u32 first = rules->next_id && rules->next_id <= max ? rules->next_id : 1;
	bool full = rules->nr >= max; /* no search then: a file may hold any number more */
	__u32 id = full ? 0 : free_id(rules, first, max, !rules->nr_retired, place);

	if (!id && !full)
		id = free_id(rules, 1, first - 1, !rules->nr_retired, place);
	if (!id && !full && rules->nr_retired) {
		rules->nr_retired = 0; /* from here on they are as good as any */
		id = free_id(rules, 1, max, true, place);
	}
	if (!id)
		pb_rules_no_id(rules, rules->nr, error);
	return id;
}

void pb_rules_put(struct pb_rule *place, struct pb_rule *rule, __u32 id)
{
	*place = *rule;
	place->id = id;
	place->packets = place->bytes = 0;
	place->added = true;
	memset(rule, 0, sizeof(*rule));
}

static int insert(struct pb_rules *rules, struct pb_rule *rule, __u32 *id, struct pb_error *error)
{
	struct pb_rule *grown;
	size_t place;

	*id = next_id(rules, &place, error);
	if (!*id)
		return -ENOSPC;
	grown = pb_grow(rules->rule, rules->nr, &rules->room, sizeof(*grown));
	if (!grown)
		return pb_fail_memory(error);
	rules->rule = grown;
	index_rule(rules, rule, *id);
	memmove(&grown[place + 1], &grown[place], (rules->nr - place) * sizeof(*grown));
	pb_rules_put(&grown[place], rule, *id);
	rules->nr++;
	rules->next_id = *id + 1;
	return 0;
}

enum pb_added pb_rules_change(struct pb_rule *old, struct pb_rule *rule)
{
	bool same = old->action == rule->action && old->expires == rule->expires &&
		    !strcmp(old->comment, rule->comment);

	old->action = rule->action;
	old->expires = rule->expires;
	memcpy(old->comment, rule->comment, sizeof(old->comment));
	pb_rule_clear(rule);
	return same ? PB_UNCHANGED : PB_CHANGED;
}

int pb_rules_add(struct pb_rules *rules, struct pb_rule *rule, __u32 *id, enum pb_added *what,
		 struct pb_error *error)
{
	struct pb_rule *old = pb_rules_find_same(rules, rule);
	enum pb_added done = PB_ADDED;
	__u32 given = old ? old->id : 0;
	int err = 0;

	if (old)
		done = pb_rules_change(old, rule);
	else
		err = insert(rules, rule, &given, error);
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
static void print_ids(FILE *out, const struct pb_rules *rules)
{
	unsigned int shown = 0;

	for (size_t i = 0; i < rules->nr; i++) {
		__u32 first = rules->rule[i].id;

		if (shown++ == IDS_SHOWN) {
			fputs(", ...", out);
			return;
		}
		while (i + 1 < rules->nr && rules->rule[i + 1].id == rules->rule[i].id + 1)
			i++;
		fprintf(out, "%s%u", shown > 1 ? ", " : "", first);
		if (rules->rule[i].id != first)
			fprintf(out, "-%u", rules->rule[i].id);
	}
}

static int no_such_id(const struct pb_rules *rules, __u32 id, struct pb_error *error)
{
	char *ids = NULL;
	size_t len;
	FILE *out = open_memstream(&ids, &len);

	if (!out)
		return pb_fail_memory(error);
	print_ids(out, rules);
	if (!pb_stream_take(out, &ids))
		return pb_fail_memory(error);
	if (rules->nr)
		pb_fail(error, ENOENT, "there is no rule %u: the ids in use are %s", id, ids);
	else
		pb_fail(error, ENOENT, "there is no rule %u: there are no rules", id);
	free(ids);
	return -ENOENT;
}

int pb_rules_del(struct pb_rules *rules, __u32 id, struct pb_error *error)
{
	struct pb_rule *rule = pb_rules_find(rules, id);
	size_t behind;

	if (!rule)
		return no_such_id(rules, id, error);
	unindex_rule(rules, rule);
	pb_rule_clear(rule);
	behind = rules->nr - (rule - rules->rule) - 1;
	memmove(rule, rule + 1, behind * sizeof(*rule));
	rules->nr--;
	return 0;
}

size_t pb_rules_del_if(struct pb_rules *rules, bool (*drop)(const struct pb_rule *rule, void *ctx),
		       void *ctx)
{
	size_t kept = 0, deleted;

	for (size_t i = 0; i < rules->nr; i++) {
		if (drop(&rules->rule[i], ctx))
			pb_rule_clear(&rules->rule[i]);
		else
			rules->rule[kept++] = rules->rule[i];
	}
	deleted = rules->nr - kept;
	rules->nr = kept;
	if (deleted)
		drop_index(rules);
	return deleted;
}

static bool has_ended(const struct pb_rule *rule, void *now)
{
	return rule->expires && rule->expires <= *(__u64 *)now;
}

size_t pb_rules_expire(struct pb_rules *rules, __u64 now)
{
	return pb_rules_del_if(rules, has_ended, &now);
}

/* ---- Rules that come near one that is not there: what somebody may have meant ---------------- */

static bool ports_overlap(const struct pb_rule *a, const struct pb_rule *b)
{
	if (pb_rule_is_alone(a) && pb_rule_is_alone(b))
		return true;
	for (size_t i = 0; i < a->nr_ports; i++)
		for (size_t j = 0; j < b->nr_ports; j++)
			if (a->ports[i].first <= b->ports[j].last &&
			    b->ports[j].first <= a->ports[i].last)
				return true;
	return false;
}

static void print_near(FILE *out, const struct pb_rules *rules, const struct pb_rule *rule)
{
	__u64 now = pb_clock();
	size_t found = 0;
	char *text;

	for (size_t i = 0; i < rules->nr && found < NEAR_MAX; i++) {
		if (!ports_overlap(&rules->rule[i], rule) ||
		    pb_rule_format(&rules->rule[i], now, &text))
			continue;
		fprintf(out, "%s rule %u `%s`", found++ ? "," : "; near it:", rules->rule[i].id,
			text);
		free(text);
	}
	if (!found)
		fputs(pb_rule_is_alone(rule) ? ", nor any rule of sources alone" :
					       ", nor any rule of those ports",
		      out);
}

int pb_rules_missing(const struct pb_rules *rules, const struct pb_rule *rule,
		     struct pb_error *error)
{
	char *text = NULL, *message = NULL;
	size_t size;
	FILE *out = open_memstream(&message, &size);
	int ret;

	if (!out || pb_rule_format(rule, pb_clock(), &text)) {
		ret = pb_fail_memory(error);
	} else {
		fprintf(out, "there is no rule `%s`", text);
		print_near(out, rules, rule);
		fflush(out);
		ret = pb_fail(error, ENOENT, "%s", message);
	}
	if (out)
		fclose(out);
	free(message);
	free(text);
	return ret;
}
