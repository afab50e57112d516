// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "maps/grace.h"
#include "util/error.h"
#include "util/thread.h"

/* ---- A grace period ------------------------------------------------------------------------ */

/* An update of an array of maps from user space waits for a grace period (Linux 5.0). */
static int grace_period_by_map(const struct pb_maps *maps)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = maps->fd[PB_MAP_CONFIG]);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "pb_grace", 4, 4, 1, &options);
	__u32 zero = 0;
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (bpf_map_update_elem(fd, &zero, &maps->fd[PB_MAP_CONFIG], BPF_ANY))
		ret = -errno;
	close(fd);
	return ret;
}

/*
 * XDP runs inside an RCU read section, and MEMBARRIER_CMD_GLOBAL is synchronize_rcu(): when it
 * returns, each packet that had begun is done. Kernels with nohz_full refuse it.
 */
int pb_grace_period(const struct pb_maps *maps, struct pb_error *error)
{
	int ret;

	if (!syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		return 0;
	ret = grace_period_by_map(maps);
	if (ret)
		return pb_fail(error, -ret, "cannot wait for packets under way: %s",
			       strerror(-ret));
	return 0;
}

/* ---- A tour of the processors ---------------------------------------------------------------- */

/*
 * A thread that has been on each processor has waited for each packet that was being judged when it set out.
 *
 * XDP runs with bottom halves disabled, in each driver, in skb mode and from tun (include/linux/filter.h at
 * bpf_prog_run_xdp(): "thus under local_bh_disable()"), for its redirections are kept per CPU. Such a section is counted
 * in preempt_count, and a processor does not change to another task before it is 0: when our thread is on processor C,
 * no section is under way there that began before. One that begins afterwards sees what was stored before the thread
 * came, since changing tasks is a full memory barrier on that processor (membarrier(2) builds on the same one). This is
 * the oldest synchronize_rcu() there is: `for_each_possible_cpu(cpu) run_on(cpu);` (Documentation/RCU/whatisRCU.rst, "toy"
 * implementation 2, which is that of kernels without preemption).
 *
 * It does not hold where bottom halves can be preempted, which is PREEMPT_RT, nor for processors that are not known or not
 * allowed to us, and it is not good for those that somebody keeps for himself: there, and where it takes too long, it is the
 * grace period above. A processor that comes up after its list was read has begun nothing before. tests/net/grace.sh
 * watches packets that take long.
 */
#define TOUR_CPUS_MAX 64 /* each takes some 20 microseconds: with more there is nothing to gain */
#define TOUR_NS \
	10000000 /* a processor on which only others run, of a higher priority, is not waited for */
#define AGAIN_NS 1000000

struct tour {
	int cpu[TOUR_CPUS_MAX];
	size_t nr;
	cpu_set_t allowed; /* to begin with */
	pid_t thread;	   /* once it runs */
	bool stop;
	/* The lock is for these two: */
	bool whole, ended;
	pthread_mutex_t lock;
	pthread_cond_t end;
};

/*
 * Those of the first line of /proc/interrupts, which has a word for each that is online. The lists of /sys and /proc/stat
 * are not asked: in a container they may be what that has of the machine (lxcfs).
 */
static bool read_cpus(struct tour *tour)
{
	FILE *file = fopen("/proc/interrupts", "re");
	bool known = file;
	char end = ' ';

	while (known && end != '\n') {
		known = tour->nr < TOUR_CPUS_MAX &&
			fscanf(file, " CPU%d%*[ ]", &tour->cpu[tour->nr]) == 1 &&
			tour->cpu[tour->nr] < CPU_SETSIZE && fscanf(file, "%c", &end) == 1;
		if (known && end != '\n')
			ungetc(end, file);
		tour->nr++;
	}
	if (file)
		fclose(file);
	return known;
}

/* Whether bottom halves are never preempted. */
static bool has_sections(void)
{
	struct utsname name;

	return !uname(&name) && !strstr(name.version, "PREEMPT_RT") &&
	       !strstr(name.version, "PREEMPT RT");
}

/* isolcpus=, nohz_full= and the like: whoever asks for that does not want to be disturbed. */
static bool none_is_isolated(void)
{
	FILE *file = fopen("/sys/devices/system/cpu/isolated", "re");
	bool none = file && fgetc(file) == '\n';

	if (file)
		fclose(file);
	return none;
}

static bool be_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set) && sched_getcpu() == cpu;
}

static void *go_round(void *context)
{
	struct tour *tour = context;
	bool on = true;

	__atomic_store_n(&tour->thread, (pid_t)syscall(__NR_gettid), __ATOMIC_SEQ_CST);
	for (size_t i = 0; on && i < tour->nr; i++)
		on = !__atomic_load_n(&tour->stop, __ATOMIC_SEQ_CST) && be_on(tour->cpu[i]);
	sched_setaffinity(0, sizeof(tour->allowed), &tour->allowed);
	pthread_mutex_lock(&tour->lock);
	tour->whole = on;
	tour->ended = true;
	pthread_cond_signal(&tour->end);
	pthread_mutex_unlock(&tour->lock);
	return NULL;
}

static struct timespec in_ns(long ns)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_nsec += ns;
	at.tv_sec += at.tv_nsec / 1000000000;
	at.tv_nsec %= 1000000000;
	return at;
}

static bool ends_within(struct tour *tour, long ns)
{
	const struct timespec at = in_ns(ns);
	bool ended;

	pthread_mutex_lock(&tour->lock);
	while (!tour->ended && !pthread_cond_timedwait(&tour->end, &tour->lock, &at))
		;
	ended = tour->ended;
	pthread_mutex_unlock(&tour->lock);
	return ended;
}

/* It may wait for a processor that never is free: it is taken away from there until it sees that it is to end. */
static void call_back(struct tour *tour)
{
	__atomic_store_n(&tour->stop, true, __ATOMIC_SEQ_CST);
	do {
		pid_t id = __atomic_load_n(&tour->thread, __ATOMIC_SEQ_CST);

		if (id)
			sched_setaffinity(id, sizeof(tour->allowed), &tour->allowed);
	} while (!ends_within(tour, AGAIN_NS));
}

/* A caller's thread that is cancelled would take the tour away from under the other one. */
static bool go_on_tour(struct tour *tour)
{
	pthread_t thread;
	int before;

	if (sched_getaffinity(0, sizeof(tour->allowed), &tour->allowed))
		return false;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	if (!pb_thread_start(&thread, go_round, tour)) {
		if (!ends_within(tour, TOUR_NS))
			call_back(tour);
		pthread_join(thread, NULL);
	}
	pthread_setcancelstate(before, &before);
	return tour->whole;
}

/* Of the monotonic clock, so that nobody who sets the other one is waited for. */
static bool begin(struct tour *tour)
{
	pthread_condattr_t monotonic;
	bool can = !pthread_condattr_init(&monotonic) &&
		   !pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) &&
		   !pthread_cond_init(&tour->end, &monotonic);

	pthread_condattr_destroy(&monotonic);
	return can && !pthread_mutex_init(&tour->lock, NULL);
}

static bool tour_is_whole(void)
{
	struct tour tour = {};
	bool whole;

	if (!has_sections() || !none_is_isolated() || !read_cpus(&tour) || !begin(&tour))
		return false;
	whole = go_on_tour(&tour);
	pthread_mutex_destroy(&tour.lock);
	pthread_cond_destroy(&tour.end);
	return whole;
}

int pb_grace_period_quick(const struct pb_maps *maps, struct pb_error *error)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return tour_is_whole() ? 0 : pb_grace_period(maps, error);
}
