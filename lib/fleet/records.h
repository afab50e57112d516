/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stands in etcd, as JSON: doc/fleet.md lists keys and values. A record is made by its _read(), or by the
 * caller by calloc(), and freed by its _free() with the texts in it (malloc()). What is read is checked: its format,
 * the names, the size of texts, and that they can be printed. Keys that are not known are passed over.
 *
 * fleet_X_read(text, len, ..., what, &record, error): `what` names it in messages. -EINVAL: what is wrong, quoted.
 * fleet_X_text(record): the JSON, which the caller frees; NULL: no memory.
 */
#ifndef FLEET_RECORDS_H
#define FLEET_RECORDS_H

#include <portblock/portblock.h>
#include "fleet/host-name.h"
#include "fleet/sign.h"

/* Bytes of a value at most, of any record. */
#define FLEET_VALUE_MAX (1024 * 1024)
#define FLEET_NOTE_MAX 1023
#define FLEET_AUTHOR_MAX 320
#define FLEET_SECOND_LEN 21 /* "2026-11-29T09:12:03Z" and a NUL */
#define FLEET_TIME_LEN \
	31 /* the same with up to 9 digits behind a dot: "2026-11-29T09:12:03.123456Z" */
#define FLEET_STAGES_MAX 32

/* Less than, equal to or greater than 0, as strcmp(): of two times as records have them. */
int fleet_time_compare(const char *one, const char *other);
/* "2026-11-29T09:12:03.123456Z" */
/*
 * Is it more than a day from now on this host? With `trust`, what is signed for such a time is not taken: it would be later
 * than all that comes after it.
 */
bool fleet_time_is_ahead(const char *time);
void fleet_time_now(char text[FLEET_TIME_LEN]);
/* "2026-11-29T09:12:03Z": of a second since 1970; later than the last one is that. */
#define FLEET_SECOND_LAST 253402300799LL /* of the year 9999 */
void fleet_time_text(long long second, char text[FLEET_SECOND_LEN]);

/* ---- rulesets/NAME, good/NAME, history/NAME/NUMBER --------------------------------------------- */

/* How a rollout ended, of a revision in the history. */
enum fleet_stage_state { FLEET_RUNNING, FLEET_DONE, FLEET_STOPPED, FLEET_STAGE_STATES };
const char *fleet_stage_state_name(enum fleet_stage_state state);

struct fleet_revision {
	char ruleset[PB_NAME_LEN];
	char id[FLEET_HASH_LEN];
	char *file;   /* a file of rules, as `apply` reads it */
	char *author; /* "user@host" */
	char time[FLEET_TIME_LEN];
	char *note;		      /* NULL: none */
	char *signature;	      /* base64; NULL: none */
	__s64 previous;		      /* number of the last good one; 0: none */
	__s64 revision;		      /* its number, of a copy; 0: the key's mod_revision is it */
	enum fleet_stage_state state; /* of a copy in history/ */
	char *reason;		      /* of one that was stopped; NULL: none */
};

/* The id that ruleset, author, time and file give. -ENOMEM. */
int fleet_revision_id(const struct fleet_revision *revision, char id[FLEET_HASH_LEN]);
/* `ruleset`: what its key says. A revision whose id is not that of what it holds is -EINVAL. */
int fleet_revision_read(const char *text, size_t len, const char *ruleset, const char *what,
			struct fleet_revision **revision, struct pb_error *error);
char *fleet_revision_text(const struct fleet_revision *revision);
void fleet_revision_free(struct fleet_revision *revision);

/* ---- stages/NAME ----------------------------------------------------------------------------- */

struct fleet_stage {
	char id[FLEET_HASH_LEN];   /* of the revision */
	char upto[FLEET_HASH_LEN]; /* who takes part: see order.h */
	__u32 stage;		   /* from 1 on */
	__u32 of;
	enum fleet_stage_state state;
	__s64 back;   /* the revision that hosts go back to; 0: none */
	char *reason; /* of "stopped"; NULL: none */
	/* For whoever carries it on; one without them goes on to all hosts at once. */
	char **stages; /* words: "1", "10%", "100%" */
	size_t nr_stages;
	__u32 wait;  /* seconds that a stage may take */
	__u32 hosts; /* that took part when the stage began */
};

int fleet_stage_read(const char *text, size_t len, const char *what, struct fleet_stage **stage,
		     struct pb_error *error);
char *fleet_stage_text(const struct fleet_stage *stage);
void fleet_stage_free(struct fleet_stage *stage);

/* ---- rollouts/NAME: who carries a rollout ------------------------------------------------------ */

struct fleet_carrier {
	char *host;
	__s64 pid;
	char id[FLEET_HASH_LEN];
	char **stages;
	size_t nr_stages;
	__u32 wait; /* seconds */
};

int fleet_carrier_read(const char *text, size_t len, const char *what,
		       struct fleet_carrier **carrier, struct pb_error *error);
char *fleet_carrier_text(const struct fleet_carrier *carrier);
void fleet_carrier_free(struct fleet_carrier *carrier);

/* ---- hosts/HOST ------------------------------------------------------------------------------ */

enum fleet_host_state {
	FLEET_HOST_IN_FORCE,
	FLEET_HOST_CONFIRMING, /* applied, and not confirmed yet */
	FLEET_HOST_FAILED,     /* taken back, or never applied */
	FLEET_HOST_DRIFTED,    /* changed on the host itself */
	FLEET_HOST_WAITING,    /* for a revision, or for its turn */
	FLEET_HOST_NO_SIGNATURE,
	FLEET_HOST_STATES
};
const char *fleet_host_state_name(enum fleet_host_state state);

/* A ruleset that a host follows. */
struct fleet_host_ruleset {
	char name[PB_NAME_LEN];	 /* in the fleet */
	char local[PB_NAME_LEN]; /* on the host; "": the same */
	__s64 wanted;		 /* the revision that it is to have; 0: none yet */
	char id[FLEET_HASH_LEN]; /* that one's; "": none */
	__s64 in_force;		 /* the revision that it has; 0: none */
	enum fleet_host_state state;
	__s64 failed; /* the revision that failed last; 0: none */
	char *reason; /* why, or why it waits; NULL: none */
	__u32 rules;
	double drops_per_second;
};

struct fleet_host_interface {
	char *name;
	char *mode;	 /* "native", "skb", ...; NULL: not known */
	char *engine;	 /* "bpf", ...; likewise */
	char **rulesets; /* on the host */
	size_t nr_rulesets;
};

struct fleet_host {
	char *host;
	char *version; /* of xdp-portblock there */
	char time[FLEET_TIME_LEN];
	struct fleet_host_interface *interfaces;
	size_t nr_interfaces;
	struct fleet_host_ruleset *rulesets;
	size_t nr_rulesets;
	char **warnings; /* what it leaves undone though the fleet wants it: lines */
	size_t nr_warnings;
};

/* `host`: what its key says. */
int fleet_host_read(const char *text, size_t len, const char *host, const char *what,
		    struct fleet_host **record, struct pb_error *error);
char *fleet_host_text(const struct fleet_host *host);
void fleet_host_free(struct fleet_host *host);
/* NULL: the host does not follow it. */
const struct fleet_host_ruleset *fleet_host_find(const struct fleet_host *host,
						 const char *ruleset);

/* ---- seen/HOST: that there was a host, when its record is gone ---------------------------------- */

struct fleet_seen_ruleset {
	char name[PB_NAME_LEN];
	__s64 in_force; /* the revision; 0: none */
};

struct fleet_seen {
	char *host;
	char time[FLEET_TIME_LEN]; /* it came then, or had another revision in force */
	struct fleet_seen_ruleset *rulesets;
	size_t nr_rulesets;
};

/* `host`: what its key says. */
int fleet_seen_read(const char *text, size_t len, const char *host, const char *what,
		    struct fleet_seen **seen, struct pb_error *error);
char *fleet_seen_text(const struct fleet_seen *seen);
void fleet_seen_free(struct fleet_seen *seen);

#endif
