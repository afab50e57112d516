// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock diff: how a file differs from the loaded ruleset. Exit 0 same, 1 differs, 2 error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tool.h"

struct difference {
	const char *from, *to; /* the names of both sides */
	bool any;
};

static void print_line(struct difference *difference, char sign, const char *text)
{
	if (!difference->any)
		print("--- %s\n+++ %s\n", difference->from, difference->to);
	difference->any = true;
	print("%c%s\n", sign, text);
}

static void print_rule(struct difference *difference, char sign, const struct pb_rule *rule)
{
	char *text;

	if (pb_rule_format(rule, pb_clock(), &text))
		text = NULL;
	print_line(difference, sign, kept(text));
	free(text);
}

static void compare_settings(struct difference *difference, const struct pb_settings *loaded,
			     const struct pb_settings *wanted)
{
	const char *name, *before, *after;
	char line[64];

	for (size_t i = 0; (name = pb_setting_name(i)); i++) {
		before = pb_setting_value(loaded, name);
		after = pb_setting_value(wanted, name);
		if (!strcmp(before, after))
			continue;
		snprintf(line, sizeof(line), "%s %s", name, before);
		print_line(difference, '-', line);
		snprintf(line, sizeof(line), "%s %s", name, after);
		print_line(difference, '+', line);
	}
}

/* ---- Sets ----------------------------------------------------------------------------------- */

/* With how many of its elements go, or come, where that is the difference. */
static void print_set(struct difference *difference, char sign, const struct pb_set *set, size_t nr)
{
	char *text, *line = NULL;

	if (pb_set_format(set, &text))
		text = NULL;
	if (nr && asprintf(&line, "%s # elements %s: %zu", kept(text),
			   sign == '-' ? "less" : "more", nr) < 0)
		line = NULL;
	print_line(difference, sign, nr ? kept(line) : kept(text));
	free(line);
	free(text);
}

static const struct pb_set *find_set(const struct pb_rules *rules, const char *name)
{
	size_t nr;
	struct pb_set *const *sets = pb_rules_sets(rules, &nr);

	for (size_t i = 0; i < nr; i++)
		if (!strcmp(sets[i]->name, name))
			return sets[i];
	return NULL;
}

static bool same_set(const struct pb_set *a, const struct pb_set *b)
{
	return a->timeout == b->timeout && a->max == b->max && !strcmp(a->file, b->file);
}

/* A file whose elements are in force, and may have changed since. */
static int compare_elements(struct difference *difference, struct pb_ruleset *ruleset,
			    const struct pb_set *set, const struct pb_rules *wanted,
			    struct pb_error *error)
{
	size_t nr = 0, come, go;
	const struct pb_element *elements = pb_rules_elements(wanted, set->name, &nr);
	int err = pb_set_compare(ruleset, set->name, elements, nr, &come, &go, error);

	if (err || !(come || go))
		return err;
	print_set(difference, '-', set, go);
	print_set(difference, '+', set, come);
	return 0;
}

static int compare_set(struct difference *difference, struct pb_ruleset *ruleset,
		       const struct pb_set *there, const struct pb_set *set,
		       const struct pb_rules *wanted, struct pb_error *error)
{
	if (there && same_set(there, set))
		return *set->file ? compare_elements(difference, ruleset, set, wanted, error) : 0;
	if (there)
		print_set(difference, '-', there, 0);
	print_set(difference, '+', set, 0);
	return 0;
}

/* Sets that the file does not declare stay as they are, if they are not a file's. */
static int compare_sets(struct difference *difference, struct pb_ruleset *ruleset,
			const struct pb_rules *loaded, const struct pb_rules *wanted,
			struct pb_error *error)
{
	struct pb_set *const *sets;
	size_t nr;
	int err = 0;

	sets = pb_rules_sets(loaded, &nr);
	for (size_t i = 0; i < nr; i++)
		if (*sets[i]->file && !find_set(wanted, sets[i]->name))
			print_set(difference, '-', sets[i], 0);
	sets = pb_rules_sets(wanted, &nr);
	for (size_t i = 0; !err && i < nr; i++)
		err = compare_set(difference, ruleset, find_set(loaded, sets[i]->name), sets[i],
				  wanted, error);
	return err;
}

/* ---- Rules, and all --------------------------------------------------------------------------- */

/* How much of its time is left to a rule is no difference: it runs. */
static bool differ(const struct pb_rule *a, const struct pb_rule *b)
{
	return a->action != b->action || strcmp(a->comment, b->comment) ||
	       !a->expires != !b->expires;
}

static void compare_rules(struct difference *difference, const struct pb_rules *loaded,
			  const struct pb_rules *wanted)
{
	const struct pb_rule *rule, *same;

	for (size_t i = 0; (rule = pb_rules_at(loaded, i)); i++) {
		same = pb_rules_find_same(wanted, rule);
		if (same && !differ(same, rule))
			continue;
		print_rule(difference, '-', rule);
		if (same)
			print_rule(difference, '+', same);
	}
	for (size_t i = 0; (rule = pb_rules_at(wanted, i)); i++)
		if (!pb_rules_find_same(loaded, rule))
			print_rule(difference, '+', rule);
}

static int compare(struct difference *difference, struct pb_ruleset *ruleset,
		   const struct pb_rules *wanted, struct pb_error *error)
{
	struct pb_rules *loaded;
	int err = pb_ruleset_read(ruleset, &loaded, error);

	if (err)
		return err;
	pb_rules_expire(loaded, pb_clock());
	compare_settings(difference, pb_rules_settings(loaded), pb_rules_settings(wanted));
	err = compare_sets(difference, ruleset, loaded, wanted, error);
	if (!err)
		compare_rules(difference, loaded, wanted);
	pb_rules_free(loaded);
	return err;
}

int diff_rules(const char *name, const char *to, const struct pb_rules *wanted)
{
	struct difference difference = { .from = name, .to = to };
	struct pb_ruleset *ruleset;
	struct pb_error error;
	int err = pb_ruleset_open(name, &ruleset, &error);

	if (!err) {
		err = compare(&difference, ruleset, wanted, &error);
		pb_ruleset_close(ruleset);
	}
	if (err) {
		fail(&error);
		return WRONG_USAGE;
	}
	if (finish_output() != DONE)
		return WRONG_USAGE;
	return difference.any;
}

int cmd_diff(const struct arguments *arguments)
{
	struct pb_rules *wanted = NULL;
	int ret;

	if (arguments->nr_words != 1)
		return wrong(arguments, "compare with which file?");
	if (read_file(arguments->words[0], &wanted) != DONE)
		return WRONG_USAGE; /* 1 means that they differ */
	ret = diff_rules(ruleset_name(arguments), arguments->words[0], wanted);
	pb_rules_free(wanted);
	return ret;
}
