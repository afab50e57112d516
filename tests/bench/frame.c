// SPDX-License-Identifier: GPL-2.0-only
/* Frames to be judged, from their description. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"

#define FRAME_MIN 60
#define PROTO_TCP 6
#define PROTO_UDP 17

struct builder {
	struct frame frame;
	__u32 type_at;	  /* the ethertype of the next header */
	__u32 next_at;	  /* the protocol number of the next header */
	__u32 network_at; /* the IP header */
	int family;
};

static unsigned char *append(struct builder *b, size_t len)
{
	unsigned char *at = b->frame.data + b->frame.length;

	if (b->frame.length + len > FRAME_ROOM)
		die("a frame of more than %d bytes", FRAME_ROOM);
	b->frame.length += len;
	return at;
}

static void put16(unsigned char *at, __u16 value)
{
	at[0] = value >> 8;
	at[1] = value & 255;
}

static void ethernet(struct builder *b)
{
	static const unsigned char addresses[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };

	memcpy(append(b, sizeof(addresses)), addresses, sizeof(addresses));
	b->type_at = b->frame.length;
	append(b, 2);
}

static void tag(struct builder *b)
{
	put16(b->frame.data + b->type_at, 0x8100);
	put16(append(b, 2), 7);
	b->type_at = b->frame.length;
	append(b, 2);
}

static void ipv4(struct builder *b, bool options, bool later)
{
	unsigned char *ip;

	put16(b->frame.data + b->type_at, 0x0800);
	b->network_at = b->frame.length;
	ip = append(b, options ? 24 : 20);
	ip[0] = options ? 0x46 : 0x45;
	put16(ip + 6, later ? 100 : 0x4000);
	ip[8] = 64;
	b->next_at = b->network_at + 9;
	memcpy(ip + 12, (unsigned char[]){ 10, 9, 0, 2, 10, 9, 0, 1 }, 8);
	if (options)
		memset(ip + 20, 1, 4);
}

static void ipv6(struct builder *b)
{
	unsigned char *ip;

	put16(b->frame.data + b->type_at, 0x86dd);
	b->network_at = b->frame.length;
	ip = append(b, 40);
	ip[0] = 0x60;
	ip[7] = 64;
	b->next_at = b->network_at + 6;
	for (int i = 0; i < 2; i++) {
		put16(ip + 8 + 16 * i, 0xfd09);
		ip[8 + 16 * i + 15] = 2 - i;
	}
}

static void extension(struct builder *b, __u8 type)
{
	b->frame.data[b->next_at] = type;
	b->next_at = b->frame.length;
	append(b, 8);
}

static void transport(struct builder *b, __u8 proto, __u16 sport, __u16 dport)
{
	__u32 start = b->frame.length;
	unsigned char *header = append(b, proto == PROTO_TCP ? 20 : proto == PROTO_UDP ? 8 : 16);

	b->frame.data[b->next_at] = proto;
	put16(header, sport);
	put16(header + 2, dport);
	b->frame.port_offset = start + 2;
	if (proto == PROTO_TCP) {
		header[12] = 5 << 4;
		header[13] = 2; /* SYN */
	} else if (proto == PROTO_UDP) {
		put16(header + 4, 18); /* with what fills the frame up */
	}
}

static __u16 checksum(const unsigned char *ip, size_t len)
{
	__u32 sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

/* Lengths and checksum: what comes after XDP looks at them. */
static void finish(struct builder *b)
{
	unsigned char *ip = b->frame.data + b->network_at;

	if (b->frame.length < FRAME_MIN)
		append(b, FRAME_MIN - b->frame.length);
	if (b->family == 6) {
		put16(ip + 4, b->frame.length - b->network_at - 40);
	} else if (b->family == 4) {
		put16(ip + 2, b->frame.length - b->network_at);
		put16(ip + 10, checksum(ip, 4 * (ip[0] & 15)));
	}
}

static bool has(const char *text, const char *word)
{
	char with[32];

	snprintf(with, sizeof(with), "+%s", word);
	return strstr(text, with);
}

static void extensions(struct builder *b, const char *text)
{
	static const struct {
		const char *word;
		__u8 type;
	} known[] = { { "hop", 0 }, { "routing", 43 }, { "destination", 60 }, { "atomic", 44 } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (has(text, known[i].word))
			extension(b, known[i].type);
	for (int i = 0; has(text, "chain") && i < 8; i++)
		extension(b, 60);
}

static __u8 protocol_of(const char *text)
{
	static const struct {
		const char *word;
		__u8 number;
	} known[] = { { "tcp", 6 },   { "udplite", 136 }, { "udp", 17 },
		      { "dccp", 33 }, { "sctp", 132 },	  { "icmp", 1 } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strncmp(text, known[i].word, strlen(known[i].word)))
			return known[i].number;
	die("no protocol in '%s'", text);
}

struct frame frame_make(const char *text, __u16 sport, __u16 dport)
{
	struct builder b = { .family = text[strcspn(text, "46")] == '6' ? 6 : 4 };

	ethernet(&b);
	if (!strcmp(text, "arp")) {
		put16(b.frame.data + b.type_at, 0x0806);
		b.family = 0;
	} else {
		for (const char *at = strstr(text, "+tag"); at; at = strstr(at + 1, "+tag"))
			tag(&b);
		if (b.family == 6)
			ipv6(&b);
		else
			ipv4(&b, has(text, "options"), has(text, "later"));
		extensions(&b, text);
		transport(&b, protocol_of(text), sport, dport);
	}
	finish(&b);
	return b.frame;
}
