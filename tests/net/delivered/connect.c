// SPDX-License-Identifier: GPL-2.0-only
/* Connections from nowhere: see connect.h. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "connect.h"

#define STREAM 1 /* of chance; datagrams have 0 */
#define DATA_MAX 1200

/* The source address says which connection it is: see message.c. */
static struct connection *find(struct batch *batch, uint32_t address)
{
	uint32_t at = (address - batch->connections[0].serial) & 0x3fffff;

	return at < batch->nr ? &batch->connections[at] : NULL;
}

static unsigned int shift_of(const struct batch *batch, uint16_t port)
{
	return port == batch->wire->place.blocked ? 4 : 0;
}

/* The host's SYN and ACK, without options in IP: it is no stranger's packet. */
static void hear_answer(void *context, const unsigned char *packet, unsigned int len)
{
	struct batch *batch = context;
	struct connection *c;
	const unsigned char *tcp;
	uint32_t to;

	if (len >= 40 && packet[0] == 0x45 && packet[9] == IPPROTO_TCP) {
		to = get32(packet + 16);
		tcp = packet + 20;
	} else if (len >= 60 && packet[0] >> 4 == 6 && packet[6] == IPPROTO_TCP) {
		to = get32(packet + 36);
		tcp = packet + 40;
	} else {
		return;
	}
	c = find(batch, to);
	if (!c || (tcp[13] & (TH_SYN | TH_ACK)) != (TH_SYN | TH_ACK) || get16(tcp + 2) != c->sport)
		return;
	c->came |= CONNECT_ANSWERED << shift_of(batch, get16(tcp));
	if ((get16(tcp) == batch->wire->place.blocked) == c->blocked)
		c->answer = get32(tcp + 4);
}

static void ignore_datagram(void *context, uint32_t index, bool blocked)
{
	(void)context, (void)index, (void)blocked;
}

static unsigned int data_of(const struct connection *c, const struct batch *batch,
			    unsigned char data[DATA_MAX])
{
	struct rng rng;
	unsigned int len;

	rng_start(&rng, batch->seed, STREAM + 1, c->index);
	len = 1 + rng_below(&rng, rng_chance(&rng, 200) ? DATA_MAX : 100);
	rng_fill(&rng, data, len);
	return len;
}

static void send_train(struct batch *batch, const struct train *train)
{
	for (unsigned int i = 0; i < train->nr; i++)
		if (batch->all || !train->frames[i].dropped)
			wire_put(batch->wire, &train->frames[i]);
}

static void send_segment(struct batch *batch, struct connection *c, int which)
{
	static const uint8_t flags[] = { TH_SYN, TH_ACK, TH_PUSH | TH_ACK };
	static struct message message;
	unsigned char data[DATA_MAX];
	struct segment segment = { .sport = c->sport, .flags = flags[which], .data = data };
	struct rng rng;

	if (which != CONNECT_SYN) {
		segment.sequence = c->sequence + 1;
		segment.acknowledge = c->answer + 1;
	} else {
		segment.sequence = c->sequence;
	}
	if (which == CONNECT_DATA)
		segment.len = data_of(c, batch, data);
	message_segment(&message, &batch->wire->place, &segment, c->ipv6, c->blocked, c->serial);
	rng_start(&rng, batch->seed, STREAM + 2 + which, c->index);
	train_build(&c->trains[which], &batch->wire->place, &message, &rng, true);
	send_train(batch, &c->trains[which]);
}

static void start_connection(struct batch *batch, struct connection *c)
{
	struct rng rng;

	rng_start(&rng, batch->seed, STREAM, c->index);
	c->ipv6 = rng_chance(&rng, 600);
	c->blocked = rng_chance(&rng, 500);
	c->sport = 1024 + rng_below(&rng, 60000);
	c->sequence = rng_next(&rng);
	c->came = 0;
	for (int i = 0; i < CONNECT_TRAINS; i++)
		c->trains[i].nr = 0;
	send_segment(batch, c, CONNECT_SYN);
}

static bool is_answered(const struct batch *batch, const struct connection *c)
{
	(void)batch;
	return c->came & CONNECT_ANSWERED << (c->blocked ? 4 : 0);
}

/* All of what was sent has come, or none of it: there is one segment with data. */
static bool reads_all(const struct batch *batch, const struct connection *c, int fd)
{
	unsigned char wanted[DATA_MAX], data[DATA_MAX + 1];
	unsigned int len = data_of(c, batch, wanted);

	return recv(fd, data, sizeof(data), MSG_DONTWAIT) == (ssize_t)len &&
	       !memcmp(data, wanted, len);
}

static uint32_t peer_of(const struct sockaddr_storage *peer)
{
	const struct sockaddr_in *a4 = (const void *)peer;
	const struct sockaddr_in6 *a6 = (const void *)peer;

	return ntohl(peer->ss_family == AF_INET ? a4->sin_addr.s_addr : a6->sin6_addr.s6_addr32[3]);
}

/* Closing ends the connection at once: nothing of it is left for the next one. */
static void accept_all(struct batch *batch, int listening, unsigned int shift)
{
	const struct linger at_once = { .l_onoff = 1 };
	struct sockaddr_storage peer;
	struct connection *c;
	socklen_t size;
	int fd;

	while (size = sizeof(peer), (fd = accept(listening, (void *)&peer, &size)) >= 0) {
		c = find(batch, peer_of(&peer));
		if (c) {
			c->came |= CONNECT_ACCEPTED << shift;
			if (reads_all(batch, c, fd))
				c->came |= CONNECT_READ << shift;
		}
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		close(fd);
	}
	if (errno != EAGAIN)
		die("accept");
}

/* What was begun and not accepted would be tried again by the host. */
static void reset(struct batch *batch, const struct connection *c, bool blocked)
{
	static struct message message;
	static struct train train;
	struct segment segment = { .sport = c->sport,
				   .sequence = c->sequence + 1,
				   .flags = TH_RST };

	message_segment(&message, &batch->wire->place, &segment, c->ipv6, blocked, c->serial);
	train_plain(&train, &batch->wire->place, &message, 0);
	wire_put(batch->wire, &train.frames[0]);
}

void connect_batch(struct batch *batch, uint32_t first, uint32_t serial, unsigned int nr)
{
	const struct listener listener = { batch, ignore_datagram, hear_answer };

	batch->wire->listener = &listener;
	batch->nr = nr;
	for (unsigned int i = 0; i < nr; i++) {
		batch->connections[i].index = first + i;
		batch->connections[i].serial = serial + i;
		start_connection(batch, &batch->connections[i]);
	}
	wire_settle(batch->wire);
	for (unsigned int i = 0; i < nr; i++) {
		struct connection *c = &batch->connections[i];

		if (!is_answered(batch, c))
			continue;
		send_segment(batch, c, CONNECT_ACK);
		send_segment(batch, c, CONNECT_DATA);
	}
	wire_settle(batch->wire);
	for (int i = 0; i < 4; i++)
		accept_all(batch, batch->wire->tcp[i >> 1][i & 1], i & 1 ? 4 : 0);
	for (unsigned int i = 0; i < nr; i++) {
		reset(batch, &batch->connections[i], false);
		reset(batch, &batch->connections[i], true);
	}
	wire_settle(batch->wire);
	batch->wire->listener = NULL;
}
