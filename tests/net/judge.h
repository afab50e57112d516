/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What those share who ask the loaded program about packets and know the answer by themselves (judge_sets.c,
 * judge_sources.c): chance, prefixes compared bit by bit, frames. Nothing of what is judged.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <portblock/portblock.h>

static struct pb_ruleset *ruleset;
static struct pb_test_run *run;
static struct pb_explanation *how;
static struct pb_error error;
static __u64 seed;

static inline void die(const char *what)
{
	printf("%s: %s\n", what, error.text);
	exit(1);
}

/* xorshift64* */
static inline __u32 draw(__u32 below)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (__u64)(__u32)(seed * 2685821657736338717ULL >> 32) * below >> 32;
}

static inline bool holds(const struct pb_prefix *prefix, const struct pb_prefix *host)
{
	if (prefix->family != host->family)
		return false;
	for (int i = 0; i < prefix->len; i++)
		if ((prefix->addr[i / 8] ^ host->addr[i / 8]) >> (7 - i % 8) & 1)
			return false;
	return true;
}

/* All bits beyond its length. */
static inline void clear_host_bits(struct pb_prefix *prefix)
{
	for (int i = prefix->len, bits = prefix->family == 4 ? 32 : 128; i < bits; i++)
		prefix->addr[i / 8] &= ~(0x80 >> i % 8);
}

/* A frame of 128 bytes at most, up to what is behind its IP header, which is returned: 20 bytes. */
static inline unsigned char *build_ip(const struct pb_prefix *source, __u8 protocol,
				      unsigned char *frame)
{
	unsigned char *ip = frame + 14;
	bool ipv4 = source->family == 4;

	memset(frame, 0, 128);
	memcpy(frame + 12, ipv4 ? "\x08\x00" : "\x86\xdd", 2);
	ip[0] = ipv4 ? 0x45 : 0x60;
	ip[ipv4 ? 3 : 5] = ipv4 ? 40 : 20;
	ip[ipv4 ? 8 : 7] = 64;
	ip[ipv4 ? 9 : 6] = protocol;
	memcpy(ip + (ipv4 ? 12 : 8), source->addr, ipv4 ? 4 : 16);
	return ip + (ipv4 ? 20 : 40);
}

static inline void build_tcp(unsigned char *tcp, int port)
{
	tcp[0] = 0x40;
	tcp[3] = port;
	tcp[12] = 0x50;
}

/* Asks the program; is the packet dropped? */
static inline bool ask(const unsigned char *frame, size_t length)
{
	if (pb_test_run_frame(run, frame, length, how, &error))
		die("pb_test_run_frame");
	return how->drop;
}

static inline void judge_open(const char *name)
{
	how = pb_explanation_new();
	if (!how || pb_ruleset_open(name, &ruleset, &error) ||
	    pb_test_run_open(ruleset, true, &run, &error))
		die("begin");
}

#endif
