/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* libbpf's and libxdp's own messages: to the caller's logger, if any, and the last one kept. */
#ifndef PB_LOG_H
#define PB_LOG_H

/*
 * For the rest of the block, both libraries' messages come here; then they go again to where whoever
 * called us had them go. Stands in each function of portblock.h that calls what may speak in either
 * library; what only wraps a system call, such as a look-up or a test run, does not.
 */
#define PB_LOG_HERE() int log_here __attribute__((cleanup(pb_log_leave), unused)) = pb_log_enter()
int pb_log_enter(void);
void pb_log_leave(int *log_here);

#define PB_LOG_LAST 256

/* Forgets what it has kept. */
void pb_log_begin(void);

/* Since pb_log_begin(), each one line without newline; "" if there was none. */
struct pb_log {
	char last[PB_LOG_LAST]; /* the last warning */
	char reason[PB_LOG_LAST]; /* the kernel's own words for why it refused a request, mostly a driver's */
};

struct pb_log pb_log_take(void);

/* Takes over what another thread has taken, where there was something. */
void pb_log_end(const struct pb_log *others);

const char *pb_log_last(void);
const char *pb_log_reason(void);

#endif
