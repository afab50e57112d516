/* SPDX-License-Identifier: GPL-2.0-only */
/* Posts of JSON, several at once, by libcurl. */
#ifndef FLEET_HTTP_H
#define FLEET_HTTP_H

#include "fleet/conf.h"

struct fleet_http;
struct fleet_call;

/* How a call ended. */
struct fleet_outcome {
	int err;	 /* 0: there was an answer, whatever its status */
	bool unsent;	 /* with `err`: the server cannot have done what was asked for */
	long status;	 /* of HTTP */
	const char *why; /* with `err` */
};

/* `conf`: certificates; it has to be there as long. -ENOPKG: no libcurl. */
int fleet_http_open(const struct fleet_conf *conf, struct fleet_http **http,
		    struct pb_error *error);
void fleet_http_close(struct fleet_http *http);
/* Gives the addresses of the servers that have answered, or been spoken to; the last of them, if there were many. */
void fleet_http_peers(const struct fleet_http *http,
		      void (*take)(const char *address, void *context), void *context);
/* Calls from now on may take so long at most, in all (ms); 0: as long as at first, which is half a minute. */
void fleet_http_limit(struct fleet_http *http, long ms);

/*
 * Begins a call. `body` is copied; `token` may be NULL. `stream`: its answer has no end, and no limit on time but for
 * the connection. The caller ends it by fleet_call_free().
 */
struct fleet_call *fleet_call_new(struct fleet_http *http, const char *endpoint, const char *path,
				  const char *body, const char *token, bool stream);
void fleet_call_free(struct fleet_call *call);

/* Lets all calls go on until one has got something, or ended, or the time is over (ms). -EIO and the like. */
int fleet_http_wait(struct fleet_http *http, int timeout_ms, struct pb_error *error);

/* Has it ended, and how? */
bool fleet_call_ended(const struct fleet_call *call, struct fleet_outcome *outcome);
/* Of HTTP; 0: nothing has come yet. */
long fleet_call_status(const struct fleet_call *call);
/* What has come of the answer, NUL-terminated. */
char *fleet_call_text(const struct fleet_call *call, size_t *len);
/* Forgets the first bytes of it. */
void fleet_call_drop(struct fleet_call *call, size_t len);
/* When something came last, or the call began: ms of CLOCK_MONOTONIC. */
long long fleet_call_heard(const struct fleet_call *call);

long long fleet_now_ms(void);

#endif
