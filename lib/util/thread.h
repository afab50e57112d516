/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A thread of the library's own, for what a thread may have alone: namespaces, descriptors. */
#ifndef PB_THREAD_H
#define PB_THREAD_H

/*
 * Runs a function in a thread, and waits for it. Signals that are sent to the process are blocked in
 * there, so that the caller's handlers for them do not run in there; those of faults are the
 * caller's to handle, as everywhere. 0, or a positive errno: it was not run.
 */
int pb_thread_run(void *(*function)(void *context), void *context, void **result);

#endif
