// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream of changes. etcd's streams are known to stall in silence, and its gateway to end them by an object that
 * is an error, or just so: all of that is an error here. What etcd tells of progress comes each ten minutes, so after
 * 30 s of silence etcd is asked, by another connection, whether there is something newer than what came.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fleet/error.h"
#include "fleet/watch-parts.h"

#define OPEN_MS 10000

void fleet_watch_close(struct fleet_watch *watch)
{
	if (!watch)
		return;
	fleet_call_free(watch->call);
	for (size_t i = 0; watch->prefixes && i < watch->nr; i++)
		free(watch->prefixes[i]);
	free(watch->prefixes);
	free(watch);
}

/* ---- Waiting -------------------------------------------------------------------------------- */

int fleet_watch_next(struct fleet_watch *watch, int timeout_ms, struct fleet_change **changes,
		     size_t *nr, struct pb_error *error)
{
	long long end = fleet_now_ms() + timeout_ms, left;
	struct changes got = {};
	int err;

	for (;;) {
		err = fleet_watch_take(watch, &got, error);
		left = end - fleet_now_ms();
		if (err || got.nr || left <= 0)
			break;
		err = fleet_http_wait(watch->etcd->http,
				      left < FLEET_WATCH_SILENCE_MS ? left : FLEET_WATCH_SILENCE_MS,
				      error);
		if (!err && fleet_watch_is_silent(watch))
			err = fleet_watch_take(watch, &got, error) ?:
				      (got.nr ? 0 : fleet_watch_look_into_silence(watch, error));
		if (err)
			break;
	}
	if (err) {
		fleet_changes_free(got.list, got.nr);
		return err;
	}
	*changes = got.list;
	*nr = got.nr;
	return 0;
}

/* ---- Opening -------------------------------------------------------------------------------- */

static struct json_object *new_request(const char *prefix, __s64 from)
{
	struct json_object *json = json_object_new_object(), *create = json_object_new_object();
	bool made = fleet_add_range(create, prefix, fleet_watch_is_prefix(prefix)) &&
		    fleet_add_number(create, "start_revision", from) &&
		    fleet_add(create, "progress_notify", json_object_new_boolean(true));

	if (fleet_add(json, "create_request", create) && made)
		return json;
	json_object_put(json);
	return NULL;
}

/* One object behind the other: etcd's gateway hands them on one by one. The caller frees. */
static char *new_body(const struct fleet_watch *watch, __s64 from)
{
	char *body = strdup(""), *longer;

	for (size_t i = 0; i < watch->nr && body; i++) {
		struct json_object *json = new_request(watch->prefixes[i], from);

		if (!json ||
		    asprintf(&longer, "%s%s\n", body, json_object_to_json_string(json)) < 0)
			longer = NULL;
		json_object_put(json);
		free(body);
		body = longer;
	}
	return body;
}

static int begin(struct fleet_watch *watch, const char *body, struct pb_error *error)
{
	struct fleet_etcd *etcd = watch->etcd;
	int err;

	watch->endpoint = etcd->conf->endpoints.texts[etcd->at];
	err = fleet_token(etcd, watch->endpoint, error);
	if (err)
		return err;
	watch->call =
		fleet_call_new(etcd->http, watch->endpoint, "/v3/watch", body, etcd->token, true);
	return watch->call ? 0 : fleet_fail_memory(error);
}

static int not_created(const struct fleet_watch *watch, struct pb_error *error)
{
	return fleet_fail(error, EBADMSG, "etcd at %s: changes come before the watch is made",
			  watch->endpoint);
}

/* Until etcd has said that it watches; no change comes before that, but perhaps with it: it is left where it is. */
static int await_created(struct fleet_watch *watch, struct pb_error *error)
{
	long long end = fleet_now_ms() + OPEN_MS;
	struct fleet_outcome outcome;
	struct changes none = {};
	size_t len;
	char *text, *line;
	int err = 0;

	watch->scanned = 0;
	while (!err && watch->created < watch->nr) {
		line = fleet_watch_end_of_line(watch);
		text = fleet_call_text(watch->call, &len);
		if (fleet_now_ms() >= end) {
			err = fleet_fail(error, ETIMEDOUT, "etcd at %s: no watch within %d s",
					 watch->endpoint, OPEN_MS / 1000);
		} else if (line && fleet_call_status(watch->call) == 200) {
			*line = '\0';
			if (!strstr(text, "\"created\":true") && !strstr(text, "\"error\"")) {
				*line = '\n';
				break; /* of what is watched already: nothing of it is lost */
			}
			err = fleet_watch_take_object(watch, text, line - text, &none, error);
			fleet_call_drop(watch->call, line - text + 1);
			if (!err && none.nr)
				err = not_created(watch, error);
		} else if (fleet_call_ended(watch->call, &outcome)) {
			err = fleet_watch_take_end(watch, &outcome, &none, error);
		} else {
			err = fleet_http_wait(watch->etcd->http, 1000, error);
		}
	}
	fleet_changes_free(none.list, none.nr);
	return err;
}

static int start(struct fleet_watch *watch, const char *body, struct pb_error *error)
{
	struct fleet_etcd *etcd = watch->etcd;
	int err = 0;

	for (size_t i = 0; i < etcd->conf->endpoints.nr; i++) {
		watch->created = 0;
		err = begin(watch, body, error)		  ?:
			      await_created(watch, error) ?:
							    fleet_watch_count_keys(watch, error);
		if (!err || err == -ESTALE || err == -EACCES || err == -ENOMEM)
			break;
		fleet_call_free(watch->call);
		watch->call = NULL;
		etcd->at = (etcd->at + 1) % etcd->conf->endpoints.nr;
	}
	return err;
}

static bool keep_prefixes(struct fleet_watch *watch, const char *const *prefixes, size_t nr)
{
	watch->prefixes = calloc(nr, sizeof(*watch->prefixes));
	if (!watch->prefixes)
		return false;
	watch->nr = nr;
	for (size_t i = 0; i < nr; i++) {
		watch->prefixes[i] = strdup(prefixes[i]);
		if (!watch->prefixes[i])
			return false;
	}
	return true;
}

int fleet_watch_open_all(struct fleet_etcd *etcd, const char *const *prefixes, size_t nr,
			 __s64 from, struct fleet_watch **watch, struct pb_error *error)
{
	struct fleet_watch *made = calloc(1, sizeof(*made));
	struct pb_error unheard;
	char *body = NULL;
	int err;

	if (made) {
		made->etcd = etcd;
		made->seen = from - 1;
	}
	if (made && keep_prefixes(made, prefixes, nr))
		body = new_body(made, from);
	err = body ? start(made, body, error ?: &unheard) : fleet_fail_memory(error);
	free(body);
	if (err)
		fleet_watch_close(made);
	else
		*watch = made;
	return err;
}

int fleet_watch_open(struct fleet_etcd *etcd, const char *prefix, __s64 from,
		     struct fleet_watch **watch, struct pb_error *error)
{
	return fleet_watch_open_all(etcd, &prefix, 1, from, watch, error);
}
