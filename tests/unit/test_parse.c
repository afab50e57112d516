// SPDX-License-Identifier: GPL-2.0-only
/*
 * parse.h on the shapes of the conformance table, in user space: every prefix of each, from
 * nothing to the whole frame, in one buffer and in several. What is right was worked out by
 * another dissector (tests/prog/dissect.py) and lies in tests/fuzz/corpus/EXPECTED.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>

#include "../fuzz/harness.h"

#define TEXT 64

/* One shape: its bytes, and what its prefixes are, in the words of EXPECTED. */
struct shape {
	char *name;
	char *steps; /* "LENGTH:OUTCOME ..." */
	unsigned char *data;
	size_t length;
	bool ethernet;
};

static struct shape *shapes;
static size_t nr_shapes;

static FILE *open_corpus(const char *name)
{
	const char *top = getenv("TOP");
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", top ? top : ".", name);
	file = fopen(path, "rb");
	if (!file)
		fail_msg("%s: cannot be read", path);
	return file;
}

static void read_shape(struct shape *shape)
{
	unsigned char *data = malloc(GUARD_ROOM);
	FILE *file = open_corpus(shape->name);

	assert_non_null(data);
	shape->ethernet = fgetc(file) == 1;
	shape->length = fread(data, 1, GUARD_ROOM, file);
	shape->data = data;
	fclose(file);
}

static void add_shape(const char *line)
{
	struct shape *more = realloc(shapes, (nr_shapes + 1) * sizeof(*more));
	struct shape *shape;
	const char *space = strchr(line, ' ');

	assert_non_null(more);
	assert_non_null(space);
	shapes = more;
	shape = &shapes[nr_shapes++];
	shape->name = strndup(line, space - line);
	shape->steps = strdup(space + 1);
	read_shape(shape);
}

static int read_corpus(void **state)
{
	FILE *file = open_corpus("EXPECTED");
	char *line = NULL;
	size_t room = 0;

	(void)state;
	while (getline(&line, &room, file) > 0)
		if (line[0] != '#')
			add_shape(line);
	free(line);
	fclose(file);
	return nr_shapes ? 0 : -1;
}

static int free_corpus(void **state)
{
	(void)state;
	for (size_t i = 0; i < nr_shapes; i++) {
		free(shapes[i].name);
		free(shapes[i].steps);
		free(shapes[i].data);
	}
	free(shapes);
	return 0;
}

/* The word of EXPECTED that is in force for a prefix. */
static void expected(const struct shape *shape, size_t length, char text[TEXT])
{
	const char *step = shape->steps;
	size_t from;
	int used;

	text[0] = '\0';
	while (sscanf(step, "%zu:%n", &from, &used) == 1 && from <= length) {
		step += used;
		sscanf(step, "%63s%n", text, &used);
		step += used;
	}
}

/* A result in the words of EXPECTED. */
static void describe(const struct parsed *parsed, char text[TEXT])
{
	static const char *const protos[] = { "tcp", "udp", "sctp", "dccp", "udplite" };
	static const char *const outcomes[PB_OUTCOME_MAX] = {
		[PB_OUTCOME_NOPORT] = "noport",
		[PB_OUTCOME_FRAGMENT] = "fragment",
		[PB_OUTCOME_MALFORMED] = "malformed",
		[PB_OUTCOME_UNPARSABLE] = "unparsable",
	};

	if (parsed->outcome == PB_OUTCOME_PASS)
		snprintf(text, TEXT, "ports/%s/%u/%u", protos[parsed->packet.proto],
			 ntohs(parsed->packet.sport), ntohs(parsed->packet.dport));
	else
		snprintf(text, TEXT, "%s", outcomes[parsed->outcome]);
}

static void expect(const struct shape *shape, size_t length, const struct parsed *parsed,
		   const char *how)
{
	char want[TEXT], got[TEXT];

	expected(shape, length, want);
	describe(parsed, got);
	if (strcmp(want, got))
		fail_msg("%s, first %zu bytes, %s: %s, not %s", shape->name, length, how, got,
			 want);
}

static void every_prefix_in_one_buffer(void **state)
{
	(void)state;
	for (size_t i = 0; i < nr_shapes; i++) {
		for (size_t length = 0; length <= shapes[i].length; length++) {
			struct frame frame = guarded(shapes[i].data, length);
			struct parsed parsed = parse_linear(frame, length, shapes[i].ethernet);

			expect(&shapes[i], length, &parsed, "one buffer");
		}
	}
}

static void every_prefix_in_several_buffers(void **state)
{
	(void)state;
	for (size_t i = 0; i < nr_shapes; i++) {
		for (size_t length = 0; length <= shapes[i].length; length++) {
			struct frame frame = guarded(shapes[i].data, length);
			struct parsed parsed = parse_split(frame, shapes[i].ethernet);

			expect(&shapes[i], length, &parsed, "several buffers");
		}
	}
}

static void check(const struct shape *shape, struct frame frame, size_t buffer)
{
	const char *wrong = check_frame(frame, buffer, shape->ethernet);

	if (wrong)
		fail_msg("%s, first buffer of %zu bytes: %s", shape->name, buffer, wrong);
}

static void every_size_of_the_first_buffer(void **state)
{
	(void)state;
	for (size_t i = 0; i < nr_shapes; i++) {
		struct frame frame = guarded(shapes[i].data, shapes[i].length);

		for (size_t buffer = 0; buffer <= frame.length; buffer++)
			check(&shapes[i], frame, buffer);
	}
}

/* No outcome is known here; but it is the same for all ways to read the frame. */
static void every_bit_flipped(void **state)
{
	(void)state;
	for (size_t i = 0; i < nr_shapes; i++) {
		for (size_t bit = 0; bit < shapes[i].length * 8; bit++) {
			unsigned char *byte = &shapes[i].data[bit / 8];

			*byte ^= 1 << bit % 8;
			check(&shapes[i], guarded(shapes[i].data, shapes[i].length), bit / 8);
			*byte ^= 1 << bit % 8;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_prefix_in_one_buffer),
		cmocka_unit_test(every_prefix_in_several_buffers),
		cmocka_unit_test(every_size_of_the_first_buffer),
		cmocka_unit_test(every_bit_flipped),
	};

	return cmocka_run_group_tests_name("parse", tests, read_corpus, free_corpus);
}
