/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the kernel says of one link, by rtnetlink. */
#ifndef PB_LINK_H
#define PB_LINK_H

#include <portblock/portblock.h>

/* The XDP program of an interface, which may be libxdp's dispatcher. */
struct pb_link_xdp {
	__u32 program_id; /* 0: there is none */
	enum pb_mode mode;
};

/*
 * libbpf asks for all links to find one, which takes longer the more there are, and may miss one
 * while others go: this asks for one. -ENODEV: there is no such link.
 */
int pb_link_xdp(int ifindex, struct pb_link_xdp *found);

/* Of a veth, where its frames come out. */
struct pb_link_peer {
	bool veth;
	bool elsewhere; /* in another network namespace */
	int ifindex;
};
int pb_link_peer(int ifindex, struct pb_link_peer *found);

#endif
