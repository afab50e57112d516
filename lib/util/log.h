/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* libbpf's and libxdp's own messages: to the caller's logger, if any, and the last one kept. */
#ifndef PB_LOG_H
#define PB_LOG_H

/* Routes both libraries' messages here and forgets the last one. Safe to call again. */
void pb_log_begin(void);

/* The last warning since pb_log_begin(), one line without newline; "" if there was none. */
const char *pb_log_last(void);

#endif
