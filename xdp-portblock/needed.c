// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <linux/types.h>
#include "needed.h"

/* The parser asks for each header by it, where a frame is not in one piece. */
static int load(void *context, __u32 offset, void *to, __u32 length);
#define PB_FRAME_LOAD(context, offset, to, length) load(context, offset, to, length)
#include <portblock/parse.h>

/* Where in a TCP header its flags stand: what the program reads behind ports. */
#define TCP_FLAGS 13

struct reader {
	const unsigned char *bytes;
	size_t captured, whole;
	size_t needed;
	bool beyond; /* a part of what was asked for is not there */
};

static int load(void *context, __u32 offset, void *to, __u32 length)
{
	struct reader *reader = context;
	size_t end = (size_t)offset + length;

	if (end > reader->whole)
		return -1; /* there the frame ends, captured or not */
	if (end > reader->needed)
		reader->needed = end;
	if (end > reader->captured) {
		reader->beyond = true;
		return -1;
	}
	memcpy(to, reader->bytes + offset, length);
	return 0;
}

bool frame_read(const unsigned char *bytes, size_t captured, size_t whole, bool ethernet,
		size_t *needed)
{
	struct reader reader = { .bytes = bytes, .captured = captured, .whole = whole };
	struct pb_cursor cursor = { .pos = bytes, .length = whole, .ctx = &reader, .frags = true };
	struct pb_packet packet = {};
	union pb_copy copy;
	__u8 flags;

	if (pb_parse(&cursor, ethernet, &packet, &copy) == PB_OUTCOME_PASS &&
	    packet.proto == PB_PROTO_TCP)
		load(&reader, packet.transport + TCP_FLAGS, &flags, sizeof(flags));
	/* It may have stepped over a header to nothing that it reads. */
	if (cursor.offset > reader.needed && cursor.offset <= whole)
		reader.needed = cursor.offset;
	*needed = reader.needed;
	return !reader.beyond;
}
