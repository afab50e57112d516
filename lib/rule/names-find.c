// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Looking names up, and what to say when there is none. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "util/error.h"
#include "util/text.h"

#define LONGEST 15

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Letters to add, drop, change or swap with their neighbour, to make one word the other. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int d[LONGEST + 1][LONGEST + 1];
	size_t la = strlen(a), lb = strlen(b);

	for (size_t i = 0; i <= la; i++) {
		for (size_t j = 0; j <= lb; j++) {
			d[i][j] = i ? i : j;
			if (!i || !j)
				continue;
			d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
					d[i - 1][j - 1] + !same(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[la][lb];
}

const char *pb_names_near(const struct pb_names *names, const char *word)
{
	unsigned int best = strlen(word) > 4 ? 3 : 2;
	const char *near = NULL;

	if (strlen(word) > LONGEST)
		return NULL;
	for (size_t i = 0; i < names->nr; i++) {
		unsigned int d =
			strlen(names->words[i]) > LONGEST ? best : distance(word, names->words[i]);

		if (d < best && d < strlen(names->words[i]) - 1) {
			best = d;
			near = names->words[i];
		}
	}
	return near;
}

void pb_names_print(FILE *out, const struct pb_names *names)
{
	for (size_t i = 0; i < names->nr; i++)
		fprintf(out, "%s%s", i ? ", " : "", names->words[i]);
}

static int not_found(const struct pb_names *names, const char *word, struct pb_error *error)
{
	const char *near = pb_names_near(names, word);
	char *known = NULL;
	size_t len;
	FILE *out = open_memstream(&known, &len);

	if (!out)
		return pb_fail_memory(error);
	pb_names_print(out, names);
	if (!pb_stream_take(out, &known))
		return pb_fail_memory(error);
	pb_fail(error, EINVAL, "%s is not %s (%s)%s%s%s", PB_Q(word), names->what, known,
		near ? ": did you mean " : "", near ? near : "", near ? "?" : "");
	free(known);
	return -EINVAL;
}

int pb_names_find(const struct pb_names *names, const char *word, struct pb_error *error)
{
	for (size_t i = 0; i < names->nr; i++)
		if (!strcmp(names->words[i], word))
			return i;
	return error ? not_found(names, word, error) : -EINVAL;
}
