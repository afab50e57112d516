// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include "inspect/bound.h"
#include "util/array.h"
#include "util/netlink.h"

struct list {
	struct pb_bound *sockets;
	size_t nr, room;
	const char *protocol; /* that is being asked for */
};

/* What the program takes for a connection: lib/bpf/connection.h. */
#define TCP_CONNECTED (~0U & ~(1U << TCP_LISTEN | 1U << TCP_CLOSE))
#define UDP_CONNECTED (1U << TCP_ESTABLISHED)

static const struct {
	__u8 family, protocol;
	__u32 states;
	const char *name;
} kinds[] = {
	{ AF_INET, IPPROTO_TCP, TCP_CONNECTED, "tcp" },
	{ AF_INET6, IPPROTO_TCP, TCP_CONNECTED, "tcp" },
	{ AF_INET, IPPROTO_UDP, UDP_CONNECTED, "udp" },
	{ AF_INET6, IPPROTO_UDP, UDP_CONNECTED, "udp" },
};
#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static int on_message(const struct nlmsghdr *message, void *context)
{
	const struct inet_diag_msg *socket = mnl_nlmsg_get_payload(message);
	struct list *list = context;
	struct pb_bound *grown;

	if (!socket->id.idiag_if)
		return MNL_CB_OK;
	grown = pb_grow(list->sockets, list->nr, &list->room, sizeof(*grown));
	if (!grown) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	list->sockets = grown;
	list->sockets[list->nr++] = (struct pb_bound){ .ifindex = (int)socket->id.idiag_if,
						       .protocol = list->protocol,
						       .port = ntohs(socket->id.idiag_sport) };
	return MNL_CB_OK;
}

static int ask(size_t kind, struct list *list)
{
	char buffer[PB_NETLINK_ROOM];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *request;

	message->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	message->nlmsg_flags = NLM_F_DUMP;
	request = mnl_nlmsg_put_extra_header(message, sizeof(*request));
	request->sdiag_family = kinds[kind].family;
	request->sdiag_protocol = kinds[kind].protocol;
	request->idiag_states = kinds[kind].states;
	list->protocol = kinds[kind].name;
	return pb_netlink_ask(NETLINK_SOCK_DIAG, message, on_message, list);
}

int pb_bound_list(struct pb_bound **sockets, size_t *nr)
{
	struct list list = {};
	int ret = 0;

	for (size_t i = 0; !ret && i < NR_KINDS; i++)
		ret = ask(i, &list);
	if (ret) {
		free(list.sockets);
		return ret;
	}
	*sockets = list.sockets;
	*nr = list.nr;
	return 0;
}
