// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets by the million out of a veth device, whose peer must have a native XDP program:
 * BPF_PROG_TEST_RUN with live frames, on one CPU.
 *
 *	flood OBJECT DEVICE COUNT PORT
 *
 * COUNT datagrams of IPv4 and UDP, 64 bytes with Ethernet, from 192.0.2.1 to 10.9.0.1 and PORT,
 * numbered from 0 (flood.bpf.c). Prints packets a second.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#ifndef BPF_F_TEST_XDP_LIVE_FRAMES
#define BPF_F_TEST_XDP_LIVE_FRAMES (1U << 1)
#endif
/* Each call ends with a wait for a tick or two of the clock (page pools): it must be short beside it. */
#define AT_ONCE 1000000

static void die(const char *what)
{
	fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct bpf_object *open_program(const char *path, const char *device)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	unsigned int *target = NULL;
	struct bpf_map *map;
	size_t size = 0;

	if (!object)
		die(path);
	bpf_object__for_each_map(map, object)
		if (strstr(bpf_map__name(map), ".rodata"))
			target = (unsigned int *)bpf_map__initial_value(map, &size);
	if (!target || size < sizeof(*target)) {
		errno = ENOENT;
		die("its constants");
	}
	*target = if_nametoindex(device);
	if (!*target)
		die(device);
	if (bpf_object__load(object))
		die(path);
	return object;
}

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec + at.tv_nsec / 1e9;
}

static void flood(int fd, long count, unsigned int port)
{
	/* Ethernet, IPv4 (protocol 17), UDP from port 40000 */
	static const unsigned char head[] = "\2\0\0\0\0\2\2\0\0\0\0\1\x08\0"
					    "\x45\0\0\x32\0\0\0\0\x40\x11\0\0"
					    "\xc0\0\2\1\x0a\x09\0\1\x9c\x40";
	unsigned char frame[64] = {};
	struct xdp_md context = { .data_end = sizeof(frame) };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .ctx_in = &context, .ctx_size_in = sizeof(context),
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	memcpy(frame, head, sizeof(head) - 1);
	frame[36] = port >> 8;
	frame[37] = port;
	frame[39] = sizeof(frame) - 34;
	for (; count > 0; count -= AT_ONCE) {
		options.repeat = count < AT_ONCE ? count : AT_ONCE;
		if (bpf_prog_test_run_opts(fd, &options))
			die("live frames");
	}
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	double start;

	if (argc != 5) {
		fprintf(stderr, "usage: flood OBJECT DEVICE COUNT PORT\n");
		return 2;
	}
	object = open_program(argv[1], argv[2]);
	start = now();
	flood(bpf_program__fd(bpf_object__find_program_by_name(object, "flood")), atol(argv[3]),
	      atoi(argv[4]));
	printf("%.0f\n", atol(argv[3]) / (now() - start));
	bpf_object__close(object);
	return 0;
}
