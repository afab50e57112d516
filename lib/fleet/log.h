/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the agent's lines for the log go. */
#ifndef FLEET_LOG_H
#define FLEET_LOG_H

typedef void fleet_say_function(const char *line, void *context);

struct fleet_log {
	fleet_say_function *say;
	void *context;
};

/* A line without a newline; one that is too long is cut. */
void fleet_say(const struct fleet_log *log, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
