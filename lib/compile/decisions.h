/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The nodes of classes, numbered: the decisions that the program walks. */
#ifndef PB_DECISIONS_H
#define PB_DECISIONS_H

#include "compile/classes.h"

/* PB_ENTRY() of a rule: its id, and what it says. */
__u32 pb_entry_of_rule(__u32 id, enum pb_action action);

/* -ENOSPC if so many decisions are more than fit. */
int pb_classes_check(const struct pb_classes *classes, size_t decisions, struct pb_error *error);
/* Numbers the nodes. The caller frees. */
int pb_classes_decisions(const struct pb_classes *classes, struct pb_decision **decisions,
			 size_t *nr_decisions, struct pb_error *error);

#endif
