/* SPDX-License-Identifier: GPL-2.0-only */
/* What the commands `fleet` share; there only where lib/fleet is. */
#ifndef TOOL_FLEET_H
#define TOOL_FLEET_H

#include "fleet/conf.h"
#include "tool.h"

/* cmd-fleet-*.c: each of them, with the conf of --config */
typedef int fleet_command(const struct arguments *arguments, const struct fleet_conf *conf);
fleet_command fleet_follow;
fleet_command fleet_push;
fleet_command fleet_status;
fleet_command fleet_history;
fleet_command fleet_diff;
fleet_command fleet_rollback;
fleet_command fleet_forget;
fleet_command fleet_group_list;
fleet_command fleet_group_set;
fleet_command fleet_group_del;
fleet_command fleet_set_add;
fleet_command fleet_set_del;
fleet_command fleet_set_flush;
fleet_command fleet_set_list;
fleet_command fleet_set_load;

#endif
