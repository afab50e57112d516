/* SPDX-License-Identifier: GPL-2.0-only */
/* Random rulesets that overlap, and packets at their borders. */
#ifndef RANDOM_H
#define RANDOM_H

#include "judge.h"

struct random {
	__u64 state;
};

/* PB_SEED of the environment, else another one each time. */
__u64 random_seed(void);
void random_init(struct random *random, __u64 seed);
/* Begins with that seed, and says it; returns it. */
__u64 random_begin(struct random *random);
/* From 0 to `limit` - 1. */
__u32 random_below(struct random *random, __u32 limit);

/* A condition that a rule may have: any rate, any burst that there may be, of each source or not. */
void random_over(struct random *random, struct pb_over *over);

/* At most `nr` rules with ids, sorted; the caller frees with random_set_free(). */
void random_set(struct random *random, size_t nr, struct pb_rules *rules);
void random_set_free(struct pb_rules *rules);

/* A packet near the borders of the rules' ports, prefixes and times. */
void random_packet(struct random *random, const struct pb_rules *rules, struct packet *packet);

#endif
