// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rates in the loaded program, packet by packet: one packet an hour is a rate at which nothing comes back while this
 * runs, so of N packets exactly `burst` are let go, whatever the time. PB_ENGINE=native: of that engine.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <portblock/tokens.h>
#include "attach/features.h"
#include "attach/object.h"
#include "maps/buckets.h"
#include "maps/slot.h"
#include "rules/rules.h"
#include "util/log.h"

#define MAX_RULES 64U
#define FRAME 100
#define TCP 6
#define ICMP 1

static struct pb_maps maps = PB_MAPS_NONE;
static struct pb_rules rules;
static struct portblock_bpf *object;
static int prog, tests, failures;

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("rates: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

/* ---- A world -------------------------------------------------------------------------------- */

static struct pb_rate an_hour(__u64 amount, __u64 burst)
{
	return (struct pb_rate){ .amount = amount, .burst = burst, .per = PB_RATE_HOUR };
}

static struct pb_over over(__u64 burst)
{
	return (struct pb_over){ .rate = an_hour(1, burst) };
}

static struct pb_over each(__u64 burst, __u8 len4, __u8 len6)
{
	return (struct pb_over){ .rate = an_hour(1, burst), .each = 1, .len4 = len4, .len6 = len6 };
}

static void rule(const char *line, struct pb_over over)
{
	struct pb_rule rule = { 0 };
	struct pb_error error = { 0 };
	char **words;
	size_t nr;

	if (pb_words_split(line, &words, &nr, &error) ||
	    pb_rule_parse(words, nr, pb_clock(), &rule, NULL, &error))
		die("%s", error.text);
	rule.over = over;
	if (pb_rules_add(&rules, &rule, NULL, NULL, &error))
		die("%s", error.text);
	pb_words_free(words, nr);
}

/* The rules so far, in force; each change as `rule add` makes it, in the other slot. */
static void publish(void)
{
	__u32 idle = !maps.config->active;
	struct pb_error error;

	if (pb_slot_write(&maps, idle, &rules, maps.config->generations++, &error))
		die("%s", error.text);
	for (size_t i = 0; i < rules.nr; i++) {
		if (rules.rule[i].added)
			pb_buckets_refill_rule(&maps, rules.rule[i].id);
		rules.rule[i].added = false;
	}
	maps.config->active = idle;
}

static void begin(void)
{
	const struct pb_features features = pb_features();
	const char *engine = getenv("PB_ENGINE");
	struct pb_constants constants = { .ethernet = true,
					  .frags = features.frags,
					  .kern_ctx = features.kern_ctx,
					  .connections = features.connections,
					  .native = engine && !strcmp(engine, "native") };
	struct pb_ruleset_options options = { .max_rules = MAX_RULES, .max_buckets = 1024 };
	struct pb_error error;

	pb_rules_clear(&rules);
	rules = (struct pb_rules){ .max_rules = MAX_RULES };
	portblock_bpf__destroy(object);
	pb_maps_close(&maps);
	if (pb_maps_create("test", &options, &maps, &error) ||
	    pb_object_open(&maps, &constants, &object, &error))
		die("%s", error.text);
	if (constants.frags)
		bpf_program__set_flags(object->progs.xdp_portblock, BPF_F_XDP_HAS_FRAGS);
	if (portblock_bpf__load(object))
		die("cannot load the program: %s", pb_log_last());
	prog = bpf_program__fd(object->progs.xdp_portblock);
}

/* ---- Packets --------------------------------------------------------------------------------- */

struct packet {
	unsigned char frame[FRAME];
};

static struct packet packet(const char *source, int proto, __u16 dport)
{
	bool six = strchr(source, ':');
	struct packet packet = { .frame = { [12] = six ? 0x86 : 8, [13] = six ? 0xdd : 0 } };
	unsigned char *ip = packet.frame + 14, *ports = ip + (six ? 40 : 20);

	ip[0] = six ? 0x60 : 0x45;
	ip[six ? 6 : 9] = proto;
	ip[six ? 5 : 3] = FRAME - 14 - (six ? 40 : 0);
	if (!six)
		ip[8] = 64;
	if (inet_pton(six ? AF_INET6 : AF_INET, source, ip + (six ? 8 : 12)) != 1)
		die("%s", source);
	if (proto == TCP)
		ports[12] = 0x50;
	ports[0] = 0x9c;
	ports[2] = dport >> 8;
	ports[3] = dport;
	return packet;
}

static int run(const struct packet *packet, __u32 repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet->frame,
		    .data_size_in = sizeof(packet->frame), .repeat = repeat);

	if (bpf_prog_test_run_opts(prog, &options))
		die("test run: %s", strerror(errno));
	return options.retval;
}

/* Of so many packets, how many are passed. */
static int pass(const char *source, int proto, __u16 dport, int nr)
{
	struct packet sent = packet(source, proto, dport);
	int passed = 0;

	while (nr-- > 0)
		passed += run(&sent, 1) == XDP_PASS;
	return passed;
}

static __u64 counted(__u32 id)
{
	const struct pb_counters counters = pb_maps_counters(&maps);
	struct pb_count count;

	pb_counters_read(&counters, id, 1, &count);
	return count.packets;
}

static void is(__u64 got, __u64 wanted, const char *what)
{
	bool good = got == wanted;

	failures += !good;
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, what);
	if (!good)
		printf("# got %llu, not %llu\n", got, wanted);
}

static void within(__u64 got, __u64 least, __u64 most, const char *what)
{
	is(got < least ? least : got > most ? most : got, got, what);
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static const char *const hosts[2][3] = { { "192.0.2.1", "192.0.2.2", "198.51.100.1" },
					 { "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1" } };

static void test_rule(void)
{
	begin();
	rule("drop tcp dport 22", over(5));
	publish();
	is(pass(hosts[0][0], TCP, 22, 12), 5, "a rule's rate: as many go as its burst");
	is(pass(hosts[1][0], TCP, 22, 8), 0, "one bucket for all sources of both families");
	is(counted(1), 15, "those beyond are counted, and they alone");
	is(pass(hosts[0][0], TCP, 23, 9), 9, "other ports are as they were");
	pb_buckets_refill(&maps);
	is(pass(hosts[1][0], TCP, 22, 12), 5, "rule reset refills");
}

static int places_taken(void)
{
	int taken = 0;

	for (__u32 row = 0; row < pb_token_rows(1024); row++)
		for (int i = 0; i < PB_TOKEN_ROW; i++)
			taken += !!maps.tokens_each[row].bucket[i].tag;
	return taken;
}

static void test_each(int family)
{
	const char *const *host = hosts[family];

	begin();
	rule("drop tcp dport 22", each(3, 32, 64));
	publish();
	is(pass(host[0], TCP, 22, 9), 3, "each source: the first one");
	is(pass(host[1], TCP, 22, 9), family ? 0 : 3,
	   family ? "IPv6: another one of the same 64 bits" : "IPv4: another one");
	is(pass(host[2], TCP, 22, 9), 3, "another network");
	is(pass(host[0], TCP, 22, 9), 0, "the first one again");
	is(places_taken(), family ? 2 : 3, "a place each");
	pb_buckets_refill(&maps);
	is(pass(host[0], TCP, 22, 9), 3, "rule reset refills");
}

static void test_lengths(void)
{
	begin();
	rule("drop tcp dport 22", each(3, 24, 128));
	publish();
	is(pass(hosts[0][0], TCP, 22, 9) + pass(hosts[0][1], TCP, 22, 9), 3, "a bucket for /24");
	is(pass(hosts[0][2], TCP, 22, 9), 3, "and one for the next");
	is(pass(hosts[1][0], TCP, 22, 9) + pass(hosts[1][1], TCP, 22, 9), 6, "each of /128");
}

static void test_total(void)
{
	struct pb_over both = each(2, 32, 64);
	char source[32];
	int passed = 0;

	both.total = an_hour(1, 7);
	begin();
	rule("drop tcp dport 22", both);
	publish();
	is(pass(hosts[0][0], TCP, 22, 9), 2, "total: a source has its own rate");
	for (int i = 0; i < 20; i++) {
		snprintf(source, sizeof(source), "203.0.113.%d", i);
		passed += pass(source, TCP, 22, 3);
	}
	is(passed, 5, "all together have theirs, and what one had beyond took nothing");
}

/* The table has fewer buckets than there are sources. */
static void test_spoofed(void)
{
	struct pb_over both = each(2, 32, 64);
	__u64 evicted = 0;
	char source[32];
	int passed = 0;

	begin();
	rule("drop tcp dport 22", both);
	publish();
	for (int i = 0; i < 4096; i++) {
		snprintf(source, sizeof(source), "10.0.%d.%d", i / 256, i % 256);
		passed += pass(source, TCP, 22, 1);
	}
	for (int cpu = 0; cpu < PB_CPU_ROWS; cpu++)
		evicted += maps.rates->row[cpu].evicted;
	is(passed, 4096, "more sources than buckets: each has a new one");
	is(evicted, 4096 - places_taken(), "what went for them is counted");
	both.total = an_hour(1, 9);
	begin();
	rule("drop tcp dport 22", both);
	publish();
	for (int i = passed = 0; i < 4096; i++) {
		snprintf(source, sizeof(source), "10.0.%d.%d", i / 256, i % 256);
		passed += pass(source, TCP, 22, 1);
	}
	is(passed, 9, "the total holds all the same");
}

static void test_actions(int family)
{
	const char *source = hosts[family][0];

	begin();
	rule("audit tcp dport 22", over(4));
	rule("drop tcp dport 20-30", (struct pb_over){ .each = 0 });
	publish();
	is(pass(source, TCP, 22, 10), 6, "audit: the next rule judges what is let go");
	is(counted(1), 6, "and this one the rest");
	is(counted(2), 4, "likewise");
	begin();
	rules.settings.policy = PB_POLICY_DENY;
	rules.settings.no_replies = true;
	rule("allow tcp dport 22", over(4));
	publish();
	is(pass(source, TCP, 22, 10), 6, "allow under policy deny");
}

static void test_once(void)
{
	begin();
	rule("drop tcp dport 20-30,22,22-23", over(6));
	publish();
	is(pass(hosts[0][0], TCP, 22, 20), 6, "ranges that overlap: tokens are taken once");
	is(pass(hosts[0][0], TCP, 25, 20), 0, "all ranges have one bucket");
	begin();
	rule("drop tcp dport 22 from 192.0.0.0/8,192.0.2.0/24,192.0.2.1", over(6));
	publish();
	is(pass(hosts[0][0], TCP, 22, 20), 6, "prefixes within each other: likewise");
	is(pass(hosts[0][2], TCP, 22, 20), 20, "not from elsewhere");
	begin();
	rule("drop tcp dport 22", over(6));
	rule("drop tcp sport 40000-40001", over(6));
	rule("drop tcp dport 1-65535", over(3));
	publish();
	is(pass(hosts[1][0], TCP, 22, 40), 3, "three rules: each lets go what it does");
}

static void test_portless(int family)
{
	const char *source = hosts[family][0];

	begin();
	rule(family ? "drop from 2001:db8::/32" : "drop from 192.0.2.0/24", each(4, 32, 64));
	publish();
	is(pass(source, family ? 58 : ICMP, 0, 10), 4, "about sources alone: no ports");
	is(pass(source, TCP, 22, 10), 0, "and with ports");
}

static void test_bits(void)
{
	struct pb_over bits = {
		.rate = { .amount = 1, .burst = FRAME * 8 * 7, .unit = PB_RATE_BITS }
	};

	begin();
	rule("drop tcp dport 22", bits);
	publish();
	is(pass(hosts[0][0], TCP, 22, 20), 7, "bits: a packet weighs what it is long");
}

static void test_changes(void)
{
	begin();
	rule("drop tcp dport 22", over(5));
	rule("drop tcp dport 23", each(5, 32, 64));
	publish();
	is(pass(hosts[0][0], TCP, 22, 3) + pass(hosts[0][0], TCP, 23, 3), 6, "before a change");
	rule("drop tcp dport 80", over(1));
	publish();
	is(pass(hosts[0][0], TCP, 22, 9), 2, "another rule: the bucket stays");
	is(pass(hosts[0][0], TCP, 23, 9), 2, "those of sources, too");
	rules.rule[0].added = rules.rule[1].added = true;
	publish();
	is(pass(hosts[0][0], TCP, 22, 9), 5,
	   "another one under the same id begins with a full one");
	is(pass(hosts[0][0], TCP, 23, 9), 5, "of sources likewise");
	publish();
	is(pass(hosts[0][0], TCP, 23, 9), 0, "and keeps them");
}

/* Looks, and takes nothing. */
static void test_quiet(void)
{
	const struct pb_features features = pb_features();
	struct pb_constants constants = { .ethernet = true,
					  .frags = features.frags,
					  .kern_ctx = features.kern_ctx,
					  .private_counts = true };
	int own = prog;
	struct portblock_bpf *quiet;
	struct pb_error error;

	begin();
	rule("drop tcp dport 22", over(5));
	rule("drop tcp dport 23", each(5, 32, 64));
	publish();
	own = prog;
	if (pb_object_open(&maps, &constants, &quiet, &error))
		die("%s", error.text);
	if (constants.frags)
		bpf_program__set_flags(quiet->progs.xdp_portblock, BPF_F_XDP_HAS_FRAGS);
	if (portblock_bpf__load(quiet))
		die("cannot load the program: %s", pb_log_last());
	prog = bpf_program__fd(quiet->progs.xdp_portblock);
	is(pass(hosts[0][0], TCP, 22, 9) + pass(hosts[0][0], TCP, 23, 9), 18, "explain takes none");
	prog = own;
	is(pass(hosts[0][0], TCP, 22, 9) + pass(hosts[0][0], TCP, 23, 9), 10, "all are there");
	prog = bpf_program__fd(quiet->progs.xdp_portblock);
	is(pass(hosts[0][0], TCP, 22, 9) + pass(hosts[0][0], TCP, 23, 9), 0,
	   "and it sees none left");
	prog = own;
	portblock_bpf__destroy(quiet);
}

/* ---- Two CPUs at once ------------------------------------------------------------------------ */

#define MANY 400000

static void *flood(void *argument)
{
	const struct packet *sent = argument;

	run(sent, MANY);
	return NULL;
}

static void on_cpu(pthread_t thread, int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	pthread_setaffinity_np(thread, sizeof(cpus), &cpus);
}

/* How many of 2 * MANY packets are let go. */
static __u64 let_go(struct pb_over over, const char *a, const char *b)
{
	struct packet sent[2] = { packet(a, TCP, 22), packet(b, TCP, 22) };
	pthread_t threads[2];

	begin();
	rule("drop tcp dport 22", over);
	publish();
	for (int i = 0; i < 2; i++) {
		if (pthread_create(&threads[i], NULL, flood, &sent[i]))
			die("no thread");
		on_cpu(threads[i], i);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	return 2 * MANY - counted(1);
}

static void test_two_cpus(void)
{
	const char *a = hosts[0][0], *b = hosts[0][1];

	is(let_go(over(30000), a, b), 30000, "two CPUs, one bucket: not one packet more");
	within(let_go(each(30000, 32, 64), a, a), 30000, 30000 + 2,
	       "two CPUs, one source: a packet a CPU more at most");
	is(let_go(each(30000, 32, 64), a, b), 60000, "two CPUs, two sources");
}

int main(void)
{
	pb_log_enter(); /* keeps libbpf's messages to itself */
	test_rule();
	test_lengths();
	for (int family = 0; family < 2; family++) {
		test_each(family);
		test_actions(family);
		test_portless(family);
	}
	test_total();
	test_spoofed();
	test_once();
	test_bits();
	test_changes();
	test_quiet();
	test_two_cpus();
	printf("1..%d\n", tests);
	portblock_bpf__destroy(object);
	pb_maps_close(&maps);
	pb_rules_clear(&rules);
	return !!failures;
}
