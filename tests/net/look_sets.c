// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks the loaded program about packets of addresses, one after the other, again and again until it is told to
 * end (SIGTERM); the answer has to be drop.
 *
 *	look_sets RULESET ADDRESS...
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <portblock/portblock.h>

static volatile sig_atomic_t over;

static void end(int signal)
{
	(void)signal;
	over = 1;
}

/* An empty TCP segment to port 80. */
static size_t build(const char *source, unsigned char *frame)
{
	bool ipv6 = strchr(source, ':');

	memset(frame, 0, 128);
	memcpy(frame + 12,
	       ipv6 ? "\x86\xdd\x60\0\0\0\0\x14\x06\x40" : "\x08\0\x45\0\0\x28\0\0\0\0\x40\x06",
	       ipv6 ? 10 : 12);
	if (inet_pton(ipv6 ? AF_INET6 : AF_INET, source, frame + (ipv6 ? 22 : 26)) != 1)
		return 0;
	frame[(ipv6 ? 54 : 34) + 3] = 80;
	return ipv6 ? 74 : 54;
}

int main(int argc, char **argv)
{
	struct pb_explanation *how = pb_explanation_new();
	struct pb_ruleset *ruleset;
	unsigned char frame[128];
	struct pb_test_run *run;
	struct pb_error error;
	size_t looks = 0, missed = 0, length;

	signal(SIGTERM, end);
	if (argc < 3 || !how || pb_ruleset_open(argv[1], &ruleset, &error) ||
	    pb_test_run_open(ruleset, true, &run, &error))
		return 1;
	for (; !over; looks++) {
		length = build(argv[2 + looks % (argc - 2)], frame);
		if (!length || pb_test_run_frame(run, frame, length, how, &error))
			return 1;
		missed += !how->drop;
		if (looks == 100) { /* it is at work */
			puts("ready");
			fflush(stdout);
		}
	}
	printf("looks %zu missed %zu\n", looks, missed);
	return missed != 0;
}
