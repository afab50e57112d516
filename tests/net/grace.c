// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waits for packets that take long, on each processor (grace.bpf.c), again and again, and counts those that were not
 * waited for.
 *
 *	grace OBJECT none|quick|whole OVERLAPPED
 *
 * Until so many were under way while a number was stored. Prints `packets N, overlapped N, not waited for N`. 77: the kernel has no live frames.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "grace.h"
#include "maps/grace.h"

#ifndef BPF_F_TEST_XDP_LIVE_FRAMES
#define BPF_F_TEST_XDP_LIVE_FRAMES (1U << 1)
#endif
/* A call ends with a wait for a tick or two of the clock; and a program may be stopped between packets. */
#define AT_ONCE 2000
#define BATCH 4

static int program;
static bool enough;

static void die(const char *what)
{
	fprintf(stderr, "grace: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int send_some(void)
{
	char frame[64] = { 0 };
	struct xdp_md ctx = { .data_end = sizeof(frame) };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = AT_ONCE,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);

	return bpf_prog_test_run_opts(program, &options);
}

/* Whoever else wants the processor has it soon. */
static void *flood(void *cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((long)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) || (errno = 0, nice(10) == -1 && errno))
		die("a processor");
	while (!__atomic_load_n(&enough, __ATOMIC_RELAXED))
		if (send_some()) {
			perror("grace: live frames");
			exit(errno == EINVAL ? 77 : 1); /* Linux 5.18 has them */
		}
	return NULL;
}

static struct grace *shared_with(const struct bpf_object *object)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".bss");
	void *start;

	if (!map)
		die(".bss");
	start = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
		     bpf_map__fd(map), 0);
	if (start == MAP_FAILED)
		die("mmap");
	return start;
}

static int do_not_wait(const struct pb_maps *maps, struct pb_error *error)
{
	(void)maps, (void)error;
	return 0;
}

static const struct way {
	const char *name;
	int (*wait)(const struct pb_maps *maps, struct pb_error *error);
} ways[] = {
	{ "none", do_not_wait },
	{ "quick", pb_grace_period_quick },
	{ "whole", pb_grace_period },
};

static const struct way *find_way(const char *name)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(ways[i].name, name))
			return &ways[i];
	return NULL;
}

static void store(struct grace *grace, const struct way *way, const struct pb_maps *maps,
		  __u64 overlapped)
{
	struct pb_error error;

	for (__u64 i = 1; __atomic_load_n(&grace->overlapped, __ATOMIC_RELAXED) < overlapped; i++) {
		__u64 before = __atomic_load_n(&grace->packets, __ATOMIC_RELAXED);

		while (__atomic_load_n(&grace->packets, __ATOMIC_RELAXED) == before)
			sched_yield();
		__atomic_store_n(&grace->first, i, __ATOMIC_SEQ_CST);
		if (way->wait(maps, &error)) {
			fprintf(stderr, "grace: %s\n", error.text);
			exit(1);
		}
		__atomic_store_n(&grace->second, i, __ATOMIC_SEQ_CST);
	}
}

int main(int argc, char **argv)
{
	const struct way *way = argc == 4 ? find_way(argv[2]) : NULL;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct pb_maps maps = PB_MAPS_NONE;
	struct bpf_object *object;
	struct grace *grace;
	pthread_t thread[cpus];

	if (!way) {
		fprintf(stderr, "usage: grace OBJECT none|quick|whole OVERLAPPED\n");
		return 2;
	}
	object = bpf_object__open_file(argv[1], NULL);
	if (!object || bpf_object__load(object))
		die(argv[1]);
	program = bpf_program__fd(bpf_object__find_program_by_name(object, "takes_long"));
	grace = shared_with(object);
	maps.fd[PB_MAP_CONFIG] = bpf_map__fd(bpf_object__find_map_by_name(object, ".bss"));
	for (long i = 0; i < cpus; i++)
		if (pthread_create(&thread[i], NULL, flood, (void *)i))
			die("a thread");
	store(grace, way, &maps, atol(argv[3]));
	__atomic_store_n(&enough, true, __ATOMIC_RELAXED);
	for (long i = 0; i < cpus; i++)
		pthread_join(thread[i], NULL);
	printf("packets %llu, overlapped %llu, not waited for %llu\n", grace->packets,
	       grace->overlapped, grace->not_waited_for);
	bpf_object__close(object);
	return 0;
}
