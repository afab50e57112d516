/* SPDX-License-Identifier: GPL-2.0-only */
/* What the XDP program does with the tables, in user space. */
#ifndef EVAL_H
#define EVAL_H

#include "compile/compile.h"
#include "judge.h"

struct verdict eval_packet(const struct pb_tables *tables, const struct pb_settings *settings,
			   const struct packet *packet);

/* Candidates looked at for the last packet. */
extern int eval_steps;

#endif
