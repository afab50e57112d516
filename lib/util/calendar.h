/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Times of the wall clock as text: RFC 3339, whole seconds. Seconds are those since 1970 began, UTC. */
#ifndef PB_CALENDAR_H
#define PB_CALENDAR_H

#include <portblock/portblock.h>

/* Reads "2026-11-29T09:12:03Z", or with an offset, "2026-11-29T10:12:03+01:00"; years 1970 to 9999. -EINVAL. */
int pb_time_parse(const char *text, long long *seconds, struct pb_error *error);

/* "2026-11-29T09:12:03Z"; what lies behind the year 9999 is its last second. */
#define PB_TIME_TEXT 21
void pb_time_text(long long seconds, char text[PB_TIME_TEXT]);

#endif
