// SPDX-License-Identifier: GPL-2.0-only
/* A rollout as a bar on a terminal, as a line a stage elsewhere, or as JSON at its end. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "fleet-push.h"
#include "json.h"

#define BAR 20
#define WIDTH_DEFAULT 80
#define WIDTH_MAX 400

struct view {
	bool json;
	bool terminal;
	bool open; /* a line is on the terminal that the next one is written over */
	__s64 revision;
	struct fleet_stage stage; /* as it was last; its texts are not ours */
	char id[FLEET_HASH_LEN];
	char trouble[sizeof(struct pb_error)]; /* what was said last: it is not said twice */
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	interrupted = signal;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = interrupt };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static const char *plural(size_t nr)
{
	return nr == 1 ? "" : "s";
}

/* ---- On a terminal --------------------------------------------------------------------------- */

static int width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col < BAR)
		return WIDTH_DEFAULT;
	return size.ws_col < WIDTH_MAX ? size.ws_col : WIDTH_MAX;
}

/* Text below it comes on a line of its own. */
static void end_line(struct view *view)
{
	if (view->open)
		printf("\n");
	view->open = false;
}

static void draw(struct view *view, const struct fleet_progress *progress)
{
	size_t hosts = progress->count.hosts, have = progress->count.in_force;
	int done = hosts ? (int)(have * BAR / hosts) : BAR;
	char line[WIDTH_MAX + 1], bar[BAR + 1];

	for (int i = 0; i < BAR; i++)
		bar[i] = i < done ? '#' : '.';
	bar[BAR] = '\0';
	snprintf(line, width(), "stage %u of %u [%s] %zu/%zu %s", progress->stage->stage,
		 progress->stage->of, bar, have, hosts, progress->lagging);
	printf("\r");
	print("%s", line);
	printf("\033[K");
	fflush(stdout);
	view->open = true;
}

/* ---- A line at a time ------------------------------------------------------------------------ */

static const char *word_of(const struct fleet_stage *stage)
{
	return stage->stage <= stage->nr_stages ? stage->stages[stage->stage - 1] : "100%";
}

static void print_stage(const struct fleet_progress *progress)
{
	print("%s: revision %lld (%.12s), stage %u of %u (%s): %zu host%s\n", progress->ruleset,
	      progress->revision, progress->stage->id, progress->stage->stage, progress->stage->of,
	      word_of(progress->stage), progress->count.hosts, plural(progress->count.hosts));
	fflush(stdout);
}

static void show_trouble(struct view *view, const char *text)
{
	if (!strcmp(view->trouble, text))
		return;
	end_line(view);
	snprintf(view->trouble, sizeof(view->trouble), "%s", text);
	note("%s; trying again", text);
}

static void show_stopped(struct view *view, const struct fleet_progress *progress)
{
	end_line(view);
	note("%s: revision %lld was stopped at stage %u of %u: %s", progress->ruleset,
	     progress->revision, progress->stage->stage, progress->stage->of, progress->text);
}

static void show(const struct fleet_progress *progress, void *context)
{
	struct view *view = context;

	view->stage = *progress->stage;
	if (progress->news == FLEET_NEWS_TROUBLE)
		show_trouble(view, progress->text);
	else if (progress->news == FLEET_NEWS_STOPPED)
		show_stopped(view, progress);
	else if (!view->json && view->terminal)
		draw(view, progress);
	else if (!view->json && progress->news == FLEET_NEWS_STAGE)
		print_stage(progress);
}

/* ---- Its end --------------------------------------------------------------------------------- */

static void show_back(const char *ruleset, const struct fleet_outcome *outcome)
{
	char where[64] = "what they had before the first one";

	if (outcome->back)
		snprintf(where, sizeof(where), "revision %lld", outcome->back);
	if (*outcome->late.text)
		note("%s: not back at %s yet: %s", ruleset, where, outcome->late.text);
	else
		note("%s: all hosts that were heard of are back at %s", ruleset, where);
}

static void show_end(const char *ruleset, const struct fleet_outcome *outcome)
{
	if (!outcome->done)
		show_back(ruleset, outcome);
	else if (outcome->count.hosts)
		print("%s: revision %lld is in force on all %zu host%s\n", ruleset,
		      outcome->revision, outcome->count.hosts, plural(outcome->count.hosts));
	else
		print("%s: revision %lld is wanted, and in force nowhere yet\n", ruleset,
		      outcome->revision);
	if (outcome->done && !outcome->count.hosts)
		note("%s: no host that follows it is seen: those that come (`fleet follow`) take "
		     "this revision",
		     ruleset);
}

static int print_json(const struct view *view, const char *ruleset,
		      const struct fleet_outcome *outcome)
{
	struct json_object *json = json_new_object();
	bool stopped = !outcome->done;

	json_add(json, "ruleset", json_string(ruleset));
	json_add(json, "revision", json_int(outcome->revision));
	json_add(json, "id", json_string(view->id));
	json_add(json, "state", json_string(stopped ? "stopped" : "done"));
	json_add(json, "stage", json_int(view->stage.stage));
	json_add(json, "of", json_int(view->stage.of));
	json_add(json, "hosts", json_uint(outcome->count.hosts));
	json_add(json, "in_force", json_uint(outcome->count.in_force));
	json_add(json, "reason", stopped ? json_string(outcome->why.text) : NULL);
	json_add(json, "back", stopped && outcome->back ? json_int(outcome->back) : NULL);
	json_add(json, "not_back", *outcome->late.text ? json_string(outcome->late.text) : NULL);
	return json_print(json);
}

int carry_rollout(const struct arguments *arguments, struct fleet_rollout *rollout,
		  const char *ruleset)
{
	struct view view = { .json = given(arguments, OPT_JSON),
			     .terminal = isatty(STDOUT_FILENO) };
	struct fleet_outcome outcome;
	struct pb_error error;
	int err;

	catch_signals();
	err = fleet_rollout_run(rollout, show, &view, &interrupted, &outcome, &error);
	end_line(&view);
	if (err)
		return fail(&error);
	strcpy(view.id, view.stage.id);
	if (!view.json)
		show_end(ruleset, &outcome);
	else if (print_json(&view, ruleset, &outcome) != DONE)
		return FAILED;
	return outcome.done ? DONE : FAILED;
}
