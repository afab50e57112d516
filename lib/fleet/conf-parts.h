/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of reading fleet.conf, conf*.c, offer each other; see conf.h for what others may ask. */
#ifndef FLEET_CONF_PARTS_H
#define FLEET_CONF_PARTS_H

#include "fleet/conf.h"

/* conf-lists.c: values that are a list, with commas between; `to` is the member, an error tells nothing of the place */

int fleet_conf_take_endpoints(const char *value, void *to, struct pb_error *error);
int fleet_conf_take_groups(const char *value, void *to, struct pb_error *error);
int fleet_conf_take_trust(const char *value, void *to, struct pb_error *error);
/* Of both, `to` is the whole fleet_conf. */
int fleet_conf_take_rulesets(const char *value, void *to, struct pb_error *error);
int fleet_conf_take_sets(const char *value, void *to, struct pb_error *error);

/* No blank in it, and nothing that a terminal obeys? */
bool fleet_conf_printable(const char *text);
/* Without blanks at both ends, which it cuts off. */
char *fleet_conf_trim(char *text);

#endif
