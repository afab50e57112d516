/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests/net/grace and its program share. */
#ifndef GRACE_H
#define GRACE_H

struct grace {
	__u64 first, second; /* the numbers that are stored */
	__u64 packets;
	__u64 overlapped;     /* that were under way when one was stored in `first` */
	__u64 not_waited_for; /* and still so when it was stored in `second` */
};

#endif
