// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a packet costs, by BPF_PROG_TEST_RUN: all cases of a table, one after the other, round
 * after round, so that what disturbs one disturbs all.
 *
 *	bench_packets [--rounds N] [--repeat N] [--any-port] [--dispatcher IFNAME] CASES-FILE
 *
 * CASES-FILE: a case a line, `NAME PROGRAM RULES FRAME DPORT VERDICT`; # comments. Prints a line
 * a case: its name and what the kernel reports as the duration of one run, a number a round.
 * In a virtual machine that counts instructions as nanoseconds these are instructions.
 * --any-port: each packet has another destination port; the verdict is then not looked at.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <net/if.h>
#include <sys/resource.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include "bench.h"

#define CASES_MAX 256
#define ROUNDS_MAX 1000

struct test_case {
	char name[64];
	char program_name[32];
	char rules[32];
	char frame_name[48];
	unsigned int dport;
	char verdict[8];
	struct frame frame;
	struct program *program; /* cases of the same program and rules share one */
	struct program *before;	 /* --any-port */
	__u32 durations[ROUNDS_MAX];
};

static struct test_case cases[CASES_MAX];
static size_t nr_cases;

static int rounds = 5, repeat = 10000, device;
static bool any_port;

static void read_cases(const char *path)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "r") : stdin;
	char line[256];

	if (!file)
		die("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		struct test_case *c = &cases[nr_cases];

		line[strcspn(line, "#\n")] = '\0';
		if (line[strspn(line, " \t")] == '\0')
			continue;
		if (nr_cases == CASES_MAX)
			die("%s: more than %d cases", path, CASES_MAX);
		if (sscanf(line, "%63s %31s %31s %47s %u %7s", c->name, c->program_name, c->rules,
			   c->frame_name, &c->dport, c->verdict) != 6)
			die("%s: '%s' is no case", path, line);
		nr_cases++;
	}
	fclose(file);
}

static struct program *open_shared(size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (!strcmp(cases[j].program_name, cases[i].program_name) &&
		    !strcmp(cases[j].rules, cases[i].rules))
			return cases[j].program;
	return program_open(cases[i].program_name, cases[i].rules, device);
}

/* A program that sets the port and then calls the one under test. */
static struct program *open_before(const struct test_case *c)
{
	struct sender constants = { .port_offset = c->frame.port_offset, .nr_ports = 65536 };
	struct program *before = sender_open("any_port", &constants, c->program->frags);
	int map = bpf_object__find_map_fd_by_name(before->object, "next");
	__u32 zero = 0;

	if (bpf_map_update_elem(map, &zero, &c->program->fd, 0))
		die("%s: cannot be called by another program: %s", c->name, strerror(errno));
	return before;
}

static __u32 run(const struct test_case *c, int times, __u32 *duration)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .repeat = times);
	int fd = c->before ? c->before->fd : c->program->fd;

	options.data_in = c->frame.data;
	options.data_size_in = c->frame.length;
	if (bpf_prog_test_run_opts(fd, &options))
		die("%s: test run: %s", c->name, strerror(errno));
	*duration = options.duration;
	return options.retval;
}

static void prepare(size_t i)
{
	struct test_case *c = &cases[i];
	__u32 verdict, wanted = strcmp(c->verdict, "drop") ? XDP_PASS : XDP_DROP, ignored;

	c->frame = frame_make(c->frame_name, 40000, c->dport);
	c->program = open_shared(i);
	verdict = run(c, 1, &ignored);
	if (verdict != wanted)
		die("%s: verdict %u, not %s", c->name, verdict, c->verdict);
	if (any_port)
		c->before = open_before(c);
}

static void stay_on_cpu(void)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(sched_getcpu(), &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

static void print(const struct test_case *c)
{
	printf("%s", c->name);
	for (int i = 0; i < rounds; i++)
		printf(" %u", c->durations[i]);
	putchar('\n');
}

/* The dispatcher of an interface has room for one program under test at a time. */
static void measure_one_by_one(void)
{
	for (size_t i = 0; i < nr_cases; i++) {
		prepare(i);
		for (int round = 0; round < rounds; round++)
			run(&cases[i], repeat, &cases[i].durations[round]);
		program_close(cases[i].program);
		cases[i].program_name[0] = '\0'; /* shared no more */
	}
}

static void measure(void)
{
	for (size_t i = 0; i < nr_cases; i++)
		prepare(i);
	for (int round = 0; round < rounds; round++)
		for (size_t i = 0; i < nr_cases; i++)
			run(&cases[i], repeat, &cases[i].durations[round]);
}

/* Each case has maps of its own, of 20 to 30 a ruleset: as many files as may be. */
static void allow_files(void)
{
	struct rlimit limit = { .rlim_cur = 65536, .rlim_max = 65536 };

	if (!setrlimit(RLIMIT_NOFILE, &limit) || getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "repeat", required_argument, NULL, 'n' },
		{ "any-port", no_argument, NULL, 'a' },
		{ "dispatcher", required_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r')
			rounds = atoi(optarg);
		else if (option == 'n')
			repeat = atoi(optarg);
		else if (option == 'a')
			any_port = true;
		else if (option != 'd')
			return 2;
		else if (!(device = if_nametoindex(optarg)))
			die("no interface %s", optarg);
	}
	if (optind != argc - 1 || rounds < 1 || rounds > ROUNDS_MAX || repeat < 1)
		die("usage: bench_packets [--rounds N] [--repeat N] [--any-port] [--dispatcher IFNAME] "
		    "CASES-FILE");
	stay_on_cpu();
	allow_files();
	read_cases(argv[optind]);
	if (device)
		measure_one_by_one();
	else
		measure();
	for (size_t i = 0; i < nr_cases; i++)
		print(&cases[i]);
	return 0;
}
