/* SPDX-License-Identifier: GPL-2.0-only */
/* For tests/net/delivered.c: what stands between an IP header and its transport header. */
#ifndef DELIVERED_CHAIN_H
#define DELIVERED_CHAIN_H

#include "train.h"

#define CHAIN_MAX 6000

/* Extension headers, one behind the other; `first` says what the first one is. */
struct chain {
	unsigned char bytes[CHAIN_MAX];
	unsigned int len, nr;
	unsigned int next_at; /* where the last one says what comes behind it */
	uint8_t first;
	unsigned int long_to; /* bytes up to which there may be headers of any length */
	bool few;	      /* so few headers that a wrong length makes no ninth of them */
	bool fragment;	      /* there is a fragment header, in it or elsewhere in the packet */
};

/* Adds `nr` IPv6 headers of any kind. `head`: a hop-by-hop header may be the first of them. */
void chain_add(struct chain *chain, const struct place *place, struct rng *rng, unsigned int nr,
	       bool head, bool gentle, uint64_t *kinds);
/* Adds AH, for IPv4. */
void chain_add_ah(struct chain *chain, const struct place *place, struct rng *rng);
/* What comes behind the last one */
void chain_close(struct chain *chain, uint8_t next);

/* Writes IPv4 options; returns their length, a multiple of 4. */
unsigned int options_build(unsigned char options[40], const struct place *place, struct rng *rng,
			   bool gentle, uint64_t *kinds);

#endif
