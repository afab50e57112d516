// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock fleet push: a revision of a ruleset to all hosts, stage by stage; and to go on with another's. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fleet-push.h"
#include "fleet-rules.h"

#define SECOND 1000000000ULL

/* ---- Options --------------------------------------------------------------------------------- */

static int read_wait(const struct arguments *arguments, __u32 *wait)
{
	const char *text = arguments->values[OPT_WAIT];
	struct pb_error error;
	__u64 ns;
	int err;

	*wait = FLEET_WAIT_DEFAULT;
	if (!text)
		return DONE;
	err = pb_duration_parse(text, &ns, &error);
	if (err)
		return refused(arguments, err, OPT_WAIT, &error);
	*wait = ns / SECOND;
	return DONE;
}

int push_options_read(const struct arguments *arguments, struct push_options *options)
{
	const char *stages = arguments->values[OPT_STAGES] ?: FLEET_STAGES_DEFAULT;
	struct pb_error error;
	int err;

	*options = (struct push_options){ .keyfile = arguments->values[OPT_SIGN] };
	err = fleet_stages_parse(stages, &options->stages, &options->nr_stages, &error);
	if (err)
		return refused(arguments, err, OPT_STAGES, &error);
	return read_wait(arguments, &options->wait);
}

void push_options_clear(struct push_options *options)
{
	fleet_stages_free(options->stages, options->nr_stages);
}

int check_ruleset_word(const struct arguments *arguments, const char *word)
{
	struct pb_error error;

	return pb_ruleset_name_check(word, &error) ? wrong(arguments, "%s", error.text) : DONE;
}

/* ---- A revision ------------------------------------------------------------------------------ */

static bool printable(const char *text)
{
	char *escaped = pb_text_escape(text, PB_ESCAPE_LINE);
	bool same = escaped && !strcmp(escaped, text);

	free(escaped);
	return same;
}

/* Of whoever asked for it: sudo says who that was. */
static const char *user_name(void)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *entry = getpwuid(geteuid());

	if (sudo && *sudo && strlen(sudo) < 64 && printable(sudo))
		return sudo;
	return entry && printable(entry->pw_name) ? entry->pw_name : "unknown";
}

int author_of(const struct fleet_conf *conf, char **author)
{
	return asprintf(author, "%.64s@%s", user_name(), conf->host) < 0 ? out_of_memory() : DONE;
}

static int check_note(const struct arguments *arguments)
{
	const char *text = arguments->values[OPT_NOTE];

	if (!text || (strlen(text) <= FLEET_NOTE_MAX && printable(text)))
		return DONE;
	return wrong(arguments,
		     "--note: '%.80s' is no line of at most %d bytes that can be printed", text,
		     FLEET_NOTE_MAX);
}

static int fill_revision(const struct arguments *arguments, const struct fleet_conf *conf,
			 struct fleet_revision *revision)
{
	const char *text = arguments->values[OPT_NOTE];
	int ret = fleet_file_read(arguments->words[0], &revision->file);

	snprintf(revision->ruleset, sizeof(revision->ruleset), "%s", arguments->words[1]);
	fleet_time_now(revision->time);
	if (ret == DONE)
		ret = author_of(conf, &revision->author);
	if (ret != DONE)
		return ret;
	revision->note = text && *text ? strdup(text) : NULL;
	if ((text && *text && !revision->note) || fleet_revision_id(revision, revision->id))
		return out_of_memory();
	return DONE;
}

/* ---- Pushing --------------------------------------------------------------------------------- */

static int sign(const struct push_options *options, struct fleet_revision *revision)
{
	struct pb_error error;
	char *signature;

	if (!options->keyfile)
		return DONE;
	if (fleet_sign(revision->id, options->keyfile, &signature, &error))
		return fail(&error);
	free(revision->signature);
	revision->signature = signature;
	return DONE;
}

int push_revision(const struct arguments *arguments, struct fleet_etcd *etcd,
		  const struct fleet_conf *conf, const struct push_options *options,
		  struct fleet_revision *revision)
{
	const struct fleet_plan plan = { revision, options->stages, options->nr_stages,
					 options->wait };
	struct fleet_rollout *rollout;
	struct pb_error error;
	int ret = sign(options, revision);

	if (ret != DONE)
		return ret;
	if (fleet_rollout_begin(etcd, conf, &plan, &rollout, &error))
		return fail(&error);
	ret = carry_rollout(arguments, rollout, revision->ruleset);
	fleet_rollout_close(rollout);
	return ret;
}

static int push_new(const struct arguments *arguments, const struct fleet_conf *conf,
		    const struct push_options *options, struct fleet_revision *revision)
{
	struct fleet_etcd *etcd;
	struct pb_error error;
	int ret = fill_revision(arguments, conf, revision);

	if (ret != DONE)
		return ret;
	if (fleet_etcd_open(conf, &etcd, &error))
		return fail(&error);
	ret = push_revision(arguments, etcd, conf, options, revision);
	fleet_etcd_close(etcd);
	return ret;
}

static int push(const struct arguments *arguments, const struct fleet_conf *conf)
{
	struct fleet_revision *revision;
	struct push_options options;
	int ret = push_options_read(arguments, &options);

	if (ret == DONE) {
		revision = calloc(1, sizeof(*revision));
		ret = revision ? push_new(arguments, conf, &options, revision) : out_of_memory();
		fleet_revision_free(revision);
	}
	push_options_clear(&options);
	return ret;
}

/* ---- Going on with another's ----------------------------------------------------------------- */

static int resume(const struct arguments *arguments, const struct fleet_conf *conf)
{
	const char *ruleset = arguments->words[0];
	struct fleet_rollout *rollout;
	struct fleet_etcd *etcd;
	struct pb_error error;
	int ret;

	if (fleet_etcd_open(conf, &etcd, &error))
		return fail(&error);
	if (fleet_rollout_resume(etcd, conf, ruleset, &rollout, &error)) {
		ret = fail(&error);
	} else {
		ret = carry_rollout(arguments, rollout, ruleset);
		fleet_rollout_close(rollout);
	}
	fleet_etcd_close(etcd);
	return ret;
}

/* All that a rollout is begun with, it has already. */
static int check_resume(const struct arguments *arguments)
{
	static const enum option_id ids[] = { OPT_STAGES, OPT_WAIT, OPT_SIGN, OPT_NOTE };

	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++)
		if (given(arguments, ids[i]))
			return wrong(arguments, "--resume goes on as it was begun: no --%s",
				     option_infos[ids[i]].name);
	if (arguments->nr_words != 1)
		return wrong(arguments,
			     arguments->nr_words ? "--resume takes a RULESET alone, and no '%s'" :
						   "--resume of which ruleset?",
			     arguments->nr_words ? arguments->words[1] : "");
	return check_ruleset_word(arguments, arguments->words[0]);
}

static int check_push(const struct arguments *arguments)
{
	if (!arguments->nr_words)
		return wrong(arguments, "push which FILE, and as which RULESET?");
	if (arguments->nr_words == 1)
		return wrong(arguments, "push '%s' as which RULESET?", arguments->words[0]);
	if (arguments->nr_words > 2)
		return wrong(arguments, "'%s' is one word too many", arguments->words[2]);
	return check_ruleset_word(arguments, arguments->words[1]);
}

int fleet_push(const struct arguments *arguments, const struct fleet_conf *conf)
{
	bool again = given(arguments, OPT_RESUME);
	int ret = again ? check_resume(arguments) : check_push(arguments);

	if (ret == DONE)
		ret = check_note(arguments);
	if (ret != DONE)
		return ret;
	return again ? resume(arguments, conf) : push(arguments, conf);
}
