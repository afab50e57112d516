// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include "attach/link.h"
#include "util/netlink.h"

/* Which attribute has the program of which mode; the first that is there is what packets meet. */
static const struct {
	__u16 attribute;
	enum pb_mode mode;
} programs[] = {
	{ IFLA_XDP_DRV_PROG_ID, PB_MODE_NATIVE },
	{ IFLA_XDP_SKB_PROG_ID, PB_MODE_SKB },
	{ IFLA_XDP_HW_PROG_ID, PB_MODE_HW },
};
#define NR_PROGRAMS (sizeof(programs) / sizeof(programs[0]))

struct answer {
	bool seen;
	struct pb_link_peer peer;
	__u32 ids[NR_PROGRAMS];
};

static int take_program(const struct nlattr *attribute, void *data)
{
	struct answer *answer = data;

	for (size_t i = 0; i < NR_PROGRAMS; i++)
		if (mnl_attr_get_type(attribute) == programs[i].attribute &&
		    mnl_attr_get_payload_len(attribute) == sizeof(answer->ids[i]))
			answer->ids[i] = mnl_attr_get_u32(attribute);
	return MNL_CB_OK;
}

static int take_kind(const struct nlattr *attribute, void *data)
{
	struct answer *answer = data;

	if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND &&
	    mnl_attr_validate(attribute, MNL_TYPE_STRING) >= 0)
		answer->peer.veth = !strncmp(mnl_attr_get_str(attribute), "veth",
					     mnl_attr_get_payload_len(attribute));
	return MNL_CB_OK;
}

static int take_link(const struct nlattr *attribute, void *data)
{
	struct answer *answer = data;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_XDP:
		return mnl_attr_parse_nested(attribute, take_program, data);
	case IFLA_LINKINFO:
		return mnl_attr_parse_nested(attribute, take_kind, data);
	case IFLA_LINK:
		if (mnl_attr_validate(attribute, MNL_TYPE_U32) >= 0)
			answer->peer.ifindex = (int)mnl_attr_get_u32(attribute);
		break;
	case IFLA_LINK_NETNSID:
		answer->peer.elsewhere = true;
		break;
	}
	return MNL_CB_OK;
}

static int on_message(const struct nlmsghdr *message, void *data)
{
	struct answer *answer = data;

	answer->seen = true;
	return mnl_attr_parse(message, sizeof(struct ifinfomsg), take_link, data);
}

static int ask(int ifindex, struct answer *answer)
{
	char buffer[PB_NETLINK_ROOM];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(message, sizeof(*link));
	int ret;

	message->nlmsg_type = RTM_GETLINK;
	link->ifi_index = ifindex;
	mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	ret = pb_netlink_ask(NETLINK_ROUTE, message, on_message, answer);
	return ret || answer->seen ? ret : -EPROTO;
}

int pb_link_xdp(int ifindex, struct pb_link_xdp *found)
{
	struct answer answer = {};
	int ret = ask(ifindex, &answer);

	if (ret)
		return ret;
	*found = (struct pb_link_xdp){ 0, PB_MODE_AUTO };
	for (size_t i = NR_PROGRAMS; i-- > 0;)
		if (answer.ids[i])
			*found = (struct pb_link_xdp){ answer.ids[i], programs[i].mode };
	return 0;
}

int pb_link_peer(int ifindex, struct pb_link_peer *found)
{
	struct answer answer = {};
	int ret = ask(ifindex, &answer);

	if (!ret)
		*found = answer.peer;
	return ret;
}
