/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * etcd, version 3, by its JSON gateway. Several endpoints are tried in turn, the one that answered last first; no
 * request is without a limit on time. Errors name the endpoint. What etcd refuses is: -EACCES: it wants another user,
 * or more rights; -E2BIG: more than it takes at once; -ESTALE: a revision that has been compacted; -ENOENT.
 */
#ifndef FLEET_ETCD_H
#define FLEET_ETCD_H

#include <stdbool.h>
#include <stddef.h>
#include <portblock/portblock.h>
#include "fleet/conf.h"

struct fleet_etcd; /* endpoints, a token, connections; for one thread */

/* `conf` has to be there as long. Nothing is asked yet. -ENOPKG: libcurl is not there. */
int fleet_etcd_open(const struct fleet_conf *conf, struct fleet_etcd **etcd,
		    struct pb_error *error);
void fleet_etcd_close(struct fleet_etcd *etcd);
/* Gives the addresses of those that have answered. */
void fleet_etcd_peers(const struct fleet_etcd *etcd,
		      void (*take)(const char *address, void *context), void *context);
/* A request to an endpoint takes so long at most from now on (ms); else 30 s. */
void fleet_etcd_limit(struct fleet_etcd *etcd, long ms);

/* ---- Keys and values ----------------------------------------------------------------------- */

/* `value` is NUL-terminated beyond `len`. Revisions are those of the store. */
struct fleet_kv {
	char *key;
	char *value;
	size_t len;
	__s64 create_revision;
	__s64 mod_revision;
	__s64 version; /* 1: as it was made */
	__s64 lease;   /* 0: none */
};

/*
 * One key, as it was at a revision (0: newest); `kv` gets NULL where there is none, else one that the caller frees
 * by fleet_kvs_free(kv, 1). `revision` (may be NULL) gets that of the store now. -ESTALE.
 */
int fleet_etcd_get(struct fleet_etcd *etcd, const char *key, __s64 at_revision,
		   struct fleet_kv **kv, __s64 *revision, struct pb_error *error);
/* All keys that begin so, sorted; keys that are no text are left out. */
int fleet_etcd_list(struct fleet_etcd *etcd, const char *prefix, __s64 at_revision,
		    struct fleet_kv **kvs, size_t *nr, __s64 *revision, struct pb_error *error);
/* The same as it is now, without values. */
int fleet_etcd_keys(struct fleet_etcd *etcd, const char *prefix, struct fleet_kv **kvs, size_t *nr,
		    struct pb_error *error);
void fleet_kvs_free(struct fleet_kv *kvs, size_t nr);

/* ---- Changes ------------------------------------------------------------------------------- */

enum fleet_compare { FLEET_MOD_REVISION, FLEET_CREATE_REVISION, FLEET_VERSION };

/* If all that is compared is equal, all that is put and deleted is so in one step. */
struct fleet_txn;
struct fleet_txn *fleet_txn_new(void); /* NULL: no memory */
void fleet_txn_free(struct fleet_txn *txn);
/* -ENOMEM. */
int fleet_txn_compare(struct fleet_txn *txn, const char *key, enum fleet_compare what, __s64 value);
int fleet_txn_put(struct fleet_txn *txn, const char *key, const char *value, __s64 lease);
int fleet_txn_delete(struct fleet_txn *txn, const char *key);
/*
 * `succeeded`: it was done, at `revision` (may be NULL). A failure other than what etcd refuses may have come after
 * it was done: it is not tried again.
 */
int fleet_etcd_commit(struct fleet_etcd *etcd, const struct fleet_txn *txn, bool *succeeded,
		      __s64 *revision, struct pb_error *error);
int fleet_etcd_put(struct fleet_etcd *etcd, const char *key, const char *value, __s64 lease,
		   __s64 *revision, struct pb_error *error);

/* ---- Leases -------------------------------------------------------------------------------- */

int fleet_lease_grant(struct fleet_etcd *etcd, __s64 seconds, __s64 *lease, struct pb_error *error);
/* -ENOENT: it is gone, and all keys with it. */
int fleet_lease_keep(struct fleet_etcd *etcd, __s64 lease, struct pb_error *error);
int fleet_lease_revoke(struct fleet_etcd *etcd, __s64 lease, struct pb_error *error);

/* ---- Watches ------------------------------------------------------------------------------- */

/* The changes of all keys that begin so, from a revision on (that included), as one stream. */
struct fleet_watch;
int fleet_watch_open(struct fleet_etcd *etcd, const char *prefix, __s64 from,
		     struct fleet_watch **watch, struct pb_error *error);
/* The same of several prefixes (or keys, where they end in no slash) in one stream. */
int fleet_watch_open_all(struct fleet_etcd *etcd, const char *const *prefixes, size_t nr,
			 __s64 from, struct fleet_watch **watch, struct pb_error *error);
void fleet_watch_close(struct fleet_watch *watch);

struct fleet_change {
	bool deleted;	    /* of `kv` then, key and mod_revision are there */
	struct fleet_kv kv; /* as it is now */
};

/*
 * Waits for changes, up to that time; none: nothing came. The caller frees them by fleet_changes_free(). Where nothing
 * has come for 30 s, it asks etcd by another connection whether something should have. -ESTALE: what comes next was
 * compacted: read all anew, and watch from there. -ETIMEDOUT: the stream is stalled, -EPIPE: it has ended, and all
 * others: open it anew.
 */
int fleet_watch_next(struct fleet_watch *watch, int timeout_ms, struct fleet_change **changes,
		     size_t *nr, struct pb_error *error);
void fleet_changes_free(struct fleet_change *changes, size_t nr);

#endif
