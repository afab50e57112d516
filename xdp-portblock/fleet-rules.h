/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules that are to stand on many hosts, or come from there. */
#ifndef TOOL_FLEET_RULES_H
#define TOOL_FLEET_RULES_H

#include "fleet/records.h"
#include "tool.h"

/*
 * Reads a file of rules as `fleet push` sends it: as it is, or, of JSON and standard input ("-"), in the text form. One
 * that names other files is refused: hosts have others. The caller frees. FAILED after a message for each problem.
 */
int fleet_file_read(const char *path, char **text);

/* The rules of such a text; `name` stands for it in messages. The caller frees. FAILED after a message. */
int rules_of_text(const char *text, const char *name, struct pb_rules **rules);

#endif
