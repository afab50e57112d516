/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The readers of text, for the unit tests and the fuzzers: what is taken prints, and reads back as
 * the same; what is refused leaves outputs alone, and says why in one harmless line.
 */
#ifndef READERS_H
#define READERS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <json-c/json.h>
#include "rule/fields.h"
#include "rules/rules.h"
#include "util/error.h"
#include "util/escape.h"

#define READ_AT 1000000000000ULL /* the time at which all is read */

static inline const char *error_broken(const struct pb_error *error)
{
	if (!*error->text)
		return "an error without a text";
	return pb_text_is_clean(error->text) ? NULL : "an error that acts on a terminal";
}

/* ---- One rule ------------------------------------------------------------------------------ */

static inline bool equal_rules(const struct pb_rule *a, const struct pb_rule *b)
{
	return pb_rule_same(a, b) && a->action == b->action && a->expires == b->expires &&
	       !strcmp(a->comment, b->comment);
}

/* -EINVAL or 0; what is wrong with a refusal goes to `wrong`. */
static inline int read_rule(const char *line, struct pb_rule *rule, const char **wrong)
{
	const struct pb_rule mark = { .id = 4711, .comment = "mark" };
	struct pb_error error = { "" }, note = { "" };
	struct pb_rule read = mark;
	char **words = NULL;
	size_t nr = 0;
	int ret = pb_words_split(line, &words, &nr, &error);

	if (!ret)
		ret = pb_rule_parse(words, nr, READ_AT, &read, &note, &error);
	pb_words_free(words, nr);
	if (ret && memcmp(&read, &mark, sizeof(mark)))
		*wrong = "a refused rule has changed its output";
	else if (ret)
		*wrong = error_broken(&error);
	else if (*note.text && !pb_text_is_clean(note.text))
		*wrong = "a note that acts on a terminal";
	if (!ret)
		*rule = read;
	return ret;
}

static inline const char *text_broken(const struct pb_rule *rule)
{
	const char *wrong = NULL;
	struct pb_rule again = { 0 };
	char *text, *twice = NULL;

	if (pb_rule_format(rule, READ_AT, &text))
		return "a rule that cannot be printed";
	if (!pb_text_is_clean(text))
		wrong = "a rule whose text acts on a terminal";
	else if (read_rule(text, &again, &wrong))
		wrong = "a rule whose text is refused";
	else if (!equal_rules(rule, &again))
		wrong = "a rule whose text is another rule";
	else if (pb_rule_format(&again, READ_AT, &twice) || strcmp(text, twice))
		wrong = "a rule whose text is not the same again";
	pb_rule_clear(&again);
	free(twice);
	free(text);
	return wrong;
}

static inline const char *json_broken(const struct pb_rule *rule)
{
	struct json_object *json = pb_rule_to_json(rule, READ_AT);
	struct pb_rule again = { 0 };
	struct pb_error error;
	const char *wrong = NULL;

	if (!json)
		return "a rule without JSON";
	if (pb_rule_from_json(json, READ_AT, &again, &error))
		wrong = "a rule whose JSON is refused";
	else if (!equal_rules(rule, &again))
		wrong = "a rule whose JSON is another rule";
	pb_rule_clear(&again);
	json_object_put(json);
	return wrong;
}

static inline const char *check_line(const char *line, bool *taken)
{
	const char *wrong = NULL;
	struct pb_rule rule;

	*taken = !read_rule(line, &rule, &wrong);
	if (!*taken)
		return wrong;
	if (!wrong)
		wrong = text_broken(&rule);
	if (!wrong)
		wrong = json_broken(&rule);
	pb_rule_clear(&rule);
	return wrong;
}

/* ---- Files --------------------------------------------------------------------------------- */

static inline const char *problems_broken(const struct pb_problems *problems)
{
	const char *wrong = NULL;

	for (size_t i = 0; !wrong && i < problems->nr; i++)
		wrong = error_broken(&problems->list[i]);
	return wrong;
}

/* Reads bytes as a file of that name, in the current folder. */
static inline int read_bytes(const char *name, const void *data, size_t size,
			     struct pb_rules **rules, struct pb_problems *problems,
			     struct pb_problems *notes)
{
	FILE *file = fopen(name, "w");

	if (!file || fwrite(data, 1, size, file) != size || fclose(file))
		abort();
	return pb_rules_read(name, READ_AT, rules, problems, notes);
}

static inline bool equal_sets(const struct pb_rules *a, const struct pb_rules *b)
{
	if (a->nr != b->nr || pb_settings_flags(&a->settings) != pb_settings_flags(&b->settings) ||
	    a->settings.answers != b->settings.answers)
		return false;
	for (size_t i = 0; i < a->nr; i++)
		if (!equal_rules(&a->rule[i], &b->rule[i]))
			return false;
	return true;
}

static inline const char *form_broken(const struct pb_rules *rules, const char *name,
				      const char *text)
{
	static struct pb_problems problems;
	struct pb_rules *again;
	const char *wrong = NULL;

	if (read_bytes(name, text, strlen(text), &again, &problems, NULL))
		return "a ruleset whose print is refused";
	if (!equal_sets(rules, again))
		wrong = "a ruleset whose print is another one";
	pb_rules_free(again);
	return wrong;
}

/* In both forms */
static inline const char *set_broken(const struct pb_rules *rules)
{
	struct json_object *json = pb_rules_to_json(rules, NULL, READ_AT);
	const char *wrong = NULL;
	char *text = NULL;

	if (!json || pb_rules_format(rules, READ_AT, &text))
		wrong = "a ruleset that cannot be printed";
	if (!wrong)
		wrong = form_broken(rules, "again.rules", text);
	if (!wrong)
		wrong = form_broken(rules, "again.json", json_object_to_json_string(json));
	json_object_put(json);
	free(text);
	return wrong;
}

static inline const char *check_set(const char *name, const void *data, size_t size, bool *taken)
{
	static struct pb_problems problems, notes;
	struct pb_rules *const mark = (struct pb_rules *)&problems;
	struct pb_rules *rules = mark;
	const char *wrong;

	*taken = !read_bytes(name, data, size, &rules, &problems, &notes);
	if (!*taken) {
		if (rules != mark)
			return "a refused file has changed its output";
		return problems.nr ? problems_broken(&problems) : "a refusal without a reason";
	}
	wrong = problems_broken(&notes);
	if (!wrong)
		wrong = set_broken(rules);
	pb_rules_free(rules);
	return wrong;
}

/* Words that would read what is not of the test, or what an input before has left */
static inline bool leads_outside(const void *data, size_t size)
{
	static const char *const words[] = { "/dev", "/proc", "/sys", "..", "x.", "again." };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (memmem(data, size, words[i], strlen(words[i])))
			return true;
	return false;
}

/* Fills the current folder with what a file may include and read prefixes from. */
static inline void fill_folder(void)
{
	static const struct {
		const char *name, *text;
	} files[] = {
		{ "a", "allow 1/tcp\nfragments drop\n" },
		{ "b", "include a\n2/udp comment \"b\"\n" },
		{ "c", "include c\n" },
		{ "d", "x\n" },
		{ "j.json", "{\"rules\":[{\"ports\":[\"3\"]}]}" },
		{ "p", "10.0.0.1 10.0.0.0/8 # all\nfd00::/8,\n" },
		{ "l", "; a list\n10.0.0.0/8 # one\nfd00::1\n" },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		FILE *file = fopen(files[i].name, "w");

		if (!file || fputs(files[i].text, file) == EOF || fclose(file))
			abort();
	}
}

/* ---- All three: what is wrong, or NULL; `taken`: the input is not refused -------------------- */

static inline const char *check_rule_text(const void *data, size_t size, bool *taken)
{
	char *line = strndup(data, size);
	const char *wrong;

	if (!line)
		abort();
	wrong = check_line(line, taken);
	free(line);
	return wrong;
}

static inline const char *check_file(const void *data, size_t size, bool *taken)
{
	return check_set("x.rules", data, size, taken);
}

static inline const char *check_json(const void *data, size_t size, bool *taken)
{
	return check_set("x.json", data, size, taken);
}

#endif
