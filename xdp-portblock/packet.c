// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <string.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include "packet.h"

/* Enough for any of the protocols' headers: a TCP header without options. */
#define TRANSPORT_LENGTH 20

static const unsigned char numbers[PB_PROTO_MAX] = { 6, 17, 132, 33, 136 };

bool packet_options_given(const struct arguments *arguments)
{
	return given(arguments, OPT_PORT) || given(arguments, OPT_SPORT) ||
	       given(arguments, OPT_PROTO) || given(arguments, OPT_FROM) ||
	       given(arguments, OPT_TO);
}

static int read_proto(const struct arguments *arguments, int *proto)
{
	const char *word = arguments->values[OPT_PROTO] ?: "tcp";

	for (*proto = 0; *proto < PB_PROTO_MAX; ++*proto)
		if (!strcmp(word, pb_proto_name(*proto)))
			return DONE;
	return wrong(arguments, "--proto: '%s' is not one of tcp, udp, sctp, dccp, udplite", word);
}

/* Returns AF_INET or AF_INET6; 0: it is no address. */
static int read_address(const char *text, unsigned char address[16])
{
	if (inet_pton(AF_INET, text, address) == 1)
		return AF_INET;
	return inet_pton(AF_INET6, text, address) == 1 ? AF_INET6 : 0;
}

static int read_addresses(const struct arguments *arguments, unsigned char from[16],
			  unsigned char to[16], int *family)
{
	const char *source = arguments->values[OPT_FROM], *target = arguments->values[OPT_TO];
	int other;

	*family = AF_INET;
	if (source && !(*family = read_address(source, from)))
		return wrong(arguments, "--from: '%s' is not an address", source);
	other = *family;
	if (target && !(other = read_address(target, to)))
		return wrong(arguments, "--to: '%s' is not an address", target);
	if (source && other != *family)
		return wrong(arguments, "'%s' and '%s' are of different families", source, target);
	*family = other;
	/* Documentation addresses, where none is said: RFC 5737, RFC 3849. */
	if (!source)
		read_address(other == AF_INET ? "192.0.2.1" : "2001:db8::1", from);
	if (!target)
		read_address(other == AF_INET ? "192.0.2.2" : "2001:db8::2", to);
	return DONE;
}

/* RFC 791: of a header whose own sum is 0 yet. What is wrong nobody is told of. */
static __u16 sum_of(const void *header, size_t length)
{
	const __u16 *word = header;
	__u32 sum = 0;

	for (size_t i = 0; i < length / sizeof(*word); i++)
		sum += word[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

static size_t put_ip(unsigned char *at, int family, unsigned char protocol,
		     const unsigned char *from, const unsigned char *to)
{
	struct ip6_hdr *v6 = (struct ip6_hdr *)at;
	struct iphdr *v4 = (struct iphdr *)at;

	if (family == AF_INET) {
		v4->version = 4;
		v4->ihl = 5;
		v4->tot_len = htons(sizeof(*v4) + TRANSPORT_LENGTH);
		v4->ttl = 64;
		v4->protocol = protocol;
		memcpy(&v4->saddr, from, 4);
		memcpy(&v4->daddr, to, 4);
		v4->check = sum_of(v4, sizeof(*v4));
		return sizeof(*v4);
	}
	v6->ip6_vfc = 0x60;
	v6->ip6_plen = htons(TRANSPORT_LENGTH);
	v6->ip6_nxt = protocol;
	v6->ip6_hlim = 64;
	memcpy(&v6->ip6_src, from, 16);
	memcpy(&v6->ip6_dst, to, 16);
	return sizeof(*v6);
}

int packet_build(const struct arguments *arguments, bool ethernet, unsigned char *frame,
		 size_t *length)
{
	unsigned char from[16], to[16];
	__u32 port = 0, sport = 40000;
	size_t at = 0;
	int proto, family, ret = read_proto(arguments, &proto);

	if (ret == DONE && !given(arguments, OPT_PORT) && !given(arguments, OPT_SPORT))
		ret = wrong(arguments, "which packet? Say --port 22, or name a pcap file");
	if (ret == DONE)
		ret = option_number(arguments, OPT_PORT, 0, 65535, &port);
	if (ret == DONE)
		ret = option_number(arguments, OPT_SPORT, 0, 65535, &sport);
	if (ret == DONE)
		ret = read_addresses(arguments, from, to, &family);
	if (ret != DONE)
		return ret;
	memset(frame, 0, PACKET_MAX);
	if (ethernet) {
		frame[12] = family == AF_INET ? 0x08 : 0x86;
		frame[13] = family == AF_INET ? 0x00 : 0xdd;
		at = ETH_HLEN;
	}
	at += put_ip(frame + at, family, numbers[proto], from, to);
	frame[at] = sport >> 8;
	frame[at + 1] = sport;
	frame[at + 2] = port >> 8;
	frame[at + 3] = port;
	if (proto == PB_PROTO_TCP) {
		frame[at + 12] = 5 << 4; /* its header, in four bytes */
		frame[at + 13] = 0x02;	 /* SYN */
	}
	*length = at + TRANSPORT_LENGTH;
	return DONE;
}
