// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>
#include "attach/refusal.h"
#include "util/log.h"

/* net/core/dev.c of a driver that has no such mode */
#define NO_SUCH_MODE "Underlying driver does not support XDP"

const char *pb_refusal(void)
{
	const char *reason = pb_log_reason();

	return *reason && strncmp(reason, NO_SUCH_MODE, strlen(NO_SUCH_MODE)) ? reason : NULL;
}

/*
 * By a word of what drivers say, the first that is in it. What the host implements for a virtio_net that can't be
 * told otherwise, no ethtool changes.
 */
static const struct {
	const char *word;
	const char *help, *more; /* the interface's name comes between the two */
} helps[] = {
	{ "host is implementing", "have the hypervisor do without (see xdp-portblock(8))", NULL },
	{ "LRO", "switch it off (`ethtool -K ", " lro off`)" },
	{ "GRO", "switch it off (`ethtool -K ", " rx-gro-hw off`)" },
	{ "MTU", "make the MTU smaller (`ip link set dev ", " mtu 1500`)" },
	{ "frame size", "make the MTU smaller (`ip link set dev ", " mtu 1500`)" },
	{ "TX ring", "use fewer queues (`ethtool -L ",
	  " combined N`), for it needs one more for each CPU" },
	{ "rx queues", "use more of them (`ethtool -L ", " rx N`)" },
	{ "queue", "use another number of queues (`ethtool -L ", " combined N`)" },
	{ "channel", "use another number of queues (`ethtool -L ", " combined N`)" },
};

void pb_refusal_help(const char *refusal, const char *ifname, char *text, size_t size)
{
	*text = '\0';
	for (size_t i = 0; i < sizeof(helps) / sizeof(helps[0]); i++) {
		if (!strstr(refusal, helps[i].word))
			continue;
		snprintf(text, size, "%s%s%s", helps[i].help, helps[i].more ? ifname : "",
			 helps[i].more ?: "");
		return;
	}
}
