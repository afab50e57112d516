/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Rates: `over 6/m burst 10 each source/24,64 total 100/s`. */
#ifndef PB_RATE_H
#define PB_RATE_H

#include <stdio.h>
#include <portblock/portblock.h>

/* "6/m", "10mbit/s"; with the burst that it has unless said. */
int pb_rate_parse(const char *text, struct pb_rate *rate, struct pb_error *error);
/* "10", "64kbit": of a rate that is known. */
int pb_burst_parse(const char *text, struct pb_rate *rate, struct pb_error *error);
/* "source", "source/24", "source/24,56" */
int pb_each_parse(const char *text, struct pb_over *over, struct pb_error *error);

void pb_rate_print(FILE *out, const struct pb_rate *rate);
void pb_burst_print(FILE *out, const struct pb_rate *rate);
void pb_each_print(FILE *out, const struct pb_over *over);
/* Is it another than the rate has unless said? */
bool pb_burst_is_given(const struct pb_rate *rate);

/* rate-check.c: what it has unless said. */
__u64 pb_rate_default_burst(const struct pb_rate *rate);
/* Is it within what can be counted? `text` is what was written. -EINVAL. */
int pb_rate_check(const char *text, const struct pb_rate *rate, struct pb_error *error);
int pb_burst_check(const char *text, const struct pb_rate *rate, __u64 burst,
		   struct pb_error *error);
/* Whoever made it: is it one that a text could say, with zeros where nothing is? -EINVAL. */
int pb_over_check(const struct pb_over *over, struct pb_error *error);

/* All of it in one text, as JSON is read through: "6/m burst 10 each source/24,64 total 100/s". */
int pb_over_parse(const char *text, struct pb_over *over, struct pb_error *error);

/* "packets" or "bits"; "s", "m" or "h". */
const char *pb_rate_unit_name(__u8 unit);
const char *pb_rate_per_name(__u8 per);

#endif
