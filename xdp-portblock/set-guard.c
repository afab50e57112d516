// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lock-out guard of sets. Most elements are about other addresses than that of the SSH connection in use, and need no
 * more than to be compared with it; of the others the rules are asked as they would be asked with them.
 */
#include <errno.h>
#include <string.h>
#include "set.h"

int set_guard_begin(struct set_guard *guard, const struct arguments *arguments,
		    struct pb_ruleset *ruleset, struct pb_error *error)
{
	*guard = (struct set_guard){ .ruleset = ruleset };
	if (given(arguments, OPT_FORCE))
		return 0;
	return guard_sources(guard->sources, &guard->nr, GUARD_FORCE, error);
}

bool set_guard_concerns(const struct set_guard *guard, const struct pb_prefix *prefix)
{
	for (size_t i = 0; i < guard->nr; i++)
		if (pb_prefixes_hold(prefix, 1, &guard->sources[i]))
			return true;
	return false;
}

/* Does the set hold one of them as it is? A set that is not there does not, and others say so. */
static bool is_in(const struct set_guard *guard, const char *name)
{
	for (size_t i = 0; i < guard->nr; i++)
		if (pb_set_test(guard->ruleset, name, &guard->sources[i], NULL, NULL) > 0)
			return true;
	return false;
}

/* Else all rules say of the connection what they said before. */
static bool concerns(const struct set_guard *guard, const struct pb_set_prospect *set)
{
	for (size_t i = 0; i < set->nr; i++)
		if (set_guard_concerns(guard, &set->elements[i].prefix))
			return true;
	for (size_t i = 0; i < set->nr_gone; i++)
		if (set_guard_concerns(guard, &set->gone[i]))
			return true;
	return ((set->replaces || set->other) && is_in(guard, set->name)) ||
	       (set->other && is_in(guard, set->other));
}

static bool is_among(const char *name, char *const *names, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* Else it does not matter to them what is in the set. */
static bool name_it(const struct pb_rules *rules, const char *name)
{
	const struct pb_rule *rule;

	for (size_t i = 0; name && (rule = pb_rules_at(rules, i)); i++)
		if (is_among(name, rule->from_sets, rule->nr_from_sets) ||
		    is_among(name, rule->except_sets, rule->nr_except_sets))
			return true;
	return false;
}

static bool name_any(const struct pb_rules *rules, const struct pb_set_prospect *set,
		     const struct pb_saved *saved)
{
	const struct pb_saved_set *about;

	if (set && (name_it(rules, set->name) || name_it(rules, set->other)))
		return true;
	for (size_t i = 0; saved && (about = pb_saved_at(saved, i)); i++)
		if (name_it(rules, about->name))
			return true;
	return false;
}

/* By the rules in force, or by those that come back when nobody confirms. */
static int ask(const struct set_guard *guard, const struct pb_set_prospect *set,
	       int (*read)(struct pb_ruleset *ruleset, struct pb_rules **rules,
			   struct pb_error *error),
	       const struct pb_saved *saved, struct pb_error *error)
{
	struct pb_rules *rules = NULL;
	int ret = read(guard->ruleset, &rules, error);

	/* What cannot be brought back is for whoever does it to complain of. */
	if (!ret && name_any(rules, set, saved) &&
	    (!saved || !pb_rules_restore(rules, saved, NULL)))
		ret = guard_with_set(guard->ruleset, rules, set, GUARD_FORCE, error);
	pb_rules_free(rules);
	return ret;
}

static int ask_all(const struct set_guard *guard, const struct pb_set_prospect *set,
		   const struct pb_saved *saved, struct pb_error *error)
{
	int ret = ask(guard, set, pb_ruleset_read, saved, error);

	if (ret || !pb_ruleset_pending(guard->ruleset))
		return ret;
	ret = ask(guard, set, pb_ruleset_read_before, saved, error);
	return ret == -ENOENT ? 0 : ret; /* the time to confirm has run out meanwhile */
}

int set_guard_ask(const struct set_guard *guard, const struct pb_set_prospect *set,
		  struct pb_error *error)
{
	int err;

	if (!concerns(guard, set))
		return 0;
	/* Of a set that is not there, or a file's, that is to be said. */
	err = pb_set_del(guard->ruleset, set->name, NULL, 0, error);
	return err ?: ask_all(guard, set, NULL, error);
}

int set_guard_ask_saved(const struct set_guard *guard, const struct pb_saved *saved,
			struct pb_error *error)
{
	return guard->nr ? ask_all(guard, NULL, saved, error) : 0;
}
