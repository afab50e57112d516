/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A thread of the library's own, for what a thread may have alone: namespaces, descriptors. */
#ifndef PB_THREAD_H
#define PB_THREAD_H

#include <pthread.h>

/*
 * Runs a function in a thread, which the caller joins. Signals that are sent to the process are blocked in
 * there, so that the caller's handlers for them do not run in there; those of faults are the
 * caller's to handle, as everywhere. 0, or a positive errno: it was not run.
 */
int pb_thread_start(pthread_t *thread, void *(*function)(void *context), void *context);
/* The same, and waits for it. */
int pb_thread_run(void *(*function)(void *context), void *context, void **result);

#endif
