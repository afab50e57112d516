/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the XDP program of the native engine and the kernel module portblock_native say to each other.
 * The kernel finds the module's functions by their names, so a change of what is here, or of struct
 * pb_ports, gives them others: programs and modules that do not fit do not find each other.
 */
#ifndef PORTBLOCK_NATIVE_H
#define PORTBLOCK_NATIVE_H

#include <portblock/abi.h>

#define PB_NATIVE_MODULE "portblock_native"
#define PB_NATIVE_ABI 11 /* PB_ABI_VERSION, by which the functions' names end */

/* flags */
#define PB_NATIVE_SLOT (1U << 0)     /* the slot that judges the packet */
#define PB_NATIVE_ETHERNET (1U << 1) /* the frame has a link-layer header */

/* struct pb_ports as rows: of what is handed to a module, verifiers take no table of tables. */
struct pb_native_ports {
	__u32 entry[PB_SLOTS * PB_ENTRY_PROTOS * PB_PORTS];
	__u16 classes[PB_SLOTS * PB_CLASSES_MAX * PB_PORTS];
};

/* What is found of a packet with ports, in the form that lib/bpf/frame.h has. */
struct pb_native_found {
	__u64 found; /* FOUND() */
	__u32 ports; /* PORTS() */
	__u32 entry; /* of the destination port */
	/* Where that is indirect: indices of pb_port_classes, by enum pb_class_tables. Of a protocol that
	 * has entries the destination port's class is in the entry. */
	__u16 classes[PB_CLASSES_MAX];
	__u32 reserved;
};

#endif
