// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "fleet/http.h"
#include "fleet/report.h"

#define NO_TIME "1970-01-01T00:00:00Z"

void fleet_report_now(char *report)
{
	char *at = strstr(report, "\"" NO_TIME "\""), text[FLEET_SECOND_LEN];

	fleet_time_text(time(NULL), text);
	if (at && strlen(text) == strlen(NO_TIME))
		memcpy(at + 1, text, strlen(NO_TIME));
}

/* ---- Interfaces ---------------------------------------------------------------------------- */

static bool fill_interface(struct fleet_host_interface *to, const struct pb_interface *from)
{
	to->name = strdup(from->name);
	to->mode = strdup(pb_mode_name(from->mode));
	to->engine = strdup(pb_engine_name(from->engine));
	to->rulesets = calloc(1, sizeof(*to->rulesets));
	if (to->rulesets)
		to->rulesets[0] = strdup(from->ruleset);
	to->nr_rulesets = to->rulesets && to->rulesets[0];
	return to->name && to->mode && to->engine && to->nr_rulesets;
}

static bool fill_interfaces(struct fleet_host *host, struct pb_interface *const *interfaces,
			    size_t nr)
{
	host->interfaces = calloc(nr + 1, sizeof(*host->interfaces));
	if (!host->interfaces)
		return false;
	for (size_t i = 0; i < nr; i++)
		if (interfaces[i]->loaded &&
		    !fill_interface(&host->interfaces[host->nr_interfaces++], interfaces[i]))
			return false;
	return true;
}

/* ---- Drops --------------------------------------------------------------------------------- */

static __u64 dropped(const char *local, struct pb_interface *const *interfaces, size_t nr)
{
	static const enum pb_outcome drops[] = { PB_OUTCOME_DROP_RULE, PB_OUTCOME_DROP_POLICY,
						 PB_OUTCOME_REJECT };
	__u64 packets = 0;

	for (size_t i = 0; i < nr; i++)
		for (size_t k = 0; k < sizeof(drops) / sizeof(*drops); k++)
			if (interfaces[i]->loaded && !strcmp(interfaces[i]->ruleset, local))
				packets += interfaces[i]->outcomes[drops[k]].packets;
	return packets;
}

static double two_digits(double value)
{
	double unit = 1;

	while (value / unit >= 100)
		unit *= 10;
	if (value < 10)
		unit = 0.1;
	return (__u64)(value / unit + 0.5) * unit;
}

static void count_drops(struct fleet_drops *drops, __u64 packets)
{
	long long now = fleet_now_ms();

	/* Counters that were reset, or went with an interface, begin anew. */
	if (drops->at && now > drops->at && packets >= drops->packets)
		drops->per_second =
			two_digits((packets - drops->packets) * 1000.0 / (now - drops->at));
	drops->packets = packets;
	drops->at = now;
}

/* ---- Rulesets ------------------------------------------------------------------------------ */

/* The revision that failed is of interest as long as it is the one that the fleet wants. */
static void fill_failed(struct fleet_host_ruleset *to, const struct fleet_follow *follow,
			const char **reason)
{
	const struct fleet_memory *memory = &follow->memory;

	if (*follow->wrong[FLEET_KEY_RULESET].text) {
		to->failed = follow->wrong_at[FLEET_KEY_RULESET];
	} else if (follow->wanted && !strcmp(follow->wanted->id, memory->failed_id)) {
		to->failed = follow->wanted->revision;
		if (!**reason && memory->reason)
			*reason = memory->reason;
	}
}

/* Is the revision in force one of this ruleset, and not of another that the host had there before? */
static bool is_of(const struct fleet_memory *memory, const struct fleet_ruleset *names)
{
	return !*memory->remote || !strcmp(memory->remote, names->remote);
}

static bool fill_ruleset(struct fleet_host_ruleset *to, const struct fleet_follow *follow,
			 const struct fleet_drops *drops)
{
	const char *reason = follow->reason;

	strcpy(to->name, follow->names->remote);
	strcpy(to->local, follow->names->local);
	to->wanted = follow->target;
	strcpy(to->id, follow->target_id);
	to->in_force = is_of(&follow->memory, follow->names) ? follow->memory.in_force : 0;
	to->state = follow->state;
	to->rules = follow->rules;
	to->drops_per_second = drops->per_second;
	fill_failed(to, follow, &reason);
	if (!*reason && follow->remark)
		reason = follow->remark;
	if (!*reason)
		return true;
	to->reason = strdup(reason);
	return to->reason;
}

static bool fill_rulesets(struct fleet_host *host, const struct fleet_follow *follows,
			  const struct fleet_drops *drops, size_t nr)
{
	host->rulesets = calloc(nr + 1, sizeof(*host->rulesets));
	if (!host->rulesets)
		return false;
	for (size_t i = 0; i < nr; i++)
		if (!fill_ruleset(&host->rulesets[host->nr_rulesets++], &follows[i], &drops[i]))
			return false;
	return true;
}

/* ---- Sets ---------------------------------------------------------------------------------- */

static char *warning_of(const struct fleet_share *share)
{
	const char *last = share->left_out.text;
	char *text;

	if (share->nr_left_out == 1)
		return strdup(last);
	if (asprintf(&text, "%s (%zu like it)", last, share->nr_left_out) < 0)
		return NULL;
	return text;
}

static bool fill_warnings(struct fleet_host *host, const struct fleet_shares *shares)
{
	for (size_t i = 0; i < shares->nr; i++) {
		if (!shares->list[i].nr_left_out)
			continue;
		if (!host->warnings)
			host->warnings = calloc(shares->nr, sizeof(*host->warnings));
		if (!host->warnings)
			return false;
		host->warnings[host->nr_warnings] = warning_of(&shares->list[i]);
		if (!host->warnings[host->nr_warnings])
			return false;
		host->nr_warnings++;
	}
	return true;
}

char *fleet_report(const struct fleet_conf *conf, const struct fleet_follow *follows,
		   struct fleet_drops *drops, size_t nr, const struct fleet_shares *shares,
		   bool count)
{
	struct fleet_host *host = calloc(1, sizeof(*host));
	struct pb_interface **interfaces = NULL;
	size_t nr_interfaces = 0;
	char *text = NULL;

	if (!host)
		return NULL;
	if (pb_interface_list(&interfaces, &nr_interfaces, NULL))
		nr_interfaces = 0;
	for (size_t i = 0; i < nr && count; i++)
		count_drops(&drops[i], dropped(follows[i].names->local, interfaces, nr_interfaces));
	host->host = strdup(conf->host);
	host->version = strdup(PB_VERSION);
	strcpy(host->time, NO_TIME);
	if (host->host && host->version && fill_interfaces(host, interfaces, nr_interfaces) &&
	    fill_rulesets(host, follows, drops, nr) && fill_warnings(host, shares))
		text = fleet_host_text(host);
	if (nr_interfaces)
		pb_interfaces_free(interfaces, nr_interfaces);
	fleet_host_free(host);
	return text;
}

/* ---- What stays ---------------------------------------------------------------------------- */

char *fleet_report_seen(const struct fleet_conf *conf, const struct fleet_follow *follows,
			size_t nr)
{
	struct fleet_seen seen = { .host = conf->host, .time = NO_TIME, .nr_rulesets = nr };
	char *text;

	seen.rulesets = calloc(nr + 1, sizeof(*seen.rulesets));
	if (!seen.rulesets)
		return NULL;
	for (size_t i = 0; i < nr; i++) {
		strcpy(seen.rulesets[i].name, follows[i].names->remote);
		seen.rulesets[i].in_force = follows[i].memory.in_force;
	}
	text = fleet_seen_text(&seen);
	free(seen.rulesets);
	return text;
}
