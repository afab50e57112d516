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

/* What is for the whole process goes to other threads; what this one does wrong is its own. */
static void fill_all_but_faults(sigset_t *set)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGTRAP, SIGABRT };

	sigfillset(set);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigdelset(set, faults[i]);
}

int pb_thread_start(pthread_t *thread, void *(*function)(void *context), void *context)
{
	sigset_t most, before;
	int ret;

	fill_all_but_faults(&most);
	pthread_sigmask(SIG_BLOCK, &most, &before);
	ret = pthread_create(thread, NULL, function, context);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ret;
}

int pb_thread_run(void *(*function)(void *context), void *context, void **result)
{
	pthread_t thread;

	return pb_thread_start(&thread, function, context) ?: join(thread, result);
}
