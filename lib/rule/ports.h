/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Lists of ports and of protocols. */
#ifndef PB_PORTS_H
#define PB_PORTS_H

#include <stdio.h>
#include <portblock/portblock.h>

/*
 * PORTS: numbers, ranges and service names of `protocols` (0: of any). The result is sorted and
 * without duplicates. The caller frees.
 */
int pb_ports_parse(const char *text, unsigned int protocols, struct pb_range **ports, size_t *nr,
		   struct pb_error *error);
void pb_ports_print(FILE *out, const struct pb_range *ports, size_t nr);

int pb_protocols_parse(const char *text, unsigned int *protocols, struct pb_error *error);
void pb_protocols_print(FILE *out, unsigned int protocols);

#endif
