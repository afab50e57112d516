/* SPDX-License-Identifier: GPL-2.0-only */
/* Datagrams from one network namespace through the filter into another, one after the other. */
#ifndef PB_TEST_THROUGH_H
#define PB_TEST_THROUGH_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 60000

struct range {
	unsigned int first, last;
};

struct through {
	int in, out;
	struct sockaddr_in to;
	unsigned long rounds; /* each datagram has the number of its round */
};

static inline void die(const char *what)
{
	perror(what);
	exit(99);
}

static inline void enter(const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
	close(fd);
}

/* Gets all datagrams that reach the stack, whatever their port. */
static inline int open_receiver(void)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);

	if (fd < 0)
		die("raw socket");
	return fd;
}

static inline int open_sender(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

static inline void send_to(const struct through *through, unsigned int port)
{
	struct sockaddr_in to = through->to;
	unsigned long round = through->rounds;

	to.sin_port = htons(port);
	/* A refusal of the one before, by ICMP, is told here: it was sent, none the less. */
	while (sendto(through->out, &round, sizeof(round), 0, (struct sockaddr *)&to, sizeof(to)) <
	       0)
		if (errno != ECONNREFUSED)
			die("sendto");
}

/* The port of a datagram of this round; 0: there is none yet, or it is none of ours. */
static inline unsigned int receive(const struct through *through)
{
	struct {
		struct iphdr ip;
		struct udphdr udp;
		unsigned long round;
	} __attribute__((packed)) packet;

	if (recv(through->in, &packet, sizeof(packet), 0) != sizeof(packet) || packet.ip.ihl != 5 ||
	    packet.round != through->rounds)
		return 0;
	return ntohs(packet.udp.dest);
}

static inline bool wait_for_packet(const struct through *through)
{
	struct pollfd wait = { .fd = through->in, .events = POLLIN };

	return poll(&wait, 1, PATIENCE_MS) > 0;
}

static inline struct range parse(const char *text)
{
	struct range range;

	if (sscanf(text, "%u-%u", &range.first, &range.last) != 2 || range.first > range.last)
		die(text);
	return range;
}

static inline pid_t start(char **command)
{
	pid_t child = fork();

	if (child < 0)
		die("fork");
	if (!child) {
		execvp(command[0], command);
		die(command[0]);
	}
	return child;
}

/* Starts the command in A, and is in B then, ready to send to the address. */
static inline pid_t start_through(struct through *through, const char *a, const char *b,
				  const char *address, char **command)
{
	pid_t child;

	through->to.sin_family = AF_INET;
	if (inet_pton(AF_INET, address, &through->to.sin_addr) != 1)
		die(address);
	enter(a);
	through->in = open_receiver();
	child = start(command);
	enter(b);
	through->out = open_sender();
	return child;
}

#endif
