/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the readers of ruleset files share: what they read into, and what they find wrong. */
#ifndef PB_PROBLEMS_H
#define PB_PROBLEMS_H

#include "rules/rules.h"

struct pb_reading {
	struct pb_rules *rules;
	__u64 now;
	struct pb_problems *problems; /* errors */
	struct pb_problems *notes;    /* what is right and yet worth a word; may be NULL */
	/* Reads a file that another one includes, at that line. */
	void (*include)(struct pb_reading *reading, const char *path, const char *from,
			unsigned long line);
};

/* Adds "FILE:LINE: text" (no line where it is 0). */
void pb_problem_add(struct pb_problems *problems, const char *path, unsigned long line,
		    const char *text);

/* Adds a rule that was read; a note where it changes one that the files hold already. */
void pb_reading_add(struct pb_reading *reading, const char *path, unsigned long line,
		    struct pb_rule *rule);

/* So many problems that nobody wants more of them. */
bool pb_reading_is_over(const struct pb_reading *reading);

#endif
