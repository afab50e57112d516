// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends datagrams through the filter while a command changes it, and looks at what arrives.
 *
 *	rounds NETNS-A NETNS-B ADDRESS NEVER ALWAYS ONE COMMAND...
 *
 * NEVER, ALWAYS and ONE are ranges of ports, as in 1000-1999. Each round sends four datagrams
 * from B to ADDRESS in A: to a port of NEVER, to an even port of ONE and the odd one above it,
 * and to a port of ALWAYS. What the rules say, before, while and after the command changes them:
 *
 *	NEVER	is dropped by all of them: one that arrives was judged by none, or by a mixture
 *	ALWAYS	is passed by all of them: one that does not arrive was judged by a mixture
 *	ONE	of the two is passed, and the other dropped, by each; of the rounds in which it is
 *		otherwise, each has seen a change between its packets, so there are no more of them
 *		than changes
 *
 * The next round starts when the one before has arrived, so nothing is lost for lack of room.
 * Rounds go on until the command ends. Prints "rounds N stray N lost N torn N"; the exit status is
 * the command's, or 99 where the test itself failed.
 */
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

struct test {
	int in, out;
	struct sockaddr_in to;
	struct range never, always, one;
	unsigned long rounds, stray, lost, torn;
};

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static void enter(const char *name)
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
static int open_receiver(void)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);

	if (fd < 0)
		die("raw socket");
	return fd;
}

static int open_sender(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

static unsigned int pick(const struct range *range, unsigned long i)
{
	return range->first + i % (range->last - range->first + 1);
}

static void send_to(const struct test *test, unsigned int port)
{
	struct sockaddr_in to = test->to;
	unsigned long round = test->rounds;

	to.sin_port = htons(port);
	/* A refusal of the one before, by ICMP, is told here: it was sent, none the less. */
	while (sendto(test->out, &round, sizeof(round), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		if (errno != ECONNREFUSED)
			die("sendto");
}

/* The port of a datagram of this round; 0: there is none yet, or it is none of ours. */
static unsigned int receive(const struct test *test)
{
	struct {
		struct iphdr ip;
		struct udphdr udp;
		unsigned long round;
	} __attribute__((packed)) packet;

	if (recv(test->in, &packet, sizeof(packet), 0) != sizeof(packet) || packet.ip.ihl != 5 ||
	    packet.round != test->rounds)
		return 0;
	return ntohs(packet.udp.dest);
}

static bool wait_for_packet(const struct test *test)
{
	struct pollfd wait = { .fd = test->in, .events = POLLIN };

	return poll(&wait, 1, PATIENCE_MS) > 0;
}

static void one_round(struct test *test)
{
	unsigned int even = pick(&test->one, 2 * test->rounds) & ~1U, port, ones = 0;
	unsigned int never = pick(&test->never, test->rounds);
	unsigned int always = pick(&test->always, test->rounds);

	send_to(test, never);
	send_to(test, even);
	send_to(test, even + 1);
	send_to(test, always);
	/* In the order in which they were sent: the last one ends the round. */
	do {
		if (!wait_for_packet(test)) {
			test->lost++;
			break;
		}
		port = receive(test);
		if (port == never)
			test->stray++;
		ones += port == even || port == even + 1;
	} while (port != always);
	test->torn += ones != 1;
	test->rounds++;
}

static struct range parse(const char *text)
{
	struct range range;

	if (sscanf(text, "%u-%u", &range.first, &range.last) != 2 || range.first > range.last)
		die(text);
	return range;
}

static pid_t start(char **command)
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

int main(int argc, char **argv)
{
	struct test test = { .to.sin_family = AF_INET };
	int status = 0;
	pid_t child;

	if (argc < 8 || inet_pton(AF_INET, argv[3], &test.to.sin_addr) != 1)
		die("rounds NETNS-A NETNS-B ADDRESS NEVER ALWAYS ONE COMMAND...");
	test.never = parse(argv[4]);
	test.always = parse(argv[5]);
	test.one = parse(argv[6]);
	enter(argv[1]);
	test.in = open_receiver();
	child = start(argv + 7); /* in A */
	enter(argv[2]);
	test.out = open_sender();
	/* One that is lost says it all, and is waited for long. */
	while (waitpid(child, &status, test.lost ? 0 : WNOHANG) == 0)
		one_round(&test);
	printf("rounds %lu stray %lu lost %lu torn %lu\n", test.rounds, test.stray, test.lost,
	       test.torn);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}
