// SPDX-License-Identifier: GPL-2.0-only
/* Chance, datagrams and segments: see train.h. */
#include <netinet/in.h>
#include <string.h>
#include "train.h"

/* splitmix64 */
static uint64_t rng_step(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void rng_start(struct rng *rng, uint64_t seed, uint32_t stream, uint32_t index)
{
	uint64_t mixed = seed;

	rng->state = rng_step(&mixed) + ((uint64_t)stream << 32 | index);
	rng->state = rng_step(&rng->state);
}

uint32_t rng_next(struct rng *rng)
{
	return rng_step(&rng->state) >> 32;
}

uint32_t rng_below(struct rng *rng, uint32_t limit)
{
	return (uint64_t)rng_next(rng) * limit >> 32;
}

bool rng_chance(struct rng *rng, uint32_t per_mille)
{
	return rng_below(rng, 1000) < per_mille;
}

void rng_fill(struct rng *rng, void *to, size_t len)
{
	unsigned char *at = to;

	for (size_t i = 0; i < len; i++)
		at[i] = rng_next(rng);
}

uint16_t checksum(uint32_t sum, const void *data, size_t len)
{
	const unsigned char *at = data;

	for (; len > 1; at += 2, len -= 2)
		sum += get16(at);
	if (len)
		sum += *at << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static const unsigned char to_many_ipv4[] = { 224, 0, 0, 1 };
static const unsigned char to_many_ipv6[16] = { 0xff, 2, [15] = 1 };

/* From 10.64.0.0/10 and fd64::/106: one address a train, so that no two trains mix. */
static void set_addresses(struct message *message, const struct place *place, uint32_t serial)
{
	bool many = message->kinds & 1ULL << KIND_MANY;

	serial &= 0x3fffff;
	if (message->ipv6) {
		memset(message->source, 0, 16);
		put16(message->source, 0xfd64);
		put32(message->source + 12, serial);
		memcpy(message->destination, many ? to_many_ipv6 : place->ipv6, 16);
	} else {
		put32(message->source, 0x0a400000 | serial);
		memcpy(message->destination, many ? to_many_ipv4 : place->ipv4, 4);
	}
}

/* Of the pseudo header: RFC 768, RFC 8200 section 8.1 */
static uint32_t pseudo_sum(const struct message *message, unsigned int len)
{
	unsigned int size = message->ipv6 ? 16 : 4;
	uint32_t sum = len + message->protocol;

	for (unsigned int i = 0; i < size; i += 2)
		sum += get16(message->source + i) + get16(message->destination + i);
	return sum;
}

/* `covered` bytes are summed up; the pseudo header says `len`. */
static void set_checksum(struct message *message, unsigned int at, unsigned int covered,
			 unsigned int len)
{
	for (int i = 0; i < 2; i++) {
		unsigned char *bytes = message->bytes[i];
		uint16_t sum;

		put16(bytes + at, 0);
		sum = checksum(pseudo_sum(message, len), bytes, covered);
		put16(bytes + at, sum ? sum : 0xffff);
	}
}

static void set_ports(struct message *message, const struct place *place, uint16_t sport)
{
	for (int i = 0; i < 2; i++) {
		put16(message->bytes[i], sport);
		put16(message->bytes[i] + 2, message->blocked ^ i ? place->blocked : place->open);
	}
}

static unsigned int datagram_size(struct rng *rng)
{
	if (rng_chance(rng, 750))
		return 20 + rng_below(rng, 60);
	return 20 + rng_below(rng, rng_chance(rng, 500) ? 500 : MESSAGE_MAX - 64);
}

/* What the length says, mostly the truth: less is cut off, more is refused, IPv6 knows 0 as all. */
static unsigned int stated_length(struct message *message, struct rng *rng)
{
	if (rng_chance(rng, 930))
		return message->len;
	message->kinds |= 1ULL << KIND_UDP_LENGTH;
	if (message->ipv6 && rng_chance(rng, 200))
		return 0;
	if (rng_chance(rng, 100))
		return message->len + 1 + rng_below(rng, 100);
	return 20 + rng_below(rng, message->len - 19);
}

/* To any but the right one, and 0, which is none. */
static void spoil_checksum(unsigned char *at)
{
	uint16_t right = get16(at);

	put16(at, right ^ (right == 1 ? 2 : 1));
}

static void finish_udp(struct message *message, struct rng *rng)
{
	unsigned int stated = stated_length(message, rng);
	unsigned int covered = stated && stated < message->len ? stated : message->len;

	put16(message->bytes[0] + 4, stated);
	put16(message->bytes[1] + 4, stated);
	set_checksum(message, 6, covered, stated ? stated : message->len);
	if (rng_chance(rng, 50)) {
		message->kinds |= 1ULL << KIND_NO_SUM;
		put16(message->bytes[0] + 6, 0);
		put16(message->bytes[1] + 6, 0);
	} else if (rng_chance(rng, 10)) {
		message->kinds |= 1ULL << KIND_BAD_SUM;
		spoil_checksum(message->bytes[0] + 6);
		spoil_checksum(message->bytes[1] + 6);
	}
}

/* RFC 3828: of how much the checksum is; 0 stands for all. */
static void finish_udplite(struct message *message, struct rng *rng)
{
	unsigned int covered = message->len;

	if (rng_chance(rng, 500))
		covered = 8 + rng_below(rng, message->len - 7);
	put16(message->bytes[0] + 4, covered == message->len ? 0 : covered);
	put16(message->bytes[1] + 4, covered == message->len ? 0 : covered);
	set_checksum(message, 6, covered, message->len);
}

/* RFC 9260 appendix A: CRC32c, the lowest byte first */
static void set_crc(unsigned char *bytes, unsigned int len)
{
	uint32_t crc = ~0U;

	put32(bytes + 8, 0);
	for (unsigned int i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	crc = ~crc;
	for (int i = 0; i < 4; i++)
		bytes[8 + i] = crc >> 8 * i;
}

/* RFC 9260 section 3.3.2, with a parameter that is to be skipped */
static void finish_sctp(struct message *message, struct rng *rng, uint32_t index)
{
	message->len = (message->len + 20) & ~3U;
	for (int i = 0; i < 2; i++) {
		unsigned char *bytes = message->bytes[i];

		put32(bytes + 4, 0);
		put32(bytes + 12, 1 << 24 | (message->len - 12));
		put32(bytes + 16, SCTP_TAG(index));
		put32(bytes + 20, 65536);
		put32(bytes + 24, 10 << 16 | 10);
		put32(bytes + 28, 1 + rng_next(rng) % 1000);
		put32(bytes + 32, 0x8fffU << 16 | (message->len - 32));
		memset(bytes + 36, 0, message->len - 36);
		set_crc(bytes, message->len);
	}
}

static uint8_t pick_protocol(const struct place *place, struct rng *rng)
{
	uint32_t at = rng_below(rng, 1000);

	if (at < 150 && place->udplite)
		return IPPROTO_UDPLITE;
	return at >= 850 && place->sctp ? IPPROTO_SCTP : IPPROTO_UDP;
}

static void finish(struct message *message, struct rng *rng, uint32_t index)
{
	if (message->protocol == IPPROTO_SCTP) {
		message->kinds |= 1ULL << KIND_SCTP;
		finish_sctp(message, rng, index);
	} else if (message->protocol == IPPROTO_UDPLITE) {
		message->kinds |= 1ULL << KIND_UDPLITE;
		finish_udplite(message, rng);
	} else {
		message->kinds |= 1ULL << KIND_UDP;
		finish_udp(message, rng);
	}
}

void message_datagram(struct message *message, const struct place *place, struct rng *rng,
		      uint32_t index, uint32_t serial)
{
	message->protocol = pick_protocol(place, rng);
	message->ipv6 = rng_chance(rng, 600);
	message->blocked = rng_chance(rng, 500);
	message->kinds = 0;
	if (rng_chance(rng, 40) && message->protocol != IPPROTO_SCTP)
		message->kinds |= 1ULL << KIND_MANY;
	set_addresses(message, place, serial);
	message->len = datagram_size(rng);
	rng_fill(rng, message->bytes[0] + 16, message->len - 16);
	put32(message->bytes[0] + 8, DATAGRAM_MAGIC);
	put32(message->bytes[0] + 12, index);
	memcpy(message->bytes[1] + 8, message->bytes[0] + 8, message->len - 8);
	set_ports(message, place, 1024 + rng_below(rng, 60000));
	finish(message, rng, index);
}

void message_segment(struct message *message, const struct place *place,
		     const struct segment *segment, bool ipv6, bool blocked, uint32_t serial)
{
	message->ipv6 = ipv6;
	message->blocked = blocked;
	message->protocol = IPPROTO_TCP;
	message->kinds = 1ULL << KIND_TCP;
	set_addresses(message, place, serial);
	message->len = 20 + segment->len;
	for (int i = 0; i < 2; i++) {
		unsigned char *bytes = message->bytes[i];

		put32(bytes + 4, segment->sequence);
		put32(bytes + 8, segment->acknowledge);
		bytes[12] = 5 << 4;
		bytes[13] = segment->flags;
		put16(bytes + 14, 0xffff);
		put16(bytes + 18, 0);
		if (segment->len)
			memcpy(bytes + 20, segment->data, segment->len);
	}
	set_ports(message, place, segment->sport);
	set_checksum(message, 16, message->len, message->len);
}

void message_marker(struct message *message, const struct place *place, uint16_t sport,
		    uint32_t magic, uint32_t number)
{
	message->ipv6 = message->blocked = false;
	message->protocol = IPPROTO_UDP;
	message->kinds = 0;
	set_addresses(message, place, MARKER_SOURCE);
	message->len = 16;
	put16(message->bytes[0] + 4, message->len);
	put32(message->bytes[0] + 8, magic);
	put32(message->bytes[0] + 12, number);
	set_ports(message, place, sport);
	set_checksum(message, 6, message->len, message->len);
}
