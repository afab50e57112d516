// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include "util/thread.h"

static void *see_mask(void *context)
{
	pthread_sigmask(SIG_BLOCK, NULL, context);
	return context;
}

/* What is sent to the process is not handled in there; a fault in there is. */
static void test_signals(void **state)
{
	static const int sent[] = { SIGTERM, SIGINT, SIGCHLD, SIGUSR1, SIGALRM, SIGPIPE };
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGABRT };
	sigset_t inside, before, after;
	void *result;

	(void)state;
	pthread_sigmask(SIG_BLOCK, NULL, &before);
	assert_int_equal(pb_thread_run(see_mask, &inside, &result), 0);
	assert_ptr_equal(result, &inside);
	for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++)
		assert_true(sigismember(&inside, sent[i]));
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		assert_false(sigismember(&inside, faults[i]));
	pthread_sigmask(SIG_BLOCK, NULL, &after);
	for (int number = 1; number < NSIG; number++)
		assert_int_equal(sigismember(&after, number), sigismember(&before, number));
}

/* What the caller has blocked stays blocked. */
static void test_blocked(void **state)
{
	sigset_t bus, before, inside;
	void *result;

	(void)state;
	sigemptyset(&bus);
	sigaddset(&bus, SIGBUS);
	pthread_sigmask(SIG_BLOCK, &bus, &before);
	assert_int_equal(pb_thread_run(see_mask, &inside, &result), 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	assert_true(sigismember(&inside, SIGBUS));
	assert_false(sigismember(&inside, SIGSEGV));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_blocked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
