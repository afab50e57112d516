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
#include "fleet/etcd-call.h"

#define SILENCE_MS 30000
#define OPEN_MS 10000

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

static bool is_prefix(const char *text)
{
	return *text && text[strlen(text) - 1] == '/';
}

void fleet_changes_free(struct fleet_change *changes, size_t nr)
{
	for (size_t i = 0; changes && i < nr; i++)
		fleet_kv_clear(&changes[i].kv);
	free(changes);
}

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

/* ---- What comes ---------------------------------------------------------------------------- */

struct changes {
	struct fleet_change *list;
	size_t nr;
};

/* Others rely on it: they look behind what a key begins with. */
static bool is_watched(const struct fleet_watch *watch, const char *key)
{
	for (size_t i = 0; i < watch->nr; i++) {
		const char *prefix = watch->prefixes[i];

		if (is_prefix(prefix) ? !strncmp(key, prefix, strlen(prefix)) :
					!strcmp(key, prefix))
			return true;
	}
	return false;
}

static int add_change(const struct fleet_watch *watch, struct json_object *event,
		      struct changes *changes)
{
	const char *type = fleet_text(event, "type");
	struct json_object *kv;
	struct fleet_change change = { .deleted = type && !strcmp(type, "DELETE") }, *grown;
	int err;

	if (!json_object_object_get_ex(event, "kv", &kv))
		return -EBADMSG;
	err = fleet_kv_read(kv, &change.kv);
	if (err)
		return err < 0 ? err : 0; /* a key that is no text is none of ours */
	if (!is_watched(watch, change.kv.key)) {
		fleet_kv_clear(&change.kv);
		return -EBADMSG;
	}
	grown = realloc(changes->list, (changes->nr + 1) * sizeof(*grown));
	if (!grown) {
		fleet_kv_clear(&change.kv);
		return -ENOMEM;
	}
	changes->list = grown;
	grown[changes->nr++] = change;
	return 0;
}

/* A key that is new, or has gone. */
static void count_change(struct fleet_watch *watch, const struct fleet_change *change)
{
	if (change->kv.mod_revision <= watch->counted)
		return;
	if (change->deleted)
		watch->keys--;
	else if (change->kv.version == 1)
		watch->keys++;
}

static int add_changes(const struct fleet_watch *watch, struct json_object *result,
		       struct changes *changes)
{
	struct json_object *events;
	int err = 0;

	if (!json_object_object_get_ex(result, "events", &events))
		return 0;
	if (!json_object_is_type(events, json_type_array))
		return -EBADMSG;
	for (size_t i = 0; i < json_object_array_length(events) && !err; i++)
		err = add_change(watch, json_object_array_get_idx(events, i), changes);
	return err;
}

static bool is_set(struct json_object *json, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(json, key, &value) && json_object_get_boolean(value);
}

static int cancelled(struct fleet_watch *watch, struct json_object *result, struct pb_error *error)
{
	__s64 compacted = fleet_number(result, "compact_revision");
	const char *why = fleet_text(result, "cancel_reason");

	if (compacted)
		return fleet_fail(error, ESTALE,
				  "etcd at %s: what changed before revision %lld is compacted",
				  watch->endpoint, (long long)compacted);
	return fleet_refused(watch->endpoint, why ?: "the watch is cancelled", error);
}

static int take_result(struct fleet_watch *watch, struct json_object *result,
		       struct changes *changes, struct pb_error *error)
{
	__s64 revision = fleet_revision(result);
	size_t from = changes->nr;
	int err;

	if (is_set(result, "canceled"))
		return cancelled(watch, result, error);
	if (is_set(result, "created")) {
		watch->created++;
		return 0; /* its header is of now, and says nothing of what is still to come */
	}
	err = add_changes(watch, result, changes);
	if (err == -ENOMEM)
		return fleet_fail_memory(error);
	if (err)
		return fleet_fail(error, EBADMSG, "etcd at %s: an event of the stream is none",
				  watch->endpoint);
	if (revision > watch->seen && watch->nr == 1)
		watch->seen = revision;
	for (size_t i = from; i < changes->nr; i++) {
		count_change(watch, &changes->list[i]);
		if (changes->list[i].kv.mod_revision > watch->seen)
			watch->seen = changes->list[i].kv.mod_revision;
	}
	return 0;
}

static int take_object(struct fleet_watch *watch, char *line, size_t len, struct changes *changes,
		       struct pb_error *error)
{
	struct json_object *json = fleet_parse(line, len), *result;
	const char *complaint = json ? fleet_complaint(json) : NULL;
	int err = errno;

	if (!json && err == ENOMEM)
		err = fleet_fail_memory(error);
	else if (!json)
		err = fleet_fail(error, EBADMSG,
				 "etcd at %s: what comes in the stream is no object of JSON: "
				 "'%.60s'",
				 watch->endpoint, line);
	else if (complaint)
		err = fleet_refused(watch->endpoint, complaint, error);
	else if (json_object_object_get_ex(json, "result", &result))
		err = take_result(watch, result, changes, error);
	else
		err = fleet_fail(error, EBADMSG,
				 "etcd at %s: the stream has neither result nor error",
				 watch->endpoint);
	json_object_put(json);
	return err;
}

/* The end of the first line; a long one is not looked through again with each piece of it that comes. */
static char *end_of_line(struct fleet_watch *watch)
{
	size_t len;
	char *text = fleet_call_text(watch->call, &len);
	char *end = memchr(text + watch->scanned, '\n', len - watch->scanned);

	watch->scanned = end ? 0 : len;
	return end;
}

/* A line is an object. What is after an error is not looked at: the watch is over. */
static int take_lines(struct fleet_watch *watch, struct changes *changes, struct pb_error *error)
{
	size_t len, at;
	char *text, *end;
	int err = 0;

	if (fleet_call_status(watch->call) != 200)
		return 0; /* it is of use as a whole, at its end */
	end = end_of_line(watch);
	text = fleet_call_text(watch->call, &len);
	for (at = 0; !err && end; end = memchr(text + at, '\n', len - at)) {
		*end = '\0';
		if (end > text + at)
			err = take_object(watch, text + at, end - (text + at), changes, error);
		at = end - text + 1;
	}
	if (at)
		fleet_call_drop(watch->call, at);
	return err;
}

static int take_end(struct fleet_watch *watch, const struct fleet_outcome *outcome,
		    struct changes *changes, struct pb_error *error)
{
	size_t len;
	char *text = fleet_call_text(watch->call, &len);

	if (outcome->err)
		return fleet_fail(error, -outcome->err, "etcd at %s: %s", watch->endpoint,
				  outcome->why);
	if (outcome->status != 200)
		return fleet_turned_away(watch->endpoint, outcome->status, text, len, error);
	if (len)
		return take_object(watch, text, len, changes, error) ?:
			       fleet_fail(error, EPIPE, "etcd at %s: the stream has ended",
					  watch->endpoint);
	return fleet_fail(error, EPIPE, "etcd at %s: the stream has ended", watch->endpoint);
}

/* ---- Silence ------------------------------------------------------------------------------- */

/*
 * What was put since is seen by the newest of the keys. What was deleted has left no key: there are fewer of them than
 * what came says. (How many there were at an earlier revision can be asked, too, but etcd has been known to die of that
 * while it compacts.)
 */

/* The newest of the keys of a prefix, and how many there are. */
static struct json_object *new_question(const char *prefix)
{
	struct json_object *json = json_object_new_object(), *range = json_object_new_object();
	bool made = fleet_add_range(range, prefix, is_prefix(prefix)) &&
		    fleet_add(range, "keys_only", json_object_new_boolean(true)) &&
		    fleet_add_number(range, "limit", 1) &&
		    fleet_add(range, "sort_target", json_object_new_string("MOD")) &&
		    fleet_add(range, "sort_order", json_object_new_string("DESCEND"));

	if (fleet_add(json, "request_range", range) && made)
		return json;
	json_object_put(json);
	return NULL;
}

/* So many of them in one request, from one on: a transaction that compares nothing. */
#define QUESTIONS_MAX 100 /* etcd takes 128 in a transaction */
static struct json_object *new_questions(const struct fleet_watch *watch, size_t from)
{
	struct json_object *json = json_object_new_object(), *list = json_object_new_array();
	bool made = fleet_add(json, "success", list);

	for (size_t i = from; i < watch->nr && i < from + QUESTIONS_MAX && made; i++) {
		struct json_object *question = new_question(watch->prefixes[i]);

		made = question && !json_object_array_add(list, question);
	}
	if (made)
		return json;
	json_object_put(json);
	return NULL;
}

/* All keys that are watched, as etcd has them. */
struct state {
	__s64 revision; /* then: the least of those that the answers tell */
	__s64 newest;	/* the revision of what was put last, of what is there; 0: nothing is */
	__s64 nr;
};

static void read_answer(struct json_object *response, struct state *state)
{
	struct json_object *range, *kvs;
	__s64 found = 0;

	if (!json_object_object_get_ex(response, "response_range", &range))
		return;
	state->nr += fleet_number(range, "count");
	if (json_object_object_get_ex(range, "kvs", &kvs) &&
	    json_object_is_type(kvs, json_type_array) && json_object_array_length(kvs))
		found = fleet_number(json_object_array_get_idx(kvs, 0), "mod_revision");
	if (found > state->newest)
		state->newest = found;
}

static int ask_some(struct fleet_watch *watch, size_t from, struct state *state,
		    struct pb_error *error)
{
	struct json_object *answer = NULL, *responses;
	__s64 revision;
	int err = fleet_ask(watch->etcd, "/v3/kv/txn", new_questions(watch, from), false, &answer,
			    error);

	if (err)
		return err;
	if (json_object_object_get_ex(answer, "responses", &responses) &&
	    json_object_is_type(responses, json_type_array))
		for (size_t i = 0; i < json_object_array_length(responses); i++)
			read_answer(json_object_array_get_idx(responses, i), state);
	revision = fleet_revision(answer);
	if (!from || revision < state->revision)
		state->revision = revision;
	json_object_put(answer);
	return 0;
}

static int ask_state(struct fleet_watch *watch, struct state *state, struct pb_error *error)
{
	int err = 0;

	*state = (struct state){};
	for (size_t i = 0; i < watch->nr && !err; i += QUESTIONS_MAX)
		err = ask_some(watch, i, state, error);
	return err;
}

/* What to count from. */
static int count_keys(struct fleet_watch *watch, struct pb_error *error)
{
	struct state state;
	int err = ask_state(watch, &state, error);

	if (err)
		return err;
	watch->keys = state.nr;
	watch->counted = state.revision;
	return 0;
}

static int stalled(const struct fleet_watch *watch, const struct state *state,
		   struct pb_error *error)
{
	if (state->newest > watch->seen)
		return fleet_fail(
			error, ETIMEDOUT,
			"etcd at %s: the stream is stalled: revision %lld is there, and has not come",
			watch->endpoint, (long long)state->newest);
	return fleet_fail(
		error, ETIMEDOUT,
		"etcd at %s: the stream is stalled: keys have gone, and it has not said so",
		watch->endpoint);
}

/* What has not come may have come while we asked. Where nothing has changed, nothing more is to come of that time. */
static int look_into_silence(struct fleet_watch *watch, struct pb_error *error)
{
	long long heard = fleet_call_heard(watch->call);
	struct state state;
	int err;

	watch->checked = fleet_now_ms();
	err = ask_state(watch, &state, error);
	if (err || fleet_call_heard(watch->call) != heard)
		return err;
	if (state.newest > watch->seen || state.nr != watch->keys)
		return stalled(watch, &state, error);
	if (state.revision > watch->seen)
		watch->seen = state.revision;
	return 0;
}

static bool is_silent(const struct fleet_watch *watch)
{
	long long since = fleet_call_heard(watch->call);

	if (watch->checked > since)
		since = watch->checked;
	return fleet_now_ms() - since >= SILENCE_MS;
}

/* ---- Waiting ------------------------------------------------------------------------------- */

/* What is there already; an end counts when all before it was taken. */
static int take(struct fleet_watch *watch, struct changes *changes, struct pb_error *error)
{
	struct fleet_outcome outcome;
	int err = take_lines(watch, changes, error);

	if (!err && !changes->nr && fleet_call_ended(watch->call, &outcome))
		err = take_end(watch, &outcome, changes, error);
	return err;
}

int fleet_watch_next(struct fleet_watch *watch, int timeout_ms, struct fleet_change **changes,
		     size_t *nr, struct pb_error *error)
{
	long long end = fleet_now_ms() + timeout_ms, left;
	struct changes got = {};
	int err;

	for (;;) {
		err = take(watch, &got, error);
		left = end - fleet_now_ms();
		if (err || got.nr || left <= 0)
			break;
		err = fleet_http_wait(watch->etcd->http, left < SILENCE_MS ? left : SILENCE_MS,
				      error);
		if (!err && is_silent(watch))
			err = take(watch, &got, error) ?:
				      (got.nr ? 0 : look_into_silence(watch, error));
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

/* ---- Opening ------------------------------------------------------------------------------- */

static struct json_object *new_request(const char *prefix, __s64 from)
{
	struct json_object *json = json_object_new_object(), *create = json_object_new_object();
	bool made = fleet_add_range(create, prefix, is_prefix(prefix)) &&
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
		line = end_of_line(watch);
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
			err = take_object(watch, text, line - text, &none, error);
			fleet_call_drop(watch->call, line - text + 1);
			if (!err && none.nr)
				err = not_created(watch, error);
		} else if (fleet_call_ended(watch->call, &outcome)) {
			err = take_end(watch, &outcome, &none, error);
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
							    count_keys(watch, error);
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
