// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fleet/error.h"
#include "fleet/keys.h"
#include "fleet/survey.h"

/* A survey that is being made, at one revision of the store. */
struct survey {
	struct fleet_etcd *etcd;
	const struct fleet_conf *conf;
	__s64 revision;
	struct fleet_survey *made;
};

/* What is done with a value: `name` is what stands behind the folder. -EINVAL: it is a problem, and said. */
typedef int (*taker)(struct survey *survey, const char *name, const struct fleet_kv *kv,
		     struct pb_error *error);

static int grow(void **list, size_t nr, size_t size)
{
	void *grown = realloc(*list, (nr + 1) * size);

	if (!grown)
		return -ENOMEM;
	*list = grown;
	memset((char *)grown + nr * size, 0, size);
	return 0;
}

static int add_problem(struct fleet_survey *survey, const struct pb_error *problem)
{
	if (grow((void **)&survey->problems, survey->nr_problems, sizeof(*survey->problems)))
		return -ENOMEM;
	survey->problems[survey->nr_problems++] = *problem;
	return 0;
}

/* The row of a ruleset, which is made at first sight. NULL: no memory. */
static struct fleet_survey_ruleset *row_of(struct fleet_survey *survey, const char *name)
{
	size_t nr = survey->nr_rulesets;

	for (size_t i = 0; i < nr; i++)
		if (!strcmp(survey->rulesets[i].name, name))
			return &survey->rulesets[i];
	if (grow((void **)&survey->rulesets, nr, sizeof(*survey->rulesets)))
		return NULL;
	strcpy(survey->rulesets[nr].name, name);
	survey->nr_rulesets++;
	return &survey->rulesets[nr];
}

static int take_revision(struct survey *survey, const char *name, const struct fleet_kv *kv,
			 struct pb_error *error, bool good)
{
	struct fleet_survey_ruleset *row = row_of(survey->made, name);
	struct fleet_revision *read;
	int err;

	if (!row)
		return fleet_fail_memory(error);
	err = fleet_revision_read(kv->value, kv->len, name, fleet_key_short(survey->conf, kv->key),
				  &read, error);
	if (err)
		return err;
	if (!read->revision)
		read->revision = kv->mod_revision;
	*(good ? &row->good : &row->wanted) = read;
	return 0;
}

static int take_wanted(struct survey *survey, const char *name, const struct fleet_kv *kv,
		       struct pb_error *error)
{
	return take_revision(survey, name, kv, error, false);
}

static int take_good(struct survey *survey, const char *name, const struct fleet_kv *kv,
		     struct pb_error *error)
{
	return take_revision(survey, name, kv, error, true);
}

static int take_stage(struct survey *survey, const char *name, const struct fleet_kv *kv,
		      struct pb_error *error)
{
	struct fleet_survey_ruleset *row = row_of(survey->made, name);

	if (!row)
		return fleet_fail_memory(error);
	return fleet_stage_read(kv->value, kv->len, fleet_key_short(survey->conf, kv->key),
				&row->stage, error);
}

static int take_carrier(struct survey *survey, const char *name, const struct fleet_kv *kv,
			struct pb_error *error)
{
	struct fleet_survey_ruleset *row = row_of(survey->made, name);

	if (!row)
		return fleet_fail_memory(error);
	return fleet_carrier_read(kv->value, kv->len, fleet_key_short(survey->conf, kv->key),
				  &row->carrier, error);
}

static int take_host(struct survey *survey, const char *name, const struct fleet_kv *kv,
		     struct pb_error *error)
{
	struct fleet_survey *made = survey->made;
	int err;

	if (grow((void **)&made->hosts, made->nr_hosts, sizeof(struct fleet_host *)))
		return fleet_fail_memory(error);
	err = fleet_host_read(kv->value, kv->len, name, fleet_key_short(survey->conf, kv->key),
			      &made->hosts[made->nr_hosts], error);
	made->nr_hosts += !err;
	return err;
}

static bool is_there(const struct fleet_survey *survey, const char *host)
{
	for (size_t i = 0; i < survey->nr_hosts; i++)
		if (!strcmp(survey->hosts[i]->host, host))
			return true;
	return false;
}

/* Of one that is there, its record says more. */
static int take_seen(struct survey *survey, const char *name, const struct fleet_kv *kv,
		     struct pb_error *error)
{
	struct fleet_survey *made = survey->made;
	int err;

	if (is_there(made, name))
		return 0;
	if (grow((void **)&made->gone, made->nr_gone, sizeof(struct fleet_seen *)))
		return fleet_fail_memory(error);
	err = fleet_seen_read(kv->value, kv->len, name, fleet_key_short(survey->conf, kv->key),
			      &made->gone[made->nr_gone], error);
	made->nr_gone += !err;
	return err;
}

/* In this order: who is gone is known by who is there. */
static const struct folder {
	const char *name;
	int (*check)(const char *name, struct pb_error *error);
	taker take;
} folders[] = {
	{ FLEET_RULESETS, pb_ruleset_name_check, take_wanted },
	{ FLEET_STAGES, pb_ruleset_name_check, take_stage },
	{ FLEET_GOOD, pb_ruleset_name_check, take_good },
	{ FLEET_ROLLOUTS, pb_ruleset_name_check, take_carrier },
	{ FLEET_HOSTS, fleet_host_check, take_host },
	{ FLEET_SEEN, fleet_host_check, take_seen },
};

static int take(struct survey *survey, const struct folder *folder, const char *name,
		const struct fleet_kv *kv, struct pb_error *error)
{
	struct pb_error problem;
	int err = folder->check(name, &problem);

	if (!err)
		err = folder->take(survey, name, kv, &problem);
	if (err && err != -ENOMEM)
		err = add_problem(survey->made, &problem);
	return err ? fleet_fail_memory(error) : 0;
}

/* All of a folder, at the revision of the first that was read. */
static int read_folder(struct survey *survey, const struct folder *folder, struct pb_error *error)
{
	char *prefix = fleet_key(survey->conf, folder->name, "");
	__s64 now;
	struct fleet_kv *kvs;
	size_t nr;
	int err = prefix ? fleet_etcd_list(survey->etcd, prefix, survey->revision, &kvs, &nr, &now,
					   error) :
			   fleet_fail_memory(error);

	if (!err) {
		survey->revision = survey->revision ?: now;
		for (size_t i = 0; !err && i < nr; i++)
			err = take(survey, folder, kvs[i].key + strlen(prefix), &kvs[i], error);
		fleet_kvs_free(kvs, nr);
	}
	free(prefix);
	return err;
}

static int compare_rows(const void *a, const void *b)
{
	const struct fleet_survey_ruleset *one = a, *other = b;

	return strcmp(one->name, other->name);
}

int fleet_survey_read(struct fleet_etcd *etcd, const struct fleet_conf *conf,
		      struct fleet_survey **survey, struct pb_error *error)
{
	struct survey making = { etcd, conf, 0, calloc(1, sizeof(struct fleet_survey)) };
	int err = making.made ? 0 : fleet_fail_memory(error);

	for (size_t i = 0; !err && i < sizeof(folders) / sizeof(*folders); i++)
		err = read_folder(&making, &folders[i], error);
	if (err) {
		fleet_survey_free(making.made);
		return err;
	}
	if (making.made->nr_rulesets)
		qsort(making.made->rulesets, making.made->nr_rulesets,
		      sizeof(*making.made->rulesets), compare_rows);
	*survey = making.made;
	return 0;
}

void fleet_survey_free(struct fleet_survey *survey)
{
	if (!survey)
		return;
	for (size_t i = 0; i < survey->nr_rulesets; i++) {
		fleet_revision_free(survey->rulesets[i].wanted);
		fleet_revision_free(survey->rulesets[i].good);
		fleet_stage_free(survey->rulesets[i].stage);
		fleet_carrier_free(survey->rulesets[i].carrier);
	}
	for (size_t i = 0; i < survey->nr_hosts; i++)
		fleet_host_free(survey->hosts[i]);
	for (size_t i = 0; i < survey->nr_gone; i++)
		fleet_seen_free(survey->gone[i]);
	free(survey->rulesets);
	free(survey->hosts);
	free(survey->gone);
	free(survey->problems);
	free(survey);
}

/* ---- Forgetting a host ----------------------------------------------------------------------- */

/* Why it could not be. */
static int say_why_not(struct fleet_etcd *etcd, const char *host, const char *host_key,
		       struct pb_error *error)
{
	struct fleet_kv *kv;
	int err = fleet_etcd_get(etcd, host_key, 0, &kv, NULL, error);

	if (err)
		return err;
	if (!kv)
		return fleet_fail(error, ENOENT,
				  "no host '%s' is gone: `fleet status` lists those that are",
				  host);
	fleet_kvs_free(kv, 1);
	return fleet_fail(error, EBUSY,
			  "host '%s' is there: its agent is to be stopped first, and half a minute "
			  "later it is gone",
			  host);
}

/* Only where it is not there, and was. */
static int delete_seen(struct fleet_etcd *etcd, const char *host_key, const struct fleet_kv *seen,
		       bool *done, struct pb_error *error)
{
	struct fleet_txn *txn = fleet_txn_new();
	int err;

	if (txn && !fleet_txn_compare(txn, host_key, FLEET_CREATE_REVISION, 0) &&
	    !fleet_txn_compare(txn, seen->key, FLEET_MOD_REVISION, seen->mod_revision) &&
	    !fleet_txn_delete(txn, seen->key))
		err = fleet_etcd_commit(etcd, txn, done, NULL, error);
	else
		err = fleet_fail_memory(error);
	fleet_txn_free(txn);
	return err;
}

int fleet_forget_host(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *host,
		      struct pb_error *error)
{
	char *host_key = fleet_key(conf, FLEET_HOSTS, host);
	char *seen_key = fleet_key(conf, FLEET_SEEN, host);
	struct fleet_kv *seen = NULL;
	bool done = false;
	int err = host_key && seen_key ? fleet_etcd_get(etcd, seen_key, 0, &seen, NULL, error) :
					 fleet_fail_memory(error);

	if (!err && seen)
		err = delete_seen(etcd, host_key, seen, &done, error);
	if (!err && !done)
		err = say_why_not(etcd, host, host_key, error);
	fleet_kvs_free(seen, seen ? 1 : 0);
	free(host_key);
	free(seen_key);
	return err;
}

/* ---- What was -------------------------------------------------------------------------------- */

void fleet_history_free(struct fleet_history *history)
{
	for (size_t i = 0; i < history->nr; i++)
		fleet_revision_free(history->list[i]);
	free(history->list);
}

/* One of it; it may have been taken away meanwhile: none then. */
static int read_one(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *ruleset,
		    const char *key, struct fleet_history *history, struct pb_error *error)
{
	struct pb_error problem;
	struct fleet_kv *kv;
	int err = fleet_etcd_get(etcd, key, 0, &kv, NULL, error);

	if (err || !kv)
		return err;
	err = fleet_revision_read(kv->value, kv->len, ruleset, fleet_key_short(conf, key),
				  &history->list[history->nr], &problem);
	history->nr += !err;
	history->wrong += err && err != -ENOMEM;
	fleet_kvs_free(kv, 1);
	return err == -ENOMEM ? fleet_fail_memory(error) : 0;
}

/* All at once might be more than an answer may have. */
static int read_each(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *ruleset,
		     const struct fleet_kv *kvs, size_t nr, struct fleet_history *history,
		     struct pb_error *error)
{
	int err = 0;

	history->list = calloc(FLEET_HISTORY_MAX, sizeof(*history->list));
	if (!history->list)
		return fleet_fail_memory(error);
	for (size_t i = 0; !err && i < nr && i < FLEET_HISTORY_MAX; i++)
		err = read_one(etcd, conf, ruleset, kvs[nr - 1 - i].key, history, error);
	return err;
}

int fleet_history_read(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *ruleset,
		       struct fleet_history *history, struct pb_error *error)
{
	struct fleet_history made = { 0 };
	struct fleet_kv *kvs = NULL;
	size_t nr = 0;
	char *prefix = fleet_history_key(conf, ruleset);
	int err = prefix ? fleet_etcd_keys(etcd, prefix, &kvs, &nr, error) :
			   fleet_fail_memory(error);

	if (!err)
		err = read_each(etcd, conf, ruleset, kvs, nr, &made, error);
	fleet_kvs_free(kvs, nr);
	free(prefix);
	if (err)
		fleet_history_free(&made);
	else
		*history = made;
	return err;
}

int fleet_wanted_read(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *ruleset,
		      struct fleet_revision **revision, struct pb_error *error)
{
	char *key = fleet_key(conf, FLEET_RULESETS, ruleset);
	struct fleet_kv *kv = NULL;
	int err = key ? fleet_etcd_get(etcd, key, 0, &kv, NULL, error) : fleet_fail_memory(error);

	if (!err && !kv)
		err = fleet_fail(error, ENOENT, "nothing was ever pushed for ruleset '%s'",
				 ruleset);
	if (!err)
		err = fleet_revision_read(kv->value, kv->len, ruleset, fleet_key_short(conf, key),
					  revision, error);
	if (!err)
		(*revision)->revision = kv->mod_revision;
	fleet_kvs_free(kv, kv ? 1 : 0);
	free(key);
	return err;
}
