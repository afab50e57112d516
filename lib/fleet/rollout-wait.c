// SPDX-License-Identifier: GPL-2.0-only
/* What hosts say while a rollout goes on, and to be patient with etcd. */
#include <poll.h>
#include <string.h>
#include "fleet/error.h"
#include "fleet/rollout-parts.h"

#define SECOND 1000000000ULL
#define MS 1000000ULL
#define PAUSE 500    /* ms, before etcd is asked again that did not answer */
#define LOOK_UP 1000 /* ms, after which an interruption is seen at the latest */

/* ---- What hosts say ------------------------------------------------------------------------- */

/* What cannot be read is as if the host were gone: `fleet status` says why. */
static int take_host(struct fleet_rollout *rollout, const struct fleet_kv *kv, bool deleted)
{
	const char *name = kv->key + strlen(rollout->hosts_key);
	struct fleet_host *host = NULL;
	int err;

	if (fleet_host_check(name, NULL))
		return 0;
	if (deleted || fleet_host_read(kv->value, kv->len, name, name, &host, NULL))
		return fleet_roster_gone(&rollout->roster, rollout->stage->id, name);
	err = fleet_roster_put(&rollout->roster, rollout->ruleset, rollout->stage->id, host);
	fleet_host_free(host);
	return err;
}

/* All of them; `revision`: of the store, as it was then. */
static int list_hosts(struct fleet_rollout *rollout, __s64 *revision, struct pb_error *error)
{
	struct fleet_kv *kvs;
	size_t nr;
	int err = fleet_etcd_list(rollout->etcd, rollout->hosts_key, 0, &kvs, &nr, revision, error);

	if (err)
		return err;
	fleet_roster_forget(&rollout->roster);
	for (size_t i = 0; !err && i < nr; i++)
		err = take_host(rollout, &kvs[i], false);
	fleet_kvs_free(kvs, nr);
	return err ? fleet_fail_memory(error) : 0;
}

int fleet_rollout_open_watch(struct fleet_rollout *rollout, struct pb_error *error)
{
	__s64 revision;
	int err = list_hosts(rollout, &revision, error);

	if (!err)
		err = fleet_watch_open(rollout->etcd, rollout->hosts_key, revision + 1,
				       &rollout->watch, error);
	return err;
}

static void close_watch(struct fleet_rollout *rollout)
{
	fleet_watch_close(rollout->watch);
	rollout->watch = NULL;
}

/* ---- What there is to say ------------------------------------------------------------------- */

void fleet_rollout_tell(const struct fleet_rollout *rollout, enum fleet_news news, const char *text)
{
	char lagging[512];
	struct fleet_progress progress = { .news = news,
					   .ruleset = rollout->ruleset,
					   .revision = rollout->revision->revision,
					   .stage = rollout->stage,
					   .lagging = lagging,
					   .text = text };

	if (!rollout->listener)
		return;
	progress.count = fleet_roster_count(&rollout->roster, rollout->stage);
	fleet_lagging(&rollout->roster, rollout->stage, lagging, sizeof(lagging));
	rollout->listener(&progress, rollout->context);
}

static bool is_interrupted(const struct fleet_rollout *rollout)
{
	return rollout->interrupted && *rollout->interrupted;
}

static int say_interrupted(const struct fleet_rollout *rollout, struct pb_error *error)
{
	return fleet_fail(
		error, EINTR,
		"interrupted at stage %u of %u, where hosts stay: `fleet push --resume %s` goes on, and a "
		"push of another revision begins anew",
		rollout->stage->stage, rollout->stage->of, rollout->ruleset);
}

int fleet_rollout_be_patient(struct fleet_rollout *rollout, int err, struct pb_error *error)
{
	__u64 now = pb_clock();

	if (is_interrupted(rollout))
		return say_interrupted(rollout, error);
	if (err == -ENOMEM || err == -EACCES || err == -EBUSY || err == -ECANCELED ||
	    now - rollout->answered > rollout->stage->wait * SECOND)
		return err;
	fleet_rollout_tell(rollout, FLEET_NEWS_TROUBLE, error->text);
	poll(NULL, 0, PAUSE);
	rollout->began += pb_clock() - now;
	return 0;
}

/* ---- Waiting -------------------------------------------------------------------------------- */

static int take_changes(struct fleet_rollout *rollout, int timeout, struct pb_error *error)
{
	struct fleet_change *changes;
	size_t nr;
	int err = fleet_watch_next(rollout->watch, timeout, &changes, &nr, error);

	if (err)
		return err;
	for (size_t i = 0; !err && i < nr; i++)
		err = take_host(rollout, &changes[i].kv, changes[i].deleted);
	fleet_changes_free(changes, nr);
	if (nr && !err)
		fleet_rollout_tell(rollout, FLEET_NEWS_HOSTS, NULL);
	return err ? fleet_fail_memory(error) : 0;
}

static int lesser(int a, int b)
{
	return a < b ? a : b;
}

/* A stream that has ended is opened anew. */
int fleet_rollout_look(struct fleet_rollout *rollout, int timeout, struct pb_error *error)
{
	int err = fleet_election_keep(&rollout->election, error);

	if (!err && !rollout->watch)
		err = fleet_rollout_open_watch(rollout, error);
	if (err)
		return fleet_rollout_be_patient(rollout, err, error);
	timeout = lesser(lesser(timeout, LOOK_UP), fleet_election_due(&rollout->election));
	err = take_changes(rollout, timeout, error);
	if (err)
		close_watch(rollout);
	else
		rollout->answered = pb_clock();
	if (is_interrupted(rollout))
		return say_interrupted(rollout, error);
	return err == -ENOMEM ? err : 0;
}

int fleet_rollout_left(const struct fleet_rollout *rollout, __u64 since)
{
	__u64 passed = pb_clock() - since, wait = rollout->stage->wait * SECOND;

	return passed < wait ? (int)lesser((wait - passed) / MS + 1, LOOK_UP) : 0;
}
