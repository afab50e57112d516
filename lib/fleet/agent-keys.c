// SPDX-License-Identifier: GPL-2.0-only
/* What etcd has for this host: which rulesets it follows, and all keys of them, read and watched. */
#include <stdlib.h>
#include <string.h>
#include "fleet/agent-parts.h"
#include "fleet/error.h"

/* ---- Which are followed --------------------------------------------------------------------- */

int fleet_agent_cannot_know(const struct agent *agent, int err, struct pb_error *error)
{
	if (err == -ENOMEM)
		return fleet_fail_memory(error);
	return fleet_fail(error, -err, "cannot read what is kept in %s: %s", agent->conf->state,
			  strerror(-err));
}

void fleet_agent_end_follows(struct agent *agent)
{
	for (size_t i = 0; i < agent->nr; i++)
		fleet_follow_end(&agent->follows[i]);
	free(agent->follows);
	free(agent->drops);
	free(agent->followed);
	agent->follows = NULL;
	agent->drops = NULL;
	agent->followed = NULL;
	agent->nr = 0;
}

static bool are_followed(const struct agent *agent, const struct fleet_followed *followed,
			 size_t nr)
{
	bool same = agent->followed && agent->nr == nr;

	for (size_t i = 0; same && i < nr; i++)
		same = !strcmp(agent->followed[i].names.local, followed[i].names.local) &&
		       !strcmp(agent->followed[i].names.remote, followed[i].names.remote) &&
		       !strcmp(agent->followed[i].conflict.text, followed[i].conflict.text);
	return same;
}

/* Takes `followed` over. What is in force under names that are no longer there, stays. */
static int follow_others(struct agent *agent, struct fleet_followed *followed, size_t nr)
{
	int err;

	fleet_agent_end_follows(agent);
	agent->followed = followed;
	agent->follows = calloc(nr + 1, sizeof(*agent->follows));
	agent->drops = calloc(nr + 1, sizeof(*agent->drops));
	if (!agent->follows || !agent->drops)
		return -ENOMEM;
	while (agent->nr < nr) {
		const struct fleet_followed *one = &followed[agent->nr];
		struct fleet_follow *follow = &agent->follows[agent->nr++];

		err = fleet_follow_begin(follow, agent->conf, &one->names);
		if (err)
			return err;
		follow->remark = one->remark;
		if (!*one->conflict.text)
			continue;
		follow->conflict = one->conflict.text;
		fleet_say(agent->log, "%s: neither of the two is followed", one->conflict.text);
	}
	return 0;
}

/* Which rulesets there are to follow, by fleet.conf and by groups. */
static int read_groups(struct agent *agent, __s64 *revision, struct pb_error *error)
{
	struct fleet_followed *followed;
	size_t nr;
	int err = fleet_membership_read(&agent->membership, agent->etcd, revision, error);

	if (err)
		return err;
	if (fleet_membership_followed(&agent->membership, &followed, &nr))
		return fleet_fail_memory(error);
	if (are_followed(agent, followed, nr)) {
		free(followed);
		return 0;
	}
	err = follow_others(agent, followed, nr);
	if (err)
		fleet_agent_end_follows(agent);
	return err ? fleet_agent_cannot_know(agent, err, error) : 0;
}

/* ---- Their keys ----------------------------------------------------------------------------- */

static int read_key(struct agent *agent, struct fleet_follow *follow, enum fleet_key key,
		    __s64 *revision, struct pb_error *error)
{
	struct fleet_kv *kv;
	__s64 now;
	int err = fleet_etcd_get(agent->etcd, follow->keys[key], *revision, &kv, &now, error);

	if (err)
		return err;
	if (!*revision)
		*revision = now;
	if (kv)
		fleet_follow_take(follow, key, kv->value, kv->len, kv->mod_revision);
	else
		fleet_follow_take(follow, key, NULL, 0, 0);
	fleet_kvs_free(kv, 1);
	return 0;
}

int fleet_agent_read_keys(struct agent *agent, __s64 *revision, struct pb_error *error)
{
	int err;

	*revision = 0;
	err = read_groups(agent, revision, error);
	for (size_t i = 0; i < agent->nr && !err; i++)
		for (int key = 0; key < FLEET_KEYS && !err; key++)
			err = read_key(agent, &agent->follows[i], key, revision, error);
	return err ?: fleet_shares_read(&agent->shares, agent->etcd, revision, error);
}

int fleet_agent_watch_keys(struct agent *agent, __s64 from, struct pb_error *error)
{
	size_t own = agent->nr * FLEET_KEYS, groups = own + agent->membership.nr,
	       nr = groups + agent->shares.nr * FLEET_SHARE_KEYS;
	const char **keys = calloc(nr, sizeof(*keys));
	int err;

	if (!keys)
		return fleet_fail_memory(error);
	for (size_t i = 0; i < agent->nr; i++)
		for (int key = 0; key < FLEET_KEYS; key++)
			keys[i * FLEET_KEYS + key] = agent->follows[i].keys[key];
	fleet_membership_keys(&agent->membership, keys + own);
	fleet_shares_keys(&agent->shares, keys + groups);
	err = fleet_watch_open_all(agent->etcd, keys, nr, from, &agent->watch, error);
	free(keys);
	return err;
}

bool fleet_agent_take_change(struct agent *agent, const struct fleet_change *change)
{
	bool taken = false;

	for (size_t i = 0; i < agent->nr; i++)
		for (int key = 0; key < FLEET_KEYS; key++)
			if (!strcmp(agent->follows[i].keys[key], change->kv.key)) {
				fleet_follow_take(&agent->follows[i], key,
						  change->deleted ? NULL : change->kv.value,
						  change->kv.len, change->kv.mod_revision);
				taken = true;
			}
	return taken;
}
