// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends frames into a device as fast as it takes them: BPF_PROG_TEST_RUN with live frames on a
 * program that redirects.
 *
 *	bench_flood --to IFNAME --from IFNAME [--program NAME --rules NAME --mode native|skb] [--ports N | --anew]
 *		[--packets N] [--rate N] [--settle N] [--list FILE --sources KIND] [--rounds N]
 *
 * --to: the device to send on; what it sends arrives at --from, its other end. --program: what is
 * attached there meanwhile, in --mode native or skb; see bench.h. Destination ports are 1 to N at random,
 * or 80 where N is 1. --anew: each frame is written anew, for --from sends back what it has got, otherwise; all are
 * to port 80. --rate: of --anew, at most so many a second. --settle: that many packets before the clock starts. --list: the packets, IPv4
 * and all to port 80, come from 1,048,576 sources that are drawn of that list of elements as
 * sources_draw() says. Prints how many packets were sent and in how many nanoseconds. --rounds: NAME is several, with
 * commas, which take turns, round after round; prints a line each, of a part of the packets that is usual, with its name
 * first: see stamps.c. The packets of --settle are among them.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <net/if.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <bpf/bpf.h>
#include "bench.h"

#define BATCH 64
#define PROGRAMS_MAX 32

struct flood {
	int from;
	int to;
	const char *program;
	const char *rules;
	__u32 mode;
	unsigned int ports;
	bool anew;
	unsigned int rate;
	unsigned int packets;
	unsigned int settle;
	unsigned int rounds;
	const char *list;
	const char *sources;
};

#define NR_SOURCES (1U << 20)

static void send_frames(const struct program *sender, const struct frame *frame, unsigned int nr)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .repeat = nr);
	struct xdp_md ctx = { .data_end = frame->length };

	options.data_in = frame->data;
	options.data_size_in = frame->length;
	options.ctx_in = &ctx;
	options.ctx_size_in = sizeof(ctx);
	options.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
	options.batch_size = BATCH;
	if (bpf_prog_test_run_opts(sender->fd, &options))
		die("live frames: %s", strerror(errno));
}

static long long nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static struct program *open_sender_of_ports(const struct flood *flood, const struct frame *frame)
{
	struct sender constants = { .first_port = 1, .target = flood->to };

	constants.port_offset = frame->port_offset;
	constants.gap = flood->rate ? 1000000000U / flood->rate : 0;
	constants.nr_ports = flood->ports > 1 ? flood->ports : 0;
	if (flood->rounds)
		return sender_open("sender_timed", &constants, false);
	return sender_open(flood->anew ? "sender_anew" : "sender", &constants, false);
}

static struct program *open_sender_of_sources(const struct flood *flood)
{
	struct elements elements = elements_read(flood->list, 4);
	struct source *sources = sources_draw(flood->sources, &elements, NR_SOURCES);
	struct program *sender;

	sender = sources_open("send_sources", 4, sources, NR_SOURCES, flood->to, false);
	free(sources);
	free(elements.all);
	free(elements.outer);
	return sender;
}

static struct program *open_sender(const struct flood *flood, const struct frame *frame)
{
	return flood->list ? open_sender_of_sources(flood) : open_sender_of_ports(flood, frame);
}

/* Nanoseconds. */
static long long send_all(const struct flood *flood, const struct program *sender,
			  const struct frame *frame)
{
	long long start;

	if (flood->settle)
		send_frames(sender, frame, flood->settle);
	start = nanoseconds();
	send_frames(sender, frame, flood->packets);
	return nanoseconds() - start;
}

static void flood(const struct flood *flood)
{
	struct frame frame = frame_make("tcp4", 40000, 80);
	struct program *sender = open_sender(flood, &frame);

	printf("%u %lld\n", flood->packets, send_all(flood, sender, &frame));
	program_close(sender);
}

static void attach(const struct flood *options, const struct program *program)
{
	if (bpf_xdp_attach(options->from, program->fd, options->mode, NULL))
		die("%s: cannot attach: %s", program->name, strerror(errno));
}

static void detach(const struct flood *options)
{
	if (bpf_xdp_detach(options->from, options->mode, NULL))
		die("%s: cannot detach", options->program);
}

static void flood_program(const struct flood *options)
{
	struct program *program = program_open(options->program, options->rules, 0);

	attach(options, program);
	flood(options);
	detach(options);
	program_close(program);
}

static size_t open_programs(const struct flood *options, struct program **programs)
{
	char *names = strdup(options->program), *name;
	size_t nr = 0;

	for (name = strtok(names, ","); name; name = strtok(NULL, ",")) {
		if (nr == PROGRAMS_MAX)
			die("more than %d programs", PROGRAMS_MAX);
		programs[nr++] = program_open(name, options->rules, 0);
	}
	if (!nr)
		die("--rounds needs --program");
	return nr;
}

/* One is put in the place of another, and each round begins with the next, so that none has always the same before it. */
static void flood_programs(const struct flood *options)
{
	struct frame frame = frame_make("tcp4", 40000, 80);
	struct program *programs[PROGRAMS_MAX], *sender = open_sender(options, &frame);
	size_t nr = open_programs(options, programs);

	for (size_t i = 0; i < options->rounds * nr; i++) {
		const struct program *program = programs[(i + i / nr) % nr];

		attach(options, program);
		stamps_clear(sender);
		send_frames(sender, &frame, options->packets);
		printf("%s %d %llu\n", program->name, CHUNK,
		       stamps_median(sender, options->settle));
	}
	detach(options);
	for (size_t i = 0; i < nr; i++)
		program_close(programs[i]);
	program_close(sender);
}

static int device(const char *name)
{
	int index = if_nametoindex(name);

	if (!index)
		die("no interface %s", name);
	return index;
}

static __u32 mode_of(const char *name)
{
	if (!strcmp(name, "native"))
		return XDP_FLAGS_DRV_MODE;
	if (strcmp(name, "skb"))
		die("no mode %s", name);
	return XDP_FLAGS_SKB_MODE;
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "to", required_argument, NULL, 't' },
		{ "from", required_argument, NULL, 'f' },
		{ "program", required_argument, NULL, 'p' },
		{ "rules", required_argument, NULL, 'r' },
		{ "mode", required_argument, NULL, 'm' },
		{ "ports", required_argument, NULL, 'n' },
		{ "anew", no_argument, NULL, 'a' },
		{ "rate", required_argument, NULL, 'e' },
		{ "packets", required_argument, NULL, 'c' },
		{ "settle", required_argument, NULL, 's' },
		{ "rounds", required_argument, NULL, 'u' },
		{ "list", required_argument, NULL, 'l' },
		{ "sources", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	struct flood options = {
		.rules = "none",
		.mode = XDP_FLAGS_DRV_MODE,
		.ports = 1,
		.packets = 1000000,
		.sources = "members",
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 't':
			options.to = device(optarg);
			break;
		case 'f':
			options.from = device(optarg);
			break;
		case 'p':
			options.program = optarg;
			break;
		case 'r':
			options.rules = optarg;
			break;
		case 'm':
			options.mode = mode_of(optarg);
			break;
		case 'n':
			options.ports = atoi(optarg);
			break;
		case 'e':
			options.rate = atoi(optarg);
			break;
		case 'a':
			options.anew = true;
			break;
		case 'c':
			options.packets = atoi(optarg);
			break;
		case 's':
			options.settle = atoi(optarg);
			break;
		case 'u':
			options.rounds = atoi(optarg);
			break;
		case 'l':
			options.list = optarg;
			break;
		case 'o':
			options.sources = optarg;
			break;
		default:
			return 2;
		}
	}
	if (!options.to || !options.from || options.ports < 1 || options.packets < 1)
		die("--to and --from are needed, and numbers from 1 on");
	if (options.rounds)
		flood_programs(&options);
	else if (options.program)
		flood_program(&options);
	else
		flood(&options);
	return 0;
}
