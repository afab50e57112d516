// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fleet in the text exposition format of Prometheus. What is a label has been checked where it was read: names of
 * hosts and rulesets hold neither quotes nor backslashes.
 */
#include <stdlib.h>
#include <string.h>
#include "fleet-status.h"

static void head(FILE *out, const char *name, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

/* ---- Of rulesets ------------------------------------------------------------------------------ */

static bool wanted_of(const struct fleet_survey_ruleset *row, long long *value)
{
	*value = row->wanted ? row->wanted->revision : 0;
	return row->wanted;
}

static bool good_of(const struct fleet_survey_ruleset *row, long long *value)
{
	*value = row->good ? row->good->revision : 0;
	return row->good;
}

static bool stage_of(const struct fleet_survey_ruleset *row, long long *value)
{
	*value = row->stage ? row->stage->stage : 0;
	return row->stage;
}

static bool stages_of(const struct fleet_survey_ruleset *row, long long *value)
{
	*value = row->stage ? row->stage->of : 0;
	return row->stage;
}

static bool carried(const struct fleet_survey_ruleset *row, long long *value)
{
	*value = row->carrier != NULL;
	return row->stage && row->stage->state == FLEET_RUNNING;
}

static const struct {
	const char *name, *help;
	bool (*value)(const struct fleet_survey_ruleset *row, long long *value);
} of_ruleset[] = {
	{ "xdp_portblock_fleet_revision_wanted", "Revision that hosts are to have.", wanted_of },
	{ "xdp_portblock_fleet_revision_good", "Last revision that came to its end on all hosts.",
	  good_of },
	{ "xdp_portblock_fleet_stage", "Stage of the last rollout.", stage_of },
	{ "xdp_portblock_fleet_stages", "Stages of the last rollout.", stages_of },
	{ "xdp_portblock_fleet_carried", "Whether a process carries the rollout that is running.",
	  carried },
};

static void print_of_rulesets(FILE *out, const struct fleet_survey *survey)
{
	long long value;

	for (size_t m = 0; m < sizeof(of_ruleset) / sizeof(*of_ruleset); m++) {
		head(out, of_ruleset[m].name, of_ruleset[m].help);
		for (size_t i = 0; i < survey->nr_rulesets; i++)
			if (of_ruleset[m].value(&survey->rulesets[i], &value))
				fprintf(out, "%s{ruleset=\"%s\"} %lld\n", of_ruleset[m].name,
					survey->rulesets[i].name, value);
	}
}

static void print_rollouts(FILE *out, const struct fleet_survey *survey)
{
	static const char name[] = "xdp_portblock_fleet_rollout";

	head(out, name, "Whether the last rollout is running, done or stopped.");
	for (size_t i = 0; i < survey->nr_rulesets; i++) {
		const struct fleet_survey_ruleset *row = &survey->rulesets[i];

		for (unsigned int state = 0; row->stage && state < FLEET_STAGE_STATES; state++)
			fprintf(out, "%s{ruleset=\"%s\",state=\"%s\"} %d\n", name, row->name,
				fleet_stage_state_name(state), row->stage->state == state);
	}
}

/* ---- Of hosts --------------------------------------------------------------------------------- */

static size_t count_in(const struct fleet_survey *survey, const char *ruleset,
		       enum fleet_host_state state)
{
	const struct fleet_host_ruleset *at;
	size_t nr = 0;

	for (size_t i = 0; i < survey->nr_hosts; i++) {
		at = fleet_host_find(survey->hosts[i], ruleset);
		nr += at && at->state == state;
	}
	return nr;
}

static void print_counts(FILE *out, const struct fleet_survey *survey)
{
	static const char name[] = "xdp_portblock_fleet_hosts";

	head(out, name, "Hosts that follow a ruleset and are seen, by their state.");
	for (size_t i = 0; i < survey->nr_rulesets; i++)
		for (unsigned int state = 0; state < FLEET_HOST_STATES; state++)
			fprintf(out, "%s{ruleset=\"%s\",state=\"%s\"} %zu\n", name,
				survey->rulesets[i].name, fleet_host_state_name(state),
				count_in(survey, survey->rulesets[i].name, state));
}

static size_t count_gone(const struct fleet_survey *survey, const char *ruleset)
{
	size_t nr = 0;

	for (size_t i = 0; i < survey->nr_gone; i++)
		for (size_t k = 0; k < survey->gone[i]->nr_rulesets; k++)
			nr += !strcmp(survey->gone[i]->rulesets[k].name, ruleset);
	return nr;
}

static void print_gone(FILE *out, const struct fleet_survey *survey)
{
	static const char name[] = "xdp_portblock_fleet_hosts_gone";

	head(out, name, "Hosts that followed a ruleset when they were seen last.");
	for (size_t i = 0; i < survey->nr_rulesets; i++)
		fprintf(out, "%s{ruleset=\"%s\"} %zu\n", name, survey->rulesets[i].name,
			count_gone(survey, survey->rulesets[i].name));
}

static double in_force_of(const struct fleet_host_ruleset *at)
{
	return at->in_force;
}

static double failed_of(const struct fleet_host_ruleset *at)
{
	return at->failed;
}

static double rules_of(const struct fleet_host_ruleset *at)
{
	return at->rules;
}

static double drops_of(const struct fleet_host_ruleset *at)
{
	return at->drops_per_second;
}

static const struct {
	const char *name, *help;
	double (*value)(const struct fleet_host_ruleset *at);
} of_host[] = {
	{ "xdp_portblock_fleet_host_revision", "Revision in force on a host; 0: none.",
	  in_force_of },
	{ "xdp_portblock_fleet_host_failed_revision", "Revision that failed on a host; 0: none.",
	  failed_of },
	{ "xdp_portblock_fleet_host_rules", "Rules in force on a host.", rules_of },
	{ "xdp_portblock_fleet_host_drops_per_second", "Packets that a host drops a second.",
	  drops_of },
};

static void print_of_hosts(FILE *out, const struct fleet_survey *survey)
{
	for (size_t m = 0; m < sizeof(of_host) / sizeof(*of_host); m++) {
		head(out, of_host[m].name, of_host[m].help);
		for (size_t i = 0; i < survey->nr_hosts; i++) {
			const struct fleet_host *host = survey->hosts[i];

			for (size_t r = 0; r < host->nr_rulesets; r++)
				fprintf(out, "%s{ruleset=\"%s\",host=\"%s\"} %.15g\n",
					of_host[m].name, host->rulesets[r].name, host->host,
					of_host[m].value(&host->rulesets[r]));
		}
	}
}

/* ---------------------------------------------------------------------------------------------- */

/* NULL when memory ran out. */
static char *all_metrics(const struct fleet_survey *survey)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool failed;

	if (!out)
		return NULL;
	print_of_rulesets(out, survey);
	print_rollouts(out, survey);
	print_counts(out, survey);
	print_gone(out, survey);
	print_of_hosts(out, survey);
	head(out, "xdp_portblock_fleet_problems", "Values in etcd that cannot be read.");
	fprintf(out, "xdp_portblock_fleet_problems %zu\n", survey->nr_problems);
	failed = ferror(out);
	if (!fclose(out) && !failed)
		return text;
	free(text);
	return NULL;
}

int print_fleet_metrics(const struct fleet_survey *survey, const char *path)
{
	char *text = all_metrics(survey);
	int ret = DONE;

	if (!text)
		return out_of_memory();
	if (path)
		ret = write_file(path, text);
	else
		fputs(text, stdout);
	free(text);
	return ret == DONE ? finish_output() : ret;
}
