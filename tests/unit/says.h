/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of text share. */
#ifndef SAYS_H
#define SAYS_H

#include <portblock/portblock.h>

/* An input that is wrong, and what the message about it must hold; ends with `input` NULL. */
struct wrong {
	const char *input;
	const char *says;
	const char *also; /* NULL: nothing else */
};

/* Fails the test unless `err` is `wanted` and the message holds both parts. */
void assert_says(const struct wrong *wrong, int err, int wanted, const struct pb_error *error);

/* The rule of a line of text, which must be right. The caller clears it. */
struct pb_rule rule_of(const char *line, __u64 now);
/* The canonical text of a rule. The caller frees. */
char *text_of(const struct pb_rule *rule, __u64 now);

#endif
