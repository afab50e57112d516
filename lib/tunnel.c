// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <net/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>
#include "array.h"
#include "tunnel.h"

static const char *const kinds[] = {
	"amt", "bareudp",   "batadv", "erspan",	   "geneve", "gre",	  "gretap", "gtp",
	"hsr", "ip6erspan", "ip6gre", "ip6gretap", "ip6tnl", "ipip",	  "macsec", "ovpn",
	"sit", "tun",	    "vti",    "vti6",	   "vxlan",  "wireguard", "xfrm",
};

struct list {
	struct pb_tunnel *tunnels;
	size_t nr, room;
	bool no_memory;
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
	if (!is_tunnel(&tunnel, link) || list->no_memory)
		return MNL_CB_OK;
	grown = pb_grow(list->tunnels, list->nr, &list->room, sizeof(tunnel));
	if (!grown) {
		list->no_memory = true;
		return MNL_CB_OK;
	}
	list->tunnels = grown;
	list->tunnels[list->nr++] = tunnel;
	return MNL_CB_OK;
}

static int ask(struct mnl_socket *socket, struct list *list)
{
	char buffer[32768];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	unsigned int port = mnl_socket_get_portid(socket);
	int ret = 1;

	message->nlmsg_type = RTM_GETLINK;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
		return -errno;
	while (ret > 0) {
		ssize_t size = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		ret = size < 0 ? -1 : mnl_cb_run(buffer, size, 0, port, on_message, list);
	}
	if (ret < 0)
		return -errno;
	return list->no_memory ? -ENOMEM : 0;
}

int pb_tunnels_list(struct pb_tunnel **tunnels, size_t *nr)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	struct list list = {};
	int ret;

	if (!socket)
		return -errno;
	ret = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : 0;
	if (!ret)
		ret = ask(socket, &list);
	mnl_socket_close(socket);
	if (ret) {
		free(list.tunnels);
		return ret;
	}
	*tunnels = list.tunnels;
	*nr = list.nr;
	return 0;
}
