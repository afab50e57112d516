// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The text form of a ruleset, from and to: a setting, a set, an include or a rule a line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rule/fields.h"
#include "rules/file.h"
#include "rules/sets.h"
#include "util/error.h"
#include "util/escape.h"
#include "util/files.h"
#include "util/text.h"

struct line {
	struct pb_reading *reading;
	const char *path;
	unsigned long number;
	char **words;
	size_t nr;
};

static void problem(const struct line *line, const struct pb_error *error)
{
	pb_problem_add(line->reading->problems, line->path, line->number, error->text);
}

static void read_rule(const struct line *line)
{
	struct pb_error error, note = { "" };
	const struct pb_input in = { line->reading->now, line->path, &note, &error };
	struct pb_rule rule = {};

	if (pb_rule_read(line->words, line->nr, &in, &rule)) {
		problem(line, &error);
		return;
	}
	if (*note.text)
		pb_problem_add(line->reading->notes, line->path, line->number, note.text);
	pb_reading_add(line->reading, line->path, line->number, &rule);
}

static void read_setting(const struct line *line)
{
	struct pb_error error;
	int ret;

	if (line->nr == 2)
		ret = pb_setting_set(&line->reading->rules->settings, line->words[0],
				     line->words[1], &error);
	else
		ret = pb_fail(&error, EINVAL, "%s takes one value", PB_Q(line->words[0]));
	if (ret)
		problem(line, &error);
}

static void read_set(const struct line *line)
{
	struct pb_error error, note = { "" };
	struct pb_set set;

	if (pb_set_read(line->words + 1, line->nr - 1, &set, &error) ||
	    pb_rules_declare_read(line->reading->rules, &set, line->path, &note, &error))
		problem(line, &error);
	else if (*note.text)
		pb_problem_add(line->reading->notes, line->path, line->number, note.text);
}

static void read_include(const struct line *line)
{
	struct pb_error error;
	char *path;

	if (line->nr != 2) {
		pb_fail(&error, EINVAL, "include takes one file name");
		problem(line, &error);
		return;
	}
	path = pb_file_beside(line->words[1], line->path);
	if (path)
		line->reading->include(line->reading, path, line->path, line->number);
	else
		pb_problem_add(line->reading->problems, line->path, line->number, "out of memory");
	free(path);
}

static bool is_setting(const char *word)
{
	const char *name;

	for (size_t i = 0; (name = pb_setting_name(i)); i++)
		if (!strcmp(name, word))
			return true;
	return false;
}

/* What some systems end a line with is an end for us, too, or the line is not what it looks like. */
static int end_at_return(char *text, struct pb_error *error)
{
	char *end = strchr(text, '\r');

	if (!end)
		return 0;
	if (end[1])
		return pb_fail(error, EINVAL,
			       "a carriage return within the line: lines end in LF or in CR LF");
	*end = '\0';
	return 0;
}

static void read_line(struct line *line, char *text)
{
	struct pb_error error;

	if (end_at_return(text, &error) || pb_words_split(text, &line->words, &line->nr, &error)) {
		problem(line, &error);
		return;
	}
	if (line->nr && is_setting(line->words[0]))
		read_setting(line);
	else if (line->nr && !strcmp(line->words[0], "include"))
		read_include(line);
	else if (line->nr && !strcmp(line->words[0], "set"))
		read_set(line);
	else if (line->nr)
		read_rule(line);
	pb_words_free(line->words, line->nr);
}

void pb_read_text(struct pb_reading *reading, const char *path, char *text)
{
	struct line line = { .reading = reading, .path = path };

	while (text && !pb_reading_is_over(reading)) {
		char *end = strchr(text, '\n');

		if (end)
			*end = '\0';
		line.number++;
		read_line(&line, text);
		text = end ? end + 1 : NULL;
	}
}

/* Before the rules, which name them. */
static void print_head(FILE *out, const struct pb_rules *rules)
{
	const char *name;

	for (size_t i = 0; (name = pb_setting_name(i)); i++)
		if (!i || !pb_setting_is_default(&rules->settings, name))
			fprintf(out, "%s %s\n", name, pb_setting_value(&rules->settings, name));
	for (size_t i = 0; i < rules->nr_sets; i++) {
		fputs("set ", out);
		pb_set_print(out, rules->sets[i]);
		putc('\n', out);
	}
}

int pb_rules_format(const struct pb_rules *rules, __u64 now, char **text)
{
	char *made = NULL, *rule;
	size_t len;
	FILE *out = open_memstream(&made, &len);
	int ret = out ? 0 : -ENOMEM;

	if (!ret)
		print_head(out, rules);
	for (size_t i = 0; !ret && i < rules->nr; i++) {
		if (rules->rule[i].expires && rules->rule[i].expires <= now)
			continue;
		ret = pb_rule_format(&rules->rule[i], now, &rule);
		if (!ret) {
			fprintf(out, "%s\n", rule);
			free(rule);
		}
	}
	if (out)
		made = pb_stream_take(out, &made);
	if (ret || !made) {
		free(made);
		return -ENOMEM;
	}
	*text = made;
	return 0;
}
