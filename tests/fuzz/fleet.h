/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The readers of what comes from etcd, for the unit tests and the fuzzer: what is taken is written, and reads back as the
 * same; what is refused leaves outputs alone, and says why in one harmless line. The first byte of an input says which
 * reader it is for.
 */
#ifndef FUZZ_FLEET_H
#define FUZZ_FLEET_H

#include <sys/stat.h>
#include "fleet/chunks.h"
#include "fleet/etcd-call.h"
#include "fleet/file-rules.h"
#include "fleet/group.h"
#include "fleet/set-keys.h"
#include "readers.h"

/* ---- Records ------------------------------------------------------------------------------- */

typedef int fleet_reader(const char *text, size_t len, void **record, struct pb_error *error);

static inline int read_revision(const char *text, size_t len, void **record, struct pb_error *error)
{
	return fleet_revision_read(text, len, "web", "what", (struct fleet_revision **)record,
				   error);
}

static inline int read_stage(const char *text, size_t len, void **record, struct pb_error *error)
{
	return fleet_stage_read(text, len, "what", (struct fleet_stage **)record, error);
}

static inline int read_carrier(const char *text, size_t len, void **record, struct pb_error *error)
{
	return fleet_carrier_read(text, len, "what", (struct fleet_carrier **)record, error);
}

static inline int read_host(const char *text, size_t len, void **record, struct pb_error *error)
{
	return fleet_host_read(text, len, "a", "what", (struct fleet_host **)record, error);
}

static inline int read_seen(const char *text, size_t len, void **record, struct pb_error *error)
{
	return fleet_seen_read(text, len, "a", "what", (struct fleet_seen **)record, error);
}

static inline int read_group(const char *text, size_t len, void **record, struct pb_error *error)
{
	return fleet_group_read(text, len, "web", "what", (struct fleet_group **)record, error);
}

static inline int read_set_list(const char *text, size_t len, void **record, struct pb_error *error)
{
	return fleet_set_list_read(text, len, "what", (struct fleet_set_list **)record, error);
}

static inline int read_ban(const char *text, size_t len, void **record, struct pb_error *error)
{
	struct fleet_ban ban, *copy;
	int err = fleet_ban_read(text, len, "what", &ban, error);

	if (err)
		return err;
	copy = malloc(sizeof(*copy));
	if (!copy)
		abort();
	*copy = ban;
	*record = copy;
	return 0;
}

#define WRITER(name, type)                                                       \
	static inline char *write_##name(const void *record)                     \
	{                                                                        \
		return fleet_##name##_text((const struct fleet_##type *)record); \
	}                                                                        \
	static inline void free_##name(void *record)                             \
	{                                                                        \
		fleet_##name##_free((struct fleet_##type *)record);              \
	}
#define fleet_ban_free free
WRITER(revision, revision)
WRITER(stage, stage)
WRITER(carrier, carrier)
WRITER(host, host)
WRITER(seen, seen)
WRITER(group, group)
WRITER(set_list, set_list)
WRITER(ban, ban)

struct fleet_kind_of_record {
	char letter;
	fleet_reader *read;
	char *(*write)(const void *record);
	void (*free)(void *record);
};

static const struct fleet_kind_of_record fleet_kinds_of_record[] = {
	{ 'r', read_revision, write_revision, free_revision },
	{ 's', read_stage, write_stage, free_stage },
	{ 'c', read_carrier, write_carrier, free_carrier },
	{ 'h', read_host, write_host, free_host },
	{ 'n', read_seen, write_seen, free_seen },
	{ 'g', read_group, write_group, free_group },
	{ 'l', read_set_list, write_set_list, free_set_list },
	{ 'b', read_ban, write_ban, free_ban },
};

/* No fuzzer finds a SHA-256: where an id is wrong alone, the right one takes its place. */
static inline bool mend_id(char *text, const struct pb_error *error)
{
	static const char is[] = "\"id\" is \"", that[] = "that of what it holds is \"";
	const char *wrong = strstr(error->text, is), *right = strstr(error->text, that);
	char *at;

	if (!wrong || !right)
		return false;
	wrong += strlen(is);
	right += strlen(that);
	at = memmem(text, strlen(text), wrong, FLEET_HASH_LEN - 1);
	if (at)
		memcpy(at, right, FLEET_HASH_LEN - 1);
	return at;
}

static inline const char *record_broken(const struct fleet_kind_of_record *kind, const void *record)
{
	char *text = kind->write(record), *twice = NULL;
	const char *wrong = NULL;
	struct pb_error error;
	void *again;

	if (!text)
		return "a record that cannot be written";
	if (strlen(text) > FLEET_VALUE_MAX)
		wrong = NULL; /* who writes it sees that etcd refuses it */
	else if (kind->read(text, strlen(text), &again, &error))
		wrong = "a record whose text is refused";
	else {
		twice = kind->write(again);
		if (!twice || strcmp(text, twice) != 0)
			wrong = "a record whose text is another one";
		kind->free(again);
	}
	free(twice);
	free(text);
	return wrong;
}

static inline const char *check_record(const struct fleet_kind_of_record *kind, char *text,
				       size_t len, bool *taken)
{
	struct pb_error error = { "" };
	void *const mark = &error, *record = mark;
	const char *wrong;
	int err = kind->read(text, len, &record, &error);

	if (err && mend_id(text, &error))
		err = kind->read(text, len, &record, &error);
	*taken = !err;
	if (err)
		return record != mark ? "a refused record has changed its output" :
					error_broken(&error);
	wrong = record_broken(kind, record);
	kind->free(record);
	return wrong;
}

/* ---- Elements ------------------------------------------------------------------------------ */

static inline const char *check_chunk(const char *text, size_t len, bool *taken)
{
	struct pb_error error = { "" };
	struct pb_prefix *prefixes;
	char digest[FLEET_HASH_LEN], line[FLEET_PREFIX_TEXT];
	const char *at = text, *wrong = NULL;
	size_t nr;

	if (fleet_hash(&text, 1, digest))
		abort();
	*taken = !fleet_chunk_read(text, len, digest, "what", &prefixes, &nr, &error);
	if (!*taken)
		return error_broken(&error);
	for (size_t i = 0; i < nr && !wrong; i++) {
		fleet_prefix_text(&prefixes[i], line);
		if (strncmp(at, line, strlen(line)) != 0)
			wrong = "an element that is written otherwise";
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	if (!wrong && *at)
		wrong = "elements that are not read";
	free(prefixes);
	return wrong;
}

/* ---- Answers and events -------------------------------------------------------------------- */

static inline const char *kv_broken(struct json_object *json)
{
	struct fleet_kv kv;
	const char *wrong = NULL;

	if (fleet_kv_read(json, &kv))
		return NULL;
	if (!*kv.key || strpbrk(kv.key, "\n\t\033") || kv.value[kv.len])
		wrong = "a key that is no text";
	free(kv.key);
	free(kv.value);
	return wrong;
}

/* A line of a stream, or an answer. */
static inline const char *check_answer(const char *text, size_t len, bool *taken)
{
	struct json_object *json = fleet_parse(text, len), *list, *kv;
	const char *wrong = NULL, *complaint;
	struct pb_error error = { "" };

	*taken = json;
	if (!json)
		return NULL;
	complaint = fleet_complaint(json);
	if (complaint && fleet_refused("here", complaint, &error) < 0)
		wrong = error_broken(&error);
	fleet_revision(json);
	fleet_number(json, "ID");
	if (json_object_object_get_ex(json, "kvs", &list) &&
	    json_object_is_type(list, json_type_array))
		for (size_t i = 0; i < json_object_array_length(list) && !wrong; i++) {
			kv = json_object_array_get_idx(list, i);
			wrong = kv_broken(kv);
		}
	json_object_put(json);
	return wrong;
}

/* ---- Rules --------------------------------------------------------------------------------- */

/* What names no file reads as well where there is none. */
static inline const char *check_alone(const char *text, bool *taken)
{
	static struct pb_problems problems;
	struct pb_rules *here = NULL, *alone = NULL;
	struct pb_error error = { "" };
	const char *wrong = NULL;

	*taken = !fleet_rules_alone(text, &error);
	if (!*taken)
		return error_broken(&error);
	mkdir("alone", 0700);
	if (read_bytes("x.rules", text, strlen(text), &here, &problems, NULL))
		here = NULL;
	if (read_bytes("alone/x.rules", text, strlen(text), &alone, &problems, NULL))
		alone = NULL;
	if (!here != !alone || (here && !equal_sets(here, alone)))
		wrong = "rules that depend on a file, and are taken for such that do not";
	pb_rules_free(here);
	pb_rules_free(alone);
	return wrong;
}

/* ---- All ----------------------------------------------------------------------------------- */

static inline const char *check_text(char letter, char *text, size_t len, bool *taken)
{
	for (size_t i = 0; i < sizeof(fleet_kinds_of_record) / sizeof(*fleet_kinds_of_record); i++)
		if (fleet_kinds_of_record[i].letter == letter)
			return check_record(&fleet_kinds_of_record[i], text, len, taken);
	if (letter == 'k')
		return check_chunk(text, len, taken);
	if (letter == 'w')
		return check_answer(text, len, taken);
	if (letter == 'f')
		return check_alone(text, taken);
	*taken = false;
	return NULL;
}

static inline const char *check_fleet(const void *data, size_t size, bool *taken)
{
	const char *bytes = data, *wrong;
	size_t len = size ? size - 1 : 0;
	char *text = malloc(len + 1);

	if (!text)
		abort();
	if (len)
		memcpy(text, bytes + 1, len);
	text[len] = '\0';
	wrong = check_text(size ? *bytes : 0, text, len, taken);
	free(text);
	return wrong;
}

#endif
