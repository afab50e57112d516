// SPDX-License-Identifier: GPL-2.0-only
/* IPv6 extension headers and IPv4 options by chance: see chain.h. */
#include <string.h>
#include "chain.h"

void chain_close(struct chain *chain, uint8_t next)
{
	if (chain->nr)
		chain->bytes[chain->next_at] = next;
	else
		chain->first = next;
}

static unsigned char *chain_grow(struct chain *chain, uint8_t type, unsigned int len)
{
	unsigned char *at = chain->bytes + chain->len;

	chain_close(chain, type);
	memset(at, 0, len);
	chain->next_at = chain->len;
	chain->len += len;
	chain->nr++;
	return at;
}

static unsigned int some_units(struct rng *rng)
{
	return 1 + rng_below(rng, rng_chance(rng, 50) ? 12 : 3);
}

/*
 * Linux takes at most 8 options in a header and 7 bytes of padding in a row; of options that it
 * does not know those whose type begins with two zero bits.
 */
static void fill_options(unsigned char *at, unsigned int len, struct rng *rng)
{
	for (int left = 5; len > 1; left--) {
		unsigned int body = len - 2;

		if (len <= 7 && rng_chance(rng, 400)) {
			at[0] = 1;
			at[1] = body;
			return;
		}
		if (left > 0)
			body = rng_below(rng, body + 1);
		at[0] = 0x1e;
		at[1] = body;
		rng_fill(rng, at + 2, body);
		at += 2 + body;
		len -= 2 + body;
	}
}

static void add_options(struct chain *chain, const struct place *place, struct rng *rng,
			uint8_t type)
{
	unsigned int units = some_units(rng);
	unsigned char *at = chain_grow(chain, type, units * 8);

	(void)place;
	at[1] = units - 1;
	fill_options(at + 2, units * 8 - 2, rng);
}

static void add_bad_length(struct chain *chain, const struct place *place, struct rng *rng,
			   uint8_t type)
{
	add_options(chain, place, rng, type);
	chain->bytes[chain->next_at + 1] = rng_next(rng);
}

/* All of the path has been gone: no segments are left. */
static void add_routing(struct chain *chain, struct rng *rng, uint8_t type)
{
	bool is_long = chain->len < chain->long_to && rng_chance(rng, 700);
	unsigned int units = is_long ? 1 + rng_below(rng, 256) : some_units(rng);
	unsigned char *at = chain_grow(chain, 43, units * 8);

	at[1] = units - 1;
	at[2] = type;
	rng_fill(rng, at + 4, units * 8 - 4);
}

static void add_routing_0(struct chain *chain, const struct place *place, struct rng *rng,
			  uint8_t type)
{
	(void)place, (void)type;
	add_routing(chain, rng, 0);
}

static void add_routing_2(struct chain *chain, const struct place *place, struct rng *rng,
			  uint8_t type)
{
	(void)place, (void)type;
	add_routing(chain, rng, 2);
}

static void add_routing_3(struct chain *chain, const struct place *place, struct rng *rng,
			  uint8_t type)
{
	(void)place, (void)type;
	add_routing(chain, rng, 3);
}

static void add_routing_4(struct chain *chain, const struct place *place, struct rng *rng,
			  uint8_t type)
{
	(void)place, (void)type;
	add_routing(chain, rng, 4);
}

/* RFC 8754: one more segment, which is the host itself */
static void add_routing_left(struct chain *chain, const struct place *place, struct rng *rng,
			     uint8_t type)
{
	unsigned char *at = chain_grow(chain, type, 40);

	at[1] = 4;
	at[2] = 4;
	at[3] = 1;
	at[4] = 1;
	put16(at + 6, rng_next(rng));
	memcpy(at + 8, place->ipv6, 16);
	memcpy(at + 24, place->ipv6, 16);
}

static void add_fragment(struct chain *chain, const struct place *place, struct rng *rng,
			 uint8_t type)
{
	unsigned char *at = chain_grow(chain, type, 8);

	(void)place;
	at[1] = rng_next(rng);
	at[3] = rng_below(rng, 4) << 1;
	put32(at + 4, rng_next(rng));
}

static void add_nested(struct chain *chain, const struct place *place, struct rng *rng,
		       uint8_t type)
{
	add_fragment(chain, place, rng, type);
	if (rng_chance(rng, 700))
		chain->bytes[chain->next_at + 3] |= 1;
	if (rng_chance(rng, 300))
		put16(chain->bytes + chain->next_at + 2, rng_next(rng));
}

static void add_ah(struct chain *chain, const struct place *place, struct rng *rng, uint8_t type)
{
	unsigned char *at = chain_grow(chain, type, 16);

	at[1] = 2;
	rng_fill(rng, at + 8, 8);
	put32(at + 4, place->ah ? 256 : rng_next(rng));
}

void chain_add_ah(struct chain *chain, const struct place *place, struct rng *rng)
{
	add_ah(chain, place, rng, 51);
}

/* Any header that counts its length as most do */
static void add_random(struct chain *chain, const struct place *place, struct rng *rng,
		       uint8_t type)
{
	unsigned int units = some_units(rng);
	unsigned char *at = chain_grow(chain, type, units * 8);

	(void)place;
	at[1] = units - 1;
	rng_fill(rng, at + 2, units * 8 - 2);
}

/* IANA's protocol numbers; 253 is for experiments. */
static const struct header {
	uint8_t type;
	enum kind kind;
	unsigned int weight;
	void (*add)(struct chain *chain, const struct place *place, struct rng *rng, uint8_t type);
} headers[] = {
	{ 60, KIND_DESTINATION, 400, add_options },
	{ 43, KIND_ROUTING_0, 120, add_routing_0 },
	{ 43, KIND_ROUTING_4, 60, add_routing_4 },
	{ 43, KIND_ROUTING_3, 40, add_routing_3 },
	{ 43, KIND_ROUTING_LEFT, 40, add_routing_left },
	{ 44, KIND_ATOMIC, 100, add_fragment },
	{ 43, KIND_ROUTING_2, 20, add_routing_2 },
	{ 51, KIND_AH, 20, add_ah },
	{ 44, KIND_NESTED, 15, add_nested },
	{ 0, KIND_HOP_LATER, 8, add_options },
	{ 135, KIND_MOBILITY, 8, add_random },
	{ 139, KIND_HIP, 8, add_random },
	{ 140, KIND_SHIM6, 8, add_random },
	{ 253, KIND_UNKNOWN, 8, add_random },
	{ 59, KIND_NO_NEXT, 8, add_random },
	{ 60, KIND_BAD_LENGTH, 8, add_bad_length },
};

static const struct header *pick_header(struct rng *rng, bool gentle)
{
	unsigned int nr = gentle ? 2 : sizeof(headers) / sizeof(*headers), sum = 0, at;

	for (unsigned int i = 0; i < nr; i++)
		sum += headers[i].weight;
	at = rng_below(rng, sum);
	for (unsigned int i = 0; i < nr; i++) {
		if (at < headers[i].weight)
			return &headers[i];
		at -= headers[i].weight;
	}
	return &headers[0];
}

void chain_add(struct chain *chain, const struct place *place, struct rng *rng, unsigned int nr,
	       bool head, bool gentle, uint64_t *kinds)
{
	if (nr && head && rng_chance(rng, 200)) {
		*kinds |= 1ULL << KIND_HOP;
		add_options(chain, place, rng, 0);
		nr--;
	}
	while (nr--) {
		const struct header *header = pick_header(rng, gentle);
		enum kind kind;

		/* The longest ones that Linux takes */
		if (chain->len < chain->long_to && rng_chance(rng, 400))
			header = &headers[1];
		kind = header->kind;
		/*
		 * Linux takes one fragment header: more are for KIND_NESTED. A wrong length may
		 * hide headers, and then it is not known how many there are.
		 */
		if ((kind == KIND_ATOMIC && chain->fragment) ||
		    (kind == KIND_BAD_LENGTH && !chain->few)) {
			header = &headers[0];
			kind = header->kind;
		}
		chain->fragment |= header->type == 44;
		if (kind == KIND_HOP_LATER && head && !chain->nr)
			kind = KIND_HOP;
		*kinds |= 1ULL << kind;
		header->add(chain, place, rng, header->type);
	}
}

/* RFC 791 section 3.1: each of these at most once in a header, but for the first */
static unsigned int put_nop(unsigned char *at, const struct place *place, struct rng *rng)
{
	(void)place, (void)rng;
	at[0] = 1;
	return 1;
}

static unsigned int put_record_route(unsigned char *at, const struct place *place, struct rng *rng)
{
	unsigned int hops = 1 + rng_below(rng, 3);

	(void)place;
	at[0] = 7;
	at[1] = 3 + 4 * hops;
	at[2] = 4 + 4 * rng_below(rng, hops + 1);
	return at[1];
}

static unsigned int put_timestamp(unsigned char *at, const struct place *place, struct rng *rng)
{
	unsigned int hops = 1 + rng_below(rng, 3);

	(void)place;
	at[0] = 68;
	at[1] = 4 + 4 * hops;
	at[2] = 5 + 4 * rng_below(rng, hops + 1);
	return at[1];
}

static unsigned int put_alert(unsigned char *at, const struct place *place, struct rng *rng)
{
	(void)place, (void)rng;
	at[0] = 148;
	at[1] = 4;
	return 4;
}

/* Loose or strict, through the host itself, gone already or not */
static unsigned int put_source_route(unsigned char *at, const struct place *place, struct rng *rng)
{
	at[0] = rng_chance(rng, 500) ? 131 : 137;
	at[1] = 7;
	at[2] = rng_chance(rng, 500) ? 4 : 8;
	memcpy(at + 3, place->ipv4, 4);
	return 7;
}

static unsigned int put_bad(unsigned char *at, const struct place *place, struct rng *rng)
{
	(void)place;
	at[0] = 7;
	at[1] = rng_below(rng, 3);
	return 4;
}

static const struct option {
	enum kind kind;
	unsigned int most; /* bytes */
	unsigned int per_mille;
	unsigned int (*put)(unsigned char *at, const struct place *place, struct rng *rng);
} options[] = {
	{ KIND_NOP, 1, 500, put_nop },
	{ KIND_ALERT, 4, 200, put_alert },
	{ KIND_RECORD_ROUTE, 15, 200, put_record_route },
	{ KIND_NOP, 1, 300, put_nop },
	{ KIND_TIMESTAMP, 16, 200, put_timestamp },
	{ KIND_SOURCE_ROUTE, 7, 120, put_source_route },
	{ KIND_NOP, 1, 200, put_nop },
	{ KIND_BAD_OPTION, 4, 60, put_bad },
};

unsigned int options_build(unsigned char bytes[40], const struct place *place, struct rng *rng,
			   bool gentle, uint64_t *kinds)
{
	unsigned int len = 0;

	memset(bytes, 0, 40);
	for (unsigned int i = 0; i < sizeof(options) / sizeof(*options); i++) {
		const struct option *option = &options[i];

		if (gentle && option->kind == KIND_BAD_OPTION)
			continue;
		if (len + option->most > 40 || !rng_chance(rng, option->per_mille))
			continue;
		*kinds |= 1ULL << option->kind;
		len += option->put(bytes + len, place, rng);
	}
	/* The rest are zeros, which end the list. */
	return (len + 3) & ~3U;
}
