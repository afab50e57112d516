// SPDX-License-Identifier: GPL-2.0-only
/* From a message to the frames that carry it: see train.h. */
#include <string.h>
#include "chain.h"

/* With all headers an Ethernet of MTU 1800 carries that; with long ones, one of MTU 9000. */
#define WHOLE_MAX 600
#define PIECE_MAX 800
#define PIECES_MAX 30
#define BUFFER_MAX 3520 /* of veth's first buffer */
#define LONG_BEFORE 2000
#define LONG_BEHIND 400

const struct kind_info train_kinds[KIND_MAX] = {
	[KIND_IPV4] = { "ipv4", ALWAYS },
	[KIND_IPV6] = { "ipv6", ALWAYS },
	[KIND_UDP] = { "udp", ALWAYS },
	[KIND_UDPLITE] = { "udplite", PERHAPS },
	[KIND_SCTP] = { "sctp", PERHAPS },
	[KIND_TCP] = { "tcp", ALWAYS },
	[KIND_NO_SUM] = { "no checksum", ALWAYS },
	[KIND_BAD_SUM] = { "wrong checksum", NEVER },
	[KIND_UDP_LENGTH] = { "another UDP length", ALWAYS },
	[KIND_MANY] = { "multicast", ALWAYS },
	[KIND_HOP] = { "hop-by-hop", ALWAYS },
	[KIND_DESTINATION] = { "destination options", ALWAYS },
	[KIND_ROUTING_0] = { "routing 0", ALWAYS },
	[KIND_ROUTING_2] = { "routing 2", PERHAPS },
	[KIND_ROUTING_3] = { "routing 3", ALWAYS },
	[KIND_ROUTING_4] = { "routing 4", ALWAYS },
	[KIND_ROUTING_LEFT] = { "routing with a segment left", ALWAYS },
	[KIND_ATOMIC] = { "atomic fragment", ALWAYS },
	[KIND_NESTED] = { "fragment in a fragment", PERHAPS },
	[KIND_AH] = { "AH", PERHAPS },
	[KIND_HOP_LATER] = { "hop-by-hop, later", NEVER },
	[KIND_MOBILITY] = { "mobility", NEVER },
	[KIND_HIP] = { "HIP", NEVER },
	[KIND_SHIM6] = { "shim6", NEVER },
	[KIND_UNKNOWN] = { "unknown header", NEVER },
	[KIND_NO_NEXT] = { "no next header", NEVER },
	[KIND_BAD_LENGTH] = { "wrong header length", PERHAPS },
	[KIND_FIVE] = { "5 to 8 headers", ALWAYS },
	[KIND_LONG_CHAIN] = { "more than a buffer of headers", PERHAPS },
	[KIND_NINE] = { "9 headers and more", ALWAYS },
	[KIND_NOP] = { "no-operation", ALWAYS },
	[KIND_RECORD_ROUTE] = { "record route", ALWAYS },
	[KIND_TIMESTAMP] = { "timestamp", ALWAYS },
	[KIND_ALERT] = { "router alert", ALWAYS },
	[KIND_SOURCE_ROUTE] = { "source route", ALWAYS },
	[KIND_BAD_OPTION] = { "broken option", NEVER },
	[KIND_TAGS] = { "1 to 4 tags", PERHAPS },
	[KIND_TAGS_5] = { "5 tags", PERHAPS },
	[KIND_CUT] = { "fragments", ALWAYS },
	[KIND_TINY] = { "a piece of 8 bytes", ALWAYS },
	[KIND_PART] = { "first piece with part of the chain", ALWAYS },
	[KIND_REVERSED] = { "reversed", ALWAYS },
	[KIND_SHUFFLED] = { "shuffled", ALWAYS },
	[KIND_REPEATED] = { "repeated", ALWAYS },
	[KIND_INSIDE] = { "a piece within another", ALWAYS },
	[KIND_OVERLAP] = { "overlapping pieces", PERHAPS },
	[KIND_DECOY] = { "another first piece to the other port", ALWAYS },
	[KIND_NEXT] = { "wrong next header in later pieces", ALWAYS },
	[KIND_BARE] = { "later pieces without what the first has", ALWAYS },
	[KIND_MORE] = { "wrong M", PERHAPS },
	[KIND_PAD] = { "bytes behind the packet", ALWAYS },
	[KIND_LONG] = { "longer than the frame", PERHAPS },
	[KIND_ZERO] = { "length 0 with hop-by-hop", ALWAYS },
	[KIND_ODD] = { "pieces cut by the stack to 8 bytes", ALWAYS },
	[KIND_IP_SUM] = { "wrong IPv4 checksum", PERHAPS },
};

/* A frame to be: `len` bytes of the body from `offset` on */
struct piece {
	unsigned int offset, len;
	bool other; /* to the other port */
	bool more;
	bool bare;	   /* without options, or headers before the fragment header */
	bool zero;	   /* says a length of 0 */
	bool bad_sum;	   /* IPv4 */
	uint8_t next;	   /* what it says that the body begins with */
	unsigned int odd;  /* so many bytes more than it may have: IPv4 counts in eights */
	unsigned int over; /* so many more than there are */
	unsigned int pad;  /* so many behind its end */
};

struct build {
	struct train *train;
	const struct place *place;
	const struct message *message;
	struct rng *rng;
	bool gentle, fragments;
	struct chain before, behind; /* what is in every piece; what is cut with the message */
	unsigned char body[2][CHAIN_MAX + MESSAGE_MAX]; /* 1: to the other port */
	unsigned int len, ports_end;
	unsigned char options[40];
	unsigned int options_len;
	uint32_t id;
	uint8_t traffic_class;
	unsigned int tags;
	uint32_t tag[5];
	struct piece pieces[FRAMES_MAX];
	unsigned int nr;
};

static void note(struct build *b, enum kind kind)
{
	b->train->kinds |= 1ULL << kind;
}

/* --- headers and body ---------------------------------------------------------------------- */

static unsigned int pick_headers(struct rng *rng, bool gentle)
{
	unsigned int at = rng_below(rng, 100);

	if (at < 20)
		return 0;
	if (at < 65)
		return 1 + (at >= 45);
	if (at < 80 || gentle)
		return 3;
	return at < 90 ? 4 + rng_below(rng, 4) : 8 + rng_below(rng, 2);
}

static void make_chains(struct build *b)
{
	unsigned int nr = 0, behind;

	if (b->message->ipv6) {
		nr = pick_headers(b->rng, b->gentle);
		behind = b->fragments ? rng_below(b->rng, nr + 1) : 0;
		b->before.fragment = b->behind.fragment = b->fragments;
		b->before.few = b->behind.few = nr <= 4;
		b->before.long_to = b->place->jumbo ? LONG_BEFORE : 0;
		b->behind.long_to = b->place->jumbo ? LONG_BEHIND : 0;
		chain_add(&b->before, b->place, b->rng, nr - behind, true, b->gentle,
			  &b->train->kinds);
		chain_add(&b->behind, b->place, b->rng, behind, false, b->gentle, &b->train->kinds);
	} else if (rng_chance(b->rng, b->place->ah ? 200 : 20) && !b->gentle) {
		note(b, KIND_AH);
		for (nr = 1 + rng_below(b->rng, 2); nr; nr--)
			chain_add_ah(&b->behind, b->place, b->rng);
	}
	nr = b->before.nr + b->behind.nr + (b->fragments && b->message->ipv6);
	if (nr >= 5)
		note(b, nr > 8 ? KIND_NINE : KIND_FIVE);
	if (b->before.len + b->behind.len > BUFFER_MAX)
		note(b, KIND_LONG_CHAIN);
	chain_close(&b->behind, b->message->protocol);
	chain_close(&b->before, b->fragments ? 44 : b->behind.first);
}

static void make_body(struct build *b)
{
	b->len = b->behind.len + b->message->len;
	b->ports_end = b->behind.len + 4;
	for (int i = 0; i < 2; i++) {
		memcpy(b->body[i], b->behind.bytes, b->behind.len);
		memcpy(b->body[i] + b->behind.len, b->message->bytes[i], b->message->len);
	}
}

static void make_options(struct build *b)
{
	if (!b->message->ipv6 && rng_chance(b->rng, 500))
		b->options_len =
			options_build(b->options, b->place, b->rng, b->gentle, &b->train->kinds);
}

/* VLAN 0 is none: what has it is for the device itself, however many tags there are. */
static void make_tags(struct build *b)
{
	static const uint16_t ids[5] = { 5, 6 };
	bool vlans = b->place->vlans && rng_chance(b->rng, 700);

	if (!b->place->ethernet || !rng_chance(b->rng, 100))
		return;
	b->tags = 1 + rng_below(b->rng, 5);
	note(b, b->tags > 4 ? KIND_TAGS_5 : KIND_TAGS);
	for (unsigned int i = 0; i < b->tags; i++) {
		bool service = rng_chance(b->rng, 300) && !(vlans && ids[i]);

		b->tag[i] = (service ? 0x88a8U : 0x8100U) << 16 | rng_below(b->rng, 8) << 13;
		if (vlans)
			b->tag[i] |= ids[i];
	}
}

/* --- pieces -------------------------------------------------------------------------------- */

static void swap_pieces(struct piece *a, struct piece *b)
{
	struct piece saved = *a;

	*a = *b;
	*b = saved;
}

static void insert_piece(struct build *b, unsigned int at, struct piece piece)
{
	memmove(&b->pieces[at + 1], &b->pieces[at], (b->nr - at) * sizeof(piece));
	b->pieces[at] = piece;
	b->nr++;
}

/* All of the chain and the ports are in the first piece, or less. */
static unsigned int first_length(struct build *b, unsigned int most)
{
	if (b->behind.nr && rng_chance(b->rng, 400)) {
		note(b, KIND_PART);
		return 8 * (1 + rng_below(b->rng, (b->ports_end - 1) / 8));
	}
	return ((b->ports_end + 7) & ~7U) + 8 * rng_below(b->rng, most);
}

static void cut(struct build *b)
{
	static const unsigned int most[] = { 1, 4, 16, PIECE_MAX / 8 };
	unsigned int style = most[rng_below(b->rng, 4)], offset = 0, len;
	struct piece *piece;

	if (!b->fragments) {
		b->pieces[b->nr++] = (struct piece){ .len = b->len, .next = b->behind.first };
		return;
	}
	do {
		len = offset ? 8 * (1 + rng_below(b->rng, style)) : first_length(b, style);
		if (b->nr >= PIECES_MAX)
			len = PIECE_MAX;
		if (len > b->len - offset)
			len = b->len - offset;
		piece = &b->pieces[b->nr++];
		*piece = (struct piece){ .offset = offset, .len = len, .next = b->behind.first };
		offset += len;
		piece->more = offset < b->len;
		if (piece->len == 8)
			note(b, KIND_TINY);
	} while (offset < b->len);
	if (b->nr > 1)
		note(b, KIND_CUT);
}

static void order(struct build *b)
{
	unsigned int way = rng_below(b->rng, 100);

	if (b->nr < 2 || way < 40)
		return;
	note(b, way < 65 ? KIND_REVERSED : KIND_SHUFFLED);
	for (unsigned int i = 0; way < 65 && i < b->nr / 2; i++)
		swap_pieces(&b->pieces[i], &b->pieces[b->nr - 1 - i]);
	for (unsigned int i = b->nr - 1; way >= 65 && i > 0; i--)
		swap_pieces(&b->pieces[i], &b->pieces[rng_below(b->rng, i + 1)]);
}

/* The stack takes a piece within another for a repeated one, whatever is in it. */
static void add_inside(struct build *b)
{
	unsigned int at = rng_below(b->rng, b->nr - 1), units;
	struct piece piece = b->pieces[at];

	units = piece.len / 8;
	if (!units)
		return;
	note(b, KIND_INSIDE);
	piece.more = true;
	piece.offset += 8 * rng_below(b->rng, units);
	units -= (piece.offset - b->pieces[at].offset) / 8;
	piece.len = 8 * (1 + rng_below(b->rng, units));
	piece.other = rng_chance(b->rng, 500);
	insert_piece(b, at + 1 + rng_below(b->rng, b->nr - at - 1), piece);
}

static void add_overlap(struct build *b)
{
	struct piece piece = b->pieces[rng_below(b->rng, b->nr)];

	note(b, KIND_OVERLAP);
	if (rng_chance(b->rng, 500))
		piece.offset += 8;
	piece.len += 8;
	piece.more = piece.offset + piece.len < b->len;
	if (!piece.more)
		piece.len = b->len - piece.offset;
	piece.other = rng_chance(b->rng, 500);
	if (piece.offset < b->len)
		insert_piece(b, rng_below(b->rng, b->nr + 1), piece);
}

/* Which of two first pieces counts? To the one port or to the other it is a whole datagram. */
static void add_decoy(struct build *b)
{
	struct piece piece = {};

	for (unsigned int i = 0; i < b->nr; i++)
		if (!b->pieces[i].offset)
			piece = b->pieces[i];
	note(b, KIND_DECOY);
	piece.other = true;
	if (piece.more && rng_chance(b->rng, 200))
		piece.len = 8 * (1 + rng_below(b->rng, piece.len / 8));
	insert_piece(b, rng_below(b->rng, b->nr + 1), piece);
}

static void add_pieces(struct build *b)
{
	if (rng_chance(b->rng, 100)) {
		note(b, KIND_REPEATED);
		insert_piece(b, rng_below(b->rng, b->nr + 1), b->pieces[rng_below(b->rng, b->nr)]);
	}
	if (rng_chance(b->rng, 80))
		add_decoy(b);
	if (b->nr > 1 && rng_chance(b->rng, 100))
		add_inside(b);
	if (b->nr > 1 && !b->gentle && rng_chance(b->rng, 30))
		add_overlap(b);
}

/* IPv6 goes by what the first piece says; IPv4 wants the same of all. */
static void lie_in_later_pieces(struct build *b)
{
	static const uint8_t nexts[] = { 6, 17, 58, 59, 60, 43, 44, 0, 50, 51, 136, 253 };
	bool next = rng_chance(b->rng, b->message->ipv6 ? 150 : b->gentle ? 0 : 10);
	/* What goes through AH comes later than what does not: nobody knows in which order. */
	bool bare = rng_chance(b->rng, 150) && (b->before.nr || b->options_len) &&
		    !(b->train->kinds & 1ULL << KIND_AH);

	for (unsigned int i = 0; i < b->nr; i++) {
		struct piece *piece = &b->pieces[i];

		if (!piece->offset)
			continue;
		if (next && rng_chance(b->rng, 700)) {
			note(b, KIND_NEXT);
			piece->next = nexts[rng_below(b->rng, sizeof(nexts))];
		}
		if (bare && rng_chance(b->rng, 700)) {
			note(b, KIND_BARE);
			piece->bare = true;
		}
	}
}

/* A first piece with part of the chain gets enough of them to look as if it had the whole. */
static void pad(struct build *b, struct piece *piece)
{
	unsigned int more = 1 + rng_below(b->rng, 60);

	note(b, KIND_PAD);
	piece->pad = more;
	if (!piece->offset && piece->len < b->ports_end && rng_chance(b->rng, 700))
		piece->pad = b->ports_end - piece->len + more;
}

static void lie_about_lengths(struct build *b)
{
	bool odd = !b->message->ipv6 && rng_chance(b->rng, 100);
	bool padded = rng_chance(b->rng, 200);

	for (unsigned int i = 0; i < b->nr; i++) {
		struct piece *piece = &b->pieces[i];

		if (odd && piece->more && rng_chance(b->rng, 700)) {
			note(b, KIND_ODD);
			piece->odd = 1 + rng_below(b->rng, 7);
		}
		if (padded && rng_chance(b->rng, 700))
			pad(b, piece);
	}
	if (!b->fragments && b->before.nr && !b->before.first && rng_chance(b->rng, 400)) {
		note(b, KIND_ZERO);
		b->pieces[0].zero = true;
		for (unsigned int i = 0; i < b->nr; i++)
			b->pieces[i].pad = 0;
	}
}

/* Linux refuses such a piece, and with it most trains: hence in few of them. */
static void break_one(struct build *b)
{
	struct piece *piece = &b->pieces[rng_below(b->rng, b->nr)];

	if (rng_chance(b->rng, 12)) {
		note(b, KIND_LONG);
		piece->over = 1 + rng_below(b->rng, 100);
		piece->pad = 0;
	}
	if (rng_chance(b->rng, 12) && b->fragments) {
		note(b, KIND_MORE);
		piece->more = !piece->more;
	}
	if (rng_chance(b->rng, 12) && !b->message->ipv6) {
		note(b, KIND_IP_SUM);
		piece->bad_sum = true;
	}
}

/* --- frames -------------------------------------------------------------------------------- */

static bool shows_all(const struct build *b, const struct piece *piece)
{
	return piece->len >= b->ports_end || !piece->more;
}

static bool is_dropped(const struct build *b, const struct piece *piece)
{
	unsigned int headers = piece->bare ? 0 : b->before.nr;

	if (b->tags > 4)
		return true;
	if (b->message->ipv6) {
		headers += b->fragments;
		if (!piece->offset)
			headers += b->behind.nr;
		if (headers > 8)
			return true;
	}
	return !piece->offset && (b->message->blocked != piece->other || !shows_all(b, piece));
}

static unsigned char *put_link(const struct build *b, unsigned char *at)
{
	if (!b->place->ethernet)
		return at;
	memcpy(at, b->place->link, 12);
	if (b->message->kinds & 1ULL << KIND_MANY)
		memset(at, 0xff, 6);
	at += 12;
	for (unsigned int i = 0; i < b->tags; i++, at += 4)
		put32(at, b->tag[i]);
	put16(at, b->message->ipv6 ? 0x86dd : 0x0800);
	return at + 2;
}

static unsigned char *put_ipv4(const struct build *b, const struct piece *piece, unsigned char *at)
{
	unsigned int head = 20 + (piece->bare ? 0 : b->options_len);
	uint16_t sum;

	memset(at, 0, head);
	at[0] = 0x40 | head / 4;
	at[1] = b->traffic_class;
	put16(at + 2, head + piece->len + piece->odd + piece->over);
	put16(at + 4, b->id);
	put16(at + 6, piece->offset / 8 | (piece->more ? 0x2000 : 0));
	at[8] = 64;
	at[9] = piece->next;
	memcpy(at + 12, b->message->source, 4);
	memcpy(at + 16, b->message->destination, 4);
	memcpy(at + 20, b->options, head - 20);
	sum = checksum(0, at, head) ^ (piece->bad_sum ? 0x100 : 0);
	put16(at + 10, sum);
	return at + head;
}

static unsigned char *put_ipv6(const struct build *b, const struct piece *piece, unsigned char *at)
{
	unsigned int before = piece->bare ? 0 : b->before.len;
	unsigned int stated = before + (b->fragments ? 8 : 0) + piece->len + piece->over;

	put32(at, 6U << 28 | b->traffic_class << 20 | (b->id & 0xfffff));
	put16(at + 4, piece->zero ? 0 : stated);
	at[6] = b->before.first;
	if (piece->bare)
		at[6] = b->fragments ? 44 : b->behind.first;
	at[7] = 64;
	memcpy(at + 8, b->message->source, 16);
	memcpy(at + 24, b->message->destination, 16);
	at += 40;
	memcpy(at, b->before.bytes, before);
	at += before;
	if (!b->fragments)
		return at;
	at[0] = piece->next;
	at[1] = rng_chance(b->rng, 100) ? rng_next(b->rng) : 0;
	put16(at + 2, piece->offset | piece->more | (rng_chance(b->rng, 100) ? 6 : 0));
	put32(at + 4, b->id);
	return at + 8;
}

/* The body as it would go on, to one port or the other; then a datagram's head, and anything. */
static unsigned char *put_pad(const struct build *b, const struct piece *piece, unsigned char *at)
{
	unsigned int from = piece->offset + piece->len, len = piece->pad;
	unsigned char *end = at + len;

	rng_fill(b->rng, at, len);
	if (rng_chance(b->rng, 700)) {
		if (len > b->len - from)
			len = b->len - from;
		memcpy(at, b->body[rng_below(b->rng, 2)] + from, len);
	} else if (len >= 4) {
		put16(at + 2, rng_chance(b->rng, 500) ? b->place->open : b->place->blocked);
	}
	return end;
}

static void render(struct build *b, const struct piece *piece)
{
	struct frame *frame = &b->train->frames[b->train->nr++];
	unsigned char *at = put_link(b, frame->bytes);
	const unsigned char *body = b->body[piece->other] + piece->offset;

	at = b->message->ipv6 ? put_ipv6(b, piece, at) : put_ipv4(b, piece, at);
	memcpy(at, body, piece->len);
	at += piece->len;
	memcpy(at, b->body[rng_below(b->rng, 2)] + piece->offset + piece->len, piece->odd);
	at += piece->odd;
	at = put_pad(b, piece, at);
	frame->len = at - frame->bytes;
	frame->dropped = is_dropped(b, piece);
}

static void start(struct build *b, struct train *train, const struct place *place,
		  const struct message *message, struct rng *rng)
{
	memset(b, 0, offsetof(struct build, pieces));
	b->nr = 0;
	b->train = train;
	b->place = place;
	b->message = message;
	b->rng = rng;
	train->kinds = message->kinds | 1ULL << (message->ipv6 ? KIND_IPV6 : KIND_IPV4);
	train->nr = 0;
}

void train_build(struct train *train, const struct place *place, const struct message *message,
		 struct rng *rng, bool gentle)
{
	static struct build build;
	struct build *b = &build;

	start(b, train, place, message, rng);
	b->gentle = gentle;
	b->fragments = rng_chance(rng, 650) || message->len > WHOLE_MAX;
	b->id = rng_next(rng);
	b->traffic_class = rng_next(rng) & 0xfc;
	make_chains(b);
	make_body(b);
	make_options(b);
	make_tags(b);
	cut(b);
	order(b);
	add_pieces(b);
	lie_in_later_pieces(b);
	lie_about_lengths(b);
	if (!gentle)
		break_one(b);
	for (unsigned int i = 0; i < b->nr; i++)
		render(b, &b->pieces[i]);
}

void train_plain(struct train *train, const struct place *place, const struct message *message,
		 unsigned int nr_ah)
{
	static struct build build;
	struct rng none = {};
	struct build *b = &build;

	start(b, train, place, message, &none);
	while (nr_ah--)
		chain_add_ah(&b->behind, place, &none);
	chain_close(&b->behind, message->protocol);
	chain_close(&b->before, message->protocol);
	make_body(b);
	cut(b);
	render(b, &b->pieces[0]);
}
