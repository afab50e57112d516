// SPDX-License-Identifier: GPL-2.0-only
/*
 * Offers packets to a rule with `over`, and judges by the clock whether as many went as its rate is.
 *
 *	offer RULESET RATE BURST SOURCES OFFERED SECONDS OBJECT|- DEVICE[,DEVICE] [COMMAND]
 *
 * Rule 1 of RULESET drops datagrams to port 7 over RATE a second, with a bucket of BURST, for each of SOURCES if these are
 * more than 0 (0/N: they come from N, and have one together); rule 2 allows them, so it counts what went; rules 3 and 4 allow ports 9 and 10. A thread and CPU of its own for each
 * DEVICE sends OFFERED datagrams a second, all threads together, for so many SECONDS: by live frames of OBJECT (flood.bpf.o), or
 * with `-` by a packet socket. They go in rounds. At the end of each a datagram to port 9 goes the same way, and when it is
 * counted so are all before it; of the second DEVICE to port 10. In the middle COMMAND is run.
 *
 * No bound on time: each round is stamped when it begins and when it is over, and what is judged is what went between
 * the first stamp and the last. At most that is BURST + RATE * time. It is that less what ran over, while a bucket was full: at
 * most what may have come since the round before, beyond what there was room for; a round in which packets were over the rate
 * says that the bucket was empty in it.
 *
 * Prints "passed N of N, least N, most N, off by N %, in N s"; exit status 1: by more than 2 % and a packet of each bucket.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <portblock/portblock.h>

#ifndef BPF_F_TEST_XDP_LIVE_FRAMES
#define BPF_F_TEST_XDP_LIVE_FRAMES (1U << 1)
#endif
#define LANES 2
#define LENGTH 64
#define PORT 7
#define MARKER 9
#define SOURCE 0x0a400000U /* 10.64.0.0, and so on */
#define ETH_IPV4 0x0800
#define RESEND_NS 200000000

enum { RULE_OVER = 1, RULE_PASSED, RULE_MARKER };

struct frame {
	unsigned char bytes[LENGTH];
};

struct lane {
	struct offer *offer;
	const char *device;
	unsigned int cpu;
	int socket, program; /* program -1: by the socket */
	struct bpf_object *object;
	__u32 next;
	long count; /* to be sent in this round */
	pthread_t thread;
};

struct offer {
	struct pb_ruleset *ruleset;
	double rate, burst, offered, seconds;
	unsigned int sources, spread; /* that have a bucket each; that packets come from */
	const char *object, *command;
	struct lane lanes[LANES];
	unsigned int nr;
	pthread_barrier_t go, done;
};

/* Of one bucket; all are alike. */
struct judgement {
	double first, first_end, last; /* stamps: the first round, and the end of the last */
	double begun;		       /* when the round before began */
	double sealed;		       /* when the last round began in which packets were over */
	double level, ran_over;	       /* at most */
	double offered;		       /* since it was empty */
	__u64 passed, over;
};

static void die(const char *what)
{
	fprintf(stderr, "offer: %s: %s\n", what, strerror(errno));
	exit(99);
}

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec + at.tv_nsec / 1e9;
}

static void wait_until(double time)
{
	struct timespec at = { .tv_sec = time, .tv_nsec = (time - (time_t)time) * 1e9 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

/* ---- Sending -------------------------------------------------------------------------------- */

static struct frame frame(__u32 source, unsigned int port)
{
	/* Ethernet, IPv4 (protocol 17), UDP from port 40000 */
	static const unsigned char head[] = "\2\0\0\0\0\2\2\0\0\0\0\1\x08\0"
					    "\x45\0\0\x32\0\0\0\0\x40\x11\0\0"
					    "\x0a\x40\0\0\x0a\x09\0\1\x9c\x40";
	struct frame frame = {};

	memcpy(frame.bytes, head, sizeof(head) - 1);
	source = htonl(SOURCE + source);
	memcpy(frame.bytes + 26, &source, sizeof(source));
	frame.bytes[36] = port >> 8;
	frame.bytes[37] = port;
	frame.bytes[39] = LENGTH - 34;
	return frame;
}

/* One by one where the device has no room: it is the filter that is to drop. */
static void send_frame(const struct lane *lane, const struct frame *frame)
{
	while (send(lane->socket, frame, sizeof(*frame), 0) < 0)
		if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
			die(lane->device);
}

static void send_plain(struct lane *lane)
{
	unsigned int sources = lane->offer->spread ?: 1;

	for (long i = 0; i < lane->count; i++) {
		struct frame sent = frame(lane->next++ % sources, PORT);

		send_frame(lane, &sent);
	}
}

static void send_live(const struct lane *lane)
{
	struct frame sent = frame(0, PORT);
	struct xdp_md context = { .data_end = sizeof(sent) };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = &sent, .data_size_in = sizeof(sent),
		    .ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = lane->count,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	if (lane->count && bpf_prog_test_run_opts(lane->program, &options))
		die("live frames");
}

static __u64 counted(const struct offer *offer, __u32 rule)
{
	return pb_ruleset_count(offer->ruleset, rule).packets;
}

/* All that was sent before has been judged. Where the queue was full the marker is lost: another one goes. */
static void wait_for_marker(const struct lane *lane)
{
	const struct frame marker = frame(0, MARKER + lane->cpu);
	__u64 before = counted(lane->offer, RULE_MARKER + lane->cpu);
	const struct timespec moment = { .tv_nsec = 20000 };
	double again = 0;

	do {
		if (now() >= again) {
			send_frame(lane, &marker);
			again = now() + RESEND_NS / 1e9;
		} else {
			nanosleep(&moment, NULL);
		}
	} while (counted(lane->offer, RULE_MARKER + lane->cpu) == before);
}

/* Before all that is not in a hurry: a busy machine makes rounds longer, and less can be said of them. */
static void be_urgent(void)
{
	const struct sched_param first = { .sched_priority = 1 };

	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first);
}

static void *run_lane(void *argument)
{
	struct lane *lane = argument;
	struct offer *offer = lane->offer;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(lane->cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	be_urgent();
	for (;;) {
		pthread_barrier_wait(&offer->go);
		if (lane->count < 0)
			return NULL;
		if (lane->program < 0)
			send_plain(lane);
		else
			send_live(lane);
		wait_for_marker(lane);
		pthread_barrier_wait(&offer->done);
	}
}

static void round_of(struct offer *offer, long count)
{
	for (unsigned int i = 0; i < offer->nr; i++)
		offer->lanes[i].count = count / offer->nr + (i < count % offer->nr);
	pthread_barrier_wait(&offer->go);
	pthread_barrier_wait(&offer->done);
}

/* ---- Judging -------------------------------------------------------------------------------- */

static unsigned int buckets(const struct offer *offer)
{
	return offer->sources ?: 1;
}

/* Has a packet of each source been over? One bucket says so; of several it follows from what came of each. */
static bool was_empty(const struct offer *offer, const struct judgement *all, double level,
		      __u64 over)
{
	return offer->sources ? all->offered > level + 1 : over > 0;
}

static void judge(const struct offer *offer, struct judgement *all, double begun, double end,
		  __u64 passed, __u64 over)
{
	double came = all->begun ? offer->rate * (end - all->begun) : 0, level;

	if (!all->begun) {
		all->first = begun;
		all->first_end = end;
		all->level = offer->burst;
	}
	level = all->level + came;
	if (level > offer->burst) {
		all->ran_over += level - offer->burst;
		level = offer->burst;
	}
	all->offered += (double)((passed + over) / buckets(offer));
	all->level = level - (double)(passed / buckets(offer));
	if (was_empty(offer, all, level, over)) {
		all->sealed = begun;
		all->level = 1 + offer->rate * (end - begun);
		all->offered = 0;
	}
	all->begun = begun;
	all->last = end;
	all->passed += passed;
	all->over += over;
}

static int say(const struct offer *offer, const struct judgement *all)
{
	unsigned int nr = buckets(offer);
	double most = nr * (offer->burst + offer->rate * (all->last - all->first));
	double least =
		nr * (offer->burst + offer->rate * (all->sealed - all->first_end) - all->ran_over);
	double off = 0;

	if (!all->sealed)
		least = most = 0;
	if (all->passed > most)
		off = (all->passed - most) / most;
	if (all->passed < least)
		off = (all->passed - least) / least;
	printf("passed %llu of %llu, least %.0f, most %.0f, off by %.2f %%, in %.2f s%s\n",
	       all->passed, all->passed + all->over, least, most, 100 * off, all->last - all->first,
	       all->sealed ? "" : ": none was over the rate");
	return !all->sealed || all->passed > 1.02 * most + nr || all->passed < 0.98 * least - nr;
}

static int offer_all(struct offer *offer)
{
	double interval = offer->offered < 50 ? 1 / offer->offered * offer->nr : 0.05, begun,
	       next = now();
	long each = offer->offered * interval, rounds = offer->seconds / interval;
	struct judgement all = {};

	for (long i = 0; i <= rounds; i++) {
		__u64 passed = counted(offer, RULE_PASSED), over = counted(offer, RULE_OVER);

		wait_until(next);
		begun = now();
		round_of(offer, i ? each : (long)(offer->burst * buckets(offer) / 2));
		judge(offer, &all, begun, now(), counted(offer, RULE_PASSED) - passed,
		      counted(offer, RULE_OVER) - over);
		if (i == rounds / 2 && offer->command && system(offer->command))
			die(offer->command);
		next = next + interval > now() ? next + interval : now();
	}
	return say(offer, &all);
}

/* ---- Making ready --------------------------------------------------------------------------- */

static void open_socket(struct lane *lane)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_IPV4),
				  .sll_ifindex = if_nametoindex(lane->device) };

	lane->socket = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (lane->socket < 0 || !to.sll_ifindex ||
	    bind(lane->socket, (struct sockaddr *)&to, sizeof(to)))
		die(lane->device);
}

/* Its constants: the device, and how many sources. */
static void open_program(struct lane *lane)
{
	const char *path = lane->offer->object;
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	unsigned int *constants = NULL;
	struct bpf_map *map;
	size_t size = 0;

	if (!object)
		die(path);
	bpf_object__for_each_map(map, object)
		if (strstr(bpf_map__name(map), ".rodata"))
			constants = (unsigned int *)bpf_map__initial_value(map, &size);
	if (!constants || size < 2 * sizeof(*constants))
		die("its constants");
	constants[0] = if_nametoindex(lane->device);
	constants[1] = lane->offer->spread;
	if (bpf_object__load(object))
		die(path);
	lane->object = object;
	lane->program = bpf_program__fd(bpf_object__find_program_by_name(object, "flood"));
}

static void open_lane(struct offer *offer, const char *device)
{
	struct lane *lane = &offer->lanes[offer->nr];

	lane->offer = offer;
	lane->device = device;
	lane->cpu = offer->nr++;
	lane->program = -1;
	open_socket(lane);
	if (strcmp(offer->object, "-"))
		open_program(lane);
}

static void start(struct offer *offer)
{
	pthread_barrier_init(&offer->go, NULL, offer->nr + 1);
	pthread_barrier_init(&offer->done, NULL, offer->nr + 1);
	for (unsigned int i = 0; i < offer->nr; i++)
		if (pthread_create(&offer->lanes[i].thread, NULL, run_lane, &offer->lanes[i]))
			die("a thread");
}

static void stop(struct offer *offer)
{
	for (unsigned int i = 0; i < offer->nr; i++)
		offer->lanes[i].count = -1;
	pthread_barrier_wait(&offer->go);
	for (unsigned int i = 0; i < offer->nr; i++) {
		pthread_join(offer->lanes[i].thread, NULL);
		bpf_object__close(offer->lanes[i].object);
	}
	pb_ruleset_close(offer->ruleset);
}

int main(int argc, char **argv)
{
	struct offer offer = {};
	struct pb_error error;
	char *end;
	int ret;

	if (argc != 9 && argc != 10) {
		fprintf(stderr, "usage: offer RULESET RATE BURST SOURCES OFFERED SECONDS OBJECT|- "
				"DEVICE[,DEVICE] [COMMAND]\n");
		return 2;
	}
	if (pb_ruleset_open(argv[1], &offer.ruleset, &error)) {
		fprintf(stderr, "offer: %s\n", error.text);
		return 99;
	}
	offer.rate = strtod(argv[2], NULL);
	offer.burst = strtod(argv[3], NULL);
	offer.sources = strtoul(argv[4], &end, 10);
	offer.spread = *end ? strtoul(end + 1, NULL, 10) : offer.sources;
	offer.offered = strtod(argv[5], NULL);
	offer.seconds = strtod(argv[6], NULL);
	offer.object = argv[7];
	offer.command = argv[9];
	for (char *word = strtok(argv[8], ","); word && offer.nr < LANES; word = strtok(NULL, ","))
		open_lane(&offer, word);
	start(&offer);
	be_urgent();
	ret = offer_all(&offer);
	stop(&offer);
	return ret;
}
