/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The tables of one slot, as the compiler leaves them. */
#ifndef PB_TABLES_H
#define PB_TABLES_H

#include <portblock/portblock.h>

/* An entry for look-up: for sources in `prefix`, take decision `next` + `offset`. */
struct pb_source {
	struct pb_prefix prefix;
	__u16 mix; /* as in the decisions that ask */
	__u32 offset;
};

/* The class of each port, an index of decisions; 0: no rule covers the port. */
struct pb_class_table {
	__u16 class[PB_PORTS];
};

/* What a slot has of pb_ports. */
struct pb_port_tables {
	__u32 entry[PB_ENTRY_PROTOS][PB_PORTS];
	__u16 classes[PB_CLASSES_MAX][PB_PORTS];
};

/* One compiled generation; zero before the first use. */
struct pb_tables {
	/* [proto * PB_SIDE_MAX + side]; what follows is made of them. */
	struct pb_class_table *classes;
	struct pb_port_tables *ports;
	struct pb_port_classes *port_classes; /* [0]: no rule of any protocol */
	size_t nr_port_classes;
	struct pb_decision *decisions; /* [0] is the end of each chain */
	size_t nr_decisions;
	struct pb_source *sources;
	size_t nr_sources;
	struct pb_set_condition *conditions; /* by number, of decisions with PB_DECISION_SETS */
	size_t nr_conditions;
	__u32 portless;	 /* as in struct pb_slot */
	__u32 unmatched; /* as in struct pb_slot */
	__u8 sides[8];	 /* [enum pb_proto]: bit 1 << enum pb_side where a rule looks at it */
};

struct pb_limits {
	size_t decisions;
	size_t sources; /* entries for look-up */
	size_t port_classes;
};

void pb_tables_free(struct pb_tables *tables);

#endif
