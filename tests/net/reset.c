// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets the counters of a ruleset while its program counts as fast as it can, on all CPUs.
 *
 *	reset DEVICE RULESET RULE PORT ROUNDS
 *
 * Each round runs the program of DEVICE on datagrams to PORT, which RULE drops, by
 * BPF_PROG_TEST_RUN on each CPU; resets the counters meanwhile; then stops, and looks at those of
 * the rule and of the interface. They must have counted what came after the reset: no less than was
 * begun when it was over, no more than was not done when it began, and of each packet all bytes.
 * Prints "rounds N packets N wrong N".
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <portblock/portblock.h>

#define LENGTH 64
#define AT_ONCE 4096
#define CPUS_MAX 256

struct test {
	struct pb_ruleset *ruleset;
	int ifindex, fd;
	__u32 rule;
	unsigned int port;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool running, over;
	__u32 wait_for;	   /* senders that are still to send, or to stop, for the next step */
	__u64 begun, done; /* packets, of all rounds */
	__u64 before;	   /* done when the reset began, and begun when it was over */
	__u64 after;
	unsigned int wrong;
};

struct sender {
	struct test *test;
	int cpu;
	bool has_sent; /* in this round */
	pthread_t thread;
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "reset: %s: %s\n", what, why);
	exit(99);
}

/* ---- Senders ----------------------------------------------------------------------------- */

static void send_some(const struct test *test)
{
	/* Ethernet, IPv4 (protocol 17), UDP from port 40000 */
	static const unsigned char head[] = "\2\0\0\0\0\2\2\0\0\0\0\1\x08\0"
					    "\x45\0\0\x32\0\0\0\0\x40\x11\0\0"
					    "\xc0\0\2\1\x0a\x09\0\1\x9c\x40";
	unsigned char frame[LENGTH] = {};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = AT_ONCE);

	memcpy(frame, head, sizeof(head) - 1);
	frame[36] = test->port >> 8;
	frame[37] = test->port;
	frame[39] = sizeof(frame) - 34;
	while (bpf_prog_test_run_opts(test->fd, &options))
		if (errno != EINTR && errno != EAGAIN)
			die("test run", strerror(errno));
}

static void tell(struct test *test)
{
	if (!--test->wait_for)
		pthread_cond_broadcast(&test->changed);
}

/* With the mutex held, but for the time of sending. */
static void send_round(struct sender *sender)
{
	struct test *test = sender->test;

	sender->has_sent = false;
	while (test->running) {
		test->begun += AT_ONCE;
		pthread_mutex_unlock(&test->mutex);
		send_some(test);
		pthread_mutex_lock(&test->mutex);
		test->done += AT_ONCE;
		if (!sender->has_sent)
			tell(test);
		sender->has_sent = true;
	}
	tell(test);
}

static void *send_all(void *context)
{
	struct sender *sender = context;
	struct test *test = sender->test;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(sender->cpu, &cpus);
	if (pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus))
		die("a CPU of its own", strerror(errno));
	pthread_mutex_lock(&test->mutex);
	while (!test->over) {
		if (test->running)
			send_round(sender);
		else
			pthread_cond_wait(&test->changed, &test->mutex);
	}
	pthread_mutex_unlock(&test->mutex);
	return NULL;
}

static __u32 start_senders(struct test *test, struct sender senders[CPUS_MAX])
{
	cpu_set_t cpus;
	__u32 nr = 0;

	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		die("CPUs", strerror(errno));
	for (int cpu = 0; cpu < CPU_SETSIZE && nr < CPUS_MAX; cpu++) {
		if (!CPU_ISSET(cpu, &cpus))
			continue;
		senders[nr] = (struct sender){ .test = test, .cpu = cpu };
		if (pthread_create(&senders[nr].thread, NULL, send_all, &senders[nr]))
			die("thread", strerror(errno));
		nr++;
	}
	return nr;
}

/* ---- Rounds ------------------------------------------------------------------------------ */

/* Sets all going or lets all stop, and waits until each has sent, or has stopped. */
static void set_running(struct test *test, bool running, __u32 senders)
{
	pthread_mutex_lock(&test->mutex);
	test->running = running;
	test->wait_for = senders;
	pthread_cond_broadcast(&test->changed);
	while (test->wait_for)
		pthread_cond_wait(&test->changed, &test->mutex);
	pthread_mutex_unlock(&test->mutex);
}

static __u64 look(struct test *test, const __u64 *number)
{
	__u64 value;

	pthread_mutex_lock(&test->mutex);
	value = *number;
	pthread_mutex_unlock(&test->mutex);
	return value;
}

static void check(struct test *test, const char *what, const struct pb_count *count)
{
	if (count->packets >= test->done - test->after &&
	    count->packets <= test->done - test->before && count->bytes == LENGTH * count->packets)
		return;
	test->wrong++;
	fprintf(stderr, "%s: %llu packets, %llu bytes; %llu to %llu packets of %d bytes came\n",
		what, (unsigned long long)count->packets, (unsigned long long)count->bytes,
		(unsigned long long)(test->done - test->after),
		(unsigned long long)(test->done - test->before), LENGTH);
}

static void do_round(struct test *test, __u32 senders)
{
	struct pb_interface *interface;
	struct pb_count count;
	struct pb_error error;

	set_running(test, true, senders);
	test->before = look(test, &test->done);
	if (pb_ruleset_reset(test->ruleset, &error))
		die("reset", error.text);
	test->after = look(test, &test->begun);
	set_running(test, false, senders);
	count = pb_ruleset_count(test->ruleset, test->rule);
	check(test, "rule", &count);
	if (pb_interface_get(test->ifindex, &interface, &error))
		die("interface", error.text);
	check(test, "interface", &interface->outcomes[PB_OUTCOME_DROP_RULE]);
	free(interface);
}

static void open_all(struct test *test, const char *device, const char *ruleset)
{
	struct pb_interface *interface = NULL;
	struct pb_error error;

	if (pb_ruleset_open(ruleset, &test->ruleset, &error) ||
	    pb_interface_index(device, &test->ifindex, &error) ||
	    pb_interface_get(test->ifindex, &interface, &error))
		die(device, error.text);
	test->fd = bpf_prog_get_fd_by_id(interface->program_id);
	free(interface);
	if (test->fd < 0)
		die(device, strerror(errno));
}

int main(int argc, char **argv)
{
	static struct sender senders[CPUS_MAX];
	struct test test = { .mutex = PTHREAD_MUTEX_INITIALIZER,
			     .changed = PTHREAD_COND_INITIALIZER };
	__u32 nr;

	if (argc != 6)
		die("usage", "reset DEVICE RULESET RULE PORT ROUNDS");
	open_all(&test, argv[1], argv[2]);
	test.rule = atoi(argv[3]);
	test.port = atoi(argv[4]);
	nr = start_senders(&test, senders);
	for (int i = 0; i < atoi(argv[5]); i++)
		do_round(&test, nr);
	pthread_mutex_lock(&test.mutex);
	test.over = true;
	pthread_cond_broadcast(&test.changed);
	pthread_mutex_unlock(&test.mutex);
	for (__u32 i = 0; i < nr; i++)
		pthread_join(senders[i].thread, NULL);
	printf("rounds %s packets %llu wrong %u\n", argv[5], (unsigned long long)test.done,
	       test.wrong);
	pb_ruleset_close(test.ruleset);
	return test.wrong != 0;
}
