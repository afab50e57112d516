/* SPDX-License-Identifier: GPL-2.0-only */
/* The groups that this host belongs to, and which rulesets it follows by them and by its fleet.conf. */
#ifndef FLEET_MEMBERSHIP_H
#define FLEET_MEMBERSHIP_H

#include "fleet/group.h"
#include "fleet/log.h"

/* So many rulesets at most: a host's record has no more. */
#define FLEET_FOLLOWED_MAX 1024

/* What is known of a group. */
struct fleet_belonging {
	const char *name; /* of fleet.conf */
	char *key;
	/* What was taken last; it stays where what stands there is not taken. It is on the disk, too: STATE/NAME.group. */
	struct fleet_group *taken; /* NULL: nothing */
	bool there;		   /* is there a key? If not, nothing follows from what was taken */
	struct pb_error
		wrong; /* why what stands there is not taken; "": it is, or there is nothing */
};

struct fleet_membership {
	const struct fleet_conf *conf;
	struct fleet_belonging *list;
	size_t nr;
	const struct fleet_log *log;
};

/* `conf` and `log` have to be there as long. -ENOMEM; -EMFILE, ...: what is known on this host cannot be read. */
int fleet_membership_begin(struct fleet_membership *membership, const struct fleet_conf *conf,
			   const struct fleet_log *log);
void fleet_membership_end(struct fleet_membership *membership);

/* Takes what stands under the key of a group (value NULL: nothing), if it is right. -ENOMEM. */
int fleet_membership_take(struct fleet_membership *membership, struct fleet_belonging *belonging,
			  const char *value, size_t len);
/* All groups as they are at `revision`, which is set to the newest where it is 0. */
int fleet_membership_read(struct fleet_membership *membership, struct fleet_etcd *etcd,
			  __s64 *revision, struct pb_error *error);
/* Is it the key of a group? */
bool fleet_membership_is_key(const struct fleet_membership *membership, const char *key);
/* So many keys, of which each is a group's. */
void fleet_membership_keys(const struct fleet_membership *membership, const char **keys);
/* Is nothing wrong with any of them? */
bool fleet_membership_good(const struct fleet_membership *membership);

/* A ruleset that the host follows. */
struct fleet_followed {
	struct fleet_ruleset names;
	struct pb_error conflict; /* two groups: it is not followed, and why; else "" */
	const char *
		remark; /* of what is wrong with its group, "" if nothing; NULL: it is of fleet.conf */
};

/*
 * Those of fleet.conf, and behind them those of groups, where fleet.conf has neither of the names. No name in the fleet
 * is there twice, and none of the host but of those in conflict. The caller frees. -ENOMEM.
 */
int fleet_membership_followed(const struct fleet_membership *membership,
			      struct fleet_followed **followed, size_t *nr);

#endif
