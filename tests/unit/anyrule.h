/* SPDX-License-Identifier: GPL-2.0-only */
/* Random rules as a user may write them: any field, any order of list elements. */
#ifndef ANYRULE_H
#define ANYRULE_H

#include "random.h"

/* A line of rule text that is right; `line` has room for ANY_LINE bytes. */
#define ANY_LINE 2048
void any_line(struct random *random, char *line);

#endif
