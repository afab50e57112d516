/* SPDX-License-Identifier: GPL-2.0-only */
/* groups/GROUP in etcd: which rulesets the hosts of a group follow. As the records of records.h. */
#ifndef FLEET_GROUP_H
#define FLEET_GROUP_H

#include "fleet/conf.h"
#include "fleet/etcd.h"
#include "fleet/records.h"

struct fleet_group {
	char group[PB_NAME_LEN];
	struct fleet_ruleset *rulesets; /* no name twice, neither of the host nor of the fleet */
	size_t nr_rulesets;
	char time[FLEET_TIME_LEN];
	char *author;
	char id[FLEET_HASH_LEN]; /* of all of the above */
	char *signature;	 /* base64, by fleet_sign_group(); NULL: none */
};

/* -ENOMEM. */
int fleet_group_id(const struct fleet_group *group, char id[FLEET_HASH_LEN]);
/* `name`: what its key says. One whose id is not that of what it holds is -EINVAL. */
int fleet_group_read(const char *text, size_t len, const char *name, const char *what,
		     struct fleet_group **group, struct pb_error *error);
char *fleet_group_text(const struct fleet_group *group);
void fleet_group_free(struct fleet_group *group);

/* ---- In etcd --------------------------------------------------------------------------------- */

/*
 * Makes it what the group has. Its time is made later than that of what is there, where that is not; id and signature
 * (`keyfile`; NULL: none) are of that. -EAGAIN: somebody else has changed it at the same time.
 */
int fleet_group_put(struct fleet_etcd *etcd, const struct fleet_conf *conf,
		    struct fleet_group *group, const char *keyfile, struct pb_error *error);
/* -ENOENT: there is none. */
int fleet_group_delete(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *name,
		       struct pb_error *error);

/* All of them, in order, and what is wrong with others. The caller frees, by fleet_groups_free(). */
struct fleet_groups {
	struct fleet_group **list;
	size_t nr;
	struct pb_error *problems;
	size_t nr_problems;
};
int fleet_groups_list(struct fleet_etcd *etcd, const struct fleet_conf *conf,
		      struct fleet_groups *groups, struct pb_error *error);
void fleet_groups_free(struct fleet_groups *groups);

/* Makes its time later than that of the one before it. -EINVAL: that is more than a day from now. */
int fleet_group_be_later(struct fleet_group *group, const char *than, struct pb_error *error);

#endif
