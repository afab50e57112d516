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
#include "through.h"

struct test {
	struct through through;
	struct range never, always, one;
	unsigned long stray, lost, torn;
};

static unsigned int pick(const struct range *range, unsigned long i)
{
	return range->first + i % (range->last - range->first + 1);
}

static void one_round(struct test *test)
{
	unsigned int even = pick(&test->one, 2 * test->through.rounds) & ~1U, port, ones = 0;
	unsigned int never = pick(&test->never, test->through.rounds);
	unsigned int always = pick(&test->always, test->through.rounds);

	send_to(&test->through, never);
	send_to(&test->through, even);
	send_to(&test->through, even + 1);
	send_to(&test->through, always);
	/* In the order in which they were sent: the last one ends the round. */
	do {
		if (!wait_for_packet(&test->through)) {
			test->lost++;
			break;
		}
		port = receive(&test->through);
		if (port == never)
			test->stray++;
		ones += port == even || port == even + 1;
	} while (port != always);
	test->torn += ones != 1;
	test->through.rounds++;
}

int main(int argc, char **argv)
{
	struct test test = {};
	int status = 0;
	pid_t child;

	if (argc < 8)
		die("rounds NETNS-A NETNS-B ADDRESS NEVER ALWAYS ONE COMMAND...");
	test.never = parse(argv[4]);
	test.always = parse(argv[5]);
	test.one = parse(argv[6]);
	child = start_through(&test.through, argv[1], argv[2], argv[3], argv + 7);
	/* One that is lost says it all, and is waited for long. */
	while (waitpid(child, &status, test.lost ? 0 : WNOHANG) == 0)
		one_round(&test);
	printf("rounds %lu stray %lu lost %lu torn %lu\n", test.through.rounds, test.stray,
	       test.lost, test.torn);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}
