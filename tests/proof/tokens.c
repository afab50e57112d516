// SPDX-License-Identifier: GPL-2.0-only
/*
 * All ways in which two or three CPUs can get in between each other's steps in tokens.h, for a few packets each. A step
 * is a load or a compare-and-swap; tests/proof/test_tokens says what this is worth.
 *
 * A CPU is a function that is called again for each of its steps: what it was told before it is told again, then it
 * does one step more and is left. So a state is what lies in memory and what each CPU was told, which is copied to
 * go another way from there, and gone into once.
 */
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

static __u64 do_load(__u64 *at);
static __u64 do_swap(__u64 *at, __u64 old, __u64 new);
#define PB_TOKEN_LOAD(at) do_load(at)
#define PB_TOKEN_SWAP(at, old, new) do_swap(at, old, new)
#include <portblock/tokens.h>

#define CPUS 3
#define STEPS 64
#define TABLE (1U << 24)

struct cpu {
	__u64 told[STEPS];
	int nr;
	bool ended;
	int let_go; /* packets, when it has ended */
};

static struct state {
	struct cpu cpu[CPUS];
	__u64 clock;
	__u64 full_at;
	struct pb_token_row row;
	__u64 evicted[CPUS];
} now;

/* A case: what the CPUs do, and what holds when they have. */
struct scene {
	const char *name;
	int cpus;
	void (*start)(void);
	int (*run)(int cpu); /* returns how many packets were let go */
	bool (*is_right)(void);
};

static const struct scene *scene;
static __u64 seen[TABLE]; /* hashes of states */
static unsigned long states;
static jmp_buf left;
static int current, position;
static bool did;

/* ---- Steps ----------------------------------------------------------------------------------- */

static bool is_told(__u64 *value)
{
	struct cpu *cpu = &now.cpu[current];

	if (position < cpu->nr) {
		*value = cpu->told[position++];
		return true;
	}
	if (did)
		longjmp(left, 1);
	if (cpu->nr == STEPS)
		abort();
	did = true;
	return false;
}

static __u64 tell(__u64 value)
{
	position++;
	return now.cpu[current].told[now.cpu[current].nr++] = value;
}

static __u64 do_load(__u64 *at)
{
	__u64 value;

	return is_told(&value) ? value : tell(*at);
}

static __u64 do_swap(__u64 *at, __u64 old, __u64 new)
{
	__u64 value;

	if (is_told(&value))
		return value;
	value = *at;
	if (value == old)
		*at = new;
	return tell(value);
}

/* Each reading of the clock is later than that before. */
static __u64 do_clock(void)
{
	__u64 value;

	return is_told(&value) ? value : tell(++now.clock);
}

static void step(int cpu)
{
	int let_go;

	current = cpu;
	position = 0;
	did = false;
	now.evicted[cpu] = 0; /* counted again from the first step on */
	if (setjmp(left))
		return;
	let_go = scene->run(cpu);
	now.cpu[cpu].let_go = let_go;
	now.cpu[cpu].ended = true;
}

/* ---- All ways ---------------------------------------------------------------------------------- */

static __u64 hash_of(const void *data, size_t size)
{
	const __u64 *words = data;
	__u64 hash = 0x9e3779b185ebca87ULL;

	for (size_t i = 0; i < size / sizeof(*words); i++)
		hash = pb_mix(hash ^ words[i], 0xc2b2ae3d27d4eb4fULL + i);
	return hash | 1;
}

static bool is_new(void)
{
	__u64 hash = hash_of(&now, sizeof(now));
	__u32 at = hash >> 40;

	while (seen[at] && seen[at] != hash)
		at = (at + 1) & (TABLE - 1);
	if (seen[at])
		return false;
	if (++states > TABLE / 2)
		abort();
	seen[at] = hash;
	return true;
}

static void show(void)
{
	for (int i = 0; i < scene->cpus; i++) {
		printf("# CPU %d let go %d, was told", i, now.cpu[i].let_go);
		for (int step = 0; step < now.cpu[i].nr; step++)
			printf(" %llu", now.cpu[i].told[step]);
		puts("");
	}
}

static bool go(void)
{
	const struct state here = now;
	bool ended = true;

	for (int i = 0; i < scene->cpus; i++) {
		if (here.cpu[i].ended)
			continue;
		ended = false;
		step(i);
		if (is_new() && !go())
			return false;
		now = here;
	}
	if (!ended || scene->is_right())
		return true;
	printf("# wrong: %s\n", scene->name);
	show();
	return false;
}

static int let_go(void)
{
	int sum = 0;

	for (int i = 0; i < scene->cpus; i++)
		sum += now.cpu[i].let_go;
	return sum;
}

/* ---- One bucket ------------------------------------------------------------------------------- */

#define START 1000

static void start_bucket(void)
{
	now.clock = now.full_at = START;
}

static int packets(int nr, __u64 cost, __u64 burst)
{
	int passed = 0;

	while (nr-- > 0) {
		__u64 time = do_clock();

		passed += !pb_token_over(&now.full_at, time, cost, burst);
	}
	return passed;
}

/* Ten fit at once, and fewer come: none is over, whoever gets in between. */
static int run_room(int cpu)
{
	(void)cpu;
	return packets(3, 100, 1000);
}

static bool all_go(void)
{
	return let_go() == 6 && now.full_at - START >= 600 &&
	       now.full_at - START <= 600 + now.clock;
}

/* Three at once, and what comes back while the clock goes on. */
#define COST 3
#define BURST 6

static int run_scarce(int cpu)
{
	(void)cpu;
	return packets(3, COST, BURST);
}

static int run_three(int cpu)
{
	return packets(cpu ? 1 : 2, COST, COST);
}

/* The first CPU has read its clock long before the second, which finds as much as fits. */
static int run_late(int cpu)
{
	int passed = 0;

	for (int i = 0; i < 3; i++)
		passed += !pb_token_over(&now.full_at, cpu ? START : START - 20, 5, 10);
	return passed;
}

static bool is_late_right(void)
{
	return let_go() == 2 && now.full_at == START + 10;
}

static bool is_within(__u64 burst)
{
	return (__u64)let_go() * COST <= burst + (now.clock - START) &&
	       pb_token_after(now.full_at, now.clock) <= (__s64)burst;
}

static bool is_scarce_right(void)
{
	return is_within(BURST);
}

static bool is_three_right(void)
{
	return is_within(COST);
}

/* ---- A source's place ------------------------------------------------------------------------- */

#define TIME 1000
#define X 101
#define Y 103
#define SOURCE 105

static bool over_source(int cpu, __u64 tag, __u64 cost, __u64 burst)
{
	__u32 place = pb_token_find(&now.row, tag);

	if (place == PB_TOKEN_NONE)
		place = pb_token_take(&now.row, tag, TIME, &now.evicted[cpu]);
	return place == PB_TOKEN_NONE ||
	       pb_token_over(&now.row.bucket[place].full_at, TIME, cost, burst);
}

/* A packet of a source that has a place, or else none. */
static void take_from(__u64 tag, __u64 cost, __u64 burst)
{
	__u32 place = pb_token_find(&now.row, tag);

	if (place != PB_TOKEN_NONE)
		pb_token_over(&now.row.bucket[place].full_at, TIME, cost, burst);
}

static void start_free(void)
{
}

/* Both have taken something; X is the fuller one, until one more of its packets comes. */
static void start_taken(void)
{
	now.row = (struct pb_token_row){ .bucket = { { X, TIME + 10 }, { Y, TIME + 12 } } };
}

/* As many packets of one source as fit, from both: none is over. */
static int run_source(int cpu)
{
	int passed = 0;

	(void)cpu;
	for (int i = 0; i < 2; i++)
		passed += !over_source(cpu, SOURCE, 10, 40);
	return passed;
}

/* One packet fits, and then no other. */
static int run_tight(int cpu)
{
	int passed = 0;

	for (int i = 0; i < 2; i++)
		passed += !over_source(cpu, SOURCE, 10, 10);
	return passed;
}

/* A source for each CPU. */
static int run_two(int cpu)
{
	int passed = 0;

	for (int i = 0; i < 2; i++)
		passed += !over_source(cpu, SOURCE + 2 * cpu, 10, 10);
	return passed;
}

/* The first CPU sends two of the source. The second one of X, so that another place is the fullest, then of the source. */
static int run_other(int cpu)
{
	int passed = 0;

	if (cpu)
		take_from(X, 10, 100);
	for (int i = 0; i < 2 - cpu; i++)
		passed += !over_source(cpu, SOURCE, 10, 10);
	return passed;
}

static int places(void)
{
	int nr = 0;

	for (int i = 0; i < PB_TOKEN_ROW; i++)
		nr += now.row.bucket[i].tag == SOURCE;
	return nr;
}

static bool is_source_right(void)
{
	return let_go() == 4 && places() == 1;
}

/* The same, but X takes the place of another in turn. */
static int run_three_sources(int cpu)
{
	int passed = 0;

	if (cpu)
		over_source(cpu, X, 10, 100);
	for (int i = 0; i < 2 - cpu; i++)
		passed += !over_source(cpu, SOURCE, 10, 10);
	return passed;
}

static int evicted(void)
{
	return now.evicted[0] + now.evicted[1];
}

static bool is_tight_right(void)
{
	return let_go() == 1 && places() == 1;
}

static bool is_two_right(void)
{
	return now.cpu[0].let_go == 1 && now.cpu[1].let_go == 1 && places() == 1;
}

/*
 * One packet is what the source may send, and one more for the race; or none, where X has come late and taken it out
 * of the new bucket. What goes for it is counted.
 */
static bool is_other_right(void)
{
	return let_go() <= 2 && places() >= 1 && evicted() >= 1 && evicted() <= 2;
}

/* Each bucket that goes and is not full is another full one for who had it. */
static bool is_three_sources_right(void)
{
	return let_go() <= 2 + evicted();
}

static const struct scene scenes[] = {
	{ "room for all", 2, start_bucket, run_room, all_go },
	{ "more than there is room for", 2, start_bucket, run_scarce, is_scarce_right },
	{ "three CPUs, room for one", 3, start_bucket, run_three, is_three_right },
	{ "who comes late", 2, start_bucket, run_late, is_late_right },
	{ "a source, places are free", 2, start_free, run_source, is_source_right },
	{ "a source that may send one", 2, start_free, run_tight, is_tight_right },
	{ "a source a CPU", 2, start_free, run_two, is_two_right },
	{ "a source, others have the places", 2, start_taken, run_other, is_other_right },
	{ "more sources than places", 2, start_taken, run_three_sources, is_three_sources_right },
};

int main(void)
{
	bool right = true;

	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		scene = &scenes[i];
		memset(&now, 0, sizeof(now));
		memset(seen, 0, sizeof(seen));
		states = 0;
		scene->start();
		if (!go())
			right = false;
		printf("# %s: %lu states\n", scene->name, states);
	}
	return !right;
}
