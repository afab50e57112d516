// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <pthread.h>
#include <signal.h>
#include "util/thread.h"

/* A caller's thread that is cancelled while it waits would take away what the other one works on. */
static int join(pthread_t thread, void **result)
{
	int before, ret;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	ret = pthread_join(thread, result);
	pthread_setcancelstate(before, &before);
	return ret;
}

int pb_thread_run(void *(*function)(void *context), void *context, void **result)
{
	sigset_t all, before;
	pthread_t thread;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&thread, NULL, function, context);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ret ?: join(thread, result);
}
