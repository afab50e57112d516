// SPDX-License-Identifier: GPL-2.0-only
/* The tables of what stands in etcd, and what holds of a record as a whole. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "fleet/error.h"
#include "fleet/records.h"
#include "fleet/shape.h"

#define TEXT_MAX 255 /* bytes of a version, a name of an interface, a mode */
#define INTERFACES_MAX 4096
#define RULESETS_MAX 1024

static const char *const stage_states[] = { "running", "done", "stopped", NULL };
static const char *const host_states[] = { "in-force", "confirming",   "failed", "drifted",
					   "waiting",  "no-signature", NULL };
_Static_assert(sizeof(stage_states) / sizeof(*stage_states) == FLEET_STAGE_STATES + 1,
	       "a name each");
_Static_assert(sizeof(host_states) / sizeof(*host_states) == FLEET_HOST_STATES + 1, "a name each");

const char *fleet_stage_state_name(enum fleet_stage_state state)
{
	return stage_states[state];
}

const char *fleet_host_state_name(enum fleet_host_state state)
{
	return host_states[state];
}

/* Digits behind the dot need not be as many. */
int fleet_time_compare(const char *one, const char *other)
{
	int differs = strncmp(one, other, FLEET_SECOND_LEN - 2);
	const char *a = one + FLEET_SECOND_LEN - 2, *b = other + FLEET_SECOND_LEN - 2;

	a += *a == '.';
	b += *b == '.';
	while (!differs && (*a != 'Z' || *b != 'Z')) {
		differs = (*a == 'Z' ? '0' : *a) - (*b == 'Z' ? '0' : *b);
		a += *a != 'Z';
		b += *b != 'Z';
	}
	return differs;
}

void fleet_time_text(long long second, char text[FLEET_SECOND_LEN])
{
	time_t time = second < FLEET_SECOND_LAST ? second : FLEET_SECOND_LAST;
	struct tm utc;

	gmtime_r(&time, &utc);
	strftime(text, FLEET_SECOND_LEN, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

bool fleet_time_is_ahead(const char *text)
{
	char latest[FLEET_SECOND_LEN];

	fleet_time_text(time(NULL) + 24 * 3600, latest);
	return fleet_time_compare(text, latest) > 0;
}

void fleet_time_now(char text[FLEET_TIME_LEN])
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	fleet_time_text(now.tv_sec, text);
	/* In the place of the Z. */
	snprintf(text + FLEET_SECOND_LEN - 2, FLEET_TIME_LEN - FLEET_SECOND_LEN + 2, ".%06uZ",
		 (unsigned int)now.tv_nsec / 1000 % 1000000);
}

/* ---- Revisions ------------------------------------------------------------------------------- */

#define REVISION(field) offsetof(struct fleet_revision, field)
static const struct fleet_field revision_fields[] = {
	{ "ruleset", FLEET_NAME, true, REVISION(ruleset), 0, NULL, NULL },
	{ "id", FLEET_HASH, true, REVISION(id), 0, NULL, NULL },
	{ "file", FLEET_FILE, true, REVISION(file), 0, NULL, NULL },
	{ "author", FLEET_TEXT, true, REVISION(author), FLEET_AUTHOR_MAX, NULL, NULL },
	{ "time", FLEET_TIME, true, REVISION(time), 0, NULL, NULL },
	{ "note", FLEET_TEXT, false, REVISION(note), FLEET_NOTE_MAX, NULL, NULL },
	{ "signature", FLEET_TEXT, false, REVISION(signature), TEXT_MAX, NULL, NULL },
	{ "previous", FLEET_NUMBER, false, REVISION(previous), 0, NULL, NULL },
	{ "revision", FLEET_NUMBER, false, REVISION(revision), 0, NULL, NULL },
	{ "state", FLEET_WORD, false, REVISION(state), 0, stage_states, NULL },
	{ "reason", FLEET_TEXT, false, REVISION(reason), FLEET_NOTE_MAX, NULL, NULL },
	{ NULL, 0, false, 0, 0, NULL, NULL },
};
static const struct fleet_shape revision_shape = { sizeof(struct fleet_revision), revision_fields };

int fleet_revision_id(const struct fleet_revision *revision, char id[FLEET_HASH_LEN])
{
	const char *const texts[] = { revision->ruleset, revision->author, revision->time,
				      revision->file };

	return fleet_hash(texts, 4, id);
}

static int check_revision(const struct fleet_revision *revision, const char *ruleset,
			  const char *what, struct pb_error *error)
{
	char id[FLEET_HASH_LEN];

	if (strcmp(revision->ruleset, ruleset))
		return fleet_fail(error, EINVAL, "%s: \"ruleset\" is \"%s\", and has to be \"%s\"",
				  what, revision->ruleset, ruleset);
	if (fleet_revision_id(revision, id))
		return fleet_fail_memory(error);
	if (strcmp(revision->id, id))
		return fleet_fail(
			error, EINVAL,
			"%s: \"id\" is \"%s\", and that of what it holds is \"%s\": it was changed by "
			"something else than `fleet push`",
			what, revision->id, id);
	return 0;
}

int fleet_revision_read(const char *text, size_t len, const char *ruleset, const char *what,
			struct fleet_revision **revision, struct pb_error *error)
{
	void *record;
	int err = fleet_shape_read(&revision_shape, text, len, what, &record, error);

	if (err)
		return err;
	err = check_revision(record, ruleset, what, error);
	if (!err)
		*revision = record;
	else
		fleet_revision_free(record);
	return err;
}

char *fleet_revision_text(const struct fleet_revision *revision)
{
	return fleet_shape_text(&revision_shape, revision);
}

void fleet_revision_free(struct fleet_revision *revision)
{
	fleet_shape_free(&revision_shape, revision);
}

/* ---- Stages ---------------------------------------------------------------------------------- */

#define STAGE(field) offsetof(struct fleet_stage, field)
static const struct fleet_field stage_fields[] = {
	{ "id", FLEET_HASH, true, STAGE(id), 0, NULL, NULL },
	{ "upto", FLEET_HASH, true, STAGE(upto), 0, NULL, NULL },
	{ "stage", FLEET_COUNT, true, STAGE(stage), FLEET_STAGES_MAX, NULL, NULL },
	{ "of", FLEET_COUNT, true, STAGE(of), FLEET_STAGES_MAX, NULL, NULL },
	{ "state", FLEET_WORD, true, STAGE(state), 0, stage_states, NULL },
	{ "back", FLEET_NUMBER, false, STAGE(back), 0, NULL, NULL },
	{ "reason", FLEET_TEXT, false, STAGE(reason), FLEET_NOTE_MAX, NULL, NULL },
	{ "stages", FLEET_WORDS, false, STAGE(stages), FLEET_STAGES_MAX, NULL, NULL },
	{ "wait", FLEET_COUNT, false, STAGE(wait), 0, NULL, NULL },
	{ "hosts", FLEET_COUNT, false, STAGE(hosts), 0, NULL, NULL },
	{ NULL, 0, false, 0, 0, NULL, NULL },
};
static const struct fleet_shape stage_shape = { sizeof(struct fleet_stage), stage_fields };

static int check_stage(const struct fleet_stage *stage, const char *what, struct pb_error *error)
{
	if (!stage->stage || stage->stage > stage->of)
		return fleet_fail(error, EINVAL, "%s: \"stage\" is %u, and has to be from 1 to %u",
				  what, stage->stage, stage->of);
	if (stage->nr_stages && stage->nr_stages != stage->of)
		return fleet_fail(error, EINVAL, "%s: \"stages\" are %zu, and \"of\" says %u", what,
				  stage->nr_stages, stage->of);
	return 0;
}

int fleet_stage_read(const char *text, size_t len, const char *what, struct fleet_stage **stage,
		     struct pb_error *error)
{
	void *record;
	int err = fleet_shape_read(&stage_shape, text, len, what, &record, error);

	if (err)
		return err;
	err = check_stage(record, what, error);
	if (!err)
		*stage = record;
	else
		fleet_stage_free(record);
	return err;
}

char *fleet_stage_text(const struct fleet_stage *stage)
{
	return fleet_shape_text(&stage_shape, stage);
}

void fleet_stage_free(struct fleet_stage *stage)
{
	fleet_shape_free(&stage_shape, stage);
}

/* ---- Who carries a rollout ------------------------------------------------------------------- */

#define CARRIER(field) offsetof(struct fleet_carrier, field)
static const struct fleet_field carrier_fields[] = {
	{ "host", FLEET_HOST, true, CARRIER(host), 0, NULL, NULL },
	{ "pid", FLEET_NUMBER, true, CARRIER(pid), 0, NULL, NULL },
	{ "id", FLEET_HASH, true, CARRIER(id), 0, NULL, NULL },
	{ "stages", FLEET_WORDS, false, CARRIER(stages), FLEET_STAGES_MAX, NULL, NULL },
	{ "wait", FLEET_COUNT, false, CARRIER(wait), 0, NULL, NULL },
	{ NULL, 0, false, 0, 0, NULL, NULL },
};
static const struct fleet_shape carrier_shape = { sizeof(struct fleet_carrier), carrier_fields };

int fleet_carrier_read(const char *text, size_t len, const char *what,
		       struct fleet_carrier **carrier, struct pb_error *error)
{
	void *record;
	int err = fleet_shape_read(&carrier_shape, text, len, what, &record, error);

	if (!err)
		*carrier = record;
	return err;
}

char *fleet_carrier_text(const struct fleet_carrier *carrier)
{
	return fleet_shape_text(&carrier_shape, carrier);
}

void fleet_carrier_free(struct fleet_carrier *carrier)
{
	fleet_shape_free(&carrier_shape, carrier);
}

/* ---- Hosts ----------------------------------------------------------------------------------- */

#define RULESET(field) offsetof(struct fleet_host_ruleset, field)
static const struct fleet_field ruleset_fields[] = {
	{ "local", FLEET_NAME, false, RULESET(local), 0, NULL, NULL },
	{ "wanted", FLEET_NUMBER, false, RULESET(wanted), 0, NULL, NULL },
	{ "id", FLEET_HASH, false, RULESET(id), 0, NULL, NULL },
	{ "in_force", FLEET_NUMBER, false, RULESET(in_force), 0, NULL, NULL },
	{ "state", FLEET_WORD, true, RULESET(state), 0, host_states, NULL },
	{ "failed", FLEET_NUMBER, false, RULESET(failed), 0, NULL, NULL },
	{ "reason", FLEET_TEXT, false, RULESET(reason), FLEET_NOTE_MAX, NULL, NULL },
	{ "rules", FLEET_COUNT, false, RULESET(rules), 0, NULL, NULL },
	{ "drops_per_second", FLEET_REAL, false, RULESET(drops_per_second), 0, NULL, NULL },
	{ NULL, 0, false, 0, 0, NULL, NULL },
};
static const struct fleet_shape ruleset_shape = { sizeof(struct fleet_host_ruleset),
						  ruleset_fields };
_Static_assert(!RULESET(name), "the name of a row is at its beginning");

#define INTERFACE(field) offsetof(struct fleet_host_interface, field)
static const struct fleet_field interface_fields[] = {
	{ "name", FLEET_TEXT, true, INTERFACE(name), TEXT_MAX, NULL, NULL },
	{ "mode", FLEET_TEXT, false, INTERFACE(mode), TEXT_MAX, NULL, NULL },
	{ "engine", FLEET_TEXT, false, INTERFACE(engine), TEXT_MAX, NULL, NULL },
	{ "rulesets", FLEET_WORDS, false, INTERFACE(rulesets), RULESETS_MAX, NULL, NULL },
	{ NULL, 0, false, 0, 0, NULL, NULL },
};
static const struct fleet_shape interface_shape = { sizeof(struct fleet_host_interface),
						    interface_fields };

#define HOST(field) offsetof(struct fleet_host, field)
static const struct fleet_field host_fields[] = {
	{ "host", FLEET_HOST, true, HOST(host), 0, NULL, NULL },
	{ "version", FLEET_TEXT, true, HOST(version), TEXT_MAX, NULL, NULL },
	{ "time", FLEET_TIME, true, HOST(time), 0, NULL, NULL },
	{ "interfaces", FLEET_ROWS, false, HOST(interfaces), INTERFACES_MAX, NULL,
	  &interface_shape },
	{ "rulesets", FLEET_NAMED, false, HOST(rulesets), RULESETS_MAX, NULL, &ruleset_shape },
	{ "warnings", FLEET_WORDS, false, HOST(warnings), RULESETS_MAX, NULL, NULL },
	{ NULL, 0, false, 0, 0, NULL, NULL },
};
static const struct fleet_shape host_shape = { sizeof(struct fleet_host), host_fields };

static int check_host(const char *is, const char *host, const char *what, struct pb_error *error)
{
	if (!strcmp(is, host))
		return 0;
	return fleet_fail(error, EINVAL, "%s: \"host\" is \"%s\", and has to be \"%s\"", what, is,
			  host);
}

int fleet_host_read(const char *text, size_t len, const char *host, const char *what,
		    struct fleet_host **record, struct pb_error *error)
{
	void *made;
	int err = fleet_shape_read(&host_shape, text, len, what, &made, error);

	if (!err)
		err = check_host(((struct fleet_host *)made)->host, host, what, error);
	else
		made = NULL;
	if (!err)
		*record = made;
	else
		fleet_host_free(made);
	return err;
}

char *fleet_host_text(const struct fleet_host *host)
{
	return fleet_shape_text(&host_shape, host);
}

void fleet_host_free(struct fleet_host *host)
{
	fleet_shape_free(&host_shape, host);
}

const struct fleet_host_ruleset *fleet_host_find(const struct fleet_host *host, const char *ruleset)
{
	for (size_t i = 0; i < host->nr_rulesets; i++)
		if (!strcmp(host->rulesets[i].name, ruleset))
			return &host->rulesets[i];
	return NULL;
}

/* ---- Hosts that were there --------------------------------------------------------------------- */

#define SEEN_RULESET(field) offsetof(struct fleet_seen_ruleset, field)
static const struct fleet_field seen_ruleset_fields[] = {
	{ "in_force", FLEET_NUMBER, false, SEEN_RULESET(in_force), 0, NULL, NULL },
	{ NULL, 0, false, 0, 0, NULL, NULL },
};
static const struct fleet_shape seen_ruleset_shape = { sizeof(struct fleet_seen_ruleset),
						       seen_ruleset_fields };
_Static_assert(!SEEN_RULESET(name), "the name of a row is at its beginning");

#define SEEN(field) offsetof(struct fleet_seen, field)
static const struct fleet_field seen_fields[] = {
	{ "host", FLEET_HOST, true, SEEN(host), 0, NULL, NULL },
	{ "time", FLEET_TIME, true, SEEN(time), 0, NULL, NULL },
	{ "rulesets", FLEET_NAMED, false, SEEN(rulesets), RULESETS_MAX, NULL, &seen_ruleset_shape },
	{ NULL, 0, false, 0, 0, NULL, NULL },
};
static const struct fleet_shape seen_shape = { sizeof(struct fleet_seen), seen_fields };

int fleet_seen_read(const char *text, size_t len, const char *host, const char *what,
		    struct fleet_seen **seen, struct pb_error *error)
{
	void *made;
	int err = fleet_shape_read(&seen_shape, text, len, what, &made, error);

	if (!err)
		err = check_host(((struct fleet_seen *)made)->host, host, what, error);
	else
		made = NULL;
	if (!err)
		*seen = made;
	else
		fleet_seen_free(made);
	return err;
}

char *fleet_seen_text(const struct fleet_seen *seen)
{
	return fleet_shape_text(&seen_shape, seen);
}

void fleet_seen_free(struct fleet_seen *seen)
{
	fleet_shape_free(&seen_shape, seen);
}
