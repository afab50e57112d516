// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include "util/array.h"
#include "util/error.h"
#include "util/escape.h"

#define SPACE " \t\n\v\f\r"
#define WORDS_MAX 4096 /* no line that means something has so many */

struct words {
	char **words;
	size_t nr;
	size_t room;
};

/* Takes `word` over, also when it fails. */
static int add(struct words *list, char *word, struct pb_error *error)
{
	char **words = word && list->nr < WORDS_MAX ?
			       pb_grow(list->words, list->nr, &list->room, sizeof(*words)) :
			       NULL;

	if (!words) {
		free(word);
		return word && list->nr == WORDS_MAX ?
			       pb_fail(error, EINVAL, "more than %u words on a line", WORDS_MAX) :
			       pb_fail_memory(error);
	}
	list->words = words;
	words[list->nr++] = word;
	return 0;
}

static int add_plain(struct words *list, const char **at, struct pb_error *error)
{
	const char *start = *at;
	size_t len = strcspn(start, SPACE);

	if (memchr(start, '"', len))
		return pb_fail(error, EINVAL,
			       "%s has a quote inside a word: put quotes around the whole word",
			       PB_Q(start));
	*at += len;
	return add(list, strndup(start, len), error);
}

/* Copies what is in quotes; `at` is then behind the closing quote. */
static int unquote(const char **at, char *out, struct pb_error *error)
{
	const char *start = *at, *s = start + 1;

	for (; *s && *s != '"'; s++) {
		if (*s == '\\' && s[1] != '"' && s[1] != '\\')
			return pb_fail(error, EINVAL,
				       "%s: a backslash in quotes stands before \" or \\ only; "
				       "write \\\\ for a backslash",
				       PB_Q(s));
		if (*s == '\\')
			s++;
		*out++ = *s;
	}
	*out = '\0';
	if (!*s)
		return pb_fail(error, EINVAL, "%s: a quote is left open: close it with \"",
			       PB_Q(start));
	if (s[1] && !strchr(SPACE, s[1]))
		return pb_fail(error, EINVAL, "%s: leave a space after the closing quote",
			       PB_Q(s + 1));
	*at = s + 1;
	return 0;
}

/* Up to the closing quote, or the end. */
static size_t quoted_length(const char *start)
{
	const char *s = start + 1;

	while (*s && *s != '"')
		s += *s == '\\' && s[1] ? 2 : 1;
	return s - start;
}

static int add_quoted(struct words *list, const char **at, struct pb_error *error)
{
	char *word = malloc(quoted_length(*at) + 1);
	int err = word ? unquote(at, word, error) : pb_fail_memory(error);

	if (err) {
		free(word);
		return err;
	}
	return add(list, word, error);
}

int pb_words_split(const char *line, char ***words, size_t *nr, struct pb_error *error)
{
	struct words list = { 0 };
	int err = 0;

	for (line += strspn(line, SPACE); *line && *line != '#' && !err;
	     line += err ? 0 : strspn(line, SPACE))
		err = (*line == '"' ? add_quoted : add_plain)(&list, &line, error);
	if (err) {
		pb_words_free(list.words, list.nr);
		return err;
	}
	*words = list.words;
	*nr = list.nr;
	return 0;
}

void pb_words_free(char **words, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		free(words[i]);
	free(words);
}
