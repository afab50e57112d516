// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock set create|add|del|flush|load|restore|destroy|swap */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "set.h"

/* What to do with a set of an open ruleset. */
typedef int set_function(struct pb_ruleset *ruleset, const char *name, void *context,
			 struct pb_error *error);

static int change_set(const struct arguments *arguments, set_function *function, void *context)
{
	struct pb_ruleset *ruleset;
	struct pb_error error;
	int err;

	if (pb_ruleset_open(ruleset_name(arguments), &ruleset, &error))
		return fail(&error);
	err = function(ruleset, arguments->words[0], context, &error);
	pb_ruleset_close(ruleset);
	return err ? fail(&error) : DONE;
}

/* Would it cut the SSH connection in use? Else, or with --force, 0. */
static int guard_set(const struct arguments *arguments, struct pb_ruleset *ruleset,
		     const struct pb_set_prospect *set, struct pb_error *error)
{
	struct set_guard guard;
	int err = set_guard_begin(&guard, arguments, ruleset, error);

	return err ?: set_guard_ask(&guard, set, error);
}

static const char *plural(size_t nr)
{
	return nr == 1 ? " is" : "s are";
}

/* ---- create --------------------------------------------------------------------------------- */

struct creation {
	__u64 timeout;
	__u32 max;
};

static int create(struct pb_ruleset *ruleset, const char *name, void *context,
		  struct pb_error *error)
{
	const struct creation *creation = context;

	return pb_set_create(ruleset, name, creation->timeout, creation->max, error);
}

/* It is there: to say so must not fail. */
int cmd_set_create(const struct arguments *arguments)
{
	struct creation creation = { .max = PB_SET_DEFAULT };
	char *timeout = NULL;
	int ret = set_words(arguments, 0, false, NULL);

	if (ret == DONE)
		ret = set_timeout(arguments, &creation.timeout);
	if (ret == DONE)
		ret = option_number(arguments, OPT_MAX_ELEMENTS, 1, PB_SET_LIMIT, &creation.max);
	if (ret == DONE && creation.timeout && !(timeout = pb_duration_text(creation.timeout)))
		ret = out_of_memory();
	if (ret == DONE)
		ret = change_set(arguments, create, &creation);
	if (ret == DONE)
		printf("Set %s: at most %u elements, %s%s.\n", arguments->words[0], creation.max,
		       timeout ? "each for " : "which do not expire", timeout ?: "");
	free(timeout);
	return ret;
}

/* ---- add, del ------------------------------------------------------------------------------- */

struct elements {
	const struct arguments *arguments;
	struct pb_element *list;
	size_t nr;
	bool own_timeout; /* that of the set */
	__u64 timeout;
};

static int set_times(struct pb_ruleset *ruleset, const char *name, struct elements *elements,
		     struct pb_error *error)
{
	int err = 0;

	if (elements->own_timeout)
		err = pb_set_timeout(ruleset, name, &elements->timeout, error);
	for (size_t i = 0; i < elements->nr; i++)
		elements->list[i].expires = set_expiry(elements->timeout);
	return err;
}

static int add(struct pb_ruleset *ruleset, const char *name, void *context, struct pb_error *error)
{
	struct elements *elements = context;
	const struct pb_set_prospect set = { .name = name,
					     .elements = elements->list,
					     .nr = elements->nr };
	int err = set_times(ruleset, name, elements, error);

	err = err ?: guard_set(elements->arguments, ruleset, &set, error);
	return err ?: pb_set_add(ruleset, name, elements->list, elements->nr, error);
}

static int del(struct pb_ruleset *ruleset, const char *name, void *context, struct pb_error *error)
{
	const struct elements *elements = context;
	struct pb_prefix *prefixes = set_prefixes(elements->list, elements->nr);
	const struct pb_set_prospect set = { .name = name,
					     .gone = prefixes,
					     .nr_gone = elements->nr };
	int err;

	if (!prefixes)
		return lack_memory(error);
	err = guard_set(elements->arguments, ruleset, &set, error);
	err = err ?: pb_set_del(ruleset, name, prefixes, elements->nr, error);
	free(prefixes);
	return err;
}

static int run_stream(const struct arguments *arguments, struct set_stream *stream,
		      bool own_timeout)
{
	struct pb_error error;
	__u64 timeout;
	int err, ret;

	if (pb_ruleset_open(ruleset_name(arguments), &stream->ruleset, &error))
		return fail(&error);
	/* A set that is not there, or a file's, is a fault before the first line comes, too. */
	err = pb_set_del(stream->ruleset, stream->name, NULL, 0, &error);
	if (!err)
		err = pb_set_timeout(stream->ruleset, stream->name, &timeout, &error);
	if (!err && own_timeout)
		stream->timeout = timeout;
	if (!err)
		err = set_guard_begin(&stream->guard, arguments, stream->ruleset, &error);
	ret = err ? fail(&error) : set_stream(stream);
	pb_ruleset_close(stream->ruleset);
	return ret;
}

static void print_changed(const struct arguments *arguments, bool added, size_t nr)
{
	printf("%zu element%s %s %s now.\n", nr, plural(nr), added ? "in" : "not in",
	       arguments->words[0]);
}

static int change_stream(const struct arguments *arguments, bool adds, __u64 timeout)
{
	struct set_stream stream = {
		.name = arguments->words[0],
		.add = adds,
		.timeout = timeout,
	};
	int ret = run_stream(arguments, &stream, adds && !given(arguments, OPT_TIMEOUT));

	if (ret == DONE || stream.applied)
		print_changed(arguments, adds, stream.applied);
	return ret;
}

static int change_elements(const struct arguments *arguments, bool adds, const char *what)
{
	struct elements elements = { .arguments = arguments,
				     .own_timeout = !given(arguments, OPT_TIMEOUT) };
	int ret = set_words(arguments, 1, true, what);

	if (ret == DONE)
		ret = set_timeout(arguments, &elements.timeout);
	if (ret == DONE && arguments->nr_words == 2 && !strcmp(arguments->words[1], "-"))
		return change_stream(arguments, adds, elements.timeout);
	if (ret == DONE)
		ret = set_elements(arguments, &elements.list, &elements.nr);
	if (ret == DONE)
		ret = change_set(arguments, adds ? add : del, &elements);
	if (ret == DONE)
		print_changed(arguments, adds, elements.nr);
	free(elements.list);
	return ret;
}

int cmd_set_add(const struct arguments *arguments)
{
	return change_elements(arguments, true,
			       "add what? Say 192.0.2.7, 10.0.0.0/8,2001:db8::/32, @./FILE, or - "
			       "for standard input");
}

int cmd_set_del(const struct arguments *arguments)
{
	return change_elements(
		arguments, false,
		"delete what? Say 192.0.2.7, 10.0.0.0/8,2001:db8::/32, @./FILE, or - "
		"for standard input; `set flush` deletes all");
}

/* ---- load, flush: all elements in one step -------------------------------------------------- */

static int replace(struct pb_ruleset *ruleset, const char *name, void *context,
		   struct pb_error *error)
{
	struct elements *elements = context;
	const struct pb_set_prospect set = {
		.name = name, .elements = elements->list, .nr = elements->nr, .replaces = true
	};
	int err = set_times(ruleset, name, elements, error);

	err = err ?: guard_set(elements->arguments, ruleset, &set, error);
	return err ?: pb_set_replace(ruleset, name, elements->list, elements->nr, error);
}

/* A list that is empty is most often one that did not come. */
static int refuse_empty(const struct arguments *arguments)
{
	const char *path = arguments->words[1];

	note("%s holds no addresses, and %s is as it was: `set flush` empties a set",
	     strcmp(path, "-") ? path : "standard input", arguments->words[0]);
	return FAILED;
}

int cmd_set_load(const struct arguments *arguments)
{
	struct pb_error error, masked = { "" };
	struct elements elements = { .arguments = arguments, .own_timeout = true };
	int ret = set_words(arguments, 1, false, "from which file? - is standard input");

	if (ret != DONE)
		return ret;
	if (pb_elements_read(arguments->words[1], &elements.list, &elements.nr, &masked, &error))
		return fail(&error);
	if (*masked.text)
		note("%s", masked.text);
	if (elements.nr)
		ret = change_set(arguments, replace, &elements);
	else
		ret = refuse_empty(arguments);
	if (ret == DONE)
		printf("%zu element%s in %s now, and no others.\n", elements.nr,
		       plural(elements.nr), arguments->words[0]);
	free(elements.list);
	return ret;
}

int cmd_set_flush(const struct arguments *arguments)
{
	struct elements none = { .arguments = arguments };
	int ret = set_words(arguments, 0, false, NULL);

	if (ret == DONE)
		ret = change_set(arguments, replace, &none);
	if (ret == DONE)
		printf("Set %s is empty.\n", arguments->words[0]);
	return ret;
}

/* ---- restore: elements of all sets ---------------------------------------------------------- */

static int restore(const struct arguments *arguments, const struct pb_saved *saved,
		   struct pb_error *error)
{
	struct pb_ruleset *ruleset = NULL;
	struct set_guard guard;
	int err = pb_ruleset_open(ruleset_name(arguments), &ruleset, error);

	err = err ?: set_guard_begin(&guard, arguments, ruleset, error);
	err = err ?: set_guard_ask_saved(&guard, saved, error);
	err = err ?: pb_sets_restore(ruleset, saved, error);
	pb_ruleset_close(ruleset);
	return err;
}

int cmd_set_restore(const struct arguments *arguments)
{
	struct pb_saved *saved;
	struct pb_error error;
	int ret;

	if (arguments->nr_words != 1)
		return wrong(arguments, "from which file? - is standard input");
	ret = read_saved(arguments->words[0], &saved);
	if (ret != DONE)
		return ret;
	if (restore(arguments, saved, &error))
		ret = fail(&error);
	else
		print_restored(saved);
	pb_saved_free(saved);
	return ret;
}

/* ---- destroy, swap -------------------------------------------------------------------------- */

static int destroy(struct pb_ruleset *ruleset, const char *name, void *context,
		   struct pb_error *error)
{
	(void)context;
	return pb_set_destroy(ruleset, name, error);
}

int cmd_set_destroy(const struct arguments *arguments)
{
	int ret = set_words(arguments, 0, false, NULL);

	if (ret == DONE)
		ret = change_set(arguments, destroy, NULL);
	if (ret == DONE)
		printf("Set %s destroyed.\n", arguments->words[0]);
	return ret;
}

static int swap(struct pb_ruleset *ruleset, const char *name, void *context, struct pb_error *error)
{
	const struct arguments *arguments = context;
	const struct pb_set_prospect set = { .name = name, .other = arguments->words[1] };
	int err = guard_set(arguments, ruleset, &set, error);

	return err ?: pb_set_swap(ruleset, name, set.other, error);
}

int cmd_set_swap(const struct arguments *arguments)
{
	struct pb_error error;
	int ret = set_words(arguments, 1, false, "exchange it with which other set?"), err;

	if (ret != DONE)
		return ret;
	err = pb_set_name_check(arguments->words[1], &error);
	if (err)
		return refused(arguments, err, OPT_MAX, &error);
	ret = change_set(arguments, swap, (void *)arguments);
	if (ret == DONE)
		printf("Sets %s and %s exchanged.\n", arguments->words[0], arguments->words[1]);
	return ret;
}
