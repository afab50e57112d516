// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Sets with their elements, from a file: `saved TIME` first, then `set NAME ...` and the elements of that set, a
 * line each, `PREFIX` or `PREFIX until TIME`. A million lines are read within a second, and so without a list of
 * words for each.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "rule/prefix.h"
#include "rules/saved.h"
#include "rules/sets.h"
#include "util/calendar.h"
#include "util/error.h"
#include "util/files.h"
#include "util/lines.h"

#define NS 1000000000ULL
#define ELEMENTS_MAX (2UL * PB_SEGMENTS_MAX * PB_BUCKETS * PB_BUCKET_ELEMENTS) /* of a ruleset */

struct reader {
	struct pb_saved *saved;
	const struct pb_clocks *now;
	struct pb_masked masked;
	bool has_time;	/* it says when it was written, */
	long long time; /* in seconds */
	size_t elements;
};

/* ---- Words --------------------------------------------------------------------------------- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* The next word, ended; NULL: there is none, or it begins a comment. */
static char *next_word(char **at)
{
	char *word = *at;

	while (is_space(*word))
		word++;
	if (!*word || *word == '#' || *word == ';')
		return NULL;
	*at = word;
	while (**at && !is_space(**at))
		++*at;
	if (**at)
		*(*at)++ = '\0';
	return word;
}

/* ---- Lines --------------------------------------------------------------------------------- */

static int read_saved(struct reader *in, char *rest, struct pb_error *error)
{
	const char *text = next_word(&rest), *more = text ? next_word(&rest) : NULL;
	long long time;
	int err;

	if (!text || more)
		return pb_fail(error, EINVAL,
			       "\"saved\" wants a time and no more, as in saved "
			       "2026-11-29T09:12:03Z");
	if (in->has_time || in->saved->nr)
		return pb_fail(error, EINVAL,
			       "\"saved\" stands once, and before all sets: are these several "
			       "files? Restore one after the other");
	err = pb_time_parse(text, &time, error);
	if (err)
		return err;
	in->has_time = true;
	in->time = time;
	return 0;
}

/* As in a file of rules. */
static int read_set(struct reader *in, unsigned long line, char *rest, struct pb_error *error)
{
	struct pb_saved_elements *there;
	struct pb_set set;
	char **words;
	size_t nr;
	int err;

	rest[strcspn(rest, "#;\r")] = '\0';
	err = pb_words_split(rest, &words, &nr, error);
	if (err)
		return err;
	err = pb_set_read(words, nr, &set, error);
	pb_words_free(words, nr);
	if (err)
		return err;
	there = pb_saved_find(in->saved, set.name);
	if (there)
		return pb_fail(error, EINVAL, "set %s stands in line %lu already", set.name,
			       there->line);
	there = pb_saved_add_set(in->saved, &set);
	if (!there)
		return pb_fail_memory(error);
	there->line = line;
	return 0;
}

/* What a time of the wall clock is by the other one; 0: it has come already. */
static __u64 expiry_of(const struct reader *in, long long until)
{
	long long now = in->now->wall / NS;
	__u64 ns = in->now->wall % NS, left;

	/* Where the clock is behind, no time has gone by. */
	if (in->has_time && in->time > now) {
		now = in->time;
		ns = 0;
	}
	if (until <= now)
		return 0;
	left = until - now;
	return left <= (~0ULL - in->now->boot) / NS ? in->now->boot + left * NS - ns : ~0ULL;
}

static int read_until(struct reader *in, char *rest, struct pb_element *element, bool *ended,
		      struct pb_error *error)
{
	const char *word = next_word(&rest), *text, *more;
	long long until;
	int err;

	*ended = false;
	if (!word)
		return 0;
	text = next_word(&rest);
	more = text ? next_word(&rest) : NULL;
	if (strcmp(word, "until") || !text || more)
		return pb_fail(error, EINVAL,
			       "%s: behind an element stands nothing, or until and a time, as in "
			       "192.0.2.7 until 2026-11-29T09:12:03Z",
			       PB_Q(more ?: word));
	err = pb_time_parse(text, &until, error);
	if (err)
		return err;
	element->expires = expiry_of(in, until);
	*ended = !element->expires;
	return 0;
}

static int add(struct reader *in, const struct pb_element *element, bool ended,
	       struct pb_error *error)
{
	struct pb_saved_elements *set = &in->saved->sets[in->saved->nr - 1];

	if (ended) {
		set->about.ended++;
		return 0;
	}
	if (set->about.elements == PB_SET_LIMIT)
		return pb_fail(error, EINVAL, "more than %u elements: no set has room for them",
			       PB_SET_LIMIT);
	if (in->elements++ == ELEMENTS_MAX)
		return pb_fail(error, EINVAL,
			       "more than %lu elements: no ruleset has room for them",
			       ELEMENTS_MAX);
	return pb_saved_add(set, element) ? pb_fail_memory(error) : 0;
}

static int read_element(struct reader *in, const char *word, char *rest, struct pb_error *error)
{
	struct pb_element element = { .expires = 0 };
	bool ended = false;
	int err = pb_prefix_read(word, &element.prefix, &in->masked, error);

	if (!err && !in->saved->nr)
		err = pb_fail(error, EINVAL,
			      "%s is of which set? A line with its name comes first, as in set "
			      "bans",
			      PB_Q(word));
	if (!err)
		err = read_until(in, rest, &element, &ended, error);
	return err ?: add(in, &element, ended, error);
}

/* A line that was cut off may say what nobody meant: an element without its end, or another prefix. */
static int read_words(struct reader *in, char *line, unsigned long number, bool cut,
		      struct pb_error *error)
{
	char *rest = line, *word = next_word(&rest);

	if (!word)
		return 0;
	if (cut)
		return pb_fail(error, EINVAL,
			       "%s: the last line has no end, so the file may have been cut off "
			       "there",
			       PB_Q(word));
	if (!strcmp(word, "set"))
		return read_set(in, number, rest, error);
	if (!strcmp(word, "saved"))
		return read_saved(in, rest, error);
	return read_element(in, word, rest, error);
}

static int read_line(char *line, unsigned long number, bool cut, void *context,
		     struct pb_error *error)
{
	struct reader *in = context;
	struct pb_error inner;
	int err = read_words(in, line, number, cut, &inner);

	if (!err)
		return 0;
	if (err == -ENOMEM)
		return pb_fail_memory(error);
	return pb_fail(error, -err, "%.400s:%lu: %s", in->saved->path, number, inner.text);
}

/* ---- Files --------------------------------------------------------------------------------- */

static void note_clock(const struct reader *in, struct pb_error *note)
{
	char now[PB_TIME_TEXT], then[PB_TIME_TEXT];
	size_t used = note ? strlen(note->text) : 0;

	if (!note || !in->has_time || (__u64)in->time <= in->now->wall / NS)
		return;
	pb_time_text(in->now->wall / NS, now);
	pb_time_text(in->time, then);
	snprintf(
		note->text + used, sizeof(note->text) - used,
		"%sit is %s by the clock, and %.400s was written at %s: elements have the time left "
		"that they had then",
		used ? "; " : "", now, in->saved->path, then);
}

static int read_file(struct reader *in, int fd, struct pb_error *note, struct pb_error *error)
{
	int err = pb_lines_each(fd, in->saved->path, read_line, in, error);

	if (!err && !in->has_time && !in->saved->nr)
		err = pb_fail(error, EINVAL,
			      "%.400s holds no sets: is it what `save --elements` wrote?",
			      in->saved->path);
	if (!err)
		err = pb_masked_note(&in->masked, note, error);
	if (!err)
		note_clock(in, note);
	return err;
}

static int read_path(struct reader *in, const char *path, struct pb_error *note,
		     struct pb_error *error)
{
	bool standard = !strcmp(path, "-");
	int fd = STDIN_FILENO, err = 0;

	in->saved->path = strdup(standard ? "standard input" : path);
	if (!in->saved->path)
		return pb_fail_memory(error);
	if (!standard)
		err = pb_file_open_stream(path, &fd, error);
	if (!err)
		err = read_file(in, fd, note, error);
	if (!standard && fd != STDIN_FILENO)
		close(fd);
	return err;
}

int pb_saved_read_at(const char *path, const struct pb_clocks *now, struct pb_saved **saved,
		     struct pb_error *note, struct pb_error *error)
{
	struct reader in = { .saved = pb_saved_new(), .now = now };
	int err = in.saved ? read_path(&in, path, note, error) : pb_fail_memory(error);

	if (err)
		pb_saved_free(in.saved);
	else
		*saved = in.saved;
	return err;
}

int pb_saved_read(const char *path, struct pb_saved **saved, struct pb_error *note,
		  struct pb_error *error)
{
	const struct pb_clocks now = pb_clocks_now();

	return pb_saved_read_at(path, &now, saved, note, error);
}
