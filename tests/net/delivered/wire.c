// SPDX-License-Identifier: GPL-2.0-only
/* Frames out, datagrams in: see wire.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "wire.h"

#define PATIENCE_MS 120000 /* for what hangs only */
#define MARKER_MAGIC 0xd311e4ee
#define MARKER_PORT 9
#define MARKER_AH 5
#define ROOM (32 << 20)

#ifndef UDP_NO_CHECK6_RX
#define UDP_NO_CHECK6_RX 102
#endif
#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif
#ifndef IPPROTO_UDPLITE
#define IPPROTO_UDPLITE 136
#endif

void die(const char *what)
{
	fprintf(stderr, "delivered: %s: %s\n", what, strerror(errno));
	exit(99);
}

static void set(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)))
		die("setsockopt");
}

/* --- where the kernel delivers ------------------------------------------------------------- */

static int open_socket(bool ipv6, int type, int protocol, uint16_t port)
{
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(ipv6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	if (fd < 0)
		die("socket");
	set(fd, SOL_SOCKET, SO_RCVBUFFORCE, ROOM);
	if (ipv6)
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (ipv6 ? bind(fd, (void *)&a6, sizeof(a6)) : bind(fd, (void *)&a4, sizeof(a4)))
		die("bind");
	return fd;
}

static void open_listening(struct wire *wire, int fds[2][2], int type, int protocol)
{
	for (int i = 0; i < 4; i++) {
		int *fd = &fds[i >> 1][i & 1];

		*fd = open_socket(i & 2, type, protocol,
				  i & 1 ? wire->place.blocked : wire->place.open);
		if (listen(*fd, 1024))
			die("listen");
	}
}

/* The first one is IPv4, UDP and open: markers arrive there. */
static void open_sockets(struct wire *wire)
{
	for (unsigned int i = 0; i < (wire->place.udplite ? 8 : 4); i++) {
		struct wire_socket *socket = &wire->sockets[wire->nr_sockets++];
		bool ipv6 = i & 2;

		socket->blocked = i & 1;
		socket->fd = open_socket(ipv6, SOCK_DGRAM, i & 4 ? IPPROTO_UDPLITE : IPPROTO_UDP,
					 socket->blocked ? wire->place.blocked : wire->place.open);
		if (ipv6 && !(i & 4))
			set(socket->fd, IPPROTO_UDP, UDP_NO_CHECK6_RX, 1);
	}
	open_listening(wire, wire->tcp, SOCK_STREAM, 0);
	if (wire->place.sctp)
		open_listening(wire, wire->sctp, SOCK_SEQPACKET, IPPROTO_SCTP);
}

static void hear(struct wire *wire, const struct wire_socket *socket, const unsigned char *data,
		 ssize_t len)
{
	uint32_t number;

	if (len < 8)
		return;
	number = get32(data + 4);
	if (get32(data) == MARKER_MAGIC && number == wire->marker)
		wire->heard_marker = true;
	if (get32(data) == DATAGRAM_MAGIC)
		wire->listener->datagram(wire->listener->context, number, socket->blocked);
}

static void drain_socket(struct wire *wire, const struct wire_socket *socket)
{
	unsigned char data[8];
	ssize_t len;

	while ((len = recv(socket->fd, data, sizeof(data), 0)) >= 0)
		hear(wire, socket, data, len);
	if (errno != EAGAIN)
		die("recv");
}

/* --- where frames go in, and answers come out ------------------------------------------------ */

static void hardware_address(const char *device, unsigned char address[6])
{
	struct ifreq request = {};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request))
		die(device);
	memcpy(address, request.ifr_hwaddr.sa_data, 6);
	close(fd);
}

static int open_packet(const char *device, uint16_t protocol)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(protocol) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	address.sll_ifindex = if_nametoindex(device);
	if (fd < 0 || !address.sll_ifindex || bind(fd, (void *)&address, sizeof(address)))
		die(device);
	return fd;
}

static void enter(int netns)
{
	if (netns < 0 || setns(netns, CLONE_NEWNET))
		die("network namespace");
}

static void open_veth(struct wire *wire, const char *here, const char *there, const char *netns)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int other = open(netns, O_RDONLY | O_CLOEXEC);

	hardware_address(here, wire->place.link);
	enter(other);
	hardware_address(there, wire->place.link + 6);
	wire->out = open_packet(there, 0);
	set(wire->out, SOL_SOCKET, SO_SNDBUFFORCE, ROOM);
	wire->ears = open_packet(there, 3); /* ETH_P_ALL */
	set(wire->ears, SOL_SOCKET, SO_RCVBUFFORCE, ROOM);
	set(wire->ears, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
	enter(own);
	close(own);
	close(other);
}

static void open_tun(struct wire *wire, const char *device)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	wire->out = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (wire->out < 0 || ioctl(wire->out, TUNSETIFF, &request))
		die(device);
	wire->ears = wire->out;
}

/* On one processor all is done in the order in which it is sent. */
static void stay_on_one_processor(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		die("sched_setaffinity");
}

void wire_open(struct wire *wire, const char *device, const struct place *place)
{
	char *copy = strdup(device), *there, *netns = NULL;

	memset(wire, 0, sizeof(*wire));
	wire->place = *place;
	if (!copy)
		die("strdup");
	stay_on_one_processor();
	there = strchr(copy, '@');
	if (there) {
		*there++ = '\0';
		netns = strchr(there, '@');
	}
	wire->place.ethernet = netns;
	if (netns) {
		*netns++ = '\0';
		open_veth(wire, copy, there, netns);
	} else {
		open_tun(wire, copy);
	}
	free(copy);
	open_sockets(wire);
}

/* UDP from MARKER_PORT says that all answers before it have come. */
static bool is_echo(const struct wire *wire, const unsigned char *packet, unsigned int len)
{
	return len >= 36 && packet[0] == 0x45 && packet[9] == IPPROTO_UDP &&
	       get32(packet + 28) == MARKER_MAGIC && get32(packet + 32) == wire->marker;
}

static void drain_ears(struct wire *wire)
{
	unsigned int link = wire->place.ethernet ? 14 : 0;
	unsigned char packet[FRAME_MAX];
	ssize_t len;

	while (true) {
		if (wire->place.ethernet)
			len = recv(wire->ears, packet, sizeof(packet), MSG_DONTWAIT);
		else
			len = read(wire->ears, packet, sizeof(packet));
		if (len < 0 && errno == EAGAIN)
			return;
		if (len < 0)
			die("answers");
		if (len < (ssize_t)link)
			continue;
		if (is_echo(wire, packet + link, len - link))
			wire->heard_echo = true;
		else if (wire->listener->answer)
			wire->listener->answer(wire->listener->context, packet + link, len - link);
	}
}

/* --- one chunk after the other --------------------------------------------------------------- */

static void send_frame(struct wire *wire, const struct frame *frame)
{
	ssize_t sent;

	if (wire->place.ethernet)
		sent = send(wire->out, frame->bytes, frame->len, 0);
	else
		sent = write(wire->out, frame->bytes, frame->len);
	if (sent != (ssize_t)frame->len)
		die("sending a frame");
}

static void wait_until(struct wire *wire, int fd, const bool *heard, const char *what,
		       void (*drain)(struct wire *wire))
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	drain(wire);
	while (!*heard) {
		if (poll(&poll_fd, 1, PATIENCE_MS) <= 0) {
			errno = ETIMEDOUT;
			die(what);
		}
		drain(wire);
	}
}

static void drain_first(struct wire *wire)
{
	drain_socket(wire, &wire->sockets[0]);
}

static void send_marker(struct wire *wire)
{
	static struct message message;
	static struct train train;

	wire->marker++;
	wire->heard_marker = wire->heard_echo = false;
	message_marker(&message, &wire->place, MARKER_PORT, MARKER_MAGIC, wire->marker);
	/* Linux puts off what comes through AH, once for each: the marker is to be later than all. */
	train_plain(&train, &wire->place, &message, wire->place.ah ? MARKER_AH : 0);
	send_frame(wire, &train.frames[0]);
}

/* The host sends one to where the markers come from. */
static void send_echo(struct wire *wire)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(MARKER_PORT) };
	unsigned char data[8];

	to.sin_addr.s_addr = htonl(MARKER_SOURCE);
	put32(data, MARKER_MAGIC);
	put32(data + 4, wire->marker);
	if (sendto(wire->sockets[0].fd, data, sizeof(data), 0, (void *)&to, sizeof(to)) < 0)
		die("sending an echo");
}

static void flush(struct wire *wire)
{
	for (unsigned int i = 0; i < wire->nr_chunk; i++)
		send_frame(wire, &wire->chunk[i]);
	wire->nr_chunk = 0;
	send_marker(wire);
	wait_until(wire, wire->sockets[0].fd, &wire->heard_marker, "the marker", drain_first);
	for (unsigned int i = 1; i < wire->nr_sockets; i++)
		drain_socket(wire, &wire->sockets[i]);
	/* A tun device queues what the host sends, whether anybody wants it or not. */
	if (!wire->place.ethernet || wire->listener->answer)
		drain_ears(wire);
}

void wire_put(struct wire *wire, const struct frame *frame)
{
	if (wire->nr_chunk == WIRE_CHUNK)
		flush(wire);
	memcpy(&wire->chunk[wire->nr_chunk++], frame, offsetof(struct frame, bytes) + frame->len);
}

void wire_settle(struct wire *wire)
{
	flush(wire);
	if (!wire->listener->answer)
		return;
	send_echo(wire);
	wait_until(wire, wire->ears, &wire->heard_echo, "the echo", drain_ears);
}
