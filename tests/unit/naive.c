// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include "naive.h"

/* ---- Memory -------------------------------------------------------------------------------- */

static void *zeroed(size_t size)
{
	void *at = aligned_alloc(64, (size + 63) / 64 * 64);

	if (!at)
		abort();
	return memset(at, 0, size);
}

static void *segment_of(void *context, __u32 number)
{
	struct memory *memory = context;

	memory->asked++;
	if (number >= memory->table.nr_segments)
		abort();
	if (!memory->segments[number] && !memory->refuse)
		memory->segments[number] = zeroed(memory->segment_size);
	return memory->refuse ? NULL : memory->segments[number];
}

void memory_init(struct memory *memory, __u8 family, __u32 nr_segments, __u64 seed)
{
	memset(memory, 0, sizeof(*memory));
	memory->seed[0] = seed * 0x9e3779b97f4a7c15ULL;
	memory->seed[1] = ~seed * 0xbf58476d1ce4e5b9ULL;
	memory->segment_size = family == 4 ? sizeof(struct pb_segment4) :
					     sizeof(struct pb_segment6);
	memory->table = (struct pb_table){
		.family = family,
		.nr_segments = nr_segments,
		.segment = segment_of,
		.context = memory,
		.lengths = zeroed(sizeof(struct pb_lengths)),
		.shorter = zeroed(sizeof(struct pb_shorter)),
		.seed = memory->seed,
	};
}

void memory_free(struct memory *memory)
{
	for (size_t i = 0; i < PB_SEGMENTS_MAX; i++)
		free(memory->segments[i]);
	free(memory->table.lengths);
	free(memory->table.shorter);
}

struct image *memory_copy(const struct memory *memory)
{
	struct image *image = zeroed(sizeof(*image));

	image->lengths = *memory->table.lengths;
	image->shorter = *memory->table.shorter;
	for (size_t i = 0; i < PB_SEGMENTS_MAX; i++) {
		if (!memory->segments[i])
			continue;
		image->segments[i] = zeroed(memory->segment_size);
		memcpy(image->segments[i], memory->segments[i], memory->segment_size);
	}
	return image;
}

bool memory_is(const struct memory *memory, const struct image *image)
{
	for (size_t i = 0; i < PB_SEGMENTS_MAX; i++) {
		const void *now = memory->segments[i], *then = image->segments[i];

		if (!now != !then || (now && memcmp(now, then, memory->segment_size)))
			return false;
	}
	return !memcmp(&image->lengths, memory->table.lengths, sizeof(image->lengths)) &&
	       !memcmp(&image->shorter, memory->table.shorter, sizeof(image->shorter));
}

void image_free(struct image *image)
{
	for (size_t i = 0; i < PB_SEGMENTS_MAX; i++)
		free(image->segments[i]);
	free(image);
}

struct pb_prefix prefix_of(const char *text)
{
	struct pb_prefix prefix = { .family = strchr(text, ':') ? 6 : 4 };
	const char *slash = strchr(text, '/');
	char address[64] = "";

	if (!slash || slash - text >= (long)sizeof(address))
		abort();
	memcpy(address, text, slash - text);
	prefix.len = atoi(slash + 1);
	if (inet_pton(prefix.family == 4 ? AF_INET : AF_INET6, address, prefix.addr) != 1)
		abort();
	return prefix;
}

/* ---- The judge ----------------------------------------------------------------------------- */

static bool bit_of(const struct pb_prefix *prefix, __u32 bit)
{
	return prefix->addr[bit / 8] & 0x80 >> bit % 8;
}

static bool holds(const struct naive_element *element, const struct pb_prefix *prefix)
{
	if (element->len > prefix->len)
		return false;
	for (__u32 bit = element->len; bit-- > 0;)
		if (element->bits[bit] != bit_of(prefix, bit))
			return false;
	return true;
}

static bool counts(const struct naive_element *element, __u64 now)
{
	return !element->expires || now < element->expires;
}

static struct naive_element *find(const struct naive *naive, __u8 set,
				  const struct pb_prefix *prefix)
{
	for (size_t i = 0; i < naive->nr; i++) {
		const struct naive_element *element = &naive->element[i];

		if (element->set == set && element->len == prefix->len && holds(element, prefix))
			return (struct naive_element *)element;
	}
	return NULL;
}

bool naive_put(struct naive *naive, __u8 set, const struct pb_prefix *prefix, __u64 expires,
	       __u64 now)
{
	struct naive_element *element = find(naive, set, prefix);
	bool there = element && counts(element, now);

	if (!element) {
		if (naive->nr == NAIVE_MAX)
			abort();
		element = &naive->element[naive->nr++];
		memset(element, 0, sizeof(*element));
		element->set = set;
		element->len = prefix->len;
		for (__u32 bit = 0; bit < prefix->len; bit++)
			element->bits[bit] = bit_of(prefix, bit);
	}
	element->expires = expires;
	return !there;
}

bool naive_remove(struct naive *naive, __u8 set, const struct pb_prefix *prefix, __u64 now)
{
	struct naive_element *element = find(naive, set, prefix);
	bool there = element && counts(element, now);

	if (element)
		*element = naive->element[--naive->nr];
	return there;
}

const struct naive_element *naive_get(const struct naive *naive, __u8 set,
				      const struct pb_prefix *prefix, __u64 now)
{
	const struct naive_element *element = find(naive, set, prefix);

	return element && counts(element, now) ? element : NULL;
}

const struct naive_element *naive_look(const struct naive *naive, __u64 sets,
				       const struct pb_prefix *host, __u64 now)
{
	const struct naive_element *best = NULL;

	for (size_t i = 0; i < naive->nr; i++) {
		const struct naive_element *element = &naive->element[i];

		if (!(sets >> element->set & 1) || !counts(element, now) || !holds(element, host))
			continue;
		if (!best || element->len > best->len ||
		    (element->len == best->len && element->set < best->set))
			best = element;
	}
	return best;
}

__u64 naive_sets(const struct naive *naive, const struct pb_prefix *host, __u64 now)
{
	__u64 sets = 0;

	for (size_t i = 0; i < naive->nr; i++) {
		const struct naive_element *element = &naive->element[i];

		if (counts(element, now) && holds(element, host))
			sets |= 1ULL << element->set;
	}
	return sets;
}

size_t naive_nr(const struct naive *naive, __u64 now)
{
	size_t nr = 0;

	for (size_t i = 0; i < naive->nr; i++)
		nr += counts(&naive->element[i], now);
	return nr;
}

bool naive_see(struct naive *naive, __u8 set, const struct pb_element *element, __u64 now)
{
	struct naive_element *known = find(naive, set, &element->prefix);
	bool right = known && counts(known, now) && !known->seen &&
		     known->expires == element->expires;

	if (known)
		known->seen = true;
	return right;
}

void naive_unsee(struct naive *naive)
{
	for (size_t i = 0; i < naive->nr; i++)
		naive->element[i].seen = false;
}
