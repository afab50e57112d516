/* SPDX-License-Identifier: GPL-2.0-only */
/* The link-layer headers of captures: how long they are, and what they say of what follows. */
#ifndef LINK_TYPE_H
#define LINK_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

struct link_type;

/* Room for a line that says why something cannot be */
#define WHY_NOT 128

/* By libpcap's number (DLT_*); NULL: one that is not known here. */
const struct link_type *link_type_find(int dlt);
bool link_type_is_ethernet(const struct link_type *link);
/*
 * The length of the header in front of `data`, and the EtherType of what follows. false: `why` says
 * what is wrong with it.
 */
bool link_type_read(const struct link_type *link, const unsigned char *data, size_t length,
		    size_t *header, __u16 *type, char why[WHY_NOT]);

#endif
