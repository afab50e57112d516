// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fleet/error.h"
#include "fleet/file-rules.h"
#include "fleet/memory.h"

/* ---- No other files ------------------------------------------------------------------------ */

/* Does a list of sources name a file, as in 10.0.0.0/8,@./list? Names of sets have no slash. */
static bool names_file(const char *word)
{
	for (const char *at = word; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (*at == '@' && strchr(at, '/') && strchr(at, '/') < at + strcspn(at, ","))
			return true;
	}
	return false;
}

/* The word of a line that leads to another file; NULL: none does. */
static const char *file_of(char *const *words, size_t nr)
{
	if (nr && !strcmp(words[0], "include"))
		return words[nr > 1];
	for (size_t i = 1; i < nr; i++) {
		if (!strcmp(words[0], "set") && !strcmp(words[i], "file"))
			return words[i + 1 < nr ? i + 1 : i];
		if (strcmp(words[i - 1], "comment") && names_file(words[i]))
			return words[i];
	}
	return NULL;
}

static int check_line(const char *line, unsigned long number, struct pb_error *error)
{
	const char *file;
	char **words;
	size_t nr;
	int err;

	err = pb_words_split(line, &words, &nr, NULL);
	if (err)
		return err == -ENOMEM ? fleet_fail_memory(error) :
					0; /* whoever reads the rules says why */
	file = file_of(words, nr);
	if (file)
		err = fleet_fail(error, EINVAL,
				 "line %lu: '%s' is a file of the host: a revision is whole, and "
				 "names none",
				 number, file);
	pb_words_free(words, nr);
	return err;
}

/* Lines begin where they begin for who reads them: behind a byte order mark. */
int fleet_rules_alone(const char *text, struct pb_error *error)
{
	char *copy = strdup(text + (strncmp(text, "\xef\xbb\xbf", 3) ? 0 : 3)), *rest = copy, *line;
	unsigned long number = 0;
	int err = copy ? 0 : fleet_fail_memory(error);

	while (!err && (line = strsep(&rest, "\n")))
		err = check_line(line, ++number, error);
	free(copy);
	return err;
}

/* ---- Reading ------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), wanted = strlen(end);

	return len >= wanted && !strcmp(text + len - wanted, end);
}

/* The file has just been written here: what is wrong with it as a whole is this host's trouble, and so is lack of memory. */
static int say_trouble(const struct pb_problems *problems, size_t len, struct pb_error *error)
{
	const char *first = problems->list[0].text;

	for (size_t i = 0; i < problems->nr; i++)
		if (ends_with(problems->list[i].text, "out of memory"))
			return fleet_fail_memory(error);
	return first[len] == ':' && first[len + 1] == ' ' ?
		       fleet_fail(error, EIO, "%.800s", first + len + 2) :
		       0;
}

static int say_problems(const struct pb_problems *problems, const char *path,
			struct pb_error *error)
{
	size_t nr = problems->nr + problems->more, len = strlen(path);
	const char *first = problems->list[0].text;
	int err = strncmp(first, path, len) ? 0 : say_trouble(problems, len, error);

	if (err)
		return err;
	/* The file's name is of no use to who pushed it. */
	if (!strncmp(first, path, len) && first[len] == ':')
		return fleet_fail(error, EINVAL, "line %.800s%s", first + len + 1,
				  nr > 1 ? " (and more)" : "");
	return fleet_fail(error, EINVAL, "%.800s%s", first, nr > 1 ? " (and more)" : "");
}

int fleet_rules_read(const struct fleet_revision *revision, const char *folder, const char *local,
		     struct pb_rules **rules, struct pb_error *error)
{
	struct pb_problems *problems = calloc(1, sizeof(*problems));
	char path[FLEET_PATH_MAX];
	int err = problems ? fleet_rules_alone(revision->file, error) : fleet_fail_memory(error);

	if (!err)
		err = fleet_file_write(folder, local, FLEET_RULES_NEW, revision->file, false, path,
				       error);
	if (!err && pb_rules_read(path, pb_clock(), rules, problems, NULL))
		err = say_problems(problems, path, error);
	free(problems);
	return err;
}

/* ---- Comparing ----------------------------------------------------------------------------- */

static bool same_settings(const struct pb_rules *one, const struct pb_rules *other)
{
	const char *name;
	char value[64];

	for (size_t i = 0; (name = pb_setting_name(i)); i++) {
		snprintf(value, sizeof(value), "%s",
			 pb_setting_value(pb_rules_settings(one), name));
		if (strcmp(value, pb_setting_value(pb_rules_settings(other), name)))
			return false;
	}
	return true;
}

/* Has `other` all rules of `one`, but for those that end, if `ends`? */
static bool has_all(const struct pb_rules *one, const struct pb_rules *other, bool ends)
{
	const struct pb_rule *rule, *found;

	for (size_t i = 0; (rule = pb_rules_at(one, i)); i++) {
		found = pb_rules_find_same(other, rule);
		if (!found && ends && rule->expires)
			continue;
		if (!found || found->action != rule->action || !found->expires != !rule->expires ||
		    strcmp(found->comment, rule->comment))
			return false;
	}
	return true;
}

/* All that the one declares is in the other. */
static bool has_sets(const struct pb_rules *one, const struct pb_rules *other)
{
	size_t nr_one, nr_other, at;
	struct pb_set *const *declared = pb_rules_sets(one, &nr_one);
	struct pb_set *const *there = pb_rules_sets(other, &nr_other);

	for (size_t i = 0; i < nr_one; i++) {
		for (at = 0; at < nr_other; at++)
			if (!strcmp(there[at]->name, declared[i]->name))
				break;
		if (at == nr_other)
			return false;
	}
	return true;
}

bool fleet_rules_same(const struct pb_rules *wanted, const struct pb_rules *in_force)
{
	return same_settings(wanted, in_force) && has_all(wanted, in_force, true) &&
	       has_all(in_force, wanted, false) && has_sets(wanted, in_force);
}

bool fleet_rules_are_of(const struct pb_rules *in_force, const char *folder, const char *local,
			const char *end)
{
	struct pb_problems *problems = calloc(1, sizeof(*problems));
	char path[FLEET_PATH_MAX];
	struct pb_rules *rules;
	bool same = false;

	snprintf(path, sizeof(path), "%s/%s%s", folder, local, end);
	if (problems && !pb_rules_read(path, pb_clock(), &rules, problems, NULL)) {
		same = fleet_rules_same(rules, in_force);
		pb_rules_free(rules);
	}
	free(problems);
	return same;
}
