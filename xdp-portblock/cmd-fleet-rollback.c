// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock fleet rollback: a revision that was good once, pushed again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fleet-push.h"
#include "fleet/survey.h"

static int read_number(const struct arguments *arguments, __s64 *number)
{
	const char *word = arguments->nr_words > 1 ? arguments->words[1] : NULL;
	size_t digits = word ? strspn(word, "0123456789") : 0;

	*number = word && digits < 19 ? strtoll(word, NULL, 10) : 0;
	if (word && (word[digits] || *number < 1))
		return wrong(arguments,
			     "'%s' is no number of a revision: `fleet history %s` lists them", word,
			     arguments->words[0]);
	return DONE;
}

/* The newest that came to its end, and has another file than that: what was brought back has the same. */
static const struct fleet_revision *newest_but(const struct fleet_history *history,
					       const char *file)
{
	for (size_t i = 0; i < history->nr; i++)
		if (history->list[i]->state == FLEET_DONE &&
		    !(file && !strcmp(history->list[i]->file, file)))
			return history->list[i];
	return NULL;
}

/*
 * Which one is meant where none is said: what was in force everywhere before what is now. Of a revision that was
 * stopped, hosts have gone back already; one that is not at its end is left.
 */
static const struct fleet_revision *before(const struct fleet_history *history,
					   const struct fleet_revision *wanted)
{
	const struct fleet_revision *good = newest_but(history, NULL);

	if (wanted->state == FLEET_RUNNING || !good)
		return good;
	return newest_but(history, good->file);
}

static const struct fleet_revision *numbered(const struct fleet_history *history, __s64 number)
{
	for (size_t i = 0; i < history->nr; i++)
		if (history->list[i]->revision == number)
			return history->list[i];
	return NULL;
}

static int choose(const struct arguments *arguments, const struct fleet_history *history,
		  const struct fleet_revision *wanted, __s64 number,
		  const struct fleet_revision **chosen)
{
	const char *ruleset = arguments->words[0];

	*chosen = number ? numbered(history, number) : before(history, wanted);
	if (!*chosen && number)
		note("%s: there is no revision %lld in its history: `fleet history %s` lists them",
		     ruleset, number, ruleset);
	else if (!*chosen)
		note("%s: no revision before this one came to its end", ruleset);
	else if ((*chosen)->state != FLEET_DONE)
		note("%s: revision %lld was stopped: %s", ruleset, number,
		     (*chosen)->reason ?: "its hosts went back");
	else
		return DONE;
	return FAILED;
}

/*
 * It becomes a revision of now and of whoever brings it back, with another id: hosts that ask for signatures take nothing
 * older than what they had, and none try one again that has failed.
 */
static int renew(const struct fleet_conf *conf, struct fleet_revision *revision)
{
	char *author, *text;
	int ret = author_of(conf, &author);

	if (ret != DONE)
		return ret;
	free(revision->author);
	revision->author = author;
	if (asprintf(&text, "rollback to revision %lld", revision->revision) < 0)
		return out_of_memory();
	free(revision->note);
	revision->note = text;
	free(revision->signature);
	revision->signature = NULL;
	revision->revision = 0;
	revision->state = FLEET_RUNNING;
	fleet_time_now(revision->time);
	return fleet_revision_id(revision, revision->id) ? out_of_memory() : DONE;
}

/* What stands in etcd may be of anybody: only what was signed before is signed again. */
static int check_signed(const struct fleet_conf *conf, const char *keyfile,
			const struct fleet_revision *chosen)
{
	const struct fleet_list *trust = &conf->trust;
	struct pb_error error;
	int err = trust->nr ? fleet_verify(chosen->id, chosen->signature, trust->texts, trust->nr,
					   &error) :
			      -EKEYREJECTED;

	if (!err)
		return DONE;
	err = fleet_verify_own(chosen->id, chosen->signature, keyfile, &error);
	if (!err)
		return DONE;
	if (err != -EKEYREJECTED)
		return fail(&error);
	note("%s: revision %lld was signed by nobody who is trusted here, so whoever has etcd may have "
	     "written it: `fleet history %s --json` has its file; read it, and push it with --sign",
	     chosen->ruleset, chosen->revision, chosen->ruleset);
	return FAILED;
}

static int check_signature(const struct fleet_conf *conf, const struct push_options *options,
			   const struct fleet_revision *chosen)
{
	if (options->keyfile)
		return check_signed(conf, options->keyfile, chosen);
	if (!chosen->signature)
		return DONE;
	note("%s: revision %lld is signed; it comes back as a new revision, which is to be signed, too: "
	     "--sign KEYFILE",
	     chosen->ruleset, chosen->revision);
	return FAILED;
}

static int copy_of(const struct fleet_revision *revision, struct fleet_revision **copy)
{
	char *text = fleet_revision_text(revision);
	struct pb_error error;
	int err = text ? fleet_revision_read(text, strlen(text), revision->ruleset, "its history",
					     copy, &error) :
			 lack_memory(&error);

	free(text);
	return err ? fail(&error) : DONE;
}

static int push_again(const struct arguments *arguments, struct fleet_etcd *etcd,
		      const struct fleet_conf *conf, const struct push_options *options,
		      const struct fleet_revision *chosen)
{
	struct fleet_revision *revision;
	int ret = check_signature(conf, options, chosen);

	if (ret == DONE)
		ret = copy_of(chosen, &revision);
	if (ret != DONE)
		return ret;
	if (!given(arguments, OPT_JSON))
		print("%s: back to revision %lld of %.19sZ, by %s\n", revision->ruleset,
		      revision->revision, revision->time, revision->author);
	ret = renew(conf, revision);
	if (ret == DONE)
		ret = push_revision(arguments, etcd, conf, options, revision);
	fleet_revision_free(revision);
	return ret;
}

/* The state of the revision that is wanted is that of its copy in the history, if it is there. */
static void fill_state(const struct fleet_history *history, struct fleet_revision *wanted)
{
	const struct fleet_revision *copy = numbered(history, wanted->revision);

	if (copy)
		wanted->state = copy->state;
}

static int roll_back(const struct arguments *arguments, struct fleet_etcd *etcd,
		     const struct fleet_conf *conf, const struct push_options *options,
		     __s64 number)
{
	const struct fleet_revision *chosen;
	struct fleet_revision *wanted;
	struct fleet_history history;
	struct pb_error error;
	int ret;

	if (fleet_wanted_read(etcd, conf, arguments->words[0], &wanted, &error))
		return fail(&error);
	if (fleet_history_read(etcd, conf, arguments->words[0], &history, &error)) {
		fleet_revision_free(wanted);
		return fail(&error);
	}
	fill_state(&history, wanted);
	ret = choose(arguments, &history, wanted, number, &chosen);
	if (ret == DONE)
		ret = push_again(arguments, etcd, conf, options, chosen);
	fleet_history_free(&history);
	fleet_revision_free(wanted);
	return ret;
}

static int open_and_roll_back(const struct arguments *arguments, const struct fleet_conf *conf,
			      const struct push_options *options, __s64 number)
{
	struct fleet_etcd *etcd;
	struct pb_error error;
	int ret;

	if (fleet_etcd_open(conf, &etcd, &error))
		return fail(&error);
	ret = roll_back(arguments, etcd, conf, options, number);
	fleet_etcd_close(etcd);
	return ret;
}

int fleet_rollback(const struct arguments *arguments, const struct fleet_conf *conf)
{
	struct push_options options = { 0 };
	__s64 number = 0;
	int ret = DONE;

	if (!arguments->nr_words)
		ret = wrong(arguments, "roll back which RULESET?");
	else if (arguments->nr_words > 2)
		ret = wrong(arguments, "'%s' is one word too many", arguments->words[2]);
	if (ret == DONE)
		ret = check_ruleset_word(arguments, arguments->words[0]);
	if (ret == DONE)
		ret = read_number(arguments, &number);
	if (ret == DONE)
		ret = push_options_read(arguments, &options);
	if (ret == DONE)
		ret = open_and_roll_back(arguments, conf, &options, number);
	push_options_clear(&options);
	return ret;
}
