/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What a card and its driver are set to, as ethtool shows it, and what is known of drivers. */
#ifndef PB_CARD_H
#define PB_CARD_H

#include <stdbool.h>

/* One ioctl about an interface, of ethtool (`data`: its struct) or another (`data`: a struct ifreq). */
int pb_card_ask(const char *ifname, unsigned long request, void *data);

/* The name of the driver's module; "" if it has none. */
void pb_card_driver(const char *ifname, char driver[32]);

struct pb_card_feature {
	bool on;
	bool fixed; /* `ethtool -K` can't change it */
};

/* One of `ethtool -k`, by its name in the kernel; all false if there is none. */
struct pb_card_feature pb_card_feature(const char *ifname, const char *feature);

/* Does this driver switch LRO and its like off by itself when it gets a program? */
bool pb_card_frees_itself(const char *driver);

/*
 * Does this driver forget a program in native mode when the link goes down and up, so that packets pass unjudged
 * while the kernel says that it is there?
 */
bool pb_card_forgets(const char *driver);

/*
 * Does this driver, on kernels before 6.3, take a program in native mode at an MTU of which it drops the large
 * frames?
 */
bool pb_card_drops_large(const char *driver);

/* The largest MTU in native mode where frames have one buffer. */
int pb_card_mtu_max(const char *driver);

/*
 * Has this driver native mode for frames of one buffer alone, on kernels before 6.3, which can't be asked? False
 * of those that are not known.
 */
bool pb_card_had_one_buffer(const char *driver);

#endif
