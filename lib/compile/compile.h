/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Rules to the tables of one slot. Pure: no system call, no clock. Words used in all its parts:
 *
 * part    of a rule: what matches by prefixes, and what matches through sets
 * item    one port range of a part
 * group   the parts with the same prefixes in `from` and `except`; group 0: those with neither
 * cover   the items over one port that can win there, group by group
 * mix     the groups with sources that meet over a port; they share the entries of a look-up
 * region  sources that lie in the same prefixes of a mix; region 0: in none
 * node    a decision before it is numbered: a candidate and the node that follows it
 *
 * Functions of the parts return 0, -ENOMEM without a message, or -ENOSPC with one.
 */
#ifndef PB_COMPILE_H
#define PB_COMPILE_H

#include "compile/tables.h"

/*
 * Compiles rules. They may have ended already: the program asks the clock. `sets` has the sets that
 * each rule names, as bits, in the order of `rules`; NULL: no rule names any.
 * -ENOSPC: does not fit the limits or PB_CHAIN_RULES; the message names limit, number and option.
 * -ENOMEM. The caller frees with pb_tables_free().
 */
int pb_compile(const struct pb_rules *rules, const struct pb_limits *limits,
	       const struct pb_set_condition *sets, struct pb_tables *tables,
	       struct pb_error *error);

#endif
