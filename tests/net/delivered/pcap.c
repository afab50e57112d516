// SPDX-License-Identifier: GPL-2.0-only
/* Frames to a file, and from there to the wire: see pcap.h. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include "pcap.h"

#define LINK_ETHERNET 1
#define LINK_RAW 101

struct pcap_head {
	uint32_t magic, version, zone, accuracy, length, link;
};

struct pcap_record {
	uint32_t seconds, micros, length, original;
};

struct replay {
	struct wire *wire;
	unsigned int datagrams[2], answers[2]; /* [blocked] */
};

FILE *pcap_create(const char *path, bool ethernet)
{
	const struct pcap_head head = { .magic = 0xa1b2c3d4,
					.version = 4 << 16 | 2,
					.length = 65536,
					.link = ethernet ? LINK_ETHERNET : LINK_RAW };
	FILE *file = fopen(path, "w");

	if (!file || fwrite(&head, sizeof(head), 1, file) != 1)
		die(path);
	return file;
}

void pcap_write(FILE *file, const struct train *train)
{
	for (unsigned int i = 0; i < train->nr; i++) {
		const struct frame *frame = &train->frames[i];
		const struct pcap_record record = { .length = frame->len, .original = frame->len };

		if (fwrite(&record, sizeof(record), 1, file) != 1 ||
		    fwrite(frame->bytes, frame->len, 1, file) != 1)
			die("writing a pcap");
	}
}

static void hear_datagram(void *context, uint32_t index, bool blocked)
{
	struct replay *replay = context;

	(void)index;
	replay->datagrams[blocked]++;
}

static bool takes_connection(const unsigned char *transport, uint8_t protocol)
{
	if (protocol == IPPROTO_TCP)
		return (transport[13] & (TH_SYN | TH_ACK)) == (TH_SYN | TH_ACK);
	return protocol == IPPROTO_SCTP && transport[12] == SCTP_INIT_ANSWER;
}

static void hear_answer(void *context, const unsigned char *packet, unsigned int len)
{
	struct replay *replay = context;
	bool ipv6 = packet[0] >> 4 == 6;
	const unsigned char *transport = packet + (ipv6 ? 40 : 20);

	if (packet + len >= transport + 16 && takes_connection(transport, packet[ipv6 ? 6 : 9]))
		replay->answers[get16(transport) == replay->wire->place.blocked]++;
}

/* What was on a device of the other kind gets a link layer, or loses it with all tags. */
static void fit_link(const struct wire *wire, struct frame *frame, bool ethernet)
{
	unsigned char *bytes = frame->bytes;
	unsigned int link = 14;

	if (ethernet && !wire->place.ethernet) {
		while (get16(bytes + link - 2) != 0x0800 && get16(bytes + link - 2) != 0x86dd)
			link += 4;
		frame->len -= link;
		memmove(bytes, bytes + link, frame->len);
	} else if (!ethernet && wire->place.ethernet) {
		memmove(bytes + link, bytes, frame->len);
		put16(bytes + 12, bytes[link] >> 4 == 6 ? 0x86dd : 0x0800);
		frame->len += link;
	}
	if (wire->place.ethernet && bytes[0] != 0xff)
		memcpy(bytes, wire->place.link, 12);
}

int replay_pcap(struct wire *wire, const char *path)
{
	struct replay replay = { .wire = wire };
	const struct listener listener = { &replay, hear_datagram, hear_answer };
	struct pcap_record record;
	struct pcap_head head;
	struct frame frame;
	FILE *file = fopen(path, "r");

	if (!file || fread(&head, sizeof(head), 1, file) != 1)
		die(path);
	wire->listener = &listener;
	while (fread(&record, sizeof(record), 1, file) == 1) {
		frame.len = record.length;
		if (frame.len < 20 || frame.len > sizeof(frame.bytes) - 14 ||
		    fread(frame.bytes, frame.len, 1, file) != 1)
			die(path);
		fit_link(wire, &frame, head.link == LINK_ETHERNET);
		wire_put(wire, &frame);
	}
	fclose(file);
	wire_settle(wire);
	wire->listener = NULL;
	printf("at the blocked port %u datagrams and %u answers to SYN or INIT, at the open one %u and %u\n",
	       replay.datagrams[1], replay.answers[1], replay.datagrams[0], replay.answers[0]);
	return replay.datagrams[1] || replay.answers[1];
}
