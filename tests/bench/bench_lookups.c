// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a packet costs whose source is looked up among many, by BPF_PROG_TEST_RUN: another source in each,
 * all cases one after the other, round after round.
 *
 *	bench_lookups [--rounds N] [--repeat N] [--sources N] --family 4|6 --list FILE <CASES
 *
 * FILE: the elements, a prefix a line. CASES: a case a line, `NAME PROGRAM SOURCES VERDICT`. PROGRAM is
 * @RULESET, of ours, that the tool has loaded, or one of peers.bpf.c: nothing, line, trie, hash. SOURCES: see
 * sources_draw(). VERDICT: drop or pass, which each source gets, or any. Prints a line a case: its name
 * and what the kernel reports as the duration of one run, a number a round.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include "bench.h"
#include "sources.h"

#define CASES_MAX 32
#define ROUNDS_MAX 100
#define LOOKED_AT 1000 /* sources whose verdict is looked at */

struct test_case {
	char name[64];
	char program_name[40];
	char sources[16];
	char verdict[8];
	struct program *program; /* cases of the same one share it */
	struct program *before;	 /* and what gives the sources */
	__u32 durations[ROUNDS_MAX];
};

static struct test_case cases[CASES_MAX];
static size_t nr_cases;

static int rounds = 9, repeat = 1 << 20, nr_sources = 1 << 20;
static struct elements elements;
static struct frame frame;

static void read_cases(void)
{
	char line[256];

	while (fgets(line, sizeof(line), stdin)) {
		struct test_case *c = &cases[nr_cases];

		if (nr_cases == CASES_MAX)
			die("more than %d cases", CASES_MAX);
		if (sscanf(line, "%63s %39s %15s %7s", c->name, c->program_name, c->sources,
			   c->verdict) != 4)
			die("'%s' is no case", line);
		nr_cases++;
	}
}

static struct program *open_program(size_t i)
{
	const char *name = cases[i].program_name;

	for (size_t j = 0; j < i; j++)
		if (!strcmp(cases[j].program_name, name))
			return cases[j].program;
	return name[0] == '@' ? program_open("ours", name, 0) : peer_open(name, &elements, true);
}

static struct program *open_before(size_t i)
{
	struct source *sources;
	struct program *before;

	for (size_t j = 0; j < i; j++)
		if (!strcmp(cases[j].sources, cases[i].sources))
			return cases[j].before;
	sources = sources_draw(cases[i].sources, &elements, nr_sources);
	before = sources_open("any_source", elements.family, sources, nr_sources, 0, true);
	free(sources);
	return before;
}

static void call_next(const struct test_case *c)
{
	int map = bpf_object__find_map_fd_by_name(c->before->object, "next");
	__u32 zero = 0;

	if (bpf_map_update_elem(map, &zero, &c->program->fd, 0))
		die("%s: cannot be called by another program: %s", c->name, strerror(errno));
}

static __u32 run(const struct test_case *c, int times, __u32 *duration)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .repeat = times);

	options.data_in = frame.data;
	options.data_size_in = frame.length;
	if (bpf_prog_test_run_opts(c->before->fd, &options))
		die("%s: test run: %s", c->name, strerror(errno));
	*duration = options.duration;
	return options.retval;
}

static void look_at_verdicts(const struct test_case *c)
{
	__u32 wanted = strcmp(c->verdict, "drop") ? XDP_PASS : XDP_DROP, ignored;

	call_next(c);
	for (int i = 0; i < LOOKED_AT && strcmp(c->verdict, "any"); i++) {
		__u32 verdict = run(c, 1, &ignored);

		if (verdict != wanted)
			die("%s: verdict %u of a source, not %s", c->name, verdict, c->verdict);
	}
}

static void stay_on_cpu(void)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(sched_getcpu(), &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

static void measure(void)
{
	for (size_t i = 0; i < nr_cases; i++) {
		cases[i].program = open_program(i);
		cases[i].before = open_before(i);
		look_at_verdicts(&cases[i]);
	}
	for (int round = 0; round < rounds; round++) {
		for (size_t i = 0; i < nr_cases; i++) {
			call_next(&cases[i]);
			run(&cases[i], repeat, &cases[i].durations[round]);
		}
	}
}

static void print(const struct test_case *c)
{
	printf("%s", c->name);
	for (int i = 0; i < rounds; i++)
		printf(" %u", c->durations[i]);
	putchar('\n');
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "repeat", required_argument, NULL, 'n' },
		{ "sources", required_argument, NULL, 's' },
		{ "family", required_argument, NULL, 'f' },
		{ "list", required_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	const char *list = NULL;
	int option, family = 4;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'r')
			rounds = atoi(optarg);
		else if (option == 'n')
			repeat = atoi(optarg);
		else if (option == 's')
			nr_sources = atoi(optarg);
		else if (option == 'f')
			family = atoi(optarg);
		else if (option == 'l')
			list = optarg;
		else
			return 2;
	}
	if (!list || optind != argc || rounds < 1 || rounds > ROUNDS_MAX || repeat < 1 ||
	    nr_sources < 1 || nr_sources & (nr_sources - 1))
		die("see the head of bench_lookups.c");
	stay_on_cpu();
	read_cases();
	elements = elements_read(list, family);
	frame = frame_make(family == 4 ? "tcp4" : "tcp6", 40000, 80);
	measure();
	for (size_t i = 0; i < nr_cases; i++)
		print(&cases[i]);
	return 0;
}
