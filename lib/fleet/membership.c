// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fleet/error.h"
#include "fleet/keys.h"
#include "fleet/membership.h"
#include "fleet/memory.h"

#define END ".group"

/* ---- Beginning and end ----------------------------------------------------------------------- */

static int verify(const struct fleet_conf *conf, const struct fleet_group *group,
		  struct pb_error *error)
{
	if (!conf->trust.nr)
		return 0;
	return fleet_verify_group(group->id, group->signature, conf->trust.texts, conf->trust.nr,
				  error);
}

/* What an agent before this one has taken, if it would be taken now. */
static int remember(const struct fleet_conf *conf, struct fleet_belonging *belonging)
{
	struct fleet_group *group;
	size_t len;
	char *text = fleet_file_load(conf->state, belonging->name, END, &len);
	int err;

	if (!text)
		return errno == ENOENT ? 0 : -errno;
	err = fleet_group_read(text, len, belonging->name, belonging->name, &group, NULL);
	free(text);
	if (err)
		return err == -ENOMEM ? err : 0;
	if (verify(conf, group, NULL))
		fleet_group_free(group);
	else
		belonging->taken = group;
	return 0;
}

int fleet_membership_begin(struct fleet_membership *membership, const struct fleet_conf *conf,
			   const struct fleet_log *log)
{
	size_t nr = conf->groups.nr;
	int err = 0;

	*membership = (struct fleet_membership){ .conf = conf, .log = log };
	membership->list = calloc(nr + 1, sizeof(*membership->list));
	if (!membership->list)
		return -ENOMEM;
	for (; !err && membership->nr < nr; membership->nr++) {
		struct fleet_belonging *belonging = &membership->list[membership->nr];

		belonging->name = conf->groups.texts[membership->nr];
		belonging->there = true; /* until etcd is heard */
		belonging->key = fleet_key(conf, FLEET_GROUPS, belonging->name);
		err = belonging->key ? remember(conf, belonging) : -ENOMEM;
	}
	return err;
}

void fleet_membership_end(struct fleet_membership *membership)
{
	for (size_t i = 0; i < membership->nr; i++) {
		fleet_group_free(membership->list[i].taken);
		free(membership->list[i].key);
	}
	free(membership->list);
	*membership = (struct fleet_membership){};
}

/* ---- What etcd has --------------------------------------------------------------------------- */

/* One that was signed once is not to come back. */
static int check_time(const struct fleet_belonging *belonging, const struct fleet_group *group,
		      struct pb_error *error)
{
	const struct fleet_group *taken = belonging->taken;

	if (fleet_time_is_ahead(group->time))
		return fleet_fail(
			error, EKEYREJECTED,
			"it is of %s, which is more than a day from now: the clock of who "
			"has set it is wrong, or that of this host",
			group->time);
	if (!taken || !strcmp(taken->id, group->id) ||
	    fleet_time_compare(group->time, taken->time) > 0)
		return 0;
	return fleet_fail(error, EKEYREJECTED, "it is of %s, and what was there before is of %s",
			  group->time, taken->time);
}

static int judge(const struct fleet_membership *membership, const struct fleet_belonging *belonging,
		 const struct fleet_group *group, struct pb_error *error)
{
	const struct fleet_conf *conf = membership->conf;
	int err = verify(conf, group, error);

	if (!err && conf->trust.nr)
		err = check_time(belonging, group, error);
	return err;
}

static void keep(const struct fleet_membership *membership, struct fleet_belonging *belonging,
		 struct fleet_group *group)
{
	bool is_new = !belonging->taken || strcmp(belonging->taken->id, group->id) != 0;
	char *text = is_new ? fleet_group_text(group) : NULL, path[FLEET_PATH_MAX];
	struct pb_error error;

	fleet_group_free(belonging->taken);
	belonging->taken = group;
	if (!is_new)
		return;
	fleet_say(membership->log, "group %s: as %s has set it at %s", group->group, group->author,
		  group->time);
	if (!text)
		fleet_say(membership->log, "group %s: out of memory: it is not kept", group->group);
	else if (fleet_file_write(membership->conf->state, belonging->name, END, text, true, path,
				  &error))
		fleet_say(membership->log, "group %s: %s", group->group, error.text);
	free(text);
}

/* The same is said once. */
static void refuse(const struct fleet_membership *membership, struct fleet_belonging *belonging,
		   const struct pb_error *why)
{
	struct pb_error before = belonging->wrong;

	fleet_fail(&belonging->wrong, EINVAL, "group %s: %s", belonging->name, why->text);
	if (strcmp(before.text, belonging->wrong.text) != 0)
		fleet_say(membership->log, "%s; what it was before stays", belonging->wrong.text);
}

int fleet_membership_take(struct fleet_membership *membership, struct fleet_belonging *belonging,
			  const char *value, size_t len)
{
	struct fleet_group *group = NULL;
	struct pb_error why;
	int err;

	if (!value && belonging->there)
		fleet_say(membership->log, "group %s: the fleet has no such group",
			  belonging->name);
	belonging->there = value;
	if (!value) {
		*belonging->wrong.text = '\0';
		return 0;
	}
	err = fleet_group_read(value, len, belonging->name, belonging->key, &group, &why);
	if (!err)
		err = judge(membership, belonging, group, &why);
	if (!err) {
		keep(membership, belonging, group);
		*belonging->wrong.text = '\0';
		return 0;
	}
	fleet_group_free(group);
	if (err == -ENOMEM)
		return err;
	refuse(membership, belonging, &why);
	return 0;
}

int fleet_membership_read(struct fleet_membership *membership, struct fleet_etcd *etcd,
			  __s64 *revision, struct pb_error *error)
{
	for (size_t i = 0; i < membership->nr; i++) {
		struct fleet_belonging *belonging = &membership->list[i];
		struct fleet_kv *kv;
		__s64 now;
		int err = fleet_etcd_get(etcd, belonging->key, *revision, &kv, &now, error);

		if (err)
			return err;
		if (!*revision)
			*revision = now;
		err = fleet_membership_take(membership, belonging, kv ? kv->value : NULL,
					    kv ? kv->len : 0);
		fleet_kvs_free(kv, 1);
		if (err)
			return fleet_fail_memory(error);
	}
	return 0;
}

bool fleet_membership_is_key(const struct fleet_membership *membership, const char *key)
{
	for (size_t i = 0; i < membership->nr; i++)
		if (!strcmp(membership->list[i].key, key))
			return true;
	return false;
}

void fleet_membership_keys(const struct fleet_membership *membership, const char **keys)
{
	for (size_t i = 0; i < membership->nr; i++)
		keys[i] = membership->list[i].key;
}

bool fleet_membership_good(const struct fleet_membership *membership)
{
	for (size_t i = 0; i < membership->nr; i++)
		if (*membership->list[i].wrong.text)
			return false;
	return true;
}

/* ---- What follows from it -------------------------------------------------------------------- */

/* What a group has a ruleset for; nothing of one that is not there. */
static size_t nr_said(const struct fleet_belonging *belonging)
{
	return belonging->there && belonging->taken ? belonging->taken->nr_rulesets : 0;
}

static bool in_conf(const struct fleet_conf *conf, const struct fleet_ruleset *names)
{
	for (size_t i = 0; i < conf->nr_rulesets; i++)
		if (!strcmp(conf->rulesets[i].local, names->local) ||
		    !strcmp(conf->rulesets[i].remote, names->remote))
			return true;
	return false;
}

/* Do two groups say different things of one name? In the order of fleet.conf. */
static bool clash(const char *group, const struct fleet_ruleset *names, const char *other_group,
		  const struct fleet_ruleset *other, struct pb_error *conflict)
{
	bool local = !strcmp(names->local, other->local),
	     remote = !strcmp(names->remote, other->remote);

	if (local && !remote)
		fleet_fail(conflict, EINVAL,
			   "groups %s and %s have different rulesets for '%s': '%s' and '%s'",
			   group, other_group, names->local, names->remote, other->remote);
	else if (remote && !local)
		fleet_fail(conflict, EINVAL,
			   "groups %s and %s have two names for the ruleset '%s': '%s' and '%s'",
			   group, other_group, names->remote, names->local, other->local);
	return local != remote;
}

/* With a ruleset of another group; what fleet.conf has a word about conflicts with nothing. */
static void look_for_conflict(const struct fleet_membership *membership, size_t of,
			      const struct fleet_ruleset *names, struct pb_error *conflict)
{
	const struct fleet_belonging *list = membership->list;

	for (size_t i = 0; i < membership->nr; i++)
		for (size_t k = 0; i != of && k < nr_said(&list[i]); k++) {
			const struct fleet_ruleset *other = &list[i].taken->rulesets[k];

			if (in_conf(membership->conf, other))
				continue;
			if (i < of ? clash(list[i].name, other, list[of].name, names, conflict) :
				     clash(list[of].name, names, list[i].name, other, conflict))
				return;
		}
}

static bool is_followed(const struct fleet_followed *followed, size_t nr,
			const struct fleet_ruleset *names)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(followed[i].names.remote, names->remote))
			return true;
	return false;
}

static size_t add_group(const struct fleet_membership *membership, size_t of,
			struct fleet_followed *followed, size_t nr)
{
	struct fleet_belonging *belonging = &membership->list[of];

	for (size_t i = 0; i < nr_said(belonging); i++) {
		const struct fleet_ruleset *names = &belonging->taken->rulesets[i];

		if (in_conf(membership->conf, names) || is_followed(followed, nr, names))
			continue;
		if (nr == FLEET_FOLLOWED_MAX) {
			fleet_fail(
				&belonging->wrong, EINVAL,
				"group %s: '%s' is one too many: a host follows %d rulesets at most",
				belonging->name, names->remote, FLEET_FOLLOWED_MAX);
			fleet_say(membership->log, "%s", belonging->wrong.text);
			break;
		}
		followed[nr].names = *names;
		followed[nr].remark = belonging->wrong.text;
		look_for_conflict(membership, of, names, &followed[nr].conflict);
		nr++;
	}
	return nr;
}

int fleet_membership_followed(const struct fleet_membership *membership,
			      struct fleet_followed **followed, size_t *nr)
{
	const struct fleet_conf *conf = membership->conf;
	size_t most = conf->nr_rulesets, found = 0;
	struct fleet_followed *list;

	for (size_t i = 0; i < membership->nr; i++)
		most += nr_said(&membership->list[i]);
	list = calloc(most + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (; found < conf->nr_rulesets; found++)
		list[found].names = conf->rulesets[found];
	for (size_t i = 0; i < membership->nr; i++)
		found = add_group(membership, i, list, found);
	*followed = list;
	*nr = found;
	return 0;
}
