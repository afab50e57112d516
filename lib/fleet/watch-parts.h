/* SPDX-License-Identifier: GPL-2.0-only */
/* A stream of changes, and what its parts, watch*.c, offer each other; see etcd.h for what others may ask. */
#ifndef FLEET_WATCH_PARTS_H
#define FLEET_WATCH_PARTS_H

#include <string.h>
#include "fleet/etcd-call.h"

#define FLEET_WATCH_SILENCE_MS 30000

struct fleet_watch {
	struct fleet_etcd *etcd;
	const char *endpoint;
	struct fleet_call *call;
	char **prefixes;
	size_t nr;
	size_t created; /* so many of them are watched, as etcd has said */
	__s64 seen;	/* the last revision of what came, or of which etcd said that it is all */
	__s64 keys;	/* so many there were at a revision, and are by what came since: */
	__s64 counted;
	size_t scanned;	   /* so much of what came is known to hold no end of a line */
	long long checked; /* when silence was last looked into */
};

struct changes {
	struct fleet_change *list;
	size_t nr;
};

/* watch-read.c: what comes */

/* What is there already; an end counts when all before it was taken. */
int fleet_watch_take(struct fleet_watch *watch, struct changes *changes, struct pb_error *error);
/* The end of the first line; a long one is not looked through again with each piece of it that comes. */
char *fleet_watch_end_of_line(struct fleet_watch *watch);
/* One object of the stream, and what its end says. */
int fleet_watch_take_object(struct fleet_watch *watch, char *line, size_t len,
			    struct changes *changes, struct pb_error *error);
int fleet_watch_take_end(struct fleet_watch *watch, const struct fleet_outcome *outcome,
			 struct changes *changes, struct pb_error *error);

/* watch-silence.c: what to think of it where nothing comes */

/* What to count from. */
int fleet_watch_count_keys(struct fleet_watch *watch, struct pb_error *error);
bool fleet_watch_is_silent(const struct fleet_watch *watch);
/* -ETIMEDOUT: the stream is stalled. */
int fleet_watch_look_into_silence(struct fleet_watch *watch, struct pb_error *error);

/* Else it is one key. */
static inline bool fleet_watch_is_prefix(const char *text)
{
	return *text && text[strlen(text) - 1] == '/';
}

#endif
