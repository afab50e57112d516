/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A set that the fleet shares, on this host: what etcd has of it (bans, each by itself, and a list in chunks), and how
 * that comes into the host's set. Both are in force; what others have put there stays.
 */
#ifndef FLEET_SHARE_H
#define FLEET_SHARE_H

#include "fleet/chunks.h"
#include "fleet/entries.h"
#include "fleet/etcd.h"
#include "fleet/log.h"
#include "fleet/spared.h"

/* A chunk of the list that is known. */
struct fleet_part {
	char digest[FLEET_HASH_LEN];
	struct pb_prefix *prefixes;
	size_t nr;
};

#define FLEET_SHARE_AGAIN_MS 9000 /* the agent looks each ten seconds */

struct fleet_share {
	const struct fleet_conf *conf;
	const struct fleet_shared *names;
	const struct fleet_log *log;
	char *bans; /* keys that begin so */
	char *list; /* the key */
	struct fleet_entries entries;
	struct fleet_part *parts; /* sorted by digest */
	size_t nr_parts;
	struct fleet_set_list *wanted; /* a list that is to be fetched; NULL: none */
	__s64 wanted_at;	       /* its revision */
	bool settled;		       /* whether there is a list, and which, is known */
	__u32 reading;
	struct pb_ruleset *ruleset;	   /* kept open; NULL: not yet */
	const struct fleet_spared *spared; /* NULL: nobody is */
	__u32 spared_seen;		   /* its changes that are in force here */
	__u64 rules_seen;		   /* the generation that says whether the set */
	bool lets_in;			   /* lets in; such a set has all that the fleet wants */
	size_t nr_left_out;		   /* entries */
	struct pb_error left_out;	   /* the last of them, as it was told */
	bool whole;			   /* all of the host's set is to be looked at */
	bool written;			   /* the journal is there */
	/* Not before these moments (ms), after what failed. */
	long long fetch_again, again;
	struct pb_error wrong; /* what stands in the way; "": nothing */
	struct pb_error said;  /* and was told */
};

/* share-read.c: what etcd has */

/* `names`, `conf` and `log` have to be there as long. -ENOMEM. */
int fleet_share_begin(struct fleet_share *share, const struct fleet_conf *conf,
		      const struct fleet_shared *names, const struct fleet_log *log);
void fleet_share_end(struct fleet_share *share);
/* Reads all of it, as it was at a revision (0: now, which it gets). Fails where etcd does, or memory. */
int fleet_share_read(struct fleet_share *share, struct fleet_etcd *etcd, __s64 *revision,
		     struct pb_error *error);
/* Takes a change; one of other keys is none. A value that is wrong changes nothing, and is told. -ENOMEM. */
int fleet_share_take(struct fleet_share *share, const struct fleet_change *change);
/* Fetches chunks that are not known. Fails where etcd does; what is wrong with them is told. */
int fleet_share_fetch(struct fleet_share *share, struct fleet_etcd *etcd, struct pb_error *error);
/* Tells what is wrong, once; NULL: nothing is any more. */
void fleet_share_complain(struct fleet_share *share, const char *what);

/* share-apply.c: the host's set. What is wrong with that is told, and tried again later. */

void fleet_share_apply(struct fleet_share *share);
/* Has it put somebody there who is spared by now? */
bool fleet_share_harms(const struct fleet_share *share);

#endif
