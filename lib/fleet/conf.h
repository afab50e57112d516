/* SPDX-License-Identifier: GPL-2.0-only */
/* fleet.conf: what a host knows of its fleet. xdp-portblock-fleet.conf(5) describes it. */
#ifndef FLEET_CONF_H
#define FLEET_CONF_H

#include <portblock/portblock.h>

#define FLEET_CONF_DEFAULT "/etc/xdp-portblock/fleet.conf"
#define FLEET_PREFIX_DEFAULT "/xdp-portblock/"
#define FLEET_STATE_DEFAULT "/var/lib/xdp-portblock/fleet"
#define FLEET_LIST_MAX 64 /* endpoints, groups, rulesets, keys: so many at most */

struct fleet_list {
	char **texts;
	size_t nr;
};

/* A ruleset of the fleet, and what it is called on this host. */
struct fleet_ruleset {
	char remote[PB_NAME_LEN];
	char local[PB_NAME_LEN];
};

/* A set that the fleet shares, and which one of this host it is. */
struct fleet_shared {
	char remote[PB_NAME_LEN];
	char ruleset[PB_NAME_LEN];
	char local[PB_NAME_LEN];
};

/* All of it is its own; what is not given is NULL, or the default. */
struct fleet_conf {
	struct fleet_list endpoints; /* "https://etcd1:2379", without a slash at the end */
	char *cacert;
	char *cert;
	char *key;
	char *user;
	char *password_file; /* only its owner may read it */
	char *host;	     /* default: the host's name */
	struct fleet_list groups;
	struct fleet_ruleset *rulesets;
	size_t nr_rulesets;
	struct fleet_shared *sets;
	size_t nr_sets;
	__u64 confirm;		   /* ns; default 30 s */
	struct fleet_list command; /* check-command: its words; none: there is none */
	bool heal;		   /* drift heal; else keep */
	struct fleet_list trust;   /* files of public keys; none: any revision is taken */
	char *prefix;		   /* of all keys in etcd; a slash at both ends */
	char *state;		   /* folder: what lasts while the agent is off */
};

/*
 * Reads the file. -EINVAL quotes PATH:LINE and the word; -ENOENT: there is none; -EINVAL, too, where `endpoints` is
 * missing. The caller frees `conf`.
 */
int fleet_conf_read(const char *path, struct fleet_conf **conf, struct pb_error *error);
void fleet_conf_free(struct fleet_conf *conf);

/* NAME or LOCAL=NAME, with commas between, as `rulesets` has it. -EINVAL quotes the word. The caller frees `list`. */
int fleet_rulesets_parse(const char *text, struct fleet_ruleset **list, size_t *nr,
			 struct pb_error *error);

#endif
