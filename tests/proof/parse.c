/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What CBMC is to prove of parse.h, for all frames of up to FRAME_MAX bytes; tests/proof/test_parse
 * says how. Each function without parameters is a proof of its own. What begins with nondet_ has no
 * body: it returns any value.
 */
#include <stdlib.h>
#include <linux/bpf.h>

/* parse.h as it is in the XDP program; but that ctx->data is a number of 32 bits in its place. */
struct proof_md {
	const unsigned char *data;
};
#define __bpf__
#define xdp_md proof_md
#define barrier_var(value) ((void)(value)) /* it is for clang alone */
#include <portblock/parse.h>

#define FRAME_MAX 128
#define EXTENSION_MAX 2048 /* bytes of the longest extension header */

#define assume(condition) __CPROVER_assume(condition)
#define claim(condition) __CPROVER_assert(condition, #condition)

unsigned int nondet_length(void);

struct frame {
	unsigned char *data;
	unsigned int length;
};

/* A frame of any bytes, in an object just as long. */
static struct frame any_frame(void)
{
	struct frame frame = { .length = nondet_length() };

	assume(frame.length <= FRAME_MAX);
	frame.data = malloc(frame.length);
	assume(frame.data);
	return frame;
}

static enum pb_outcome parse(const struct frame *frame, bool ethernet, struct pb_packet *packet)
{
	struct proof_md ctx = { .data = frame->data };
	struct pb_cursor cursor = {
		.pos = frame->data,
		.end = frame->data + frame->length,
		.ctx = &ctx,
	};
	union pb_copy copy;
	enum pb_outcome outcome;

	*packet = (struct pb_packet){ 0 };
	outcome = pb_parse(&cursor, ethernet, packet, &copy);
	/* By one header behind the end at most: no address wraps. */
	claim(cursor.offset <= FRAME_MAX + EXTENSION_MAX);
	claim(cursor.pos - frame->data == cursor.offset);
	return outcome;
}

/* ---- No byte but the frame's is read ------------------------------------------------------ */

static void claim_packet(enum pb_outcome outcome, const struct pb_packet *packet,
			 unsigned int length)
{
	claim(outcome == PB_OUTCOME_PASS || outcome == PB_OUTCOME_NOPORT ||
	      outcome == PB_OUTCOME_FRAGMENT || outcome == PB_OUTCOME_MALFORMED ||
	      outcome == PB_OUTCOME_UNPARSABLE);
	claim(packet->tags <= PB_TAGS_MAX);
	claim(packet->extensions <= PB_EXTENSIONS_MAX);
	if (outcome != PB_OUTCOME_PASS)
		return;
	claim(packet->proto < PB_PROTO_MAX);
	claim(packet->family == 4 || packet->family == 6);
	claim(packet->network <= packet->transport);
	claim(packet->transport + sizeof(struct pb_ports_header) <= length);
}

static void reads(bool ethernet)
{
	struct frame frame = any_frame();
	struct pb_packet packet;
	enum pb_outcome outcome = parse(&frame, ethernet, &packet);

	claim_packet(outcome, &packet, frame.length);
}

void reads_ethernet(void)
{
	reads(true);
}

void reads_ip(void)
{
	reads(false);
}

static void claim_inside(const struct frame *frame, const struct pb_plain *plain)
{
	claim(plain->proto < PB_PROTO_MAX);
	claim(plain->family == 4 || plain->family == 6);
	claim(plain->network <= plain->transport);
	claim(plain->transport + sizeof(struct pb_ports_header) <= frame->length);
}

void reads_plain(void)
{
	struct frame frame = any_frame();
	struct pb_plain plain;

	if (pb_parse_plain(frame.data, frame.data + frame.length, &plain))
		claim_inside(&frame, &plain);
}

void reads_near(void)
{
	struct frame frame = any_frame();
	struct pb_plain near;

	if (pb_parse_near(frame.data, frame.data + frame.length, &near))
		claim_inside(&frame, &near);
}

/* ---- What is read is what is there --------------------------------------------------------- */

/* As any_frame(), in a room whose size is known: no matter where nobody reads behind the end. */
static struct frame any_frame_in(unsigned char room[FRAME_MAX])
{
	struct frame frame = { .data = room, .length = nondet_length() };

	assume(frame.length <= FRAME_MAX);
	return frame;
}

static void claim_ports(const struct frame *frame, const struct pb_packet *packet)
{
	const unsigned char *ports = frame->data + packet->transport;

	claim(packet->sport == (ports[0] | ports[1] << 8));
	claim(packet->dport == (ports[2] | ports[3] << 8));
	claim(frame->data[packet->network] >> 4 == packet->family);
}

static void claim_same(const struct pb_plain *plain, const struct pb_packet *packet)
{
	claim(plain->sport == packet->sport);
	claim(plain->dport == packet->dport);
	claim(plain->network == packet->network);
	claim(plain->transport == packet->transport);
	claim(plain->family == packet->family);
	claim(plain->proto == packet->proto);
}

void finds_ethernet(void)
{
	unsigned char room[FRAME_MAX];
	struct frame frame = any_frame_in(room);
	struct pb_packet packet;
	struct pb_plain plain;
	enum pb_outcome outcome = parse(&frame, true, &packet);

	if (outcome == PB_OUTCOME_PASS)
		claim_ports(&frame, &packet);
	if (pb_parse_plain(frame.data, frame.data + frame.length, &plain)) {
		claim(outcome == PB_OUTCOME_PASS);
		claim_same(&plain, &packet);
	}
	if (pb_parse_near(frame.data, frame.data + frame.length, &plain)) {
		claim(outcome == PB_OUTCOME_PASS);
		claim_same(&plain, &packet);
	}
}

void finds_ip(void)
{
	unsigned char room[FRAME_MAX];
	struct frame frame = any_frame_in(room);
	struct pb_packet packet;

	if (parse(&frame, false, &packet) == PB_OUTCOME_PASS)
		claim_ports(&frame, &packet);
}
