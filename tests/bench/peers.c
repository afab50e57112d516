// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's own ways to look a source up, with the elements of a list. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <bpf/bpf.h>
#include "bench.h"
#include "rule/prefix.h"
#include "sources.h"

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
	__u32 nr_cells;
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
	else if (strcmp(peer->name, "nothing"))
		wanted = line;
	if (wanted && bpf_map__set_max_entries(wanted, wanted == line ? nr_lines : nr))
		die("cannot size the map of a peer");
	if (wanted == line &&
	    bpf_map__set_max_entries(find_map(object, "peer_cells"), nr_lines * PEER_CELLS))
		die("cannot size the map of a peer");
}

static void set_up_peer(struct bpf_object *object, const void *context)
{
	const struct peer *peer = context;
	__u32 nr_lines = lines(peer->elements);
	struct constants constants = { peer->elements->family, nr_lines, nr_lines * PEER_CELLS };

	set_constants(object, &constants, sizeof(constants));
	size_maps(object, peer, nr_lines);
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

/* A bit of the cell that the prefix is about, and its word where the bucket has room: seldom it has none. */
static void add_to_barest(struct program *program, __u32 address, __u32 len, __u32 nr_lines)
{
	int cells = bpf_map__fd(find_map(program->object, "peer_cells"));
	int buckets = bpf_map__fd(find_map(program->object, "peer_line"));
	__u64 word = PEER_WORD(address, len), words[PEER_WORDS];
	__u32 cell = PEER_HASH(address >> 8) & (nr_lines * PEER_CELLS - 1);
	__u32 bucket = PEER_HASH(word) & (nr_lines - 1), i = 0;
	__u8 lengths;

	if (bpf_map_lookup_elem(buckets, &bucket, words) ||
	    bpf_map_lookup_elem(cells, &cell, &lengths))
		die("the barest table: %s", strerror(errno));
	while (i < PEER_WORDS && words[i])
		i++;
	if (i == PEER_WORDS)
		return;
	words[i] = word;
	lengths |= len == 32 ? PEER_HAS_32 : PEER_HAS_24;
	if (bpf_map_update_elem(buckets, &bucket, words, 0) ||
	    bpf_map_update_elem(cells, &cell, &lengths, 0))
		die("the barest table: %s", strerror(errno));
}

static void fill_barest(struct program *program, const struct elements *elements)
{
	for (size_t i = 0; i < elements->nr; i++) {
		const struct pb_prefix *prefix = &elements->all[i].prefix;
		__be32 address;

		memcpy(&address, prefix->addr, sizeof(address));
		if (prefix->len == 24 || prefix->len == 32)
			add_to_barest(program, ntohl(address), prefix->len, lines(elements));
	}
}

struct program *peer_open(const char *name, const struct elements *elements, bool frags)
{
	struct peer peer = { name, elements };
	struct program *program = helper_open("peers.bpf.o", name, frags, set_up_peer, &peer);

	if (!strcmp(name, "trie") || !strcmp(name, "hash"))
		fill(program, elements);
	if (!strcmp(name, "bucket") || !strcmp(name, "barest"))
		fill_barest(program, elements);
	return program;
}
