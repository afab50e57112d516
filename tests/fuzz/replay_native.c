// SPDX-License-Identifier: GPL-2.0-only
/*
 * replay_native SEED MUTANTS FILE...: asks both readers of frames for inputs of fuzz_native.c, each
 * of them from nothing to the whole frame, and for so many random mutants of them; each with and
 * without link-layer header. The exit status is 1 where they differ, which is said.
 */
#include "native.h"

#define ROOM 24576 /* what is made of a frame stays smaller */

struct bytes {
	unsigned char data[ROOM];
	size_t length;
};

static struct bytes *inputs;
static unsigned int nr_inputs;
static __u64 random_state;
static unsigned long counts[PB_OUTCOME_MAX]; /* of mutants with Ethernet header */

/* splitmix64 */
static __u32 random_below(__u32 limit)
{
	__u64 z = random_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (z ^ z >> 31) % limit;
}

/* ---- What becomes of a frame ---------------------------------------------------------------- */

static size_t random_place(const struct bytes *frame)
{
	/* Most headers are at the beginning. */
	size_t limit = random_below(4) ? 100 : ROOM;

	return random_below((frame->length < limit ? frame->length : limit) + 1);
}

static void flip(struct bytes *frame)
{
	size_t at = random_place(frame);

	if (at < frame->length)
		frame->data[at] ^= 1 << random_below(8);
}

/* Numbers that a reader of frames asks for, and lengths */
static void set(struct bytes *frame)
{
	static const unsigned char numbers[] = { 0,   1,    2,	  5,	6,    8,    17,	  0x20,
						 33,  43,   44,	  0x45, 0x46, 50,   51,	  0x57,
						 60,  0x64, 0x81, 0x86, 0x88, 0xa8, 0xdd, 132,
						 135, 136,  139,  140,	0x60, 0xff };
	size_t at = random_place(frame);

	if (at < frame->length)
		frame->data[at] = numbers[random_below(sizeof(numbers))];
}

static void set_any(struct bytes *frame)
{
	size_t at = random_place(frame);

	if (at < frame->length)
		frame->data[at] = random_below(256);
}

static void cut(struct bytes *frame)
{
	frame->length = random_below(frame->length + 1);
}

/* Bytes of the same frame, or of another one, in between: headers among them */
static void insert(struct bytes *frame)
{
	const struct bytes *from = random_below(2) ? &inputs[random_below(nr_inputs)] : frame;
	unsigned char copy[256];
	size_t at = random_place(frame), start = random_place(from);
	size_t length = random_below(4) ? 4U << random_below(4) : 1 + random_below(sizeof(copy));

	if (length > from->length - start)
		length = from->length - start;
	if (frame->length + length > ROOM)
		return;
	memcpy(copy, from->data + start, length);
	memmove(frame->data + at + length, frame->data + at, frame->length - at);
	memcpy(frame->data + at, copy, length);
	frame->length += length;
}

static void take_out(struct bytes *frame)
{
	size_t at = random_place(frame), length = 4U << random_below(5);

	if (length > frame->length - at)
		length = frame->length - at;
	memmove(frame->data + at, frame->data + at + length, frame->length - at - length);
	frame->length -= length;
}

/* Room for long headers */
static void append(struct bytes *frame)
{
	size_t length = random_below(3000);
	unsigned char byte = random_below(256);

	if (frame->length + length > ROOM)
		return;
	memset(frame->data + frame->length, byte, length);
	frame->length += length;
}

static void mutate(struct bytes *frame)
{
	static void (*const ways[])(struct bytes * frame) = {
		flip, flip, set, set, set, set_any, set_any, cut, insert, take_out, append,
	};

	for (unsigned int i = 1 + random_below(6); i > 0; i--)
		ways[random_below(sizeof(ways) / sizeof(ways[0]))](frame);
}

/* ---- Asking --------------------------------------------------------------------------------- */

static bool agree(const struct bytes *frame, size_t length)
{
	return readers_agree(frame->data, length, true) &&
	       readers_agree(frame->data, length, false);
}

static bool prefixes_agree(const struct bytes *frame)
{
	for (size_t length = 0; length <= frame->length; length++)
		if (!agree(frame, length))
			return false;
	return true;
}

static bool mutants_agree(unsigned long mutants)
{
	static struct bytes frame;

	for (unsigned long i = 0; i < mutants; i++) {
		const struct bytes *input = &inputs[random_below(nr_inputs)];
		struct frame where;

		frame.length = input->length;
		memcpy(frame.data, input->data, input->length);
		mutate(&frame);
		if (!agree(&frame, frame.length)) {
			fprintf(stderr, "mutant %lu\n", i);
			return false;
		}
		where = guarded(frame.data, frame.length);
		counts[parse_linear(where, where.length, true).outcome]++;
	}
	return true;
}

static void read_input(const char *path)
{
	struct bytes *input = &inputs[nr_inputs++];
	FILE *file = fopen(path, "rb");

	if (!file || fgetc(file) == EOF) {
		fprintf(stderr, "%s: cannot be read\n", path);
		exit(2);
	}
	input->length = fread(input->data, 1, ROOM, file);
	fclose(file);
}

int main(int argc, char **argv)
{
	unsigned long mutants = argc > 3 ? strtoul(argv[2], NULL, 0) : 0;

	if (argc < 4) {
		fprintf(stderr, "Usage: replay_native SEED MUTANTS FILE...\n");
		return 2;
	}
	inputs = calloc(argc - 3, sizeof(*inputs));
	if (!inputs)
		abort();
	random_state = strtoull(argv[1], NULL, 0);
	for (int i = 3; i < argc; i++)
		read_input(argv[i]);
	for (unsigned int i = 0; i < nr_inputs; i++)
		if (!prefixes_agree(&inputs[i]))
			return 1;
	if (!mutants_agree(mutants))
		return 1;
	printf("no difference: %u frames, %lu mutants: %lu with ports, %lu without, %lu fragments, "
	       "%lu malformed, %lu unparsable\n",
	       nr_inputs, mutants, counts[PB_OUTCOME_PASS], counts[PB_OUTCOME_NOPORT],
	       counts[PB_OUTCOME_FRAGMENT], counts[PB_OUTCOME_MALFORMED],
	       counts[PB_OUTCOME_UNPARSABLE]);
	return 0;
}
