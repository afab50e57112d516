// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Rulesets in files: opening them, what each reader does with a rule, and the way back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <json-c/json.h>
#include "rule/fields.h"
#include "rule/json.h"
#include "rules/file.h"
#include "util/error.h"
#include "util/files.h"
#include "util/text.h"

#define INCLUDES_MAX 16

void pb_problem_add(struct pb_problems *problems, const char *path, unsigned long line,
		    const char *text)
{
	struct pb_error *problem;

	if (!problems)
		return;
	if (problems->nr == PB_PROBLEMS_MAX) {
		problems->more++;
		return;
	}
	problem = &problems->list[problems->nr++];
	if (line)
		pb_fail(problem, EINVAL, "%.400s:%lu: %s", path, line, text);
	else
		pb_fail(problem, EINVAL, "%.400s: %s", path, text);
}

void pb_reading_add(struct pb_reading *reading, const char *path, unsigned long line,
		    struct pb_rule *rule)
{
	enum pb_added what = PB_ADDED;
	struct pb_error error;

	if (pb_set_add(reading->set, rule, NULL, &what, &error))
		pb_problem_add(reading->problems, path, line, error.text);
	else if (what == PB_CHANGED)
		pb_problem_add(reading->notes, path, line,
			       "this rule stands further up already, with another action, comment "
			       "or expiry: the one here holds");
	pb_rule_clear(rule);
}

/* The files being read, each included by the one behind it: to refuse circles. */
struct chain {
	dev_t device;
	ino_t inode;
};
static __thread struct chain chain[INCLUDES_MAX];
static __thread size_t chain_length;

static bool enter(const struct stat *about)
{
	if (chain_length == INCLUDES_MAX)
		return false;
	for (size_t i = 0; i < chain_length; i++)
		if (S_ISREG(about->st_mode) && chain[i].device == about->st_dev &&
		    chain[i].inode == about->st_ino)
			return false;
	chain[chain_length++] = (struct chain){ about->st_dev, about->st_ino };
	return true;
}

static bool is_json(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && !strcmp(dot, ".json");
}

static void read_open(struct pb_reading *reading, int fd, const char *path)
{
	struct pb_error error;
	unsigned long line;
	char *text;

	if (pb_file_read(fd, path, &text, &line, &error)) {
		pb_problem_add(reading->problems, path, line, error.text);
		return;
	}
	(is_json(path) ? pb_read_json : pb_read_text)(reading, path, text);
	free(text);
}

/* A file that is included is one; what the user himself names may be a pipe or a terminal. */
static int open_path(const char *path, bool included, int *fd, struct stat *about,
		     struct pb_error *error)
{
	if (included || strcmp(path, "-"))
		return pb_file_open(path, !included, fd, about, error);
	*fd = STDIN_FILENO;
	if (fstat(*fd, about))
		return pb_fail(error, errno, "no standard input: %s", strerror(errno));
	return 0;
}

void pb_read_path(struct pb_reading *reading, const char *path, const char *from,
		  unsigned long line)
{
	struct pb_error error;
	struct stat about;
	int fd;

	if (open_path(path, from, &fd, &about, &error)) {
		pb_problem_add(reading->problems, from ?: path, line, error.text);
		return;
	}
	if (enter(&about)) {
		read_open(reading, fd, fd == STDIN_FILENO ? "standard input" : path);
		chain_length--;
	} else {
		pb_fail(&error, ELOOP,
			"include %s leads back to a file that is being read, or "
			"includes are deeper than %d",
			PB_Q(path), INCLUDES_MAX);
		pb_problem_add(reading->problems, from ?: path, line, error.text);
	}
	if (fd != STDIN_FILENO)
		close(fd);
}

bool pb_reading_is_over(const struct pb_reading *reading)
{
	return reading->problems->nr + reading->problems->more >= PB_PROBLEMS_END;
}

int pb_set_read(const char *path, __u64 now, struct pb_set *set, struct pb_problems *problems,
		struct pb_problems *notes)
{
	struct pb_set read = {};
	struct pb_reading reading = { &read, now, problems, notes };

	memset(problems, 0, sizeof(*problems));
	if (notes)
		memset(notes, 0, sizeof(*notes));
	pb_files_begin();
	pb_read_path(&reading, path, NULL, 0);
	pb_files_end();
	if (problems->nr) {
		pb_set_clear(&read);
		return -EINVAL;
	}
	*set = read;
	return 0;
}

int pb_set_format(const struct pb_set *set, __u64 now, char **text)
{
	char *made = NULL, *rule;
	const char *name;
	size_t len;
	FILE *out = open_memstream(&made, &len);
	int ret = out ? 0 : -ENOMEM;

	for (size_t i = 0; !ret && (name = pb_setting_name(i)); i++)
		if (!i || !pb_setting_is_default(&set->settings, name))
			fprintf(out, "%s %s\n", name, pb_setting_value(&set->settings, name));
	for (size_t i = 0; !ret && i < set->nr_rules; i++) {
		if (set->rules[i].expires && set->rules[i].expires <= now)
			continue;
		ret = pb_rule_format(&set->rules[i], now, &rule);
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

static int add_string(struct json_object *json, const char *key, const char *text)
{
	struct json_object *string = json_object_new_string(text);

	return string ? pb_json_add(json, key, string) : -ENOMEM;
}

static int add_settings(struct json_object *json, const struct pb_settings *settings)
{
	const char *name;
	int err = 0;

	for (size_t i = 0; !err && (name = pb_setting_name(i)); i++)
		err = add_string(json, name, pb_setting_value(settings, name));
	return err;
}

static int add_rules(struct json_object *json, const struct pb_set *set, __u64 now)
{
	struct json_object *rules = json_object_new_array();
	int err = rules ? pb_json_add(json, "rules", rules) : -ENOMEM;

	for (size_t i = 0; !err && i < set->nr_rules; i++)
		if (!set->rules[i].expires || set->rules[i].expires > now)
			err = pb_json_append(rules, pb_rule_to_json(&set->rules[i], now));
	return err;
}

struct json_object *pb_set_to_json(const struct pb_set *set, const char *ruleset, __u64 now)
{
	struct json_object *json = json_object_new_object();
	int err = json ? 0 : -ENOMEM;

	if (!err && ruleset)
		err = add_string(json, "ruleset", ruleset);
	if (!err)
		err = add_settings(json, &set->settings);
	if (!err)
		err = add_rules(json, set, now);
	if (!err)
		return json;
	json_object_put(json);
	return NULL;
}

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
