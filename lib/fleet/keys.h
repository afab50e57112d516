/* SPDX-License-Identifier: GPL-2.0-only */
/* The keys of the fleet, below the prefix of fleet.conf. */
#ifndef FLEET_KEYS_H
#define FLEET_KEYS_H

#include "fleet/conf.h"

#define FLEET_RULESETS "rulesets"
#define FLEET_STAGES "stages"
#define FLEET_GOOD "good"
#define FLEET_HISTORY "history"
#define FLEET_HOSTS "hosts"
#define FLEET_ROLLOUTS "rollouts"
#define FLEET_SEEN "seen"
#define FLEET_GROUPS "groups"

/* "/xdp-portblock/rulesets/web"; `name` "" gives the prefix of all there. The caller frees. NULL: no memory. */
char *fleet_key(const struct fleet_conf *conf, const char *folder, const char *name);
/* So many revisions of a ruleset are kept. */
#define FLEET_HISTORY_MAX 100

/* "/xdp-portblock/history/web/", of which all are sorted by their number, and the key of one there. */
char *fleet_history_key(const struct fleet_conf *conf, const char *name);
char *fleet_key_numbered(const struct fleet_conf *conf, const char *name, __s64 revision);
/* What stands behind the prefix: "rulesets/web", as messages have it. */
const char *fleet_key_short(const struct fleet_conf *conf, const char *key);

#endif
