// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <net/if_arp.h>
#include <linux/rtnetlink.h>
#include "inspect/tunnel.h"
#include "util/array.h"
#include "util/netlink.h"

static const char *const kinds[] = {
	"amt", "bareudp",   "batadv", "erspan",	   "geneve", "gre",	  "gretap", "gtp",
	"hsr", "ip6erspan", "ip6gre", "ip6gretap", "ip6tnl", "ipip",	  "macsec", "ovpn",
	"sit", "tun",	    "vti",    "vti6",	   "vxlan",  "wireguard", "xfrm",
};

struct list {
	struct pb_tunnel *tunnels;
	size_t nr, room;
};

static int take_kind(const struct nlattr *attribute, void *data)
{
	struct pb_tunnel *tunnel = data;

	if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND)
		strncat(tunnel->kind, mnl_attr_get_str(attribute), sizeof(tunnel->kind) - 1);
	return MNL_CB_OK;
}

static int take_link(const struct nlattr *attribute, void *data)
{
	struct pb_tunnel *tunnel = data;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_IFNAME:
		strncat(tunnel->name, mnl_attr_get_str(attribute), sizeof(tunnel->name) - 1);
		return MNL_CB_OK;
	case IFLA_LINKINFO:
		return mnl_attr_parse_nested(attribute, take_kind, tunnel);
	default:
		return MNL_CB_OK;
	}
}

/* A tap device is a port of a bridge or of a virtual machine, and ends no tunnel of this host's. */
static bool is_tunnel(const struct pb_tunnel *tunnel, const struct ifinfomsg *link)
{
	if (!(link->ifi_flags & IFF_UP))
		return false;
	if (!strcmp(tunnel->kind, "tun") && link->ifi_type == ARPHRD_ETHER)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(tunnel->kind, kinds[i]))
			return true;
	return false;
}

static int on_message(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(message);
	struct pb_tunnel tunnel = { .ifindex = link->ifi_index }, *grown;
	struct list *list = data;

	mnl_attr_parse(message, sizeof(*link), take_link, &tunnel);
	if (!is_tunnel(&tunnel, link))
		return MNL_CB_OK;
	grown = pb_grow(list->tunnels, list->nr, &list->room, sizeof(tunnel));
	if (!grown) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	list->tunnels = grown;
	list->tunnels[list->nr++] = tunnel;
	return MNL_CB_OK;
}

int pb_tunnels_list(struct pb_tunnel **tunnels, size_t *nr)
{
	struct list list = {};
	int ret = pb_netlink_links(on_message, &list);

	if (ret) {
		free(list.tunnels);
		return ret;
	}
	*tunnels = list.tunnels;
	*nr = list.nr;
	return 0;
}
