// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include "frames.h"
#include "link-type.h"
#include "needed.h"
#include "pcap-library.h"
#include "tool.h"

/* More than all headers that the program reads: 8 extension headers of 2,048 bytes, and the rest. */
#define FRAME_MAX 32768

struct frames {
	const struct pcap_library *library;
	pcap_t *pcap;
	const char *path;
	const struct link_type *link;
	bool ethernet;
	size_t number;
	unsigned char room[FRAME_MAX];
};

/* ---- From a packet to a frame ------------------------------------------------------------- */

static void put_type(unsigned char *frame, __u16 type)
{
	frame[12] = type >> 8;
	frame[13] = type & 0xff;
}

/*
 * A frame of which not all is captured is run in its own length, so that it ends where it did: the
 * program looks at none of the zeros. Only where it would, it gets what there is.
 */
static void fit(struct frames *frames, size_t captured, size_t whole, struct frame *frame)
{
	frame->truncated =
		!frame_read(frames->room, captured, whole, frames->ethernet, &frame->needed);
	if (frame->truncated)
		frame->length = captured;
	else
		frame->length = whole < FRAME_MAX ? whole : FRAME_MAX;
	memset(frames->room + captured, 0, frame->length - captured);
}

/*
 * BPF_PROG_TEST_RUN takes 14 bytes at least. A shorter frame ends before its first header does,
 * which is malformed, and so does this one.
 */
static void pad(struct frames *frames, struct frame *frame)
{
	static_assert(ETH_HLEN < sizeof(struct iphdr), "padded, there is room for an IP header");

	if (frame->length >= ETH_HLEN)
		return;
	memset(frames->room + frame->length, 0, ETH_HLEN - frame->length);
	if (frames->ethernet)
		put_type(frames->room, ETHERTYPE_IP);
	frame->length = ETH_HLEN;
}

/* What the file has in front of the packet, and what is to stand there. */
struct header {
	size_t there, wanted; /* lengths; `wanted` may be 0 or that of an Ethernet header */
	__u16 type;	      /* EtherType */
};

static bool find_header(const struct frames *frames, const unsigned char *data, size_t length,
			struct header *header, char why[WHY_NOT])
{
	*header = (struct header){};
	if (frames->ethernet && link_type_is_ethernet(frames->link))
		return true; /* it stays */
	if (!link_type_read(frames->link, data, length, &header->there, &header->type, why))
		return false;
	if (frames->ethernet)
		header->wanted = ETH_HLEN;
	else if (header->type != ETHERTYPE_IP && header->type != ETHERTYPE_IPV6) {
		snprintf(why, WHY_NOT,
			 "it is of EtherType 0x%04x, and no IP: it does not come in on an "
			 "interface without link-layer header",
			 header->type);
		return false;
	}
	return true;
}

/* Returns the length of what is in the room now. */
static size_t put_frame(struct frames *frames, const struct header *header,
			const unsigned char *data, size_t length)
{
	if (length > FRAME_MAX - header->wanted)
		length = FRAME_MAX - header->wanted;
	memset(frames->room, 0, header->wanted);
	if (header->wanted)
		put_type(frames->room, header->type);
	memcpy(frames->room + header->wanted, data, length);
	return header->wanted + length;
}

static void make_frame(struct frames *frames, const struct pcap_pkthdr *packet,
		       const unsigned char *data, struct frame *frame)
{
	struct header header;
	size_t captured;

	*frame = (struct frame){ .number = ++frames->number,
				 .bytes = frames->room,
				 .captured = packet->caplen,
				 .whole = packet->len > packet->caplen ? packet->len :
									 packet->caplen };
	if (!find_header(frames, data, packet->caplen, &header, frame->why_not))
		return;
	captured = put_frame(frames, &header, data + header.there, packet->caplen - header.there);
	fit(frames, captured, frame->whole - header.there + header.wanted, frame);
	pad(frames, frame);
}

/* ---- The file ----------------------------------------------------------------------------- */

static int open_pcap(struct frames *frames)
{
	const struct pcap_library *library = pcap_library_load();
	char message[PCAP_ERRBUF_SIZE];
	int link;

	if (!library)
		return FAILED;
	frames->library = library;
	frames->pcap = library->open_offline(frames->path, message);
	if (!frames->pcap) {
		note("cannot read '%s': %s", frames->path, message);
		return FAILED;
	}
	link = library->datalink(frames->pcap);
	frames->link = link_type_find(link);
	if (frames->link)
		return DONE;
	note("'%s' holds frames of the link type %s (%d): Ethernet, raw IP, Linux cooked or BSD "
	     "loopback is wanted",
	     frames->path, library->datalink_val_to_name(link) ?: "unknown", link);
	return FAILED;
}

int frames_open(const char *path, bool ethernet, struct frames **frames)
{
	struct frames *made = calloc(1, sizeof(*made));

	if (!made)
		return out_of_memory();
	made->path = path;
	made->ethernet = ethernet;
	if (open_pcap(made) != DONE) {
		frames_close(made);
		return FAILED;
	}
	*frames = made;
	return DONE;
}

int frames_next(struct frames *frames, struct frame *frame)
{
	struct pcap_pkthdr *header;
	const unsigned char *data;
	int got = frames->library->next_ex(frames->pcap, &header, &data);

	if (got == 1)
		make_frame(frames, header, data, frame);
	if (got != PCAP_ERROR)
		return got == 1;
	note("'%s', after packet %zu: %s", frames->path, frames->number,
	     frames->library->geterr(frames->pcap));
	return -1;
}

void frames_close(struct frames *frames)
{
	if (frames && frames->pcap)
		frames->library->close(frames->pcap);
	free(frames);
}
