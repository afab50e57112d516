// SPDX-License-Identifier: GPL-2.0-only
/* What comes in a stream of changes: lines of JSON, an error, or its end. */
#include <stdlib.h>
#include <string.h>
#include "fleet/error.h"
#include "fleet/watch-parts.h"

void fleet_changes_free(struct fleet_change *changes, size_t nr)
{
	for (size_t i = 0; changes && i < nr; i++)
		fleet_kv_clear(&changes[i].kv);
	free(changes);
}

/* ---- One object ----------------------------------------------------------------------------- */

/* Others rely on it: they look behind what a key begins with. */
static bool is_watched(const struct fleet_watch *watch, const char *key)
{
	for (size_t i = 0; i < watch->nr; i++) {
		const char *prefix = watch->prefixes[i];

		if (fleet_watch_is_prefix(prefix) ? !strncmp(key, prefix, strlen(prefix)) :
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

int fleet_watch_take_object(struct fleet_watch *watch, char *line, size_t len,
			    struct changes *changes, struct pb_error *error)
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

/* ---- What is there -------------------------------------------------------------------------- */

char *fleet_watch_end_of_line(struct fleet_watch *watch)
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
	end = fleet_watch_end_of_line(watch);
	text = fleet_call_text(watch->call, &len);
	for (at = 0; !err && end; end = memchr(text + at, '\n', len - at)) {
		*end = '\0';
		if (end > text + at)
			err = fleet_watch_take_object(watch, text + at, end - (text + at), changes,
						      error);
		at = end - text + 1;
	}
	if (at)
		fleet_call_drop(watch->call, at);
	return err;
}

int fleet_watch_take_end(struct fleet_watch *watch, const struct fleet_outcome *outcome,
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
		return fleet_watch_take_object(watch, text, len, changes, error) ?:
			       fleet_fail(error, EPIPE, "etcd at %s: the stream has ended",
					  watch->endpoint);
	return fleet_fail(error, EPIPE, "etcd at %s: the stream has ended", watch->endpoint);
}

int fleet_watch_take(struct fleet_watch *watch, struct changes *changes, struct pb_error *error)
{
	struct fleet_outcome outcome;
	int err = take_lines(watch, changes, error);

	if (!err && !changes->nr && fleet_call_ended(watch->call, &outcome))
		err = fleet_watch_take_end(watch, &outcome, changes, error);
	return err;
}
