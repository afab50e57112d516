// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "util/error.h"
#include "util/escape.h"
#include "util/text.h"

int pb_number_parse(const char *text, size_t len, unsigned long max, unsigned long *value)
{
	unsigned long number = 0;

	if (!len || strspn(text, "0123456789") < len || (len > 1 && text[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		unsigned long digit = text[i] - '0';

		if (digit > max || number > (max - digit) / 10)
			return -ERANGE;
		number = number * 10 + digit;
	}
	*value = number;
	return 0;
}

static int empty_item(const char *text, const char *what, struct pb_error *error)
{
	if (!*text)
		return pb_fail(error, EINVAL, "the list of %s is empty", what);
	return pb_fail(error, EINVAL,
		       "%s has an empty place: between %s stands one comma, and none at either end",
		       PB_Q(text), what);
}

int pb_list_each(const char *text, const char *what, pb_list_item *item, void *ctx,
		 struct pb_error *error)
{
	char *copy = strdup(text), *rest = copy, *word;
	int err = copy ? 0 : pb_fail_memory(error);

	while (!err && (word = strsep(&rest, ",")))
		err = *word ? item(word, ctx, error) : empty_item(text, what, error);
	free(copy);
	return err;
}

int pb_name_check(const char *name, const char *what, struct pb_error *error)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if (!isascii(name[i]) || (!isalnum(name[i]) && name[i] != '-' && name[i] != '_'))
			return pb_fail(error, EINVAL,
				       "'%s' is no name for a %s: letters, digits, - and _ only",
				       name, what);
	if (!len || len >= PB_NAME_LEN)
		return pb_fail(error, EINVAL,
			       "'%s' is no name for a %s: it must have 1 to %d characters", name,
			       what, PB_NAME_LEN - 1);
	return 0;
}

char *pb_stream_take(FILE *stream, char **text)
{
	bool failed = ferror(stream);

	if (fclose(stream) || failed) {
		free(*text);
		*text = NULL;
	}
	return *text;
}
