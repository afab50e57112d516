// SPDX-License-Identifier: GPL-2.0-only
/* Sources to be looked up, and what gives them to packets. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include "bench.h"
#include "rule/prefix.h"
#include "sources.h"

#define IPV4_HEADER 20
#define AT_IPV4 14

/* The order of its members is that of the constants of sources.bpf.c. */
struct constants {
	__u32 family;
	__u32 nr_sources;
	__u32 target;
};

/* --- at random -------------------------------------------------------------------------------- */

static __u64 random_state;

/* xorshift64*: the same numbers each time, and no call for each. */
static __u64 random_number(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 2685821657736338717ULL;
}

static struct pb_prefix random_host(int family)
{
	struct pb_prefix host = { .family = family, .len = family == 4 ? 32 : 128 };
	__u64 words[2] = { random_number(), random_number() };

	memcpy(host.addr, words, family == 4 ? 4 : 16);
	/* What is given out: 1.0.0.0 to 223.255.255.255, 2000::/3. */
	host.addr[0] = family == 4 ? 1 + (host.addr[0] * 223 >> 8) : 0x20 | (host.addr[0] & 0x1f);
	return host;
}

/* --- elements --------------------------------------------------------------------------------- */

/* Sorted, a prefix comes before those in it. */
static void find_outer(struct elements *elements)
{
	elements->outer = calloc(elements->nr, sizeof(*elements->outer));
	if (!elements->outer)
		die("no memory");
	for (size_t i = 0; i < elements->nr; i++) {
		const struct pb_element *last = elements->outer + elements->nr_outer - 1;

		if (!elements->nr_outer ||
		    !pb_prefix_holds(&last->prefix, &elements->all[i].prefix))
			elements->outer[elements->nr_outer++] = elements->all[i];
	}
}

struct elements elements_read(const char *path, int family)
{
	struct elements elements = { .family = family };
	struct pb_error note = { 0 }, error = { 0 };

	if (pb_elements_read(path, &elements.all, &elements.nr, &note, &error))
		die("%s", error.text);
	if (!elements.nr)
		die("%s: no elements", path);
	for (size_t i = 0; i < elements.nr; i++)
		if (elements.all[i].prefix.family != family)
			die("%s: not all of IPv%d", path, family);
	find_outer(&elements);
	return elements;
}

static bool is_member(const struct elements *elements, const struct pb_prefix *host)
{
	size_t low = 0, high = elements->nr_outer;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (pb_prefix_order(&elements->outer[middle].prefix, host) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low && pb_prefix_holds(&elements->outer[low - 1].prefix, host);
}

/* --- drawing ---------------------------------------------------------------------------------- */

static struct pb_prefix host_in(const struct pb_prefix *prefix)
{
	struct pb_prefix host = random_host(prefix->family);

	for (unsigned int i = 0; i < prefix->len; i += 8) {
		__u8 fixed = prefix->len - i >= 8 ? 0xff : 0xff00 >> (prefix->len - i);

		host.addr[i / 8] = (host.addr[i / 8] & ~fixed) | (prefix->addr[i / 8] & fixed);
	}
	return host;
}

static struct pb_prefix draw_member(const struct elements *elements)
{
	return host_in(&elements->all[random_number() % elements->nr].prefix);
}

static struct pb_prefix draw_host(const struct elements *elements)
{
	__u8 full = elements->family == 4 ? 32 : 128;
	const struct pb_prefix *prefix;

	do {
		prefix = &elements->all[random_number() % elements->nr].prefix;
	} while (prefix->len != full);
	return *prefix;
}

static struct pb_prefix draw_other(const struct elements *elements)
{
	struct pb_prefix host;

	do {
		host = random_host(elements->family);
	} while (is_member(elements, &host));
	return host;
}

static struct pb_prefix draw_any(const struct elements *elements)
{
	return random_host(elements->family);
}

typedef struct pb_prefix draw_function(const struct elements *elements);

static draw_function *drawer(const char *kind)
{
	static const struct {
		const char *kind;
		draw_function *draw;
	} known[] = { { "members", draw_member },
		      { "hosts", draw_host },
		      { "others", draw_other },
		      { "any", draw_any } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(kind, known[i].kind))
			return known[i].draw;
	die("no sources '%s'", kind);
}

static __u16 checksum_with(const struct frame *frame, const __u8 *addr)
{
	__u8 header[IPV4_HEADER];
	__u32 sum = 0;

	memcpy(header, frame->data + AT_IPV4, IPV4_HEADER);
	memcpy(header + (AT_SOURCE4 - AT_IPV4), addr, 4);
	memset(header + (AT_CHECKSUM4 - AT_IPV4), 0, 2);
	for (size_t i = 0; i < IPV4_HEADER; i += 2)
		sum += header[i] | header[i + 1] << 8; /* as it lies there */
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

struct source *sources_draw(const char *kind, const struct elements *elements, __u32 nr)
{
	struct frame frame = frame_make(elements->family == 4 ? "tcp4" : "tcp6", 40000, 80);
	struct source *sources = calloc(nr, sizeof(*sources));
	draw_function *draw = drawer(kind);

	if (!sources)
		die("no memory");
	random_state = 88172645463325252ULL;
	for (__u32 i = 0; i < nr; i++) {
		struct pb_prefix host = draw(elements);

		memcpy(sources[i].addr, host.addr, sizeof(sources[i].addr));
		if (elements->family == 4)
			sources[i].checksum = checksum_with(&frame, host.addr);
	}
	return sources;
}

/* --- what gives them to packets --------------------------------------------------------------- */

static void set_up_sources(struct bpf_object *object, const void *context)
{
	const struct constants *constants = context;

	set_constants(object, constants, sizeof(*constants));
	if (bpf_map__set_max_entries(find_map(object, "sources"), constants->nr_sources))
		die("cannot size the map of sources");
}

static void fill(int map, const struct source *sources, __u32 nr)
{
	__u32 *keys = calloc(nr, sizeof(*keys));

	if (!keys)
		die("no memory");
	for (__u32 i = 0; i < nr; i++)
		keys[i] = i;
	if (bpf_map_update_batch(map, keys, sources, &nr, NULL))
		die("the map of sources: %s", strerror(errno));
	free(keys);
}

struct program *sources_open(const char *name, int family, const struct source *sources, __u32 nr,
			     __u32 target, bool frags)
{
	struct constants constants = { family, nr, target };
	struct program *program;

	program = helper_open("sources.bpf.o", name, frags, set_up_sources, &constants);
	fill(bpf_object__find_map_fd_by_name(program->object, "sources"), sources, nr);
	return program;
}
