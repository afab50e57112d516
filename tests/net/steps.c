// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends datagrams through the filter to all ports of a rule while a command adds and deletes it, and looks in which steps
 * that becomes visible.
 *
 *	steps NETNS-A NETNS-B ADDRESS PORTS ALWAYS COMMAND...
 *
 * Each round sends a datagram from B to ADDRESS in A, to the first and the last of PORTS (a range) in turns, and one to a port
 * that is always passed, which is waited for. Of those to PORTS what the round before had seen is seen again, unless
 * the rule was added meanwhile, or deleted. Prints "rounds N came N went N lost N": how often datagrams began to be
 * dropped, and ceased to. The exit status is the command's, or 99 where the test itself failed.
 */
#include "through.h"

struct test {
	struct through through;
	struct range ports;
	unsigned int always;
	bool dropped; /* of PORTS, at last */
	unsigned long came, went, lost;
};

static void one_round(struct test *test)
{
	unsigned int to = test->through.rounds & 1 ? test->ports.last : test->ports.first, port;
	bool dropped = true;

	send_to(&test->through, to);
	send_to(&test->through, test->always);
	do {
		if (!wait_for_packet(&test->through)) {
			test->lost++;
			break;
		}
		port = receive(&test->through);
		dropped &= port != to;
	} while (port != test->always);
	test->came += dropped && !test->dropped;
	test->went += !dropped && test->dropped;
	test->dropped = dropped;
	test->through.rounds++;
}

int main(int argc, char **argv)
{
	struct test test = {};
	int status = 0;
	pid_t child;

	if (argc < 7)
		die("steps NETNS-A NETNS-B ADDRESS PORTS ALWAYS COMMAND...");
	test.ports = parse(argv[4]);
	test.always = atoi(argv[5]);
	child = start_through(&test.through, argv[1], argv[2], argv[3], argv + 6);
	while (waitpid(child, &status, test.lost ? 0 : WNOHANG) == 0)
		one_round(&test);
	printf("rounds %lu came %lu went %lu lost %lu\n", test.through.rounds, test.came, test.went,
	       test.lost);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}
