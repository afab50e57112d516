// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock fleet history: the revisions of a ruleset that came to an end, the newest first. */
#include <stdio.h>
#include "fleet-push.h"
#include "fleet/survey.h"
#include "json.h"

static struct json_object *revision_json(const struct fleet_revision *revision)
{
	struct json_object *json = json_new_object();

	json_add(json, "revision", json_int(revision->revision));
	json_add(json, "id", json_string(revision->id));
	json_add(json, "state", json_string(fleet_stage_state_name(revision->state)));
	json_add(json, "author", json_string(revision->author));
	json_add(json, "time", json_string(revision->time));
	json_add(json, "note", revision->note ? json_string(revision->note) : NULL);
	json_add(json, "signed", json_boolean(revision->signature));
	json_add(json, "previous", revision->previous ? json_int(revision->previous) : NULL);
	json_add(json, "reason", revision->reason ? json_string(revision->reason) : NULL);
	json_add(json, "file", json_string(revision->file));
	return json;
}

static int print_history_json(const char *ruleset, const struct fleet_history *history)
{
	struct json_object *json = json_new_object(), *array = json_new_array();

	for (size_t i = 0; i < history->nr; i++)
		json_append(array, revision_json(history->list[i]));
	json_add(json, "ruleset", json_string(ruleset));
	json_add(json, "revisions", array);
	return json_print(json);
}

static void print_revision(const struct fleet_revision *revision)
{
	print("%8lld  %.12s  %-7s  %.19sZ  ", revision->revision, revision->id,
	      fleet_stage_state_name(revision->state), revision->time);
	if (revision->note)
		print("%-16s  %s\n", revision->author, revision->note);
	else
		print("%s\n", revision->author);
	if (revision->reason)
		print("          %s\n", revision->reason);
}

static int print_history(const char *ruleset, const struct fleet_history *history)
{
	print("Ruleset %s\n", ruleset);
	if (history->nr)
		print("REVISION  ID            STATE    TIME                  AUTHOR            NOTE\n");
	else
		print("No revisions.\n");
	for (size_t i = 0; i < history->nr; i++)
		print_revision(history->list[i]);
	return finish_output();
}

static int show(const struct arguments *arguments, struct fleet_etcd *etcd,
		const struct fleet_conf *conf)
{
	const char *ruleset = arguments->words[0];
	struct fleet_history history;
	struct pb_error error;
	int ret;

	if (fleet_history_read(etcd, conf, ruleset, &history, &error))
		return fail(&error);
	if (history.wrong)
		note("%zu revision%s of %s cannot be read, and %s left out", history.wrong,
		     history.wrong == 1 ? "" : "s", ruleset, history.wrong == 1 ? "is" : "are");
	ret = given(arguments, OPT_JSON) ? print_history_json(ruleset, &history) :
					   print_history(ruleset, &history);
	fleet_history_free(&history);
	return ret;
}

int fleet_history(const struct arguments *arguments, const struct fleet_conf *conf)
{
	struct fleet_etcd *etcd;
	struct pb_error error;
	int ret;

	if (arguments->nr_words != 1)
		return wrong(arguments, "the history of which RULESET?");
	ret = check_ruleset_word(arguments, arguments->words[0]);
	if (ret != DONE)
		return ret;
	if (fleet_etcd_open(conf, &etcd, &error))
		return fail(&error);
	ret = show(arguments, etcd, conf);
	fleet_etcd_close(etcd);
	return ret;
}
