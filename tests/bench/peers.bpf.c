// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's own ways to look a source up among many, each in a program that does nothing else, and one
 * that does not even that. Who loads them gives the maps their sizes.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "sources.h"

const volatile __u32 family = 4;
const volatile __u32 nr_lines = 1; /* a power of two, as nr_cells */
const volatile __u32 nr_cells = 1;

struct trie_key {
	__u32 len;
	unsigned char addr[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, 8); /* IPv6: 20 */
	__uint(value_size, 4);
} peer_trie SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, 4); /* IPv6: 16 */
	__uint(value_size, 4);
} peer_hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(key_size, 4);
	__uint(value_size, 64);
} peer_line SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(key_size, 4);
	__uint(value_size, 1);
} peer_cells SEC(".maps");

static __always_inline unsigned char *source_of(struct xdp_md *ctx)
{
	unsigned char *frame = (void *)(long)ctx->data;

	if (frame + AT_SOURCE6 + 16 > (unsigned char *)(long)ctx->data_end)
		return NULL;
	return frame + (family == 4 ? AT_SOURCE4 : AT_SOURCE6);
}

static __always_inline void copy(unsigned char *addr, const unsigned char *source)
{
	if (family == 4)
		__builtin_memcpy(addr, source, 4);
	else
		__builtin_memcpy(addr, source, 16);
}

SEC("xdp")
int nothing(struct xdp_md *ctx)
{
	return source_of(ctx) ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int trie(struct xdp_md *ctx)
{
	struct trie_key key = { .len = family == 4 ? 32 : 128 };
	unsigned char *source = source_of(ctx);

	if (!source)
		return XDP_ABORTED;
	copy(key.addr, source);
	return bpf_map_lookup_elem(&peer_trie, &key) ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int hash(struct xdp_md *ctx)
{
	unsigned char *source = source_of(ctx);
	__u32 key[4] = {};

	if (!source)
		return XDP_ABORTED;
	copy((unsigned char *)key, source);
	return bpf_map_lookup_elem(&peer_hash, key) ? XDP_DROP : XDP_PASS;
}

/* What no table can be without: one read of memory at a place that the source says. */
SEC("xdp")
int line(struct xdp_md *ctx)
{
	unsigned char *source = source_of(ctx);
	__u64 words[2] = {}, *found;
	__u32 key;

	if (!source)
		return XDP_ABORTED;
	copy((unsigned char *)words, source);
	key = (words[0] ^ words[1]) * 11400714819323198485ULL >> 40;
	key &= nr_lines - 1;
	found = bpf_map_lookup_elem(&peer_line, &key);
	return found && !*found ? XDP_DROP : XDP_PASS;
}

/*
 * The barest table of hashed prefixes: which of /24 and /32 are worth a look is one read by the first 24 bits, and each
 * of these one hash and one bucket, compared without a branch. No sets, no times, no bucket that overflows, no growth,
 * no writer beside it, no other length, no IPv6.
 */
static __always_inline int in_bucket(__u32 address, __u32 len)
{
	__u64 word = PEER_WORD(address, len), found = 0, *words;
	__u32 key = PEER_HASH(word) & (nr_lines - 1);

	words = bpf_map_lookup_elem(&peer_line, &key);
	if (!words)
		return 0;
	_Pragma("unroll") for (int i = 0; i < PEER_WORDS; i++)
		found |= ((words[i] ^ word) - 1) >> 63;
	return found;
}

/* Hosts alone. */
SEC("xdp")
int bucket(struct xdp_md *ctx)
{
	unsigned char *source = source_of(ctx);

	if (!source)
		return XDP_ABORTED;
	return in_bucket(bpf_ntohl(*(__be32 *)source), 32) ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int barest(struct xdp_md *ctx)
{
	unsigned char *source = source_of(ctx), *cell;
	__u32 address, key;

	if (!source)
		return XDP_ABORTED;
	address = bpf_ntohl(*(__be32 *)source);
	key = PEER_HASH(address >> 8) & (nr_cells - 1);
	cell = bpf_map_lookup_elem(&peer_cells, &key);
	if (!cell)
		return XDP_ABORTED;
	if (*cell & PEER_HAS_32 && in_bucket(address, 32))
		return XDP_DROP;
	return *cell & PEER_HAS_24 && in_bucket(address & 0xffffff00, 24) ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
