// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/libbpf.h>
#include <xdp/libxdp.h>
#include <portblock/portblock.h>
#include "util/log.h"

/* Set by any thread at any time, while others may be about to call it. */
static _Atomic(pb_logger) for_warnings, for_others;
static __thread struct pb_log kept;

/* How libbpf begins what the kernel says of a request by netlink (its "extended acknowledgement"). */
#define KERNEL_SAYS "Kernel error message: "

static void keep_line(char line[PB_LOG_LAST], const char *text)
{
	snprintf(line, PB_LOG_LAST, "%.*s", (int)strcspn(text, "\n"), text);
}

static void keep(const char *text)
{
	const char *reason = strstr(text, KERNEL_SAYS);

	keep_line(kept.last, text);
	if (reason)
		keep_line(kept.reason, reason + strlen(KERNEL_SAYS));
}

void pb_log_set(pb_logger function, bool all)
{
	for_warnings = function;
	for_others = all ? function : NULL;
}

/* The logger gets all of a message, be it a verifier's log of many lines. */
static void take(bool warning, const char *format, va_list args)
{
	pb_logger logger = warning ? for_warnings : for_others;
	char *text;
	size_t len;

	if (vasprintf(&text, format, args) < 0)
		return;
	len = strlen(text);
	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
	if (logger && len)
		logger(text);
	if (warning)
		keep(text);
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

/* Of all threads: the printers are the process's. The first to come takes them over. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int inside;
static libbpf_print_fn_t libbpf_before;
static libxdp_print_fn_t libxdp_before;

int pb_log_enter(void)
{
	pthread_mutex_lock(&lock);
	if (!inside++) {
		libbpf_before = libbpf_set_print(from_libbpf);
		libxdp_before = libxdp_set_print(from_libxdp);
	}
	pthread_mutex_unlock(&lock);
	return 0;
}

/* The last to go gives them back, but where somebody has set another one meanwhile. */
void pb_log_leave(int *log_here)
{
	libbpf_print_fn_t libbpf_now;
	libxdp_print_fn_t libxdp_now;

	(void)log_here;
	pthread_mutex_lock(&lock);
	if (!--inside) {
		libbpf_now = libbpf_set_print(libbpf_before);
		if (libbpf_now != from_libbpf)
			libbpf_set_print(libbpf_now);
		libxdp_now = libxdp_set_print(libxdp_before);
		if (libxdp_now != from_libxdp)
			libxdp_set_print(libxdp_now);
	}
	pthread_mutex_unlock(&lock);
}

void pb_log_begin(void)
{
	kept = (struct pb_log){};
}

struct pb_log pb_log_take(void)
{
	return kept;
}

void pb_log_end(const struct pb_log *others)
{
	if (*others->last)
		kept = *others;
}

const char *pb_log_last(void)
{
	return kept.last;
}

const char *pb_log_reason(void)
{
	return kept.reason;
}
