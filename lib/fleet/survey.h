/* SPDX-License-Identifier: GPL-2.0-only */
/* All of a fleet, as it stands in etcd at one moment; and what a ruleset was before. */
#ifndef FLEET_SURVEY_H
#define FLEET_SURVEY_H

#include "fleet/etcd.h"
#include "fleet/records.h"

/* What cannot be read is NULL, and among the problems. */
struct fleet_survey_ruleset {
	char name[PB_NAME_LEN];
	struct fleet_revision *wanted; /* `revision` is its number */
	struct fleet_revision *good;
	struct fleet_stage *stage;
	struct fleet_carrier *carrier; /* NULL, too: nobody carries a rollout */
};

struct fleet_survey {
	struct fleet_survey_ruleset *rulesets; /* by name */
	size_t nr_rulesets;
	struct fleet_host **hosts; /* by name */
	size_t nr_hosts;
	struct fleet_seen **gone; /* by name: hosts that were there, and are not */
	size_t nr_gone;
	struct pb_error *problems;
	size_t nr_problems;
};

/* The caller frees. A value that is wrong is a problem in it, and no error. */
int fleet_survey_read(struct fleet_etcd *etcd, const struct fleet_conf *conf,
		      struct fleet_survey **survey, struct pb_error *error);
void fleet_survey_free(struct fleet_survey *survey);

/* The revisions of a ruleset that came to an end, the newest first, with `state` and `reason`: the last of them. */
struct fleet_history {
	struct fleet_revision **list;
	size_t nr;
	size_t wrong; /* so many beside those cannot be read */
};

/* The caller frees what is in it. */
int fleet_history_read(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *ruleset,
		       struct fleet_history *history, struct pb_error *error);
void fleet_history_free(struct fleet_history *history);

/*
 * A host that was taken out of service is no longer to be among those that are gone. -EBUSY: it is there; -ENOENT:
 * none of that name was.
 */
int fleet_forget_host(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *host,
		      struct pb_error *error);

/* The revision that a ruleset is to have; `revision` in it is its number. -ENOENT: none was pushed. */
int fleet_wanted_read(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *ruleset,
		      struct fleet_revision **revision, struct pb_error *error);

#endif
