// SPDX-License-Identifier: GPL-2.0-only
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include "fleet/agent.h"
#include "fleet/error.h"
#include "fleet/etcd.h"
#include "fleet/footprint.h"
#include "fleet/http.h"
#include "fleet/keys.h"
#include "fleet/membership.h"
#include "fleet/report.h"
#include "fleet/shares.h"

#define LEASE_SECONDS 30
#define LEASE_ONCE_SECONDS 3600 /* of --once: who is called by cron is seen until the next time */
#define TICK_MS 10000
#define COUNT_MS 30000
#define RENEW_MS 10000
#define RENEW_WAIT_MS 1000
#define PAUSE_LEAST_MS 500
#define PAUSE_MOST_MS 60000
#define HASTY_MOST 3
/* All is read anew now and then, whatever the stream has said. */
#define ANEW_MS 600000

struct agent {
	const struct fleet_conf *conf;
	struct fleet_etcd *etcd;
	struct fleet_watch *watch;
	struct fleet_membership membership;
	struct fleet_followed *followed; /* what `follows` are about, */
	struct fleet_follow *follows;
	struct fleet_drops *drops;
	size_t nr; /* so many of each */
	struct fleet_shares shares;
	struct fleet_calls calls;
	fleet_say_function *say;
	void *context;
	char *host_key, *seen_key;
	char *reported; /* what etcd has of us; NULL: nothing, or it is not known */
	char *seen;	/* likewise, of what stays when we are gone */
	__s64 lease;	/* 0: none */
	long long lease_seconds;
	long long tick, count, anew; /* when these are due (ms) */
	long long renew;	     /* and the lease, while a change is proved */
	int said;		     /* the last trouble, which is told once; 0: none */
	bool small;		     /* nothing came since memory was given back */
};

static void say(struct agent *agent, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct agent *agent, const char *format, ...)
{
	struct pb_error line;
	va_list args;

	va_start(args, format);
	vsnprintf(line.text, sizeof(line.text), format, args);
	va_end(args);
	agent->say(line.text, agent->context);
}

/* ---- The host's record --------------------------------------------------------------------- */

static int put_dated(struct agent *agent, const char *key, const char *text, __s64 lease,
		     struct pb_error *error)
{
	char *dated = strdup(text);
	int err;

	if (!dated)
		return fleet_fail_memory(error);
	fleet_report_now(dated);
	err = fleet_etcd_put(agent->etcd, key, dated, lease, NULL, error);
	free(dated);
	return err;
}

static int put_report(struct agent *agent, const char *report, struct pb_error *error)
{
	int err = put_dated(agent, agent->host_key, report, agent->lease, error);

	if (err == -ENOENT)
		agent->lease = 0; /* it is gone */
	return err;
}

/* Once a lease, and when another revision is in force: it is written without a lease, for it is to stay. */
static int put_seen(struct agent *agent, struct pb_error *error)
{
	char *made = fleet_report_seen(agent->conf, agent->follows, agent->nr);
	struct pb_error denied;
	int err = made ? 0 : fleet_fail_memory(&denied);

	if (!err && (!agent->seen || strcmp(made, agent->seen)))
		err = put_dated(agent, agent->seen_key, made, 0, &denied);
	/* Nothing else depends on it. */
	if (err == -EACCES)
		say(agent, "%s", denied.text);
	else if (err && error)
		*error = denied;
	if (err && err != -EACCES) {
		free(made);
		return err;
	}
	free(agent->seen);
	agent->seen = made;
	return 0;
}

static int report(struct agent *agent, struct pb_error *error)
{
	bool count = fleet_now_ms() >= agent->count;
	char *made = fleet_report(agent->conf, agent->follows, agent->drops, agent->nr,
				  &agent->shares, count);
	int err = made ? 0 : fleet_fail_memory(error);

	if (count)
		agent->count = fleet_now_ms() + COUNT_MS;
	if (!err && (!agent->reported || strcmp(made, agent->reported)))
		err = put_report(agent, made, error);
	if (err) {
		free(made);
		return err;
	}
	free(agent->reported);
	agent->reported = made;
	return put_seen(agent, error);
}

/* That it is not told is no reason not to make a change: it is told afterwards. */
static void announce(void *context)
{
	report(context, NULL);
}

static void pass_on(const char *line, void *context)
{
	struct agent *agent = context;

	agent->say(line, agent->context);
}

static int hold_lease(struct agent *agent, struct pb_error *error)
{
	int err = agent->lease ? fleet_lease_keep(agent->etcd, agent->lease, error) : -ENOENT;

	agent->renew = fleet_now_ms() + RENEW_MS;
	if (err != -ENOENT)
		return err;
	free(agent->reported);
	free(agent->seen);
	agent->reported = agent->seen = NULL;
	return fleet_lease_grant(agent->etcd, agent->lease_seconds, &agent->lease, error);
}

/*
 * A proof may last as long as the lease or longer. It is made by connections of its own; by the old one, which the new
 * rules may let live or not, the host stays seen meanwhile. Where it does not answer soon, it is not asked again.
 */
static void stay_seen(void *context)
{
	struct agent *agent = context;

	if (!agent->lease || fleet_now_ms() < agent->renew)
		return;
	agent->renew = fleet_now_ms() + RENEW_MS;
	fleet_etcd_limit(agent->etcd, RENEW_WAIT_MS / (long)agent->conf->endpoints.nr);
	if (fleet_lease_keep(agent->etcd, agent->lease, NULL))
		agent->renew = LLONG_MAX;
	fleet_etcd_limit(agent->etcd, 0);
}

/* ---- What etcd has ------------------------------------------------------------------------- */

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

/* What is kept on this host is there, and cannot be read: -ENOMEM, -EMFILE, ... */
static int cannot_know(const struct agent *agent, int err, struct pb_error *error)
{
	if (err == -ENOMEM)
		return fleet_fail_memory(error);
	return fleet_fail(error, -err, "cannot read what is kept in %s: %s", agent->conf->state,
			  strerror(-err));
}

static void end_follows(struct agent *agent)
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

	end_follows(agent);
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
		say(agent, "%s: neither of the two is followed", one->conflict.text);
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
		end_follows(agent);
	return err ? cannot_know(agent, err, error) : 0;
}

/* All keys as they were at one moment. */
static int read_keys(struct agent *agent, __s64 *revision, struct pb_error *error)
{
	int err;

	*revision = 0;
	err = read_groups(agent, revision, error);
	for (size_t i = 0; i < agent->nr && !err; i++)
		for (int key = 0; key < FLEET_KEYS && !err; key++)
			err = read_key(agent, &agent->follows[i], key, revision, error);
	return err ?: fleet_shares_read(&agent->shares, agent->etcd, revision, error);
}

static int watch_keys(struct agent *agent, __s64 from, struct pb_error *error)
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

/* Is it one of a ruleset? */
static bool take_change(struct agent *agent, const struct fleet_change *change)
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

/* ---- Doing --------------------------------------------------------------------------------- */

/* -EAGAIN: a change was taken back, so connections of before may hang: all of them are made anew. */
static int act(struct agent *agent, struct pb_error *error)
{
	bool taken_back = false;
	int err = fleet_shares_act(&agent->shares, agent->etcd, error);

	if (err)
		return err;
	for (size_t i = 0; i < agent->nr; i++)
		taken_back |= fleet_follow_act(&agent->follows[i], &agent->calls);
	return taken_back ? -EAGAIN : report(agent, error);
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
	err = hold_lease(agent, error);
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
		taken |= take_change(agent, &changes[i]);
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
		err = hold_lease(agent, error);
	if (!err)
		err = read_keys(agent, revision, error);
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
		err = watch_keys(agent, revision + 1, error);
	if (err)
		return err;
	*worked = true;
	if (agent->said)
		say(agent, "etcd answers again");
	agent->said = 0;
	agent->small = false;
	agent->anew = fleet_now_ms() + ANEW_MS;
	err = tick(agent, error);
	while (!err && fleet_now_ms() < agent->anew)
		err = attend(agent, error);
	return err;
}

/* ---- Pauses -------------------------------------------------------------------------------- */

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
		say(agent, "%s; the rules in force stay", error->text);
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

/* ---- Beginning and end --------------------------------------------------------------------- */

static void end(struct agent *agent)
{
	disconnect(agent);
	end_follows(agent);
	fleet_membership_end(&agent->membership);
	fleet_shares_end(&agent->shares);
	free(agent->host_key);
	free(agent->seen_key);
	free(agent->reported);
	free(agent->seen);
}

static int begin(struct agent *agent, const struct fleet_conf *conf, fleet_say_function *say,
		 void *context, struct pb_error *error)
{
	int err;

	*agent = (struct agent){ .conf = conf, .say = say, .context = context };
	agent->calls = (struct fleet_calls){ announce, pass_on, stay_seen, agent };
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
	err = fleet_membership_begin(&agent->membership, conf, pass_on, agent);
	if (err)
		return cannot_know(agent, err, error);
	if (fleet_shares_begin(&agent->shares, conf, pass_on, agent))
		return fleet_fail_memory(error);
	/* Whether there is libcurl is to be known at once. */
	return fleet_etcd_open(conf, &agent->etcd, error);
}

int fleet_agent_run(const struct fleet_conf *conf, fleet_say_function *say, void *context,
		    struct pb_error *error)
{
	struct agent agent;
	int err = begin(&agent, conf, say, context, error);

	if (!err)
		follow_for_ever(&agent);
	end(&agent);
	return err;
}

/* After a change that was taken back, by a new connection. */
static int report_back(struct agent *agent, struct pb_error *error)
{
	__s64 revision;

	return connect_anew(agent, &revision, error) ?: report(agent, error);
}

static int say_result(struct agent *agent, struct pb_error *error)
{
	int err = 0;

	for (size_t i = 0; i < agent->nr; i++) {
		const struct fleet_follow *follow = &agent->follows[i];

		if (follow->state == FLEET_HOST_IN_FORCE)
			continue;
		say(agent, "ruleset %s: %s%s%s", follow->names->local,
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

int fleet_agent_once(const struct fleet_conf *conf, fleet_say_function *say, void *context,
		     struct pb_error *error)
{
	struct agent agent;
	__s64 revision;
	int err = begin(&agent, conf, say, context, error);

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
