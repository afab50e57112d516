/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests/net/delivered.c: a datagram or segment, wrapped in headers, cut into fragments and
 * twisted, all by chance. A train is the frames that one of them has become.
 *
 * What is made here is known by how it was made: nothing here reads a header, and nothing is
 * shared with the program under test.
 */
#ifndef DELIVERED_TRAIN_H
#define DELIVERED_TRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX 9216
#define FRAMES_MAX 96
#define MESSAGE_MAX 3200

/* What a train may have; train_kinds[] says more of each. */
enum kind {
	/* what is sent */
	KIND_IPV4,
	KIND_IPV6,
	KIND_UDP,
	KIND_UDPLITE,
	KIND_SCTP,
	KIND_TCP,
	KIND_NO_SUM,
	KIND_BAD_SUM,
	KIND_UDP_LENGTH,
	KIND_MANY,
	/* IPv6 extension headers */
	KIND_HOP,
	KIND_DESTINATION,
	KIND_ROUTING_0,
	KIND_ROUTING_2,
	KIND_ROUTING_3,
	KIND_ROUTING_4,
	KIND_ROUTING_LEFT,
	KIND_ATOMIC,
	KIND_NESTED,
	KIND_AH,
	KIND_HOP_LATER,
	KIND_MOBILITY,
	KIND_HIP,
	KIND_SHIM6,
	KIND_UNKNOWN,
	KIND_NO_NEXT,
	KIND_BAD_LENGTH,
	KIND_FIVE,
	KIND_NINE,
	KIND_LONG_CHAIN,
	/* IPv4 options */
	KIND_NOP,
	KIND_RECORD_ROUTE,
	KIND_TIMESTAMP,
	KIND_ALERT,
	KIND_SOURCE_ROUTE,
	KIND_BAD_OPTION,
	/* tags */
	KIND_TAGS,
	KIND_TAGS_5,
	/* fragments */
	KIND_CUT,
	KIND_TINY,
	KIND_PART,
	KIND_REVERSED,
	KIND_SHUFFLED,
	KIND_REPEATED,
	KIND_INSIDE,
	KIND_OVERLAP,
	KIND_DECOY,
	KIND_NEXT,
	KIND_BARE,
	KIND_MORE,
	/* lengths */
	KIND_PAD,
	KIND_LONG,
	KIND_ZERO,
	KIND_ODD,
	KIND_IP_SUM,
	KIND_MAX
};

/* Whether Linux delivers a train that has it: not at all, where the host is made so, always */
enum arrives { NEVER, PERHAPS, ALWAYS };

struct kind_info {
	const char *name;
	enum arrives arrives;
};

extern const struct kind_info train_kinds[KIND_MAX];

struct rng {
	uint64_t state;
};

/* The chances of a train are its own: those of (seed, stream, index). */
void rng_start(struct rng *rng, uint64_t seed, uint32_t stream, uint32_t index);
uint32_t rng_next(struct rng *rng);
uint32_t rng_below(struct rng *rng, uint32_t limit);
/* In so many of 1000 cases */
bool rng_chance(struct rng *rng, uint32_t per_mille);
void rng_fill(struct rng *rng, void *to, size_t len);

/* Where trains go, and what there can be delivered */
struct place {
	bool ethernet;
	unsigned char link[12]; /* addresses of Ethernet: to, from */
	unsigned char ipv4[4];
	unsigned char ipv6[16];
	uint16_t open, blocked;
	bool jumbo;   /* the device takes frames of 9,000 bytes, in several buffers */
	bool ah;      /* the host has security associations of SPI 256 without authentication */
	bool vlans;   /* it has VLAN devices 5 and, on that, 6; else tags have VLAN 0 */
	bool udplite; /* it speaks UDP-Lite */
	bool sctp;
};

/* What is to be sent: transport header and payload, to its own port and, the same, to the other. */
struct message {
	uint8_t protocol;
	bool ipv6;
	bool blocked;
	unsigned char source[16], destination[16];
	unsigned int len;
	unsigned char bytes[2][MESSAGE_MAX]; /* 0: its own port */
	uint64_t kinds;
};

#define DATAGRAM_MAGIC 0xd311e4ed

/* An SCTP association's first chunk; the host's answer begins with the tag. */
#define SCTP_TAG(index) ((index) + 1)
#define SCTP_INIT_ANSWER 2

/*
 * A datagram whose payload begins with DATAGRAM_MAGIC and `index`, or an INIT of SCTP with
 * its tag. The source address has `serial`, of which the last 22 bits count.
 */
void message_datagram(struct message *message, const struct place *place, struct rng *rng,
		      uint32_t index, uint32_t serial);

/* Markers come from here: the last address of all. */
#define MARKER_SOURCE 0x0a7fffff

/* A datagram to the open port, by IPv4, of two words */
void message_marker(struct message *message, const struct place *place, uint16_t sport,
		    uint32_t magic, uint32_t number);

struct segment {
	uint16_t sport;
	uint32_t sequence, acknowledge;
	uint8_t flags;
	const void *data;
	unsigned int len;
};

/* A TCP segment to the blocked or the open port */
void message_segment(struct message *message, const struct place *place,
		     const struct segment *segment, bool ipv6, bool blocked, uint32_t serial);

struct frame {
	unsigned int len;
	/*
	 * By the manual a filter drops it: it shows the blocked port; or it is a first fragment
	 * without its whole chain, or has a ninth extension header or a fifth tag.
	 */
	bool dropped;
	unsigned char bytes[FRAME_MAX];
};

struct train {
	uint64_t kinds;
	unsigned int nr;
	struct frame frames[FRAMES_MAX];
};

/* `gentle`: hardly anything that Linux does not deliver */
void train_build(struct train *train, const struct place *place, const struct message *message,
		 struct rng *rng, bool gentle);
/* As it is: one frame, without anything around it but, in IPv4, so many AH. */
void train_plain(struct train *train, const struct place *place, const struct message *message,
		 unsigned int nr_ah);

/* RFC 1071, over what `sum` has so far */
uint16_t checksum(uint32_t sum, const void *data, size_t len);

static inline void put16(unsigned char *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static inline void put32(unsigned char *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

static inline uint16_t get16(const unsigned char *at)
{
	return at[0] << 8 | at[1];
}

static inline uint32_t get32(const unsigned char *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

#endif
