/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of a ruleset and its interfaces, read again and again: for stats and top. */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <time.h>
#include "tool.h"

struct rate {
	double packets; /* a second */
	double bytes;
};

struct rule_counters {
	const struct pb_rule *rule;
	struct pb_count count;
	struct rate rate;
};

struct interface_counters {
	struct pb_interface *interface;
	struct rate rates[PB_OUTCOME_MAX];
};

/* Zero before the first use; what it points at lives until the next update. */
struct counters {
	struct pb_ruleset *ruleset;
	struct pb_rules *rules; /* read again only when there is another generation */
	struct rule_counters *by_rule;
	size_t nr_rules;
	struct interface_counters *interfaces;
	size_t nr_interfaces;
	bool blind; /* no interface is known: a group's right to read ends before them */
	struct pb_rate_counts rates;
	struct timespec at; /* CLOCK_MONOTONIC */
	double interval;    /* seconds since the reading before; 0: this is the first */
};

/* -ENOENT: the ruleset was unloaded. */
int counters_update(struct counters *counters, struct pb_error *error);
void counters_clear(struct counters *counters);

#endif
