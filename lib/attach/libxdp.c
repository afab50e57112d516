// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include "attach/libxdp.h"
#include "util/log.h"
#include "util/thread.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct run {
	int (*function)(void *context);
	void *context;
	int ret;
	struct pb_log log;
};

static void *in_thread(void *context)
{
	struct run *run = context;

	unshare(CLONE_FILES); /* where that is refused, what libxdp keeps stays in the caller's table */
	pb_log_begin();
	run->ret = run->function(run->context);
	run->log = pb_log_take();
	return NULL;
}

int pb_libxdp_run(int (*function)(void *context), void *context)
{
	struct run run = { .function = function, .context = context };
	void *result;
	int ret;

	pthread_mutex_lock(&lock);
	ret = pb_thread_run(in_thread, &run, &result);
	pthread_mutex_unlock(&lock);
	if (ret)
		return -EAGAIN;
	pb_log_end(&run.log);
	return run.ret;
}
