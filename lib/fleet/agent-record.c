// SPDX-License-Identifier: GPL-2.0-only
/* What the host says of itself in etcd: its record, by a lease, and what stays when it is gone. */
#include <stdlib.h>
#include <string.h>
#include "fleet/agent-parts.h"
#include "fleet/error.h"
#include "fleet/http.h"

#define COUNT_MS 30000
#define RENEW_MS 10000
#define RENEW_WAIT_MS 1000

/* ---- The record ----------------------------------------------------------------------------- */

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
		fleet_say(agent->log, "%s", denied.text);
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

int fleet_agent_report(struct agent *agent, struct pb_error *error)
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

/* ---- The lease ------------------------------------------------------------------------------ */

int fleet_agent_hold_lease(struct agent *agent, struct pb_error *error)
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
 * rules may let live or not, the host stays seen meanwhile. It is not waited for long: what is proven is not that.
 */
void fleet_agent_stay_seen(void *context)
{
	struct agent *agent = context;

	if (!agent->lease || fleet_now_ms() < agent->renew)
		return;
	agent->renew = fleet_now_ms() + RENEW_MS;
	fleet_etcd_limit(agent->etcd, RENEW_WAIT_MS / (long)agent->conf->endpoints.nr);
	fleet_lease_keep(agent->etcd, agent->lease, NULL);
	fleet_etcd_limit(agent->etcd, 0);
}
