// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>
#include <linux/genetlink.h>
#include "attach/driver.h"
#include "util/netlink.h"

/* Kernel: Documentation/netlink/specs/netdev.yaml */
#define NETDEV_FAMILY "netdev"
#define NETDEV_CMD_DEV_GET 1
#define NETDEV_A_DEV_IFINDEX 1
#define NETDEV_A_DEV_XDP_FEATURES 3

/* One question, and the one attribute that is wanted of the answer. */
struct question {
	struct nlmsghdr *message;
	unsigned int attribute;
	union {
		__u16 family;
		__u64 features;
	} answer;
	size_t size; /* of the answer; 0 when it has come */
};

static struct nlmsghdr *begin(void *buffer, __u16 type, __u8 command)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *generic = mnl_nlmsg_put_extra_header(message, sizeof(*generic));

	message->nlmsg_type = type;
	generic->cmd = command;
	generic->version = 1;
	return message;
}

static int take(const struct nlattr *attribute, void *data)
{
	struct question *question = data;

	if (mnl_attr_get_type(attribute) == question->attribute &&
	    mnl_attr_get_payload_len(attribute) == question->size) {
		memcpy(&question->answer, mnl_attr_get_payload(attribute), question->size);
		question->size = 0;
	}
	return MNL_CB_OK;
}

static int on_message(const struct nlmsghdr *message, void *data)
{
	return mnl_attr_parse(message, sizeof(struct genlmsghdr), take, data);
}

static int ask(struct question *question)
{
	int ret = pb_netlink_ask(NETLINK_GENERIC, question->message, on_message, question);

	return ret ?: question->size ? -EOPNOTSUPP : 0;
}

static int ask_family(__u16 *family)
{
	char buffer[PB_NETLINK_ROOM];
	struct question question = { .message = begin(buffer, GENL_ID_CTRL, CTRL_CMD_GETFAMILY),
				     .attribute = CTRL_ATTR_FAMILY_ID,
				     .size = sizeof(*family) };
	int ret;

	mnl_attr_put_strz(question.message, CTRL_ATTR_FAMILY_NAME, NETDEV_FAMILY);
	ret = ask(&question);
	*family = question.answer.family;
	return ret == -ENOENT ? -EOPNOTSUPP : ret;
}

static int ask_features(__u16 family, int ifindex, __u64 *features)
{
	char buffer[PB_NETLINK_ROOM];
	struct question question = { .message = begin(buffer, family, NETDEV_CMD_DEV_GET),
				     .attribute = NETDEV_A_DEV_XDP_FEATURES,
				     .size = sizeof(*features) };
	int ret;

	mnl_attr_put_u32(question.message, NETDEV_A_DEV_IFINDEX, ifindex);
	ret = ask(&question);
	if (!ret)
		*features = question.answer.features;
	return ret;
}

int pb_driver_features(int ifindex, __u64 *features)
{
	__u16 family;
	int ret = ask_family(&family);

	return ret ?: ask_features(family, ifindex, features);
}
