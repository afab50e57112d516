// SPDX-License-Identifier: GPL-2.0-only
/*
 * What does the kernel deliver, with a filter and without? Sends datagrams and TCP connections to
 * a blocked and an open port, wrapped and cut and twisted by chance (delivered/train.h).
 *
 *	delivered without|with|replay OPTIONS
 *
 * Each is one index of a seed, and the same in all runs. `without` (no filter is there) sends all
 * twice: as it is, and without the frames that a filter drops by the manual. It writes to the
 * results what arrives, and prints how many have arrived of each kind. `with` sends them once,
 * past the filter, and compares:
 *
 *	at the blocked port	nothing arrives
 *	at the open port	what arrives there, without a filter, of the frames that it
 *				passes by the manual: no less and no more
 *
 * What is otherwise becomes a pcap, which `replay` sends: it says what arrives.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include "delivered/connect.h"
#include "delivered/pcap.h"

#define REPORT_MAX 12
#define GENTLE 300 /* of 1000 trains */

/* What came of an index: how often a datagram came, how far a connection. */
struct result {
	uint8_t open, blocked; /* of all frames */
	uint8_t passed;	       /* at the open port, of those that the manual passes */
};

struct run {
	struct wire wire;
	const char *device, *file, *pcap;
	uint64_t seed;
	uint32_t serial, nr, nr_connections;
	struct place place;
	struct result *results; /* datagrams, then connections */
	struct result *got;	/* of the pass that is being made */
	unsigned long sent_kinds[KIND_MAX], arrived_kinds[KIND_MAX];
	unsigned int reported;
};

/* --- what is sent, and what comes of it ------------------------------------------------------ */

static void count(uint8_t *counter)
{
	if (*counter < 255)
		++*counter;
}

static void hear_datagram(void *context, uint32_t index, bool blocked)
{
	struct run *run = context;

	if (index < run->nr)
		count(blocked ? &run->got[index].blocked : &run->got[index].open);
}

/* An answer to INIT: the host has taken it. */
static void hear_init_answer(void *context, const unsigned char *packet, unsigned int len)
{
	unsigned int at = packet[0] >> 4 == 6 ? 40 : 20;
	struct run *run = context;

	if (len < at + 16 || packet[at == 40 ? 6 : 9] != IPPROTO_SCTP ||
	    packet[at + 12] != SCTP_INIT_ANSWER)
		return;
	hear_datagram(run, get32(packet + at + 4) - SCTP_TAG(0),
		      get16(packet + at) == run->wire.place.blocked);
}

static void build_datagram(const struct run *run, struct train *train, uint32_t index)
{
	static struct message message;
	struct rng rng;

	rng_start(&rng, run->seed, 0, index);
	message_datagram(&message, &run->wire.place, &rng, index, run->serial + index);
	train_build(train, &run->wire.place, &message, &rng, rng_chance(&rng, GENTLE));
}

static void send_datagrams(struct run *run, bool all)
{
	const struct listener listener = { run, hear_datagram,
					   run->place.sctp ? hear_init_answer : NULL };
	static struct train train;

	run->wire.listener = &listener;
	for (uint32_t index = 0; index < run->nr; index++) {
		build_datagram(run, &train, index);
		for (unsigned int i = 0; i < train.nr; i++)
			if (all || !train.frames[i].dropped)
				wire_put(&run->wire, &train.frames[i]);
	}
	wire_settle(&run->wire);
	run->wire.listener = NULL;
	run->serial += run->nr;
}

static struct result *new_results(const struct run *run)
{
	struct result *results = calloc(run->nr + run->nr_connections + 1, sizeof(*results));

	if (!results)
		die("memory");
	return results;
}

/* --- what is not as it should be ------------------------------------------------------------- */

static void print_kinds(uint64_t kinds)
{
	const char *between = "";

	for (int i = 0; i < KIND_MAX; i++) {
		if (!(kinds & 1ULL << i))
			continue;
		printf("%s%s", between, train_kinds[i].name);
		between = ", ";
	}
	printf("\n");
}

/* Says what is wrong, and writes its frames. */
static void report(struct run *run, const char *what, uint32_t index, const struct train *trains,
		   unsigned int nr, const char *wrong)
{
	char path[512];
	uint64_t kinds = 0;
	FILE *file;

	if (run->reported++ >= REPORT_MAX)
		return;
	snprintf(path, sizeof(path), "%s-%s-%u.pcap", run->pcap, what, index);
	file = pcap_create(path, run->wire.place.ethernet);
	printf("%s %u: %s: ", what, index, wrong);
	for (unsigned int i = 0; i < nr; i++) {
		pcap_write(file, &trains[i]);
		if (trains[i].nr)
			kinds |= trains[i].kinds;
	}
	print_kinds(kinds);
	if (fclose(file))
		die(path);
	printf("pcap %s\n", path);
}

static void compare_datagrams(struct run *run, uint32_t first_serial)
{
	static struct train train;
	char wrong[128];

	run->serial = first_serial;
	for (uint32_t i = 0; i < run->nr; i++) {
		const struct result *got = &run->got[i], *wanted = &run->results[i];

		if (!got->blocked && got->open == wanted->passed)
			continue;
		snprintf(wrong, sizeof(wrong),
			 "%u at the blocked port, %u instead of %u at the open one", got->blocked,
			 got->open, wanted->passed);
		build_datagram(run, &train, i);
		report(run, "datagram", i, &train, 1, wrong);
	}
}

static void report_connection(struct run *run, const struct connection *c)
{
	const struct result *got = &run->got[run->nr + c->index];
	const struct result *wanted = &run->results[run->nr + c->index];
	char wrong[128];

	if (!got->blocked && got->open == wanted->passed)
		return;
	snprintf(wrong, sizeof(wrong),
		 "came to %#x at the blocked port, to %#x instead of %#x at the open one",
		 got->blocked >> 4, got->open, wanted->passed);
	report(run, "connection", c->index, c->trains, CONNECT_TRAINS, wrong);
}

static void make_connections(struct run *run, bool all, bool compare)
{
	static struct batch batch;

	batch.wire = &run->wire;
	batch.seed = run->seed;
	batch.all = all;
	for (uint32_t at = 0; at < run->nr_connections; at += batch.nr) {
		uint32_t left = run->nr_connections - at;

		connect_batch(&batch, at, run->serial + at, left < BATCH_MAX ? left : BATCH_MAX);
		for (unsigned int i = 0; i < batch.nr; i++) {
			struct connection *c = &batch.connections[i];
			struct result *got = &run->got[run->nr + c->index];

			got->open = c->came & CONNECT_OPEN;
			got->blocked = c->came & CONNECT_BLOCKED;
			if (compare)
				report_connection(run, c);
		}
	}
	run->serial += run->nr_connections;
}

/* --- results --------------------------------------------------------------------------------- */

static void write_results(const struct run *run)
{
	size_t nr = run->nr + run->nr_connections;
	FILE *file = fopen(run->file, "w");

	if (!file || fwrite(run->results, sizeof(*run->results), nr, file) != nr || fclose(file))
		die(run->file);
}

static void read_results(const struct run *run)
{
	size_t nr = run->nr + run->nr_connections;
	FILE *file = fopen(run->file, "r");

	if (!file || fread(run->results, sizeof(*run->results), nr, file) != nr)
		die(run->file);
	fclose(file);
}

static void count_kinds(struct run *run)
{
	static struct train train;

	for (uint32_t i = 0; i < run->nr; i++) {
		bool arrived = run->results[i].open || run->results[i].blocked;

		build_datagram(run, &train, i);
		for (int kind = 0; kind < KIND_MAX; kind++) {
			run->sent_kinds[kind] += train.kinds >> kind & 1;
			run->arrived_kinds[kind] += arrived && train.kinds >> kind & 1;
		}
	}
}

static void print_counts(const struct run *run)
{
	static const char *const arrives[] = { "never", "perhaps", "always" };

	for (int i = 0; i < KIND_MAX; i++)
		if (i != KIND_TCP)
			printf("kind\t%s\t%lu\t%lu\t%s\n", train_kinds[i].name, run->sent_kinds[i],
			       run->arrived_kinds[i], arrives[train_kinds[i].arrives]);
}

static void print_sums(const char *what, const struct result *results, uint32_t nr, uint8_t mask)
{
	unsigned int open = 0, blocked = 0, passed = 0;

	for (uint32_t i = 0; i < nr; i++) {
		open += (results[i].open & mask) != 0;
		blocked += (results[i].blocked & (mask | mask << 4)) != 0;
		passed += (results[i].passed & mask) != 0;
	}
	printf("%s\t%u\t%u\t%u\t%u\n", what, nr, open, blocked, passed);
}

/* --- the verbs ------------------------------------------------------------------------------- */

static int without(struct run *run)
{
	struct result *passed = new_results(run);
	size_t nr = run->nr + run->nr_connections;

	run->got = run->results;
	send_datagrams(run, true);
	make_connections(run, true, false);
	run->got = passed;
	send_datagrams(run, false);
	make_connections(run, false, false);
	for (size_t i = 0; i < nr; i++)
		run->results[i].passed = passed[i].open;
	free(passed);
	write_results(run);
	count_kinds(run);
	print_counts(run);
	print_sums("datagrams", run->results, run->nr, 0xff);
	print_sums("connections", run->results + run->nr, run->nr_connections, CONNECT_READ);
	return 0;
}

static int with(struct run *run)
{
	uint32_t first_serial = run->serial;

	read_results(run);
	run->got = new_results(run);
	send_datagrams(run, true);
	make_connections(run, true, true);
	compare_datagrams(run, first_serial);
	print_sums("datagrams", run->got, run->nr, 0xff);
	print_sums("connections", run->got + run->nr, run->nr_connections, CONNECT_ANSWERED);
	printf("wrong\t%u\n", run->reported);
	free(run->got);
	return run->reported != 0;
}

static int replay(struct run *run)
{
	return replay_pcap(&run->wire, run->file);
}

/* --- the command line ------------------------------------------------------------------------ */

static const struct option options[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "ipv4", required_argument, NULL, '4' },
	{ "ipv6", required_argument, NULL, '6' },
	{ "open", required_argument, NULL, 'o' },
	{ "blocked", required_argument, NULL, 'b' },
	{ "seed", required_argument, NULL, 's' },
	{ "serial", required_argument, NULL, 'i' },
	{ "datagrams", required_argument, NULL, 'n' },
	{ "connections", required_argument, NULL, 'c' },
	{ "file", required_argument, NULL, 'f' },
	{ "pcap", required_argument, NULL, 'p' },
	{ "ah", no_argument, NULL, 'a' },
	{ "vlans", no_argument, NULL, 'v' },
	{ "udplite", no_argument, NULL, 'u' },
	{ "sctp", no_argument, NULL, 't' },
	{ "jumbo", no_argument, NULL, 'j' },
	{},
};

static void usage(void)
{
	fprintf(stderr, "usage: delivered without|with|replay OPTIONS\n");
	exit(99);
}

static bool take_option(struct run *run, int option)
{
	struct place *place = &run->place;

	switch (option) {
	case 'd':
		run->device = optarg;
		return true;
	case '4':
		return inet_pton(AF_INET, optarg, place->ipv4) == 1;
	case '6':
		return inet_pton(AF_INET6, optarg, place->ipv6) == 1;
	case 'o':
		place->open = atoi(optarg);
		return true;
	case 'b':
		place->blocked = atoi(optarg);
		return true;
	case 's':
		run->seed = strtoull(optarg, NULL, 10);
		return true;
	case 'i':
		run->serial = strtoul(optarg, NULL, 10);
		return true;
	case 'n':
		run->nr = strtoul(optarg, NULL, 10);
		return true;
	case 'c':
		run->nr_connections = strtoul(optarg, NULL, 10);
		return true;
	case 'f':
		run->file = optarg;
		return true;
	case 'p':
		run->pcap = optarg;
		return true;
	case 'a':
		return place->ah = true;
	case 'v':
		return place->vlans = true;
	case 'u':
		return place->udplite = true;
	case 'j':
		return place->jumbo = true;
	case 't':
		return place->sctp = true;
	}
	return false;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(struct run *run);
	} verbs[] = { { "without", without }, { "with", with }, { "replay", replay } };
	static struct run run;
	int option, status = 99;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
		if (!take_option(&run, option))
			usage();
	if (optind + 1 != argc || !run.device || !run.file)
		usage();
	run.results = new_results(&run);
	wire_open(&run.wire, run.device, &run.place);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (!strcmp(argv[optind], verbs[i].name))
			status = verbs[i].run(&run);
	free(run.results);
	return status;
}
