// SPDX-License-Identifier: GPL-2.0-only
/* Counters that only grow, and baselines: what readers see, whatever is under way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <string.h>
#include <cmocka.h>
#include "maps/counters.h"

#define ROWS 3
#define WIDTH 4

struct block {
	struct pb_count counts[(ROWS + PB_BASE_ROWS) * WIDTH];
	__u64 resets;
};

static struct pb_counters counters_of(struct block *block)
{
	return (struct pb_counters){ block->counts, ROWS, WIDTH, &block->resets };
}

static void add(struct block *block, __u32 row, __u32 index, __u64 packets, __u64 bytes)
{
	block->counts[row * WIDTH + index].packets += packets;
	block->counts[row * WIDTH + index].bytes += bytes;
}

static void assert_counted(struct block *block, __u32 index, __u64 packets, __u64 bytes)
{
	const struct pb_counters counters = counters_of(block);
	struct pb_count one, all[WIDTH];

	pb_counters_read(&counters, index, 1, &one);
	pb_counters_read(&counters, 0, WIDTH, all);
	assert_true(one.packets == packets && one.bytes == bytes);
	assert_memory_equal(&one, &all[index], sizeof(one));
}

static void test_sum(void **state)
{
	struct block block = {};

	(void)state;
	add(&block, 0, 1, 5, 500);
	add(&block, 2, 1, 7, 701);
	add(&block, 2, 2, 1, 60);
	assert_counted(&block, 0, 0, 0);
	assert_counted(&block, 1, 12, 1201);
	assert_counted(&block, 2, 1, 60);
	assert_counted(&block, 3, 0, 0);
}

static void test_reset(void **state)
{
	struct block block = {};
	const struct pb_counters counters = counters_of(&block);

	(void)state;
	for (__u64 round = 0; round < 5; round++) {
		struct pb_count rows[ROWS * WIDTH];

		add(&block, round % ROWS, 1, 5, 500);
		add(&block, 1, 3, round, 60 * round);
		assert_counted(&block, 1, 5, 500);
		assert_counted(&block, 3, round, 60 * round);
		memcpy(rows, block.counts, sizeof(rows));
		pb_counters_reset(&counters);
		/* The rows are the program's. */
		assert_memory_equal(rows, block.counts, sizeof(rows));
		for (__u32 i = 0; i < WIDTH; i++)
			assert_counted(&block, i, 0, 0);
	}
}

static void test_restart(void **state)
{
	struct block block = {};
	const struct pb_counters counters = counters_of(&block);

	(void)state;
	for (int round = 0; round < 3; round++) {
		add(&block, 0, 1, 5, 500);
		add(&block, 1, 2, 7, 700);
		pb_counters_restart(&counters, 1);
		assert_counted(&block, 1, 0, 0);
		assert_counted(&block, 2, 7, 700);
		add(&block, 2, 1, 1, 60);
		assert_counted(&block, 1, 1, 60);
		pb_counters_reset(&counters);
		assert_counted(&block, 1, 0, 0);
	}
}

static void test_wrap(void **state)
{
	struct block block = {};
	const struct pb_counters counters = counters_of(&block);

	(void)state;
	add(&block, 0, 1, ~0ULL, ~0ULL - 100);
	add(&block, 1, 1, ~0ULL, 50);
	pb_counters_reset(&counters);
	add(&block, 0, 1, 3, 300);
	assert_counted(&block, 1, 3, 300);
	add(&block, 1, 1, 1ULL << 63, 1ULL << 63);
	assert_counted(&block, 1, (1ULL << 63) + 3, (1ULL << 63) + 300);
}

/* A reset that was killed wherever it was has reset nothing, and the next one is right. */
static void test_killed(void **state)
{
	struct block block = {}, done;
	const struct pb_counters counters = counters_of(&block);
	const struct pb_counters counters_done = counters_of(&done);

	(void)state;
	for (int round = 0; round < 3; round++) {
		add(&block, 0, 1, 5, 500);
		add(&block, 1, 2, 7, 700);
		done = block;
		pb_counters_reset(&counters_done);
		for (size_t written = 0; written <= sizeof(block.counts); written += 8) {
			struct block killed = block;

			memcpy(killed.counts, done.counts, written);
			assert_counted(&killed, 1, 5, 500);
			assert_counted(&killed, 2, 7, 700);
		}
		memcpy(block.counts, done.counts, sizeof(block.counts));
		add(&block, 2, 1, 1, 60);
		assert_counted(&block, 1, 6, 560);
		pb_counters_reset(&counters);
		assert_counted(&block, 1, 0, 0);
		assert_counted(&block, 2, 0, 0);
	}
}

/* ---- Readers and a reset at the same time ------------------------------------------------- */

#define RESETS 200

struct shared {
	struct block block;
	bool over;
};

static void *reset_again_and_again(void *context)
{
	struct shared *shared = context;
	const struct pb_counters counters = counters_of(&shared->block);

	for (int i = 0; i < RESETS; i++)
		pb_counters_reset(&counters);
	__atomic_store_n(&shared->over, true, __ATOMIC_RELEASE);
	return NULL;
}

/* All or nothing of each counter, and of all that are read at once; and nothing comes back. */
static void test_reset_meanwhile(void **state)
{
	struct shared shared = {};
	const struct pb_counters counters = counters_of(&shared.block);
	struct pb_count read[WIDTH], all = { 5 * ROWS, 500 * ROWS };
	pthread_t thread;

	(void)state;
	for (int i = 0; i < ROWS * WIDTH; i++)
		shared.block.counts[i] = (struct pb_count){ 5, 500 };
	assert_int_equal(pthread_create(&thread, NULL, reset_again_and_again, &shared), 0);
	while (!__atomic_load_n(&shared.over, __ATOMIC_ACQUIRE)) {
		pb_counters_read(&counters, 0, WIDTH, read);
		if (!read[0].packets)
			all = (struct pb_count){ 0, 0 };
		for (int i = 0; i < WIDTH; i++)
			assert_memory_equal(&read[i], &all, sizeof(all));
	}
	pthread_join(thread, NULL);
	assert_counted(&shared.block, 0, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sum),	cmocka_unit_test(test_reset),
		cmocka_unit_test(test_restart), cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_killed),	cmocka_unit_test(test_reset_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
