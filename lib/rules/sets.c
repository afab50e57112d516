// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include "rule/duration.h"
#include "rules/sets.h"
#include "util/array.h"
#include "util/error.h"
#include "util/escape.h"
#include "util/text.h"

/* ---- Text ---------------------------------------------------------------------------------- */

int pb_set_read_name(struct pb_set *set, const char *text, struct pb_error *error)
{
	int err = pb_set_name_check(text, error);

	if (!err)
		snprintf(set->name, sizeof(set->name), "%s", text);
	return err;
}

int pb_set_read_timeout(struct pb_set *set, const char *text, struct pb_error *error)
{
	return pb_duration_parse(text, &set->timeout, error);
}

int pb_set_read_max(struct pb_set *set, const char *text, struct pb_error *error)
{
	unsigned long max = 0;

	if (pb_number_parse(text, strlen(text), PB_SET_LIMIT, &max) || !max)
		return pb_fail(error, EINVAL,
			       "%s is no number of elements: a set has room for 1 to %u of them",
			       PB_Q(text), PB_SET_LIMIT);
	set->max = max;
	return 0;
}

/* What may stand behind the name, each once, with a value. */
static const struct option {
	const char *word;
	int (*read)(struct pb_set *set, const char *text, struct pb_error *error);
} options[] = {
	{ "timeout", pb_set_read_timeout },
	{ "max", pb_set_read_max },
};
#define NR_OPTIONS (sizeof(options) / sizeof(options[0]))

/* Its place among the options; NR_OPTIONS: it is none. */
static size_t find_option(const char *word)
{
	size_t i = 0;

	while (i < NR_OPTIONS && strcmp(options[i].word, word))
		i++;
	return i;
}

static int read_options(char *const *words, size_t nr, struct pb_set *set, struct pb_error *error)
{
	bool seen[NR_OPTIONS] = { false };
	int err = 0;

	for (size_t at = 0; !err && at < nr; at += 2) {
		size_t i = find_option(words[at]);

		if (i == NR_OPTIONS)
			return pb_fail(
				error, EINVAL,
				"%s is not known behind the name of a set: there are timeout "
				"and max, as in set bans timeout 1d max 1000",
				PB_Q(words[at]));
		if (seen[i])
			return pb_fail(error, EINVAL, "\"%s\" is given twice", words[at]);
		if (at + 1 == nr)
			return pb_fail(error, EINVAL,
				       "\"%s\" lacks its value, as in set bans timeout 1d max 1000",
				       words[at]);
		seen[i] = true;
		err = options[i].read(set, words[at + 1], error);
	}
	return err;
}

int pb_set_read(char *const *words, size_t nr, struct pb_set *set, struct pb_error *error)
{
	struct pb_set made = { .max = PB_SET_DEFAULT };
	int err;

	if (!nr)
		return pb_fail(error, EINVAL,
			       "\"set\" lacks a name: write as in set bans timeout 1d");
	err = pb_set_read_name(&made, words[0], error);
	if (!err)
		err = read_options(words + 1, nr - 1, &made, error);
	if (!err)
		*set = made;
	return err;
}

void pb_set_print(FILE *out, const struct pb_set *set)
{
	fputs(set->name, out);
	if (set->timeout) {
		fputs(" timeout ", out);
		pb_duration_print(out, set->timeout);
	}
	if (set->max != PB_SET_DEFAULT)
		fprintf(out, " max %u", set->max);
}

/* ---- Those of rules, by name --------------------------------------------------------------- */

struct pb_set *const *pb_rules_sets(const struct pb_rules *rules, size_t *nr)
{
	*nr = rules->nr_sets;
	return rules->sets;
}

void pb_rules_forget_sets(struct pb_rules *rules)
{
	for (size_t i = 0; i < rules->nr_sets; i++)
		free(rules->sets[i]);
	free(rules->sets);
	rules->sets = NULL;
	rules->nr_sets = rules->room_sets = 0;
}

/* The place of the set with that name, or of the first behind it. */
static size_t place_of(const struct pb_rules *rules, const char *name)
{
	size_t place = 0;

	while (place < rules->nr_sets && strcmp(rules->sets[place]->name, name) < 0)
		place++;
	return place;
}

static int insert(struct pb_rules *rules, size_t place, const struct pb_set *set,
		  struct pb_error *error)
{
	struct pb_set **grown, *copy;

	if (rules->nr_sets == PB_SETS_MAX)
		return pb_fail(error, ENOSPC, "set %s is one too many: a ruleset has at most %d",
			       set->name, PB_SETS_MAX);
	grown = pb_grow(rules->sets, rules->nr_sets, &rules->room_sets, sizeof(struct pb_set *));
	if (!grown)
		return pb_fail_memory(error);
	rules->sets = grown;
	copy = calloc(1, sizeof(*copy));
	if (!copy)
		return pb_fail_memory(error);
	*copy = *set;
	memmove(&grown[place + 1], &grown[place], (rules->nr_sets - place) * sizeof(copy));
	grown[place] = copy;
	rules->nr_sets++;
	return 0;
}

/* The one of that name; NULL: there is none yet. */
static struct pb_set *find(const struct pb_rules *rules, size_t place, const char *name)
{
	if (place == rules->nr_sets || strcmp(rules->sets[place]->name, name))
		return NULL;
	return rules->sets[place];
}

int pb_rules_declare(struct pb_rules *rules, const struct pb_set *set, struct pb_error *error)
{
	size_t place = place_of(rules, set->name);
	const struct pb_set *there = find(rules, place, set->name);

	if (!there)
		return insert(rules, place, set, error);
	if (there->timeout != set->timeout || there->max != set->max)
		return pb_fail(error, EEXIST,
			       "set %s stands further up already, with another timeout or max: it "
			       "can have one of each",
			       set->name);
	return 0;
}

int pb_rules_declare_all(struct pb_rules *rules, const struct pb_rules *wanted,
			 struct pb_error *error)
{
	int err = 0;

	for (size_t i = 0; !err && i < wanted->nr_sets; i++) {
		const struct pb_set *set = wanted->sets[i];
		size_t place = place_of(rules, set->name);
		struct pb_set *there = find(rules, place, set->name);

		if (there)
			*there = *set;
		else
			err = insert(rules, place, set, error);
	}
	return err;
}
