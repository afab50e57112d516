// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include "util/netlink.h"

static int ask(struct mnl_socket *socket, struct nlmsghdr *question, mnl_cb_t take, void *context)
{
	char buffer[32768]; /* a message of a dump is at most that long */
	unsigned int port = mnl_socket_get_portid(socket);
	int ret = 1;

	if (mnl_socket_sendto(socket, question, question->nlmsg_len) < 0)
		return -errno;
	while (ret > 0) {
		ssize_t size = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		ret = size < 0 ? -1 :
				 mnl_cb_run(buffer, size, question->nlmsg_seq, port, take, context);
	}
	return ret < 0 ? -errno : 0;
}

int pb_netlink_ask(int bus, struct nlmsghdr *question, mnl_cb_t take, void *context)
{
	struct mnl_socket *socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	int ret;

	if (!socket)
		return -errno;
	/* An acknowledgement ends the answer to a question that is no dump. */
	question->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	question->nlmsg_seq = 1;
	ret = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : 0;
	if (!ret)
		ret = ask(socket, question, take, context);
	mnl_socket_close(socket);
	return ret;
}

int pb_netlink_links(mnl_cb_t take, void *context)
{
	char buffer[PB_NETLINK_ROOM];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);

	message->nlmsg_type = RTM_GETLINK;
	message->nlmsg_flags = NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return pb_netlink_ask(NETLINK_ROUTE, message, take, context);
}
