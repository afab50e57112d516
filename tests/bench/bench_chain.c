// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each program costs in a chain of libxdp's dispatcher: one more of the same, ten at most, by BPF_PROG_TEST_RUN of the
 * dispatcher. All pass the packet, so that each of them has it.
 *
 *	bench_chain [--rounds N] [--repeat N] IFNAME PROGRAM[:RULES]...
 *
 * Prints a line for each number of programs, `PROGRAM-NUMBER` and what the kernel reports as the duration of one run, a
 * number a round; see bench_packets. See bench.h for PROGRAM, rules.c for RULES.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <net/if.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include "bench.h"

#define CHAIN_MAX 10
#define PORT_WITHOUT_RULE 443

static int rounds = 5, repeat = 10000;

static __u32 run(const struct program *program, const struct frame *frame, int times)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .repeat = times);

	options.data_in = frame->data;
	options.data_size_in = frame->length;
	if (bpf_prog_test_run_opts(program->fd, &options))
		die("%s: test run: %s", program->name, strerror(errno));
	if (options.retval != XDP_PASS)
		die("%s: verdict %u: not all of the chain have the packet", program->name,
		    options.retval);
	return options.duration;
}

static void chain(const char *name, const char *rules, int device)
{
	struct frame frame = frame_make("tcp4", 40000, PORT_WITHOUT_RULE);
	struct program *programs[CHAIN_MAX];

	for (int nr = 1; nr <= CHAIN_MAX; nr++) {
		/* The newest knows the dispatcher as it is now. */
		programs[nr - 1] = program_open(name, rules, device);
		run(programs[nr - 1], &frame, 1);
		printf("%s-%d", name, nr);
		for (int round = 0; round < rounds; round++)
			printf(" %u", run(programs[nr - 1], &frame, repeat));
		putchar('\n');
		fflush(stdout);
	}
	for (int nr = CHAIN_MAX; nr; nr--)
		program_close(programs[nr - 1]);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "repeat", required_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	int option, device;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r')
			rounds = atoi(optarg);
		else if (option == 'n')
			repeat = atoi(optarg);
		else
			return 2;
	}
	if (optind > argc - 2 || rounds < 1 || repeat < 1)
		die("usage: bench_chain [--rounds N] [--repeat N] IFNAME PROGRAM[:RULES]...");
	device = if_nametoindex(argv[optind]);
	if (!device)
		die("no interface %s", argv[optind]);
	for (int i = optind + 1; i < argc; i++) {
		char *rules = strchr(argv[i], ':');

		if (rules)
			*rules++ = '\0';
		chain(argv[i], rules ?: "none", device);
	}
	return 0;
}
