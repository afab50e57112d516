// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Listening to packets: asks the program to report, keeps it asked, and hands reports on. */
#include <stdlib.h>
#include <string.h>
#include <bpf/libbpf.h>
#include "maps/grace.h"
#include "maps/lock.h"
#include "maps/rights.h"
#include "maps/ruleset.h"
#include "util/error.h"
#include "util/log.h"
#include "util/options.h"

#define SECOND 1000000000ULL
/* How long the program goes on reporting to a listener that does not say that it is there. */
#define PATIENCE (3 * SECOND)

struct pb_monitor {
	struct pb_ruleset *ruleset;
	struct ring_buffer *ring;
	pb_monitor_function *function;
	void *context;
	int lock;
	__u64 start;		/* what was reported before is not ours */
	__u64 next;		/* when the listener says again that it is there */
	__u64 lost, suppressed; /* at the start */
};

static int on_event(void *context, void *data, size_t size)
{
	struct pb_monitor *monitor = context;
	const struct pb_event *event = data;

	if (size < sizeof(*event) || size < sizeof(*event) + event->captured)
		return 0;
	/* Left in the ring by a listener that ended or was killed before it had read all. */
	if (event->time < monitor->start)
		return 0;
	return monitor->function(event, (const unsigned char *)(event + 1), monitor->context);
}

/*
 * One listener a ruleset, and only who may open its pins. The lock is that of a folder beside them,
 * which all who share the maps share, and ends with the process; that the pins are still those of
 * these maps is looked at under the ruleset's own.
 */
static int lock_listener(const struct pb_ruleset *ruleset, struct pb_error *error)
{
	int lock = pb_lock(ruleset->name, PB_LOCK_READ, error), listener;

	if (lock < 0)
		return lock;
	if (pb_ruleset_is_there(ruleset))
		listener = pb_lock(ruleset->name, PB_LOCK_LISTEN, error);
	else
		listener = pb_fail(error, ENOENT, "the ruleset '%s' was unloaded meanwhile",
				   ruleset->name);
	pb_unlock(lock);
	if (listener == -EBUSY)
		pb_fail(error, EBUSY,
			"another monitor listens to the ruleset '%s' already: end that one first",
			ruleset->name);
	return listener;
}

static void sum_meters(const struct pb_maps *maps, __u64 *suppressed, __u64 *lost)
{
	*suppressed = *lost = 0;
	for (int row = 0; row < PB_CPU_ROWS; row++) {
		*suppressed += maps->meters->row[row].suppressed;
		*lost += maps->meters->row[row].lost;
	}
}

/* Says that the listener is there, and lets each CPU report anew. */
static void keep_listening(struct pb_monitor *monitor)
{
	struct pb_maps *maps = &monitor->ruleset->maps;
	__u64 now = pb_clock();

	if (now < monitor->next)
		return;
	monitor->next = now + SECOND;
	for (int row = 0; row < PB_CPU_ROWS; row++)
		maps->meters->row[row].sent = 0;
	__atomic_store_n(&maps->config->listen_until, now + PATIENCE, __ATOMIC_SEQ_CST);
	__atomic_store_n(&maps->config->listening, 1, __ATOMIC_SEQ_CST);
}

/*
 * The program loads what is asked for after `listening`, by a branch, which orders nothing on arm64. So packets are
 * waited for in between: who sees the later one sees this. Of a listener that was killed nobody reports any more then.
 */
static int ask_for(struct pb_monitor *monitor, const struct pb_monitor_filter *filter,
		   struct pb_error *error)
{
	struct pb_config *config = monitor->ruleset->maps.config;

	__atomic_store_n(&config->listening, 0, __ATOMIC_SEQ_CST);
	config->listen_outcomes = filter->outcomes;
	config->listen_rate = filter->rate;
	config->listen_rule = filter->rule;
	config->listen_port = filter->port;
	config->listen_snaplen = filter->snaplen;
	return pb_grace_period(&monitor->ruleset->maps, error);
}

static void free_monitor(struct pb_monitor *monitor)
{
	ring_buffer__free(monitor->ring);
	pb_unlock(monitor->lock);
	free(monitor);
}

int pb_monitor_open(struct pb_ruleset *ruleset, const struct pb_monitor_filter *filter,
		    pb_monitor_function *function, void *context, struct pb_monitor **monitor,
		    struct pb_error *error)
{
	PB_LOG_HERE();
	struct pb_monitor_filter wanted;
	struct pb_monitor *made;
	int err = pb_options_take(&wanted, sizeof(wanted), filter, error), lock;

	err = err ?: pb_ruleset_check_writable(ruleset, error);
	if (err)
		return err;
	lock = lock_listener(ruleset, error);
	if (lock < 0)
		return lock;
	made = calloc(1, sizeof(*made));
	if (!made) {
		pb_unlock(lock);
		return pb_fail_memory(error);
	}
	made->ruleset = ruleset;
	made->function = function;
	made->context = context;
	made->lock = lock;
	made->ring = ring_buffer__new(ruleset->maps.fd[PB_MAP_EVENTS], on_event, made, NULL);
	err = made->ring ? ask_for(made, &wanted, error) :
			   pb_fail_permission(error, errno, "open the ring of reported packets");
	if (err) {
		free_monitor(made);
		return err;
	}
	sum_meters(&ruleset->maps, &made->suppressed, &made->lost);
	made->start = pb_clock();
	keep_listening(made);
	*monitor = made;
	return 0;
}

int pb_monitor_poll(struct pb_monitor *monitor, int milliseconds)
{
	int ret;

	keep_listening(monitor);
	ret = ring_buffer__poll(monitor->ring, milliseconds);
	if (ret == -EINTR)
		return 0;
	keep_listening(monitor);
	/* A second to spare: then unloading is seen, by the pins, before the next one. */
	if (!ret && !pb_ruleset_is_there(monitor->ruleset))
		return -ENOENT;
	return ret < 0 ? ret : 0;
}

void pb_monitor_missed(const struct pb_monitor *monitor, __u64 *suppressed, __u64 *lost)
{
	sum_meters(&monitor->ruleset->maps, suppressed, lost);
	*suppressed -= monitor->suppressed;
	*lost -= monitor->lost;
}

void pb_monitor_close(struct pb_monitor *monitor)
{
	if (!monitor)
		return;
	__atomic_store_n(&monitor->ruleset->maps.config->listening, 0, __ATOMIC_SEQ_CST);
	free_monitor(monitor);
}
