// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's own ways to look a source up, with the elements of a list. */
#include <errno.h>
#include <string.h>
#include <bpf/bpf.h>
#include "bench.h"
#include "rule/prefix.h"

struct trie_key {
	__u32 len;
	__u8 addr[16];
};

struct peer {
	const char *name;
	const struct elements *elements;
};

/* In the order in which peers.bpf.c has them. */
struct constants {
	__u32 family;
	__u32 nr_lines;
};

/* Lines of 64 bytes for words of 8, of which three in five are used, as a table of ours of IPv4 has them. */
static __u32 lines(const struct elements *elements)
{
	__u32 nr = 1;

	while (nr * 24ULL < elements->nr * 5)
		nr *= 2;
	return nr;
}

static __u32 address_size(const struct elements *elements)
{
	return elements->family == 4 ? 4 : 16;
}

/* Only what is looked at has room. */
static void size_maps(struct bpf_object *object, const struct peer *peer, __u32 nr_lines)
{
	struct bpf_map *trie = find_map(object, "peer_trie"), *hash = find_map(object, "peer_hash");
	struct bpf_map *line = find_map(object, "peer_line"), *wanted = NULL;
	__u32 nr = peer->elements->nr;

	if (bpf_map__set_key_size(trie, sizeof(__u32) + address_size(peer->elements)) ||
	    bpf_map__set_key_size(hash, address_size(peer->elements)))
		die("cannot size the keys of peers");
	if (!strcmp(peer->name, "trie"))
		wanted = trie;
	else if (!strcmp(peer->name, "hash"))
		wanted = hash;
	else if (!strcmp(peer->name, "line"))
		wanted = line;
	if (wanted && bpf_map__set_max_entries(wanted, wanted == line ? nr_lines : nr))
		die("cannot size the map of a peer");
}

static void set_up_peer(struct bpf_object *object, const void *context)
{
	const struct peer *peer = context;
	struct constants constants = { peer->elements->family, lines(peer->elements) };

	set_constants(object, &constants, sizeof(constants));
	size_maps(object, peer, constants.nr_lines);
}

static void add(int map, bool is_trie, const struct pb_prefix *prefix)
{
	struct trie_key key = { .len = prefix->len };
	__u32 value = 1;

	memcpy(key.addr, prefix->addr, sizeof(key.addr));
	if (bpf_map_update_elem(map, is_trie ? (void *)&key : key.addr, &value, 0))
		die("a peer's map: %s", strerror(errno));
}

static void fill(struct program *program, const struct elements *elements)
{
	bool is_trie = !strcmp(program->name, "trie");
	int map = bpf_map__fd(find_map(program->object, is_trie ? "peer_trie" : "peer_hash"));

	for (size_t i = 0; i < elements->nr; i++)
		if (is_trie || elements->all[i].prefix.len == address_size(elements) * 8)
			add(map, is_trie, &elements->all[i].prefix);
}

struct program *peer_open(const char *name, const struct elements *elements, bool frags)
{
	struct peer peer = { name, elements };
	struct program *program = helper_open("peers.bpf.o", name, frags, set_up_peer, &peer);

	if (!strcmp(name, "trie") || !strcmp(name, "hash"))
		fill(program, elements);
	return program;
}
