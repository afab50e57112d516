// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <net/ethernet.h>
#include <pcap/pcap.h>
#include <sys/socket.h>
#include "link-type.h"

#ifndef DLT_LINUX_SLL2 /* libpcap 1.9 */
#define DLT_LINUX_SLL2 276
#endif
#define DLT_RAW_OPENBSD 14 /* what LINKTYPE_RAW (101) was in files of OpenBSD */

/* Finds the EtherType of what follows; false: there is none, and `why` says so. */
typedef bool read_type_function(const struct link_type *link, const unsigned char *data,
				size_t length, __u16 *type, char why[WHY_NOT]);

struct link_type {
	int dlt;
	unsigned char length; /* of the header */
	unsigned char at;     /* where in it the protocol stands */
	unsigned char arphrd; /* where in it the kind of device stands; 0: nowhere */
	read_type_function *read_type;
	__u16 type; /* for read_fixed() */
};

static __u16 be16(const unsigned char *at)
{
	return at[0] << 8 | at[1];
}

static __u32 be32(const unsigned char *at)
{
	return (__u32)be16(at) << 16 | be16(at + 2);
}

/*
 * The protocol field of a cooked header is an EtherType, but for these devices (ARPHRD_*; see
 * LINKTYPE_LINUX_SLL): frame relay, radiotap, netlink.
 */
static bool has_type(unsigned int arphrd)
{
	return arphrd != 770 && arphrd != 803 && arphrd != 824;
}

static bool read_ethertype(const struct link_type *link, const unsigned char *data, size_t length,
			   __u16 *type, char why[WHY_NOT])
{
	(void)length;
	if (link->arphrd && !has_type(be16(data + link->arphrd))) {
		snprintf(why, WHY_NOT, "it is of a device of ARPHRD type %u, which carries no IP",
			 be16(data + link->arphrd));
		return false;
	}
	*type = be16(data + link->at);
	return true;
}

/* AF_INET6 of Linux, of Windows, of NetBSD and OpenBSD, of FreeBSD, of macOS; AF_INET is everyone's. */
static const unsigned char ipv6_families[] = { 10, 23, 24, 28, 30 };

static bool type_of_family(__u32 family, __u16 *type, char why[WHY_NOT])
{
	*type = family == AF_INET ? ETHERTYPE_IP : 0;
	for (size_t i = 0; i < sizeof(ipv6_families); i++)
		if (ipv6_families[i] == family)
			*type = ETHERTYPE_IPV6;
	if (!*type)
		snprintf(why, WHY_NOT, "it is of address family %u, which is not IP", family);
	return *type;
}

/*
 * NULL is in the byte order of whoever captured, LOOP in the network's, and some write the one for
 * the other: families are small numbers.
 */
static bool read_family(const struct link_type *link, const unsigned char *data, size_t length,
			__u16 *type, char why[WHY_NOT])
{
	__u32 family = be32(data + link->at);

	(void)length;
	return type_of_family(family > 0xffff ? __builtin_bswap32(family) : family, type, why);
}

/* What is neither version is malformed as either. */
static bool read_version(const struct link_type *link, const unsigned char *data, size_t length,
			 __u16 *type, char why[WHY_NOT])
{
	(void)link;
	(void)why;
	*type = length && data[0] >> 4 == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP;
	return true;
}

static bool read_fixed(const struct link_type *link, const unsigned char *data, size_t length,
		       __u16 *type, char why[WHY_NOT])
{
	(void)data;
	(void)length;
	(void)why;
	*type = link->type;
	return true;
}

static const struct link_type link_types[] = {
	{ DLT_EN10MB, 14, 12, 0, read_ethertype, 0 },
	{ DLT_RAW, 0, 0, 0, read_version, 0 },
	{ DLT_RAW_OPENBSD, 0, 0, 0, read_version, 0 },
	{ DLT_IPV4, 0, 0, 0, read_fixed, ETHERTYPE_IP },
	{ DLT_IPV6, 0, 0, 0, read_fixed, ETHERTYPE_IPV6 },
	{ DLT_LINUX_SLL, 16, 14, 2, read_ethertype, 0 },
	{ DLT_LINUX_SLL2, 20, 0, 8, read_ethertype, 0 },
	{ DLT_NULL, 4, 0, 0, read_family, 0 },
	{ DLT_LOOP, 4, 0, 0, read_family, 0 },
};

const struct link_type *link_type_find(int dlt)
{
	for (size_t i = 0; i < sizeof(link_types) / sizeof(*link_types); i++)
		if (link_types[i].dlt == dlt)
			return &link_types[i];
	return NULL;
}

bool link_type_is_ethernet(const struct link_type *link)
{
	return link->dlt == DLT_EN10MB;
}

bool link_type_read(const struct link_type *link, const unsigned char *data, size_t length,
		    size_t *header, __u16 *type, char why[WHY_NOT])
{
	if (length < link->length) {
		snprintf(why, WHY_NOT, "%zu bytes are too few for its link-layer header of %u",
			 length, link->length);
		return false;
	}
	*header = link->length;
	return link->read_type(link, data, length, type, why);
}
