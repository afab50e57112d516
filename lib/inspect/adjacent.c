// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include "inspect/adjacent.h"
#include "util/array.h"
#include "util/netlink.h"

struct list {
	struct pb_adjacent *pairs;
	size_t nr, room;
};

/* Of one interface: its own index, and what it belongs to or stands on. */
struct seen {
	int master;	/* the bridge, bond, ... that it is a part of; 0: none */
	int link;	/* the VLAN's card, the macvlan's, ...; 0: none */
	bool elsewhere; /* `link` is of another network namespace */
};

static int take(const struct nlattr *attribute, void *context)
{
	struct seen *seen = context;
	int type = mnl_attr_get_type(attribute);

	if (type == IFLA_LINK_NETNSID)
		seen->elsewhere = true;
	if ((type == IFLA_MASTER || type == IFLA_LINK) &&
	    mnl_attr_get_payload_len(attribute) == sizeof(__u32))
		*(type == IFLA_LINK ? &seen->link : &seen->master) = mnl_attr_get_u32(attribute);
	return MNL_CB_OK;
}

static bool add(struct list *list, int upper, int lower)
{
	struct pb_adjacent *grown = pb_grow(list->pairs, list->nr, &list->room, sizeof(*grown));

	if (!grown)
		return false;
	list->pairs = grown;
	list->pairs[list->nr++] = (struct pb_adjacent){ upper, lower };
	return true;
}

static int on_message(const struct nlmsghdr *message, void *context)
{
	const struct ifinfomsg *interface = mnl_nlmsg_get_payload(message);
	struct seen seen = {};
	bool whole = true;

	mnl_attr_parse(message, sizeof(*interface), take, &seen);
	if (seen.master)
		whole = add(context, seen.master, interface->ifi_index);
	if (whole && seen.link && !seen.elsewhere)
		whole = add(context, interface->ifi_index, seen.link);
	if (whole)
		return MNL_CB_OK;
	errno = ENOMEM;
	return MNL_CB_ERROR;
}

int pb_adjacent_list(struct pb_adjacent **pairs, size_t *nr)
{
	struct list list = {};
	int ret = pb_netlink_links(on_message, &list);

	if (ret) {
		free(list.pairs);
		return ret;
	}
	*pairs = list.pairs;
	*nr = list.nr;
	return 0;
}

static bool reach(const struct pb_adjacent *pairs, size_t nr, int lower, int upper, size_t steps)
{
	if (lower == upper)
		return true;
	for (size_t i = 0; steps && i < nr; i++)
		if (pairs[i].lower == lower && reach(pairs, nr, pairs[i].upper, upper, steps - 1))
			return true;
	return false;
}

/* The kernel stacks eight at most (MAX_NEST_DEV); a pair of veth leads in a circle. */
bool pb_adjacent_reach(const struct pb_adjacent *pairs, size_t nr, int lower, int upper)
{
	return reach(pairs, nr, lower, upper, 8);
}
