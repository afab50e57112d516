/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The forms of a ruleset's file: file-text.c, file-json.c. */
#ifndef PB_FILE_H
#define PB_FILE_H

#include "rules/problems.h"

/* Each adds its problems; `text` is the whole file, and may be changed. */
void pb_read_text(struct pb_reading *reading, const char *path, char *text);
void pb_read_json(struct pb_reading *reading, const char *path, char *text);

#endif
