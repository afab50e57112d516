// SPDX-License-Identifier: GPL-2.0-only
/* The printers of libbpf and libxdp, which are the process's, between threads and children. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <bpf/libbpf.h>
#include "util/log.h"

#define FORKS 2000

static int hear(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
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

static void *take_again_and_again(void *over)
{
	while (!__atomic_load_n((bool *)over, __ATOMIC_ACQUIRE)) {
		PB_LOG_HERE();
	}
	return NULL;
}

/* A child is as free to take them as its parent, whatever the other threads were about to do. */
static void in_a_child(void **state)
{
	pthread_t thread;
	bool over = false;
	int status;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, take_again_and_again, &over), 0);
	for (int i = 0; i < FORKS; i++) {
		pid_t pid = pb_log_fork();

		if (!pid) {
			PB_LOG_HERE();
			_exit(0);
		}
		assert_true(pid > 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_back),
		cmocka_unit_test(in_a_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
