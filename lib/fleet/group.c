// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "fleet/error.h"
#include "fleet/group.h"
#include "fleet/keys.h"
#include "fleet/shape.h"

#define SIGNATURE_MAX 255
#define LINE_LEN (2 * PB_NAME_LEN + 1)

#define AT(field) offsetof(struct fleet_group, field)
static const struct fleet_field fields[] = {
	{ "group", FLEET_NAME, true, AT(group), 0, NULL, NULL },
	{ "rulesets", FLEET_PAIRS, true, AT(rulesets), FLEET_LIST_MAX, NULL, NULL },
	{ "time", FLEET_TIME, true, AT(time), 0, NULL, NULL },
	{ "author", FLEET_TEXT, true, AT(author), FLEET_AUTHOR_MAX, NULL, NULL },
	{ "id", FLEET_HASH, true, AT(id), 0, NULL, NULL },
	{ "signature", FLEET_TEXT, false, AT(signature), SIGNATURE_MAX, NULL, NULL },
	{ NULL, 0, false, 0, 0, NULL, NULL },
};
static const struct fleet_shape shape = { sizeof(struct fleet_group), fields };

/* ---- As a record ----------------------------------------------------------------------------- */

static int compare_lines(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* GROUP, time, author and each LOCAL=NAME in order, with a newline behind each of them. */
int fleet_group_id(const struct fleet_group *group, char id[FLEET_HASH_LEN])
{
	size_t nr = group->nr_rulesets;
	const char **texts = calloc(nr + 4, sizeof(*texts));
	char(*lines)[LINE_LEN] = calloc(nr + 1, sizeof(*lines));
	int err = -ENOMEM;

	if (texts && lines) {
		for (size_t i = 0; i < nr; i++)
			snprintf(lines[i], LINE_LEN, "%s=%s", group->rulesets[i].local,
				 group->rulesets[i].remote);
		qsort(lines, nr, sizeof(*lines), compare_lines);
		texts[0] = group->group;
		texts[1] = group->time;
		texts[2] = group->author;
		for (size_t i = 0; i < nr; i++)
			texts[3 + i] = lines[i];
		texts[3 + nr] = "";
		err = fleet_hash(texts, nr + 4, id);
	}
	free(texts);
	free(lines);
	return err;
}

static int check(const struct fleet_group *group, const char *name, const char *what,
		 struct pb_error *error)
{
	char id[FLEET_HASH_LEN];

	if (strcmp(group->group, name))
		return fleet_fail(error, EINVAL, "%s: \"group\" is \"%s\", and has to be \"%s\"",
				  what, group->group, name);
	if (fleet_group_id(group, id))
		return fleet_fail_memory(error);
	if (strcmp(group->id, id))
		return fleet_fail(
			error, EINVAL,
			"%s: \"id\" is \"%s\", and that of what it holds is \"%s\": it was changed by "
			"something else than `fleet group set`",
			what, group->id, id);
	return 0;
}

int fleet_group_read(const char *text, size_t len, const char *name, const char *what,
		     struct fleet_group **group, struct pb_error *error)
{
	void *record;
	int err = fleet_shape_read(&shape, text, len, what, &record, error);

	if (err)
		return err;
	err = check(record, name, what, error);
	if (!err)
		*group = record;
	else
		fleet_group_free(record);
	return err;
}

char *fleet_group_text(const struct fleet_group *group)
{
	return fleet_shape_text(&shape, group);
}

void fleet_group_free(struct fleet_group *group)
{
	fleet_shape_free(&shape, group);
}

/* ---- In etcd --------------------------------------------------------------------------------- */

static int read_kv(const struct fleet_conf *conf, const struct fleet_kv *kv,
		   struct fleet_group **group, struct pb_error *error)
{
	const char *what = fleet_key_short(conf, kv->key);

	return fleet_group_read(kv->value, kv->len, what + strlen(FLEET_GROUPS "/"), what, group,
				error);
}

/*
 * Hosts that trust a key take none that is not later than what they have. What is there is signed by anybody or by nobody:
 * it has us sign no time to which hosts could not come.
 */
int fleet_group_be_later(struct fleet_group *group, const char *than, struct pb_error *error)
{
	struct tm utc = {};

	if (fleet_time_is_ahead(than))
		return fleet_fail(
			error, EINVAL,
			"the group '%s' that is there is of %s, which is more than a day from now: "
			"whoever has set it had a wrong clock, or wants no other to come after it. "
			"`fleet group del %s` first",
			group->group, than, group->group);
	if (fleet_time_compare(group->time, than) > 0 || !strptime(than, "%Y-%m-%dT%H:%M:%S", &utc))
		return 0;
	fleet_time_text(timegm(&utc) + 1, group->time);
	return 0;
}

static int finish(struct fleet_group *group, const char *keyfile, struct pb_error *error)
{
	if (fleet_group_id(group, group->id))
		return fleet_fail_memory(error);
	free(group->signature);
	group->signature = NULL;
	return keyfile ? fleet_sign_group(group->id, keyfile, &group->signature, error) : 0;
}

/* `text` NULL: it is deleted. */
static int commit(struct fleet_etcd *etcd, const char *key, __s64 mod_revision, const char *text,
		  struct pb_error *error)
{
	struct fleet_txn *txn = fleet_txn_new();
	bool succeeded;
	int err = txn ? fleet_txn_compare(txn, key, FLEET_MOD_REVISION, mod_revision) : -ENOMEM;

	if (!err)
		err = text ? fleet_txn_put(txn, key, text, 0) : fleet_txn_delete(txn, key);
	err = err ? fleet_fail_memory(error) :
		    fleet_etcd_commit(etcd, txn, &succeeded, NULL, error);
	fleet_txn_free(txn);
	if (!err && !succeeded)
		err = fleet_fail(error, EAGAIN,
				 "somebody else has changed the group at the same time");
	return err;
}

static int put_over(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *key,
		    struct fleet_group *group, const char *keyfile, struct pb_error *error)
{
	struct fleet_group *there = NULL;
	struct fleet_kv *kv;
	char *text = NULL;
	int err = fleet_etcd_get(etcd, key, 0, &kv, NULL, error);

	if (err)
		return err;
	if (kv && !read_kv(conf, kv, &there, NULL))
		err = fleet_group_be_later(group, there->time, error);
	fleet_group_free(there);
	err = err ?: finish(group, keyfile, error);
	if (!err) {
		text = fleet_group_text(group);
		err = text ? commit(etcd, key, kv ? kv->mod_revision : 0, text, error) :
			     fleet_fail_memory(error);
	}
	free(text);
	fleet_kvs_free(kv, 1);
	return err;
}

int fleet_group_put(struct fleet_etcd *etcd, const struct fleet_conf *conf,
		    struct fleet_group *group, const char *keyfile, struct pb_error *error)
{
	char *key = fleet_key(conf, FLEET_GROUPS, group->group);
	int err = key ? put_over(etcd, conf, key, group, keyfile, error) : fleet_fail_memory(error);

	free(key);
	return err;
}

int fleet_group_delete(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *name,
		       struct pb_error *error)
{
	char *key = fleet_key(conf, FLEET_GROUPS, name);
	struct fleet_kv *kv = NULL;
	int err = key ? fleet_etcd_get(etcd, key, 0, &kv, NULL, error) : fleet_fail_memory(error);

	if (!err && !kv)
		err = fleet_fail(error, ENOENT, "the fleet has no group '%s'", name);
	if (!err)
		err = commit(etcd, key, kv->mod_revision, NULL, error);
	fleet_kvs_free(kv, 1);
	free(key);
	return err;
}

static int read_all(const struct fleet_conf *conf, const struct fleet_kv *kvs, size_t nr,
		    struct fleet_groups *groups, struct pb_error *error)
{
	groups->list = calloc(nr + 1, sizeof(*groups->list));
	groups->problems = calloc(nr + 1, sizeof(*groups->problems));
	if (!groups->list || !groups->problems)
		return fleet_fail_memory(error);
	for (size_t i = 0; i < nr; i++) {
		int err = read_kv(conf, &kvs[i], &groups->list[groups->nr],
				  &groups->problems[groups->nr_problems]);

		if (err == -ENOMEM)
			return fleet_fail_memory(error);
		if (err)
			groups->nr_problems++;
		else
			groups->nr++;
	}
	return 0;
}

int fleet_groups_list(struct fleet_etcd *etcd, const struct fleet_conf *conf,
		      struct fleet_groups *groups, struct pb_error *error)
{
	char *prefix = fleet_key(conf, FLEET_GROUPS, "");
	struct fleet_groups read = {};
	struct fleet_kv *kvs = NULL;
	size_t nr = 0;
	int err = prefix ? fleet_etcd_list(etcd, prefix, 0, &kvs, &nr, NULL, error) :
			   fleet_fail_memory(error);

	free(prefix);
	if (!err)
		err = read_all(conf, kvs, nr, &read, error);
	fleet_kvs_free(kvs, nr);
	if (err)
		fleet_groups_free(&read);
	else
		*groups = read;
	return err;
}

void fleet_groups_free(struct fleet_groups *groups)
{
	for (size_t i = 0; groups->list && i < groups->nr; i++)
		fleet_group_free(groups->list[i]);
	free(groups->list);
	free(groups->problems);
}
