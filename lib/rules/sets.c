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

/* A path that is printed must be read as the same. */
int pb_set_read_file(struct pb_set *set, const char *text, struct pb_error *error)
{
	if (!*text || !strcmp(text, "-"))
		return pb_fail(
			error, EINVAL,
			"%s is no file: a set takes its elements from one that is read again "
			"at each apply, as in set hostile file ./hostile.txt",
			PB_Q(text));
	if (!pb_text_is_clean(text))
		return pb_fail(
			error, EINVAL,
			"the path %s holds control characters, or is no UTF-8: give the file "
			"another name",
			PB_Q(text));
	if (strlen(text) >= sizeof(set->file))
		return pb_fail(
			error, EINVAL,
			"the path %s is %zu bytes long: that of a set's file has at most %zu",
			PB_Q(text), strlen(text), sizeof(set->file) - 1);
	snprintf(set->file, sizeof(set->file), "%s", text);
	return 0;
}

int pb_set_complete(struct pb_set *set, struct pb_error *error)
{
	if (!*set->file) {
		set->max = set->max ?: PB_SET_DEFAULT;
		return 0;
	}
	if (set->timeout)
		return pb_fail(error, EINVAL,
			       "set %s has a file and a timeout: elements of a file do not expire; "
			       "leave one of both out",
			       set->name);
	if (set->max && set->max != PB_SET_LIMIT)
		return pb_fail(
			error, EINVAL,
			"set %s has a file and a max: it has room for as many elements as any "
			"set can, %u; leave the max out",
			set->name, PB_SET_LIMIT);
	set->max = PB_SET_LIMIT;
	return 0;
}

/* What may stand behind the name, each once, with a value. */
static const struct option {
	const char *word;
	int (*read)(struct pb_set *set, const char *text, struct pb_error *error);
	const char *example;
} options[] = {
	{ "timeout", pb_set_read_timeout, "bans timeout 1d max 1000" },
	{ "max", pb_set_read_max, "bans timeout 1d max 1000" },
	{ "file", pb_set_read_file, "hostile file ./hostile.txt" },
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
				"and max, as in set bans timeout 1d max 1000, and file, as in set "
				"hostile file ./hostile.txt",
				PB_Q(words[at]));
		if (seen[i])
			return pb_fail(error, EINVAL, "\"%s\" is given twice", words[at]);
		if (at + 1 == nr)
			return pb_fail(error, EINVAL, "\"%s\" lacks its value, as in set %s",
				       words[at], options[i].example);
		seen[i] = true;
		err = options[i].read(set, words[at + 1], error);
	}
	return err;
}

int pb_set_read(char *const *words, size_t nr, struct pb_set *set, struct pb_error *error)
{
	struct pb_set made = { .max = 0 };
	int err;

	if (!nr)
		return pb_fail(error, EINVAL,
			       "\"set\" lacks a name: write as in set bans timeout 1d");
	err = pb_set_read_name(&made, words[0], error);
	if (!err)
		err = read_options(words + 1, nr - 1, &made, error);
	if (!err)
		err = pb_set_complete(&made, error);
	if (!err)
		*set = made;
	return err;
}

/* As a word that pb_words_split() takes for one. */
static void print_path(FILE *out, const char *path)
{
	if (*path != '#' && !strpbrk(path, " \t\n\v\f\r\"")) {
		fputs(path, out);
		return;
	}
	putc('"', out);
	for (; *path; path++)
		fprintf(out, *path == '"' || *path == '\\' ? "\\%c" : "%c", *path);
	putc('"', out);
}

void pb_set_print(FILE *out, const struct pb_set *set)
{
	fputs(set->name, out);
	if (*set->file) {
		fputs(" file ", out);
		print_path(out, set->file);
		return;
	}
	if (set->timeout) {
		fputs(" timeout ", out);
		pb_duration_print(out, set->timeout);
	}
	if (set->max != PB_SET_DEFAULT)
		fprintf(out, " max %u", set->max);
}

int pb_set_format(const struct pb_set *set, char **text)
{
	char *made = NULL;
	size_t len;
	FILE *out = open_memstream(&made, &len);

	if (!out)
		return -ENOMEM;
	fputs("set ", out);
	pb_set_print(out, set);
	made = pb_stream_take(out, &made);
	if (!made)
		return -ENOMEM;
	*text = made;
	return 0;
}

/* ---- Those of rules, by name --------------------------------------------------------------- */

struct pb_set *const *pb_rules_sets(const struct pb_rules *rules, size_t *nr)
{
	*nr = rules->nr_sets;
	return rules->sets;
}

static void forget(struct pb_set *set)
{
	pb_set_list_let_go(pb_declared_of(set)->list);
	free(pb_declared_of(set));
}

void pb_rules_forget_sets(struct pb_rules *rules)
{
	for (size_t i = 0; i < rules->nr_sets; i++)
		forget(rules->sets[i]);
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

/* The one of that name; NULL: there is none yet. */
static struct pb_set *find(const struct pb_rules *rules, size_t place, const char *name)
{
	if (place == rules->nr_sets || strcmp(rules->sets[place]->name, name))
		return NULL;
	return rules->sets[place];
}

const struct pb_set *pb_rules_find_set(const struct pb_rules *rules, const char *name)
{
	return find(rules, place_of(rules, name), name);
}

const struct pb_element *pb_rules_elements(const struct pb_rules *rules, const char *name,
					   size_t *nr)
{
	const struct pb_set *set = pb_rules_find_set(rules, name);
	const struct pb_set_list *list = set ? pb_declared_of(set)->list : NULL;

	if (!list)
		return NULL;
	*nr = list->nr;
	return list->elements;
}

bool pb_rules_bring_elements(const struct pb_rules *rules)
{
	for (size_t i = 0; i < rules->nr_sets; i++)
		if (pb_declared_of(rules->sets[i])->list &&
		    pb_declared_of(rules->sets[i])->number < 0)
			return true;
	return false;
}

static int insert(struct pb_rules *rules, size_t place, const struct pb_declared *declared,
		  struct pb_error *error)
{
	struct pb_declared *copy;
	struct pb_set **grown;

	if (rules->nr_sets == PB_SETS_MAX)
		return pb_fail(error, ENOSPC, "set %s is one too many: a ruleset has at most %d",
			       declared->set.name, PB_SETS_MAX);
	grown = pb_grow(rules->sets, rules->nr_sets, &rules->room_sets, sizeof(struct pb_set *));
	if (!grown)
		return pb_fail_memory(error);
	rules->sets = grown;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return pb_fail_memory(error);
	*copy = *declared;
	pb_set_list_hold(copy->list);
	memmove(&grown[place + 1], &grown[place], (rules->nr_sets - place) * sizeof(*grown));
	grown[place] = &copy->set;
	rules->nr_sets++;
	return 0;
}

bool pb_set_same(const struct pb_set *a, const struct pb_set *b)
{
	return a->timeout == b->timeout && a->max == b->max && !strcmp(a->file, b->file);
}

int pb_rules_declare(struct pb_rules *rules, const struct pb_set *set, struct pb_set_list *list,
		     int number, struct pb_error *error)
{
	const struct pb_declared declared = { *set, list, number };
	size_t place = place_of(rules, set->name);
	const struct pb_set *there = find(rules, place, set->name);

	if (!there)
		return insert(rules, place, &declared, error);
	if (!pb_set_same(there, set))
		return pb_fail(
			error, EEXIST,
			"set %s stands further up already, with another timeout, max or file: "
			"it can have one of each",
			set->name);
	return 0;
}

static bool is_wanted(const struct pb_rules *wanted, const struct pb_set *set)
{
	return !*set->file || pb_rules_find_set(wanted, set->name);
}

static void drop_files(struct pb_rules *rules, const struct pb_rules *wanted)
{
	size_t kept = 0;

	for (size_t i = 0; i < rules->nr_sets; i++)
		if (is_wanted(wanted, rules->sets[i]))
			rules->sets[kept++] = rules->sets[i];
		else
			forget(rules->sets[i]);
	rules->nr_sets = kept;
}

static void replace(struct pb_declared *there, const struct pb_declared *wanted)
{
	struct pb_set_list *before = there->list;

	*there = *wanted;
	pb_set_list_hold(there->list);
	pb_set_list_let_go(before);
}

int pb_rules_declare_all(struct pb_rules *rules, const struct pb_rules *wanted,
			 struct pb_error *error)
{
	int err = 0;

	drop_files(rules, wanted);
	for (size_t i = 0; !err && i < wanted->nr_sets; i++) {
		const struct pb_declared *set = pb_declared_of(wanted->sets[i]);
		size_t place = place_of(rules, set->set.name);
		struct pb_set *there = find(rules, place, set->set.name);

		if (there)
			replace(pb_declared_of(there), set);
		else
			err = insert(rules, place, set, error);
	}
	return err;
}
