// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is there something newer than what came? Asked by another connection where a stream says nothing.
 *
 * What was put since is seen by the newest of the keys. What was deleted has left no key: there are fewer of them than
 * what came says. (How many there were at an earlier revision can be asked, too, but etcd has been known to die of that
 * while it compacts.)
 */
#include <string.h>
#include "fleet/error.h"
#include "fleet/watch-parts.h"

/* The newest of the keys of a prefix, and how many there are. */
static struct json_object *new_question(const char *prefix)
{
	struct json_object *json = json_object_new_object(), *range = json_object_new_object();
	bool made = fleet_add_range(range, prefix, fleet_watch_is_prefix(prefix)) &&
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

int fleet_watch_count_keys(struct fleet_watch *watch, struct pb_error *error)
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
int fleet_watch_look_into_silence(struct fleet_watch *watch, struct pb_error *error)
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

bool fleet_watch_is_silent(const struct fleet_watch *watch)
{
	long long since = fleet_call_heard(watch->call);

	if (watch->checked > since)
		since = watch->checked;
	return fleet_now_ms() - since >= FLEET_WATCH_SILENCE_MS;
}
