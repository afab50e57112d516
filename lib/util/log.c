// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/libbpf.h>
#include <xdp/libxdp.h>
#include "util/log.h"
#include <portblock/portblock.h>

static pb_logger logger;
static bool log_all;
static __thread char last[256];

void pb_log_set(pb_logger function, bool all)
{
	logger = function;
	log_all = all;
	pb_log_begin();
}

/* The logger gets all of a message, be it a verifier's log of many lines. */
static void take(bool warning, const char *format, va_list args)
{
	char *text;
	size_t len;

	if (vasprintf(&text, format, args) < 0)
		return;
	len = strlen(text);
	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
	if (logger && len && (warning || log_all))
		logger(text);
	if (warning)
		snprintf(last, sizeof(last), "%.*s", (int)strcspn(text, "\n"), text);
	free(text);
}

static int from_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	take(level == LIBBPF_WARN, format, args);
	return 0;
}

static int from_libxdp(enum libxdp_print_level level, const char *format, va_list args)
{
	take(level == LIBXDP_WARN, format, args);
	return 0;
}

void pb_log_begin(void)
{
	last[0] = '\0';
	libbpf_set_print(from_libbpf);
	libxdp_set_print(from_libxdp);
}

const char *pb_log_last(void)
{
	return last;
}
