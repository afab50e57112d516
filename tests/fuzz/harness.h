/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * parse.h in user space, for the unit tests and the fuzzer: the frame ends where a page without
 * access begins, so a read of one byte too many is a crash.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct frame {
	const unsigned char *data;
	size_t length;
};

/* As bpf_xdp_load_bytes(). */
static inline int frame_load(void *ctx, size_t offset, void *to, size_t len)
{
	const struct frame *frame = ctx;

	if (offset > frame->length || len > frame->length - offset)
		return -1;
	memcpy(to, frame->data + offset, len);
	return 0;
}

#define PB_FRAME_LOAD(ctx, offset, to, len) frame_load(ctx, offset, to, len)
#include <portblock/parse.h>

struct parsed {
	enum pb_outcome outcome;
	struct pb_packet packet;
	struct pb_cursor cursor; /* where the search ended */
};

#define GUARD_ROOM (1U << 16)

/* Copies a frame of at most GUARD_ROOM bytes to before a guard page; valid until the next call. */
static inline struct frame guarded(const void *data, size_t length)
{
	static unsigned char *end;
	struct frame frame = { .length = length };

	if (!end) {
		unsigned char *start = mmap(NULL, GUARD_ROOM + sysconf(_SC_PAGESIZE),
					    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
					    0);

		if (start == MAP_FAILED ||
		    mprotect(start + GUARD_ROOM, sysconf(_SC_PAGESIZE), PROT_NONE))
			abort();
		end = start + GUARD_ROOM;
	}
	if (length > GUARD_ROOM)
		abort();
	if (length)
		memmove(end - length, data, length);
	frame.data = end - length;
	return frame;
}

/* Parses what lies in the first buffer of a frame. */
static inline struct parsed parse_linear(struct frame frame, size_t buffer, bool ethernet)
{
	struct parsed parsed;
	union pb_copy copy;

	memset(&parsed, 0, sizeof(parsed));
	parsed.cursor.pos = frame.data;
	parsed.cursor.end = frame.data + buffer;
	parsed.outcome = pb_parse(&parsed.cursor, ethernet, &parsed.packet, &copy);
	return parsed;
}

/* Parses a frame by copies alone: the pointers lead to the guard page. */
static inline struct parsed parse_split(struct frame frame, bool ethernet)
{
	struct parsed parsed;
	union pb_copy copy;

	memset(&parsed, 0, sizeof(parsed));
	memset(&copy, 0xa5, sizeof(copy));
	parsed.cursor.pos = frame.data + frame.length;
	parsed.cursor.end = parsed.cursor.pos;
	parsed.cursor.ctx = &frame;
	parsed.cursor.length = frame.length;
	parsed.cursor.frags = true;
	parsed.outcome = pb_parse(&parsed.cursor, ethernet, &parsed.packet, &copy);
	return parsed;
}

static inline bool same_result(const struct parsed *a, const struct parsed *b)
{
	const struct pb_packet *p = &a->packet, *q = &b->packet;

	return a->outcome == b->outcome && p->sport == q->sport && p->dport == q->dport &&
	       p->network == q->network && p->family == q->family && p->proto == q->proto &&
	       p->tags == q->tags && p->extensions == q->extensions && p->next == q->next &&
	       p->first_fragment == q->first_fragment && p->cut == q->cut;
}

/* What must hold for any input; returns NULL or what does not. */
static inline const char *invariant_broken(struct frame frame, const struct parsed *linear)
{
	const unsigned char *ports = linear->cursor.pos;

	switch (linear->outcome) {
	case PB_OUTCOME_PASS:
		break;
	case PB_OUTCOME_NOPORT:
	case PB_OUTCOME_FRAGMENT:
	case PB_OUTCOME_MALFORMED:
	case PB_OUTCOME_UNPARSABLE:
		return NULL;
	default:
		return "an outcome that no parser gives";
	}
	if (linear->packet.proto >= PB_PROTO_MAX)
		return "ports without a protocol";
	if (linear->packet.family != 4 && linear->packet.family != 6)
		return "ports without an IP header";
	if (linear->packet.network >= frame.length ||
	    frame.data[linear->packet.network] >> 4 != linear->packet.family)
		return "the IP header is not where it should be";
	if (ports < frame.data || frame.length - (ports - frame.data) < 4)
		return "ports outside of the frame";
	if (memcmp(ports, &linear->packet.sport, 2) || memcmp(ports + 2, &linear->packet.dport, 2))
		return "ports that are not those of the frame";
	return NULL;
}

/* Is it what the shortcut is for: Ethernet, then IP and the ports where they mostly are, in no frame that is too short? */
static inline bool is_plain(struct frame frame, const struct pb_packet *packet)
{
	return packet->network == 14 && packet->transport == (packet->family == 4 ? 34 : 54) &&
	       frame.length >= sizeof(struct pb_plain_ipv6);
}

/* And the other one: behind a tag at most, and, in IPv6, behind one extension header, of whose kinds are most. */
static inline bool is_near(struct frame frame, const struct pb_packet *packet)
{
	__u8 next = frame.data[packet->network + 6];

	if (packet->network > 18 || packet->tags * 4U + 14 != packet->network)
		return false;
	if (packet->family == 4)
		return packet->transport == packet->network + 20 && frame.length >= 42;
	return frame.length >= packet->network + 48 &&
	       (!packet->extensions ||
		(packet->extensions == 1 && (next == 0 || next == 43 || next == 60)));
}

static inline bool is_same(const struct pb_plain *plain, const struct pb_packet *packet)
{
	return plain->sport == packet->sport && plain->dport == packet->dport &&
	       plain->network == packet->network && plain->transport == packet->transport &&
	       plain->family == packet->family && plain->proto == packet->proto;
}

/* A shortcut sees just those that are for it, and finds what the parser finds. `broken`: what is said of it. */
static inline const char *shortcut_broken(bool seen, bool expected, const struct pb_plain *plain,
					  const struct pb_packet *packet,
					  const char *const broken[3])
{
	if (seen != expected)
		return broken[seen];
	return seen && !is_same(plain, packet) ? broken[2] : NULL;
}

static inline const char *plain_broken(struct frame frame, const struct parsed *linear)
{
	static const char *const broken[] = { "a plain frame is not seen as one",
					      "seen as a plain frame",
					      "a plain frame, read wrong" };
	const struct pb_packet *packet = &linear->packet;
	struct pb_plain plain = {};
	bool seen = pb_parse_plain(frame.data, frame.data + frame.length, &plain);

	return shortcut_broken(seen, linear->outcome == PB_OUTCOME_PASS && is_plain(frame, packet),
			       &plain, packet, broken);
}

static inline const char *near_broken(struct frame frame, const struct parsed *linear)
{
	static const char *const broken[] = { "a nearly plain frame is not seen as one",
					      "seen as a nearly plain frame",
					      "a nearly plain frame, read wrong" };
	const struct pb_packet *packet = &linear->packet;
	struct pb_plain near = {}, plain = {};
	bool seen = pb_parse_near(frame.data, frame.data + frame.length, &near);

	if (seen && !pb_parse_plain(frame.data, frame.data + frame.length, &plain) && plain.rare)
		return "a nearly plain frame is said to be rare";

	return shortcut_broken(seen, linear->outcome == PB_OUTCOME_PASS && is_near(frame, packet),
			       &near, packet, broken);
}

/* Where IP begins is found without the rest just as with it. */
static inline const char *network_broken(struct frame frame, bool ethernet,
					 const struct parsed *linear)
{
	struct parsed found;
	union pb_copy copy;
	__u32 family;

	memset(&found, 0, sizeof(found));
	found.cursor.pos = frame.data;
	found.cursor.end = frame.data + frame.length;
	family = pb_find_network(&found.cursor, ethernet, &found.packet, &copy);
	if (linear->outcome == PB_OUTCOME_MALFORMED)
		return NULL;
	if (family != linear->packet.family ||
	    (family && found.packet.network != linear->packet.network))
		return "the IP header is found elsewhere";
	return NULL;
}

/*
 * Compares all ways to read a frame; returns NULL or what is wrong. A look at the first `buffer`
 * bytes alone must find what all of it holds or, only where a header is cut off, malformed or
 * unparsable.
 */
static inline const char *check_frame(struct frame frame, size_t buffer, bool ethernet)
{
	struct parsed linear = parse_linear(frame, frame.length, ethernet);
	struct parsed split = parse_split(frame, ethernet);
	struct parsed first = parse_linear(frame, buffer, ethernet);
	const char *wrong = ethernet ? plain_broken(frame, &linear) ?: near_broken(frame, &linear) :
				       NULL;

	if (!wrong)
		wrong = network_broken(frame, ethernet, &linear);
	if (wrong)
		return wrong;
	if (!same_result(&linear, &split))
		return "in one buffer and in several: not the same";
	if (first.outcome < PB_OUTCOME_MALFORMED && !same_result(&linear, &first))
		return "the first buffer alone is judged wrong";
	return invariant_broken(frame, &linear);
}

#endif
