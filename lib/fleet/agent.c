// SPDX-License-Identifier: GPL-2.0-only
/* The agent: connects, follows, pauses where etcd is not there, and begins anew. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include "fleet/agent-parts.h"
#include "fleet/error.h"
#include "fleet/footprint.h"
#include "fleet/http.h"
#include "fleet/keys.h"

#define LEASE_SECONDS 30
#define LEASE_ONCE_SECONDS 3600 /* of --once: who is called by cron is seen until the next time */
#define TICK_MS 10000
#define PAUSE_LEAST_MS 500
#define PAUSE_MOST_MS 60000
#define HASTY_MOST 3
/* All is read anew now and then, whatever the stream has said. */
#define ANEW_MS 600000

/* ---- Doing ---------------------------------------------------------------------------------- */

/* -EAGAIN: a change was taken back, so connections of before may hang: all of them are made anew. */
static int act(struct agent *agent, struct pb_error *error)
{
	bool taken_back = false;
	int err = fleet_shares_act(&agent->shares, agent->etcd, error);

	if (err)
		return err;
	for (size_t i = 0; i < agent->nr; i++)
		taken_back |= fleet_follow_act(&agent->follows[i], &agent->calls);
	return taken_back ? -EAGAIN : fleet_agent_report(agent, error);
}

/* Who has answered is not to be banned. */
static void spare(const char *address, void *context)
{
	struct agent *agent = context;

	fleet_spared_add(&agent->shares.spared, address);
}

static int tick(struct agent *agent, struct pb_error *error)
{
	int err;

	agent->tick = fleet_now_ms() + TICK_MS;
	err = fleet_agent_hold_lease(agent, error);
	if (err)
		return err;
	fleet_etcd_peers(agent->etcd, spare, agent);
	return act(agent, error);
}

/* When it has been quiet from one tick to the next, or no etcd is there, for the first time since something came. */
static void become_small(struct agent *agent)
{
	if (!agent->small)
		fleet_give_back();
	agent->small = true;
}

/* One wait for what comes, and what follows from it. -EAGAIN: as of act(), or a group has changed: all is read anew. */
static int attend(struct agent *agent, struct pb_error *error)
{
	long long left = agent->tick - fleet_now_ms();
	struct fleet_change *changes;
	bool taken = false, regrouped = false;
	size_t nr;
	int err = fleet_watch_next(agent->watch, left > 0 ? (int)left : 0, &changes, &nr, error);

	if (err)
		return err;
	for (size_t i = 0; i < nr; i++) {
		taken |= fleet_agent_take_change(agent, &changes[i]);
		regrouped |= fleet_membership_is_key(&agent->membership, changes[i].kv.key);
		err = err ?: fleet_shares_take(&agent->shares, &changes[i]);
	}
	fleet_changes_free(changes, nr);
	if (err)
		return fleet_fail_memory(error);
	if (regrouped)
		return -EAGAIN;
	/* Many bans are to cost no look at the rulesets each. */
	if (taken)
		err = act(agent, error);
	else if (nr)
		err = fleet_shares_act(&agent->shares, agent->etcd, error);
	agent->small &= !nr;
	if (!err && fleet_now_ms() >= agent->tick) {
		err = tick(agent, error);
		if (!nr)
			become_small(agent);
	}
	return err;
}

/* ---- A connection --------------------------------------------------------------------------- */

static void disconnect(struct agent *agent)
{
	fleet_watch_close(agent->watch);
	agent->watch = NULL;
	fleet_etcd_close(agent->etcd);
	agent->etcd = NULL;
}

/* Nor who is to be asked. */
static void spare_endpoints(struct agent *agent)
{
	if (!agent->shares.nr)
		return;
	fleet_spared_resolve(&agent->shares.spared, agent->conf);
	fleet_shares_spare(&agent->shares);
}

static int connect_anew(struct agent *agent, __s64 *revision, struct pb_error *error)
{
	int err;

	disconnect(agent);
	spare_endpoints(agent);
	err = fleet_etcd_open(agent->conf, &agent->etcd, error);
	if (!err)
		err = fleet_agent_hold_lease(agent, error);
	if (!err)
		err = fleet_agent_read_keys(agent, revision, error);
	if (!err)
		fleet_etcd_peers(agent->etcd, spare, agent);
	return err;
}

/* From a new connection on until it fails, or all is to be read anew (0). `worked`: it got as far as that. */
static int follow(struct agent *agent, bool *worked, struct pb_error *error)
{
	__s64 revision;
	int err = connect_anew(agent, &revision, error);

	if (!err)
		err = fleet_agent_watch_keys(agent, revision + 1, error);
	if (err)
		return err;
	*worked = true;
	if (agent->said)
		fleet_say(agent->log, "etcd answers again");
	agent->said = 0;
	agent->small = false;
	agent->anew = fleet_now_ms() + ANEW_MS;
	err = tick(agent, error);
	while (!err && fleet_now_ms() < agent->anew)
		err = attend(agent, error);
	return err;
}

/* ---- Pauses --------------------------------------------------------------------------------- */

/* Between half of it and all: those whom one fault has met do not all come back at once. */
static void pause_about(long long ms)
{
	unsigned int chance = 0;
	struct timespec time;

	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) != sizeof(chance))
		chance = (unsigned int)fleet_now_ms();
	ms = ms / 2 + chance % (ms / 2 + 1);
	time = (struct timespec){ ms / 1000, ms % 1000 * 1000000 };
	nanosleep(&time, NULL);
}

/* The same trouble is told once: its text may have other times in it each time. */
static void say_trouble(struct agent *agent, int err, const struct pb_error *error)
{
	if (err != agent->said)
		fleet_say(agent->log, "%s; the rules in force stay", error->text);
	agent->said = err;
}

/*
 * All is read anew, at once; but what makes that happen again and again, such as an etcd that tells of nothing but
 * compaction, is not to keep us busy. `hasty`: so many in a row were over at once.
 */
static void go_on(long long began, unsigned int *hasty)
{
	if (fleet_now_ms() - began >= PAUSE_LEAST_MS)
		*hasty = 0;
	else if ((*hasty)++ >= HASTY_MOST)
		pause_about(PAUSE_LEAST_MS);
}

static void follow_for_ever(struct agent *agent)
{
	long long pause = PAUSE_LEAST_MS;
	unsigned int hasty = 0;
	struct pb_error error;

	for (;;) {
		long long began = fleet_now_ms();
		bool worked = false;
		int err = follow(agent, &worked, &error);

		if (worked)
			pause = PAUSE_LEAST_MS;
		if (!err || err == -EAGAIN || err == -ESTALE) {
			go_on(began, &hasty);
			continue;
		}
		say_trouble(agent, err, &error);
		if (pause == PAUSE_MOST_MS)
			become_small(agent);
		pause_about(pause);
		pause = pause * 2 < PAUSE_MOST_MS ? pause * 2 : PAUSE_MOST_MS;
	}
}

/* ---- Beginning and end ---------------------------------------------------------------------- */

static void end(struct agent *agent)
{
	disconnect(agent);
	fleet_agent_end_follows(agent);
	fleet_membership_end(&agent->membership);
	fleet_shares_end(&agent->shares);
	free(agent->host_key);
	free(agent->seen_key);
	free(agent->reported);
	free(agent->seen);
}

/* That it is not told is no reason not to make a change: it is told afterwards. */
static void announce(void *context)
{
	fleet_agent_report(context, NULL);
}

static int begin(struct agent *agent, const struct fleet_conf *conf, const struct fleet_log *log,
		 struct pb_error *error)
{
	int err;

	*agent = (struct agent){ .conf = conf, .log = log };
	agent->calls = (struct fleet_calls){ announce, fleet_agent_stay_seen, agent, log };
	agent->lease_seconds = LEASE_SECONDS;
	if (!conf->nr_rulesets && !conf->nr_sets && !conf->groups.nr)
		return fleet_fail(
			error, EINVAL,
			"fleet.conf names no `rulesets`, no `groups` and no `sets`: which "
			"does this host follow?");
	agent->host_key = fleet_key(conf, FLEET_HOSTS, conf->host);
	agent->seen_key = fleet_key(conf, FLEET_SEEN, conf->host);
	if (!agent->host_key || !agent->seen_key)
		return fleet_fail_memory(error);
	err = fleet_membership_begin(&agent->membership, conf, log);
	if (err)
		return fleet_agent_cannot_know(agent, err, error);
	if (fleet_shares_begin(&agent->shares, conf, log))
		return fleet_fail_memory(error);
	/* Whether there is libcurl is to be known at once. */
	return fleet_etcd_open(conf, &agent->etcd, error);
}

int fleet_agent_run(const struct fleet_conf *conf, const struct fleet_log *log,
		    struct pb_error *error)
{
	struct agent agent;
	int err = begin(&agent, conf, log, error);

	if (!err)
		follow_for_ever(&agent);
	end(&agent);
	return err;
}

/* ---- Once ----------------------------------------------------------------------------------- */

/* After a change that was taken back, by a new connection. */
static int report_back(struct agent *agent, struct pb_error *error)
{
	__s64 revision;

	return connect_anew(agent, &revision, error) ?: fleet_agent_report(agent, error);
}

static int say_result(struct agent *agent, struct pb_error *error)
{
	int err = 0;

	for (size_t i = 0; i < agent->nr; i++) {
		const struct fleet_follow *follow = &agent->follows[i];

		if (follow->state == FLEET_HOST_IN_FORCE)
			continue;
		fleet_say(agent->log, "ruleset %s: %s%s%s", follow->names->local,
			  fleet_host_state_name(follow->state), *follow->reason ? ": " : "",
			  follow->reason);
		err = fleet_fail(error, ENOMSG, "not all rulesets are as they are to be");
	}
	if (!err && !fleet_membership_good(&agent->membership))
		err = fleet_fail(error, ENOMSG, "not all groups are as they are to be");
	if (!err && !fleet_shares_good(&agent->shares))
		err = fleet_fail(error, ENOMSG, "not all sets are as they are to be");
	return err;
}

int fleet_agent_once(const struct fleet_conf *conf, const struct fleet_log *log,
		     struct pb_error *error)
{
	struct agent agent;
	__s64 revision;
	int err = begin(&agent, conf, log, error);

	agent.lease_seconds = LEASE_ONCE_SECONDS;
	if (!err)
		err = connect_anew(&agent, &revision, error);
	if (!err)
		err = act(&agent, error);
	if (err == -EAGAIN)
		err = report_back(&agent, error);
	if (!err)
		err = say_result(&agent, error);
	end(&agent);
	return err;
}
