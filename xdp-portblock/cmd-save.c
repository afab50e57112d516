// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock save: the loaded ruleset in the form that `apply` takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "tool.h"

static char *text_of(const struct pb_rules *rules, bool json)
{
	struct json_object *object;
	char *text = NULL, *line;

	if (!json)
		return pb_rules_format(rules, pb_clock(), &text) ? NULL : text;
	object = pb_rules_to_json(rules, NULL, pb_clock());
	text = json_take_text(object, JSON_C_TO_STRING_PRETTY);
	if (!text || asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	free(text);
	return line;
}

static bool named_json(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && !strcmp(dot, ".json");
}

static int save_rules(const struct arguments *arguments, struct pb_ruleset *ruleset,
		      const char *path)
{
	struct pb_error error;
	struct pb_rules *rules;
	char *text;
	int ret = DONE;

	if (pb_ruleset_read(ruleset, &rules, &error))
		return fail(&error);
	text = text_of(rules, given(arguments, OPT_JSON) || named_json(path));
	pb_rules_free(rules);
	if (!text)
		return out_of_memory();
	if (strcmp(path, "-"))
		ret = write_file(path, text);
	else
		print("%s", text);
	free(text);
	return ret;
}

static int check_words(const struct arguments *arguments)
{
	const char *path = arguments->nr_words ? arguments->words[0] : NULL;
	const char *elements = arguments->values[OPT_ELEMENTS];

	if (arguments->nr_words > 1)
		return wrong(arguments, "'%s' is one word too many", arguments->words[1]);
	if (path && elements && !strcmp(path, elements))
		return wrong(arguments, "rules and elements are two files, and both are to be '%s'",
			     path);
	if (!path && elements && given(arguments, OPT_JSON))
		return wrong(arguments, "--elements writes no JSON: `set list -j` does");
	return DONE;
}

/* With --elements and without a word the rules are not asked for. */
int cmd_save(const struct arguments *arguments)
{
	const char *path = arguments->nr_words ? arguments->words[0] : "-";
	const char *elements = arguments->values[OPT_ELEMENTS];
	struct pb_ruleset *ruleset;
	struct pb_error error;
	int ret = check_words(arguments);

	if (ret != DONE)
		return ret;
	if (pb_ruleset_open(ruleset_name(arguments), &ruleset, &error))
		return fail(&error);
	if (arguments->nr_words || !elements)
		ret = save_rules(arguments, ruleset, path);
	if (ret == DONE && elements)
		ret = save_elements(ruleset, elements);
	pb_ruleset_close(ruleset);
	return ret;
}
