// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "says.h"

void assert_says(const struct wrong *wrong, int err, int wanted, const struct pb_error *error)
{
	if (err != wanted)
		fail_msg("%s: %d, not %d", wrong->input, err, wanted);
	if (!strstr(error->text, wrong->says) || (wrong->also && !strstr(error->text, wrong->also)))
		fail_msg("%s: the message is: %s", wrong->input, error->text);
	if (strlen(error->text) > 400)
		fail_msg("%s: a message of %zu bytes", wrong->input, strlen(error->text));
}

struct pb_rule rule_of(const char *line, __u64 now)
{
	struct pb_rule rule = { 0 };
	struct pb_error error = { "" };
	char **words;
	size_t nr;

	if (pb_words_split(line, &words, &nr, &error) ||
	    pb_rule_parse(words, nr, now, &rule, NULL, &error))
		fail_msg("%s: %s", line, error.text);
	pb_words_free(words, nr);
	return rule;
}

char *text_of(const struct pb_rule *rule, __u64 now)
{
	char *text = NULL;

	assert_int_equal(pb_rule_format(rule, now, &text), 0);
	return text;
}
