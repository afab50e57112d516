/* SPDX-License-Identifier: GPL-2.0-only */
/* Sets that the fleet shares: what stands in etcd of them, below sets/NAME/. */
#ifndef FLEET_SET_KEYS_H
#define FLEET_SET_KEYS_H

#include "fleet/conf.h"
#include "fleet/records.h"

#define FLEET_SETS "sets"
#define FLEET_SET_BANS "bans/"	    /* and a prefix: a ban each */
#define FLEET_SET_LIST "list"	    /* what the list is made of */
#define FLEET_SET_CHUNKS "chunks/"  /* and a digest: a part of a list each */
#define FLEET_SET_LOADING "loading" /* who changes the list now */

/* "/xdp-portblock/sets/hostile/bans/192.0.2.7". The caller frees. NULL: no memory. */
char *fleet_set_key(const struct fleet_conf *conf, const char *name, const char *what,
		    const char *tail);

/* The set that the fleet knows by that name. NULL: this host shares no such one. */
const struct fleet_shared *fleet_shared_find(const struct fleet_conf *conf, const char *name);

/* ---- Elements as they are written: "192.0.2.7", "10.0.0.0/8" ---------------------------------- */

#define FLEET_PREFIX_TEXT 56
const char *fleet_prefix_text(const struct pb_prefix *prefix, char text[FLEET_PREFIX_TEXT]);
/* Only as it is written by that: of one prefix there is one key. -EINVAL. */
int fleet_prefix_read(const char *text, struct pb_prefix *prefix, struct pb_error *error);

/* ---- A ban ----------------------------------------------------------------------------------- */

/* Times of the wall clock are seconds since 1970, and 0 is for ever: here they become those of the boot clock. */
struct fleet_ban {
	long long until;
	char host[FLEET_HOST_MAX + 1]; /* who has seen it */
};

int fleet_ban_read(const char *text, size_t len, const char *what, struct fleet_ban *ban,
		   struct pb_error *error);
/* The caller frees. NULL: no memory. */
char *fleet_ban_text(const struct fleet_ban *ban);

/* When it ends what lasts so long (ns; 0: for ever) from now on. */
long long fleet_until(__u64 timeout);
/* By CLOCK_BOOTTIME; 0: never. False: it is over. */
bool fleet_until_expires(long long until, __u64 *expires);
/* The other way round. */
long long fleet_until_of(__u64 expires);

#define FLEET_UNTIL_TEXT FLEET_SECOND_LEN
/* `until` is not 0; what lies behind the year 9999 is its last second. */
void fleet_until_text(long long until, char text[FLEET_UNTIL_TEXT]);
/* -EINVAL: it is no time like "2026-11-29T09:12:03Z". */
int fleet_until_parse(const char *text, long long *until);

#endif
