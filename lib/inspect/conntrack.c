// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include "inspect/conntrack.h"
#include "util/netlink.h"

/* Not there: the kernel tracks nothing, and to ask would make it load the modules for that. */
#define TRACKED "/proc/sys/net/netfilter/nf_conntrack_count"

static void put_address(struct nlmsghdr *message, const struct pb_prefix *host, __u16 v4, __u16 v6)
{
	mnl_attr_put(message, host->family == 4 ? v4 : v6, host->family == 4 ? 4 : 16, host->addr);
}

/* As the host's answers have it: from the server, to the client. */
static void put_reply(struct nlmsghdr *message, const struct pb_connection *connection)
{
	struct nlattr *tuple = mnl_attr_nest_start(message, CTA_TUPLE_REPLY), *part;

	part = mnl_attr_nest_start(message, CTA_TUPLE_IP);
	put_address(message, &connection->server, CTA_IP_V4_SRC, CTA_IP_V6_SRC);
	put_address(message, &connection->client, CTA_IP_V4_DST, CTA_IP_V6_DST);
	mnl_attr_nest_end(message, part);
	part = mnl_attr_nest_start(message, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(message, CTA_PROTO_NUM, IPPROTO_TCP);
	mnl_attr_put_u16(message, CTA_PROTO_SRC_PORT, htons(connection->server_port));
	mnl_attr_put_u16(message, CTA_PROTO_DST_PORT, htons(connection->client_port));
	mnl_attr_nest_end(message, part);
	mnl_attr_nest_end(message, tuple);
}

static void take_address(const struct nlattr *attribute, struct pb_prefix *host)
{
	size_t size = host->family == 4 ? 4 : 16;

	if (mnl_attr_get_payload_len(attribute) == size)
		memcpy(host->addr, mnl_attr_get_payload(attribute), size);
}

static void take_port(const struct nlattr *attribute, __u16 *port)
{
	if (mnl_attr_get_payload_len(attribute) == sizeof(*port))
		*port = ntohs(mnl_attr_get_u16(attribute));
}

/* The family is that of the question. */
static int take_ip(const struct nlattr *attribute, void *context)
{
	struct pb_connection *wire = context;
	int type = mnl_attr_get_type(attribute);

	if (type == CTA_IP_V4_SRC || type == CTA_IP_V6_SRC)
		take_address(attribute, &wire->client);
	else if (type == CTA_IP_V4_DST || type == CTA_IP_V6_DST)
		take_address(attribute, &wire->server);
	return MNL_CB_OK;
}

static int take_ports(const struct nlattr *attribute, void *context)
{
	struct pb_connection *wire = context;

	if (mnl_attr_get_type(attribute) == CTA_PROTO_SRC_PORT)
		take_port(attribute, &wire->client_port);
	else if (mnl_attr_get_type(attribute) == CTA_PROTO_DST_PORT)
		take_port(attribute, &wire->server_port);
	return MNL_CB_OK;
}

static int take_tuple(const struct nlattr *attribute, void *context)
{
	if (mnl_attr_get_type(attribute) == CTA_TUPLE_IP)
		return mnl_attr_parse_nested(attribute, take_ip, context);
	if (mnl_attr_get_type(attribute) == CTA_TUPLE_PROTO)
		return mnl_attr_parse_nested(attribute, take_ports, context);
	return MNL_CB_OK;
}

static int take_original(const struct nlattr *attribute, void *context)
{
	if (mnl_attr_get_type(attribute) == CTA_TUPLE_ORIG)
		return mnl_attr_parse_nested(attribute, take_tuple, context);
	return MNL_CB_OK;
}

static int on_message(const struct nlmsghdr *message, void *context)
{
	return mnl_attr_parse(message, sizeof(struct nfgenmsg), take_original, context);
}

int pb_conntrack_wire(const struct pb_connection *connection, struct pb_connection *wire)
{
	char buffer[PB_NETLINK_ROOM];
	struct pb_connection found = *connection;
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *netfilter = mnl_nlmsg_put_extra_header(message, sizeof(*netfilter));
	int ret = 0;

	message->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
	netfilter->nfgen_family = connection->client.family == 4 ? AF_INET : AF_INET6;
	netfilter->version = NFNETLINK_V0;
	put_reply(message, connection);
	if (!access(TRACKED, F_OK))
		ret = pb_netlink_ask(NETLINK_NETFILTER, message, on_message, &found);
	if (!ret || ret == -ENOENT)
		*wire = found;
	return ret == -ENOENT ? 0 : ret;
}
