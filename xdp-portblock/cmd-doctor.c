// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock doctor: what may stand in the way, and the command that mends it. */
#include <stdio.h>
#include "json.h"
#include "tool.h"

static const char *const health_names[] = {
	[PB_HEALTH_OK] = "ok",
	[PB_HEALTH_WARNING] = "warning",
	[PB_HEALTH_PROBLEM] = "problem",
};

static void print_finding(enum pb_health health, const char *text, const char *mend, void *context)
{
	struct json_object *findings = context, *json;

	if (!findings) {
		print("%-8s %s\n", health_names[health], text);
		if (mend)
			print("         mend it by: %s\n", mend);
		return;
	}
	json = json_new_object();
	json_add(json, "health", json_string(health_names[health]));
	json_add(json, "text", json_string(text));
	json_add(json, "mend", mend ? json_string(mend) : NULL);
	json_append(findings, json);
}

static int fix(void)
{
	struct pb_error error;
	size_t removed;

	if (pb_rulesets_remove_unused(false, &removed, &error))
		return fail(&error);
	if (removed)
		note("removed the pins of %zu ruleset%s that no interface used", removed,
		     removed == 1 ? "" : "s");
	return DONE;
}

int cmd_doctor(const struct arguments *arguments)
{
	const char *word = arguments->nr_words ? arguments->words[0] : NULL;
	struct json_object *findings = NULL, *json;
	unsigned int problems;
	struct pb_error error;

	if (arguments->nr_words > 1)
		return wrong(arguments, "'%s' is one word too many", arguments->words[1]);
	if (given(arguments, OPT_FIX) && fix() != DONE)
		return FAILED;
	if (given(arguments, OPT_JSON)) {
		findings = json_new_array();
		if (!findings)
			return out_of_memory();
	}
	if (pb_doctor(word, print_finding, findings, &problems, &error)) {
		json_object_put(findings);
		return fail(&error);
	}
	if (findings) {
		json = json_new_object();
		json_add(json, "findings", findings);
		if (json_print(json) != DONE)
			return FAILED;
	}
	return problems ? FAILED : DONE;
}
