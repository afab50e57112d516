// SPDX-License-Identifier: GPL-2.0-only
/* The printers of libbpf and libxdp, which are the process's, between threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <bpf/libbpf.h>
#include "util/log.h"

#define THREADS 4
#define TIMES 2000

static unsigned int heard;

static int hear(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	__atomic_add_fetch(&heard, 1, __ATOMIC_RELAXED);
	return 0;
}

static void given_back(void **state)
{
	(void)state;
	libbpf_set_print(hear);
	{
		PB_LOG_HERE();
		{
			PB_LOG_HERE();
		}
		assert_ptr_not_equal(libbpf_set_print(NULL), hear);
	}
	/* Set to none meanwhile, by somebody else: so it stays. */
	assert_null(libbpf_set_print(hear));
	{
		PB_LOG_HERE();
	}
	assert_ptr_equal(libbpf_set_print(NULL), hear);
}

/* Has libbpf complain of a file, again and again; NULL if each time that was the last message. */
static void *complain(void *path)
{
	for (int i = 0; i < TIMES; i++) {
		PB_LOG_HERE();
		pb_log_begin();
		bpf_object__open(path);
		if (!strstr(pb_log_last(), path))
			return path;
	}
	return NULL;
}

/* The first that comes takes them over, the last that goes gives them back; each has its own last. */
static void between_threads(void **state)
{
	char paths[THREADS][32];
	pthread_t threads[THREADS];
	void *wrong;

	(void)state;
	libbpf_set_print(hear);
	heard = 0;
	for (int i = 0; i < THREADS; i++) {
		snprintf(paths[i], sizeof(paths[i]), "/nowhere/%d", i);
		assert_int_equal(pthread_create(&threads[i], NULL, complain, paths[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	assert_int_equal(heard, 0);
	assert_ptr_equal(libbpf_set_print(NULL), hear);
}

static void say(const char *format, ...)
{
	libbpf_print_fn_t printer = libbpf_set_print(NULL);
	va_list args;

	va_start(args, format);
	printer(LIBBPF_WARN, format, args);
	va_end(args);
	libbpf_set_print(printer);
}

/* What the kernel gives as its reason outlasts what is said after it, and goes from thread to thread. */
static void reason(void **state)
{
	struct pb_log taken;

	(void)state;
	PB_LOG_HERE();
	pb_log_begin();
	say("libbpf: Kernel error message: %s\n", "igb: The RX buffer size is too small");
	say("libxdp: %s\n", "gives up");
	taken = pb_log_take();
	assert_string_equal(pb_log_reason(), "igb: The RX buffer size is too small");
	assert_string_equal(pb_log_last(), "libxdp: gives up");
	pb_log_begin();
	assert_string_equal(pb_log_reason(), "");
	pb_log_end(&taken);
	assert_string_equal(pb_log_reason(), "igb: The RX buffer size is too small");
	assert_string_equal(pb_log_last(), "libxdp: gives up");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_back),
		cmocka_unit_test(between_threads),
		cmocka_unit_test(reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
