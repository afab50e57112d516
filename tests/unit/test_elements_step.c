// SPDX-License-Identifier: GPL-2.0-only
/*
 * A change of the elements of sets, instruction by instruction: what a reader sees after each, and what a
 * writer that is killed there leaves to the next one; and a change that comes between two loads of a
 * reader. It sees things as they were before or as they are then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "naive.h"

/* The readers of row.c as it is, but that something happens before the load of that number. */
static void happen(void);
static size_t countdown; /* 0: nothing happens any more */

static void before_load(void)
{
	if (countdown && !--countdown)
		happen();
}

#define __atomic_load_n(at, order) (before_load(), *(const volatile typeof(*(at)) *)(at))
#include "compile/row.c"
#undef __atomic_load_n

#define NOW 100

/* Elements with the same prefix, but for that of set OTHER */
#define OTHER 20

struct scene {
	const char *name;
	void (*before)(void);
	void (*change)(void);
};

/* Of both rows */
struct seen {
	__u64 sets[2];
	__u64 expires[2];
};

static struct memory memory;
static struct pb_row rows[2]; /* of `prefix` and of `other`: these begin in the same bucket */
static struct pb_prefix prefix, other;
static struct image *start;

/* ---- Scenes -------------------------------------------------------------------------------- */

static void put(__u8 set, __u64 expires)
{
	bool added;

	if (pb_elements_put(&memory.table, set, set == OTHER ? &other : &prefix, expires, NOW,
			    &added))
		abort();
}

static void take(__u8 set)
{
	bool removed;

	if (pb_elements_remove(&memory.table, set, set == OTHER ? &other : &prefix, NOW, &removed))
		abort();
}

static void nothing(void)
{
}

static void one(void)
{
	put(1, 0);
}

static void one_that_ends(void)
{
	put(1, 1000);
}

static void one_that_has_ended(void)
{
	put(1, 0);
	put(2, 1000);
	put(3, 0);
	put(2, NOW);
}

static void one_has_gone(void)
{
	put(1, 0);
	put(2, 1000);
	put(3, 0);
	take(2);
}

static void eight(void)
{
	for (__u8 set = 1; set <= 8; set++)
		put(set, 0);
}

static void nine(void)
{
	eight();
	put(9, 0);
}

static void other_that_ends(void)
{
	put(OTHER, 5000);
}

static void two_with_end(void)
{
	put(2, 5000);
}

static void nine_with_end(void)
{
	put(9, 5000);
}

static void one_without_end(void)
{
	put(1, 0);
}

static void one_with_other_end(void)
{
	put(1, 5000);
}

static void take_one(void)
{
	take(1);
}

static void take_eight(void)
{
	take(8);
}

static const struct scene scenes[] = {
	{ "the first one", nothing, one },
	{ "in the place of one that has ended", one_that_has_ended, other_that_ends },
	{ "one that has ended, again", one_that_has_ended, two_with_end },
	{ "in the place of one that was removed", one_has_gone, other_that_ends },
	{ "behind a full bucket", eight, nine_with_end },
	{ "renewed: no end any more", one_that_ends, one_without_end },
	{ "renewed: an end", one, one_with_other_end },
	{ "renewed: another end", one_that_ends, one_with_other_end },
	{ "removed", one_that_ends, take_one },
	{ "removed before one that overflowed", nine, take_eight },
};

/* ---- A table that processes share ---------------------------------------------------------- */

static void *share(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(at != MAP_FAILED);
	return at;
}

static struct pb_row row_of(const struct pb_prefix *of)
{
	struct pb_address address = { 0, 0 };
	struct pb_row row = { 0 };

	for (int i = 0; i < 8; i++) {
		address.high = address.high << 8 | of->addr[i];
		address.low = address.low << 8 | of->addr[8 + i];
	}
	if (of->family == 4) {
		row.hash = pb_hash4(address.high >> 32, of->len, memory.seed);
		row.key = PB_ELEMENT_WORD(address.high >> 32, of->len);
	} else {
		row.hash = pb_hash6(address, of->len, memory.seed);
		row.key = PB_ELEMENT_WORD(pb_hash_word(row.hash), of->len);
		memcpy(row.half, of->addr, 16);
	}
	pb_row_segment(&row, of->family, memory.segments[0]);
	return row;
}

static void choose_prefixes(__u8 family)
{
	prefix = prefix_of(family == 4 ? "192.0.2.1/32" : "2001:db8::1/128");
	other = prefix_of(family == 4 ? "198.51.100.0/32" : "2001:db9:1::/128");
	rows[0] = row_of(&prefix);
	do {
		if (!++other.addr[family == 4 ? 3 : 15])
			other.addr[family == 4 ? 2 : 14]++;
		rows[1] = row_of(&other);
	} while (pb_hash_bucket(rows[0].hash, 0) != pb_hash_bucket(rows[1].hash, 0));
}

static void open_stage(__u8 family)
{
	memory_init(&memory, family, 1, 1);
	free(memory.table.lengths);
	free(memory.table.shorter);
	memory.table.lengths = share(sizeof(struct pb_lengths));
	memory.table.shorter = share(sizeof(struct pb_shorter));
	memory.segments[0] = share(memory.segment_size);
	choose_prefixes(family);
}

static void close_stage(void)
{
	munmap(memory.table.lengths, sizeof(struct pb_lengths));
	munmap(memory.table.shorter, sizeof(struct pb_shorter));
	munmap(memory.segments[0], memory.segment_size);
}

static void restore(const struct image *image)
{
	memcpy(memory.segments[0], image->segments[0], memory.segment_size);
	*memory.table.lengths = image->lengths;
	*memory.table.shorter = image->shorter;
}

static void set_scene(const struct scene *scene)
{
	memset(memory.segments[0], 0, memory.segment_size);
	memset(memory.table.lengths, 0, sizeof(struct pb_lengths));
	memset(memory.table.shorter, 0, sizeof(struct pb_shorter));
	scene->before();
	start = memory_copy(&memory);
}

/* ---- What is seen -------------------------------------------------------------------------- */

static struct seen read_rows(void)
{
	struct seen seen;

	for (int i = 0; i < 2; i++) {
		struct pb_in_sets in;

		pb_row_read(&rows[i], ~0ULL, NOW, &in);
		seen.sets[i] = in.sets;
		seen.expires[i] = in.sets ? in.expires : 0;
	}
	return seen;
}

static bool is(const struct seen *a, const struct seen *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static void is_one_of(const struct scene *scene, size_t step, const struct seen *seen,
		      const struct seen *before, const struct seen *after)
{
	for (int i = 0; i < 2; i++) {
		if ((seen->sets[i] == before->sets[i] && seen->expires[i] == before->expires[i]) ||
		    (seen->sets[i] == after->sets[i] && seen->expires[i] == after->expires[i]))
			continue;
		fail_msg("%s, IPv%d, instruction %zu: sets %llx of %d, end %llu", scene->name,
			 memory.table.family, step, (unsigned long long)seen->sets[i], i,
			 (unsigned long long)seen->expires[i]);
	}
}

/* ---- Processes, step by step --------------------------------------------------------------- */

static int wait_stop(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

/* A child that waits for the first step; -1: none is to be traced here. */
static pid_t trace(void (*function)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(77);
		raise(SIGSTOP);
		function();
		_exit(0);
	}
	status = wait_stop(child);
	if (WIFSTOPPED(status))
		return child;
	assert_int_equal(WEXITSTATUS(status), 77);
	return -1;
}

/* Has it come to its end? */
static bool step(pid_t child)
{
	int status;

	assert_int_equal(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
	status = wait_stop(child);
	return WIFEXITED(status);
}

static int count(void *context, __u8 set, const struct pb_element *element)
{
	(void)set;
	(void)element;
	++*(size_t *)context;
	return 0;
}

static size_t nr_elements(void)
{
	size_t nr = 0;

	assert_int_equal(pb_elements_each(&memory.table, NOW, count, &nr), 0);
	return nr;
}

/* ---- A change, stopped at each instruction ------------------------------------------------- */

/* As if it had been killed: the next one does the same, and then it is done, once. */
static void change_again(const struct scene *scene, size_t step, const struct seen *after,
			 size_t nr)
{
	struct image *image = memory_copy(&memory);
	struct seen seen;

	scene->change();
	seen = read_rows();
	is_one_of(scene, step, &seen, after, after);
	assert_int_equal(nr_elements(), nr);
	restore(image);
	image_free(image);
}

static void step_change(const struct scene *scene, const struct seen *before,
			const struct seen *after, size_t nr)
{
	static struct pb_segment6 last; /* the larger one */
	pid_t child = trace(scene->change);
	struct seen seen;
	bool done = false;

	if (child < 0)
		skip();
	for (size_t i = 0; !step(child); i++) {
		seen = read_rows();
		is_one_of(scene, i, &seen, before, after);
		assert_true(!done || is(&seen, after));
		done = is(&seen, after);
		if (i && !memcmp(&last, memory.segments[0], memory.segment_size))
			continue;
		memcpy(&last, memory.segments[0], memory.segment_size);
		change_again(scene, i, after, nr);
	}
	assert_true(done);
}

/* ---- A change between two loads ------------------------------------------------------------ */

static const struct scene *at_hand;

static void happen(void)
{
	at_hand->change();
}

static void interrupt_reader(const struct scene *scene, const struct seen *before,
			     const struct seen *after)
{
	size_t nr = 0;

	at_hand = scene;
	for (;;) {
		struct seen seen;

		restore(start);
		countdown = ++nr;
		seen = read_rows();
		if (countdown)
			break;
		is_one_of(scene, nr, &seen, before, after);
	}
	countdown = 0;
	assert_true(nr > 2 * PB_BUCKET_ELEMENTS);
}

/* ---- All scenes ---------------------------------------------------------------------------- */

static void play(const struct scene *scene, bool reader)
{
	struct seen before, after;
	size_t nr;

	set_scene(scene);
	before = read_rows();
	scene->change();
	after = read_rows();
	assert_false(is(&before, &after));
	nr = nr_elements();
	restore(start);
	if (reader)
		interrupt_reader(scene, &before, &after);
	else
		step_change(scene, &before, &after, nr);
	image_free(start);
}

static void play_all(bool reader)
{
	for (__u8 family = 4; family <= 6; family += 2) {
		open_stage(family);
		for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
			play(&scenes[i], reader);
		close_stage();
	}
}

static void test_change(void **state)
{
	(void)state;
	play_all(false);
}

static void test_reader(void **state)
{
	(void)state;
	play_all(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
