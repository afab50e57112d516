/* SPDX-License-Identifier: GPL-2.0-only */
/* How the parts of the client of etcd ask it; see etcd.h for what it offers to others. */
#ifndef FLEET_ETCD_CALL_H
#define FLEET_ETCD_CALL_H

#include <json-c/json.h>
#include "fleet/etcd.h"
#include "fleet/http.h"

struct fleet_etcd {
	const struct fleet_conf *conf;
	struct fleet_http *http;
	size_t at;   /* the endpoint to begin with */
	char *token; /* NULL: none yet, or no user */
};

/*
 * Asks by a document, which is freed, and may be NULL (then memory ran out). `once`: not again where etcd may have done
 * it. The caller frees the answer, an object.
 */
int fleet_ask(struct fleet_etcd *etcd, const char *path, struct json_object *body, bool once,
	      struct json_object **answer, struct pb_error *error);
/* Makes sure that there is a token of the user, if there is one. */
int fleet_token(struct fleet_etcd *etcd, const char *endpoint, struct pb_error *error);
void fleet_token_forget(struct fleet_etcd *etcd);

/* What etcd says in an object that is an error, by its text; `endpoint` says it. Returns a negative errno. */
int fleet_refused(const char *endpoint, const char *text, struct pb_error *error);

/* The same of an answer whose status is not 200, by what it says. */
int fleet_turned_away(const char *endpoint, long status, const char *text, size_t len,
		      struct pb_error *error);

/* Text to an object; NULL: it is none, or (errno ENOMEM) there is no memory. It is NUL-terminated. */
struct json_object *fleet_parse(const char *text, size_t len);
/* What an object says that is an error; NULL: it is none. */
const char *fleet_complaint(struct json_object *json);

/* Of an answer: a number, which etcd writes as text; 0: it is not there. The revision in its header. */
__s64 fleet_number(struct json_object *json, const char *key);
const char *fleet_text(struct json_object *json, const char *key); /* NULL: it is not there */
__s64 fleet_revision(struct json_object *answer);

/* Adds; false: no memory. Text goes by base64 as keys and values do. */
bool fleet_add(struct json_object *json, const char *key, struct json_object *value);
bool fleet_add_number(struct json_object *json, const char *key, __s64 number);
bool fleet_add_base64(struct json_object *json, const char *key, const char *text);
/* `key` and `range_end` of all keys that begin so; one key where `all` is false. */
bool fleet_add_range(struct json_object *json, const char *key, bool all);

/* Fills `kv`; 1: its key is no text. -EBADMSG: it is none. */
int fleet_kv_read(struct json_object *json, struct fleet_kv *kv);
void fleet_kv_clear(struct fleet_kv *kv);

#endif
