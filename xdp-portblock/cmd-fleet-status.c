// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock fleet status: which host has what of which ruleset. */
#include <stdio.h>
#include <string.h>
#include "fleet-status.h"
#include "json.h"

#define HOST_WIDTH 40

/* ---- Text ------------------------------------------------------------------------------------ */

static void print_rollout(const struct fleet_survey_ruleset *row)
{
	const struct fleet_stage *stage = row->stage;

	print("  %s at stage %u of %u%s%s\n", fleet_stage_state_name(stage->state), stage->stage,
	      stage->of, stage->reason ? ": " : "", stage->reason ?: "");
	if (row->carrier)
		print("  carried by process %lld on %s\n", row->carrier->pid, row->carrier->host);
	else if (stage->state == FLEET_RUNNING)
		print("  carried by nobody: `xdp-portblock fleet push --resume %s` goes on\n",
		      row->name);
}

static void print_ruleset(const struct fleet_survey_ruleset *row)
{
	const struct fleet_revision *wanted = row->wanted;

	print("Ruleset %s: ", row->name);
	if (wanted)
		print("revision %lld (%.12s), %.19sZ by %s%s%s%s\n", wanted->revision, wanted->id,
		      wanted->time, wanted->author, wanted->signature ? ", signed" : "",
		      wanted->note ? ": " : "", wanted->note ?: "");
	else
		print("no revision that can be read\n");
	if (row->stage)
		print_rollout(row);
	if (row->good && (!wanted || row->good->revision != wanted->revision))
		print("  last good: revision %lld (%.12s), %.19sZ by %s\n", row->good->revision,
		      row->good->id, row->good->time, row->good->author);
}

static int host_width(const struct fleet_survey *survey)
{
	size_t width = strlen("HOST");

	for (size_t i = 0; i < survey->nr_hosts; i++)
		if (strlen(survey->hosts[i]->host) > width)
			width = strlen(survey->hosts[i]->host);
	for (size_t i = 0; i < survey->nr_gone; i++)
		if (strlen(survey->gone[i]->host) > width)
			width = strlen(survey->gone[i]->host);
	return width < HOST_WIDTH ? width : HOST_WIDTH;
}

static const char *number(__s64 value, char text[24])
{
	snprintf(text, 24, value ? "%lld" : "-", value);
	return text;
}

static void print_host(const struct fleet_host *host, int width)
{
	char wanted[24], in_force[24];

	for (size_t i = 0; i < host->nr_rulesets; i++) {
		const struct fleet_host_ruleset *at = &host->rulesets[i];

		print("%-*s  %-12s  %-12s  %8s  %8s  %6u  %8.1f", width, host->host, at->name,
		      fleet_host_state_name(at->state), number(at->wanted, wanted),
		      number(at->in_force, in_force), at->rules, at->drops_per_second);
		if (at->failed)
			print("  revision %lld failed", at->failed);
		if (at->reason)
			print("%s%s", at->failed ? ": " : "  ", at->reason);
		print("\n");
	}
	if (!host->nr_rulesets)
		print("%-*s  follows no ruleset\n", width, host->host);
	for (size_t i = 0; i < host->nr_warnings; i++)
		print("%-*s  warning: %s\n", width, host->host, host->warnings[i]);
}

/* When it went is not known, but by when it was there. */
static void print_gone(const struct fleet_seen *seen, int width)
{
	static const char row[] = "%-*s  %-12s  %-12s  %8s  %8s  %6s  %8s  seen at %.19sZ, and "
				  "maybe later\n";
	char in_force[24];

	for (size_t i = 0; i < seen->nr_rulesets; i++)
		print(row, width, seen->host, seen->rulesets[i].name, "gone", "-",
		      number(seen->rulesets[i].in_force, in_force), "-", "-", seen->time);
	if (!seen->nr_rulesets)
		print(row, width, seen->host, "-", "gone", "-", "-", "-", "-", seen->time);
}

static int print_survey(const struct fleet_survey *survey)
{
	int width = host_width(survey);

	for (size_t i = 0; i < survey->nr_rulesets; i++)
		print_ruleset(&survey->rulesets[i]);
	if (!survey->nr_rulesets)
		print("No rulesets.\n");
	print("\n");
	if (survey->nr_hosts || survey->nr_gone)
		print("%-*s  %-12s  %-12s  %8s  %8s  %6s  %8s\n", width, "HOST", "RULESET", "STATE",
		      "WANTED", "IN FORCE", "RULES", "DROPS/S");
	else
		print("No hosts.\n");
	for (size_t i = 0; i < survey->nr_hosts; i++)
		print_host(survey->hosts[i], width);
	for (size_t i = 0; i < survey->nr_gone; i++)
		print_gone(survey->gone[i], width);
	return finish_output();
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static struct json_object *text_or_null(const char *text)
{
	return text && *text ? json_string(text) : NULL;
}

static struct json_object *number_or_null(__s64 value)
{
	return value ? json_int(value) : NULL;
}

static struct json_object *stage_json(const struct fleet_survey_ruleset *row)
{
	struct json_object *json = json_new_object();
	const struct fleet_stage *stage = row->stage;

	json_add(json, "state", json_string(fleet_stage_state_name(stage->state)));
	json_add(json, "stage", json_int(stage->stage));
	json_add(json, "of", json_int(stage->of));
	json_add(json, "hosts", json_int(stage->hosts));
	json_add(json, "back", number_or_null(stage->back));
	json_add(json, "reason", text_or_null(stage->reason));
	json_add(json, "carrier_host", row->carrier ? json_string(row->carrier->host) : NULL);
	json_add(json, "carrier_pid", row->carrier ? json_int(row->carrier->pid) : NULL);
	return json;
}

static struct json_object *ruleset_json(const struct fleet_survey_ruleset *row)
{
	struct json_object *json = json_new_object();
	const struct fleet_revision *wanted = row->wanted;

	json_add(json, "name", json_string(row->name));
	json_add(json, "revision", wanted ? json_int(wanted->revision) : NULL);
	json_add(json, "id", wanted ? json_string(wanted->id) : NULL);
	json_add(json, "author", wanted ? json_string(wanted->author) : NULL);
	json_add(json, "time", wanted ? json_string(wanted->time) : NULL);
	json_add(json, "note", wanted ? text_or_null(wanted->note) : NULL);
	json_add(json, "signed", wanted ? json_boolean(wanted->signature) : NULL);
	json_add(json, "good", row->good ? json_int(row->good->revision) : NULL);
	json_add(json, "rollout", row->stage ? stage_json(row) : NULL);
	return json;
}

static struct json_object *host_ruleset_json(const struct fleet_host_ruleset *at)
{
	struct json_object *json = json_new_object();

	json_add(json, "name", json_string(at->name));
	json_add(json, "local", json_string(*at->local ? at->local : at->name));
	json_add(json, "state", json_string(fleet_host_state_name(at->state)));
	json_add(json, "wanted", number_or_null(at->wanted));
	json_add(json, "id", text_or_null(at->id));
	json_add(json, "in_force", number_or_null(at->in_force));
	json_add(json, "failed", number_or_null(at->failed));
	json_add(json, "reason", text_or_null(at->reason));
	json_add(json, "rules", json_int(at->rules));
	json_add(json, "drops_per_second", json_double(at->drops_per_second));
	return json;
}

static struct json_object *interface_json(const struct fleet_host_interface *at)
{
	struct json_object *json = json_new_object(), *rulesets = json_new_array();

	for (size_t i = 0; i < at->nr_rulesets; i++)
		json_append(rulesets, json_string(at->rulesets[i]));
	json_add(json, "name", json_string(at->name));
	json_add(json, "mode", text_or_null(at->mode));
	json_add(json, "engine", text_or_null(at->engine));
	json_add(json, "rulesets", rulesets);
	return json;
}

static struct json_object *host_json(const struct fleet_host *host)
{
	struct json_object *json = json_new_object(), *interfaces = json_new_array(),
			   *rulesets = json_new_array(), *warnings = json_new_array();

	for (size_t i = 0; i < host->nr_interfaces; i++)
		json_append(interfaces, interface_json(&host->interfaces[i]));
	for (size_t i = 0; i < host->nr_rulesets; i++)
		json_append(rulesets, host_ruleset_json(&host->rulesets[i]));
	for (size_t i = 0; i < host->nr_warnings; i++)
		json_append(warnings, json_string(host->warnings[i]));
	json_add(json, "host", json_string(host->host));
	json_add(json, "version", json_string(host->version));
	json_add(json, "time", json_string(host->time));
	json_add(json, "interfaces", interfaces);
	json_add(json, "rulesets", rulesets);
	json_add(json, "warnings", warnings);
	return json;
}

static struct json_object *gone_json(const struct fleet_seen *seen)
{
	struct json_object *json = json_new_object(), *rulesets = json_new_array();

	for (size_t i = 0; i < seen->nr_rulesets; i++) {
		struct json_object *row = json_new_object();

		json_add(row, "name", json_string(seen->rulesets[i].name));
		json_add(row, "in_force", number_or_null(seen->rulesets[i].in_force));
		json_append(rulesets, row);
	}
	json_add(json, "host", json_string(seen->host));
	json_add(json, "time", json_string(seen->time));
	json_add(json, "rulesets", rulesets);
	return json;
}

static int print_survey_json(const struct fleet_survey *survey)
{
	struct json_object *json = json_new_object(), *rulesets = json_new_array(),
			   *hosts = json_new_array(), *gone = json_new_array(),
			   *problems = json_new_array();

	for (size_t i = 0; i < survey->nr_rulesets; i++)
		json_append(rulesets, ruleset_json(&survey->rulesets[i]));
	for (size_t i = 0; i < survey->nr_hosts; i++)
		json_append(hosts, host_json(survey->hosts[i]));
	for (size_t i = 0; i < survey->nr_gone; i++)
		json_append(gone, gone_json(survey->gone[i]));
	for (size_t i = 0; i < survey->nr_problems; i++)
		json_append(problems, json_string(survey->problems[i].text));
	json_add(json, "rulesets", rulesets);
	json_add(json, "hosts", hosts);
	json_add(json, "gone", gone);
	json_add(json, "problems", problems);
	return json_print(json);
}

/* ---------------------------------------------------------------------------------------------- */

static int show(const struct arguments *arguments, const struct fleet_survey *survey)
{
	for (size_t i = 0; i < survey->nr_problems; i++)
		note("%s", survey->problems[i].text);
	if (given(arguments, OPT_PROMETHEUS))
		return print_fleet_metrics(survey, arguments->values[OPT_OUTPUT]);
	return given(arguments, OPT_JSON) ? print_survey_json(survey) : print_survey(survey);
}

static int check_words(const struct arguments *arguments)
{
	if (arguments->nr_words)
		return wrong(arguments, "'%s' is not wanted here", arguments->words[0]);
	if (given(arguments, OPT_JSON) && given(arguments, OPT_PROMETHEUS))
		return wrong(arguments, "--json and --prometheus exclude each other");
	if (given(arguments, OPT_OUTPUT) && !given(arguments, OPT_PROMETHEUS))
		return wrong(arguments, "--output goes with --prometheus");
	return DONE;
}

int fleet_status(const struct arguments *arguments, const struct fleet_conf *conf)
{
	struct fleet_survey *survey;
	struct fleet_etcd *etcd;
	struct pb_error error;
	int ret = check_words(arguments);

	if (ret != DONE)
		return ret;
	if (fleet_etcd_open(conf, &etcd, &error))
		return fail(&error);
	if (fleet_survey_read(etcd, conf, &survey, &error)) {
		ret = fail(&error);
	} else {
		ret = show(arguments, survey);
		fleet_survey_free(survey);
	}
	fleet_etcd_close(etcd);
	return ret;
}
