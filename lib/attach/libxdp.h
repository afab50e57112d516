/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* How libxdp is called. */
#ifndef PB_LIBXDP_H
#define PB_LIBXDP_H

/*
 * Runs a function that calls libxdp, and nothing of ours that runs another, and returns what it returns;
 * -EAGAIN: it could not be run. One at a time: libxdp writes the paths of its folders to memory of its
 * own when it is first asked. And in a thread with a table of descriptors of its own: before 1.4.1 libxdp
 * keeps one of each program that it looks at, by which the kernel keeps the program and its maps. What
 * the function opens is closed when it returns; the last message of the libraries is the caller's.
 */
int pb_libxdp_run(int (*function)(void *context), void *context);

#endif
