// SPDX-License-Identifier: GPL-2.0-only
/*
 * What two CPUs cost each other: the same program with the same packet on each of them, alone and both at once, by
 * BPF_PROG_TEST_RUN. What shares no cache line is twice as fast on two.
 *
 *	bench_cpus [--rounds N] [--repeat N] CPU CPU < CASES
 *	bench_cpus --sizes CPUS
 *
 * CASES: `NAME PROGRAM RULES FRAME DPORT` a line, as of bench_packets, and of cpus.bpf.c "count_shared" and "count_apart".
 * Prints a line a case and round: the name, then nanoseconds of the processor that `repeat` packets took on the first CPU alone, on
 * the second alone, and on each of them while both were at it. --sizes: a line a map that has rows of CPUs: its name, the bytes
 * of a row, and of all with so many CPUs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <portblock/abi.h>
#include "bench.h"

#define CASES_MAX 64

struct cpu_case {
	char name[64];
	char program_name[32];
	struct frame frame;
	struct program *program;
};

struct worker {
	int cpu;
	const struct cpu_case *run;
	pthread_barrier_t *start;
	long long took;
};

static struct cpu_case cases[CASES_MAX];
static size_t nr_cases;
static int rounds = 15, repeat = 300000;

static void as_it_is(struct bpf_object *object, const void *context)
{
	(void)object;
	(void)context;
}

static void read_case(const char *line)
{
	struct cpu_case *c = &cases[nr_cases];
	char rules[32], frame[48];
	unsigned int dport;

	if (nr_cases == CASES_MAX)
		die("more than %d cases", CASES_MAX);
	if (sscanf(line, "%63s %31s %31s %47s %u", c->name, c->program_name, rules, frame,
		   &dport) != 5)
		die("'%s' is no case", line);
	c->frame = frame_make(frame, 40000, dport);
	if (!strncmp(c->program_name, "count_", strlen("count_")))
		c->program = helper_open("cpus.bpf.o", c->program_name, false, as_it_is, NULL);
	else
		c->program = program_open(c->program_name, rules, 0);
	nr_cases++;
}

/* Of a processor: what others do meanwhile does not count. */
static long long nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void send_frames(const struct cpu_case *c, int times)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .repeat = times);

	options.data_in = c->frame.data;
	options.data_size_in = c->frame.length;
	if (bpf_prog_test_run_opts(c->program->fd, &options))
		die("%s: test run: %s", c->name, strerror(errno));
}

/* The first packets of a thread warm up what it needs, and end about when those of the other do. */
static void *work(void *argument)
{
	struct worker *worker = argument;
	long long start;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(worker->cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		die("CPU %d: %s", worker->cpu, strerror(errno));
	send_frames(worker->run, repeat / 100 + 1);
	pthread_barrier_wait(worker->start);
	start = nanoseconds();
	send_frames(worker->run, repeat);
	worker->took = nanoseconds() - start;
	return NULL;
}

static void run(struct worker *workers, int nr)
{
	pthread_barrier_t start;
	pthread_t threads[2];

	pthread_barrier_init(&start, NULL, nr);
	for (int i = 0; i < nr; i++) {
		workers[i].start = &start;
		if (pthread_create(&threads[i], NULL, work, &workers[i]))
			die("no thread");
	}
	for (int i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&start);
}

static void measure(const struct cpu_case *c, const int cpus[2])
{
	struct worker alone[2] = { { .cpu = cpus[0], .run = c }, { .cpu = cpus[1], .run = c } };
	struct worker both[2] = { alone[0], alone[1] };

	run(&alone[0], 1);
	run(&alone[1], 1);
	run(both, 2);
	printf("%s %lld %lld %lld %lld\n", c->name, alone[0].took, alone[1].took, both[0].took,
	       both[1].took);
}

static void show_size(const char *name, size_t row, size_t all)
{
	printf("%s\t%zu\t%zu\n", name, row, all);
}

static void show_sizes(size_t cpus)
{
	static const size_t max_rules[] = { 1023, 65535 };
	char name[64];

	for (size_t i = 0; i < sizeof(max_rules) / sizeof(max_rules[0]); i++) {
		size_t row = (max_rules[i] + 1) * sizeof(struct pb_count);

		snprintf(name, sizeof(name), "pb_counts, %zu rules", max_rules[i]);
		show_size(name, row, (cpus + PB_BASE_ROWS) * row);
	}
	show_size("pb_outcomes", sizeof(((struct pb_outcomes *)NULL)->row[0]),
		  sizeof(struct pb_outcomes));
	show_size("pb_meters", sizeof(struct pb_meter), sizeof(struct pb_meters));
	show_size("pb_clock", sizeof(struct pb_clock_row), sizeof(struct pb_clock));
	show_size("pb_rates", sizeof(struct pb_rate_meter), sizeof(struct pb_rates));
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "repeat", required_argument, NULL, 'n' },
		{ "sizes", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	char line[256];
	int option, cpus[2];

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r')
			rounds = atoi(optarg);
		else if (option == 'n')
			repeat = atoi(optarg);
		else if (option == 's') {
			show_sizes(atoi(optarg));
			return 0;
		} else
			return 2;
	}
	if (optind != argc - 2 || rounds < 1 || repeat < 1)
		die("usage: bench_cpus [--rounds N] [--repeat N] CPU CPU < CASES");
	for (int i = 0; i < 2; i++)
		cpus[i] = atoi(argv[optind + i]);
	while (fgets(line, sizeof(line), stdin))
		read_case(line);
	for (int round = 0; round < rounds; round++)
		for (size_t i = 0; i < nr_cases; i++)
			measure(&cases[i], cpus);
	return 0;
}
