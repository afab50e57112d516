/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef PB_DISPATCHER_H
#define PB_DISPATCHER_H

/*
 * Does libxdp's dispatcher work here? Tried on the loopback device in a network and mount namespace
 * of a thread's own. 1: yes, 0: no, less: it could not be tried.
 */
int pb_dispatcher_try(void);

#endif
