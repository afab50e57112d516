// SPDX-License-Identifier: GPL-2.0-only
/* What CBMC is to prove of tokens.h, for all numbers: tests/proof/test_tokens says how. */
#include <linux/types.h>
#include <portblock/tokens.h>

#define assume(condition) __CPROVER_assume(condition)
#define claim(condition) __CPROVER_assert(condition, #condition)

__u64 nondet_number(void);

void one_packet(void)
{
	__u64 before = nondet_number(), full_at = before, now = nondet_number();
	__u64 cost = nondet_number(), burst = nondet_number();
	__s64 ahead = pb_token_after(before, now);
	__u64 left = pb_token_left(before, now, burst);
	int over;

	assume(cost > 0);
	assume(burst <= PB_TOKEN_BURST_MAX && cost <= PB_TOKEN_BURST_MAX);
	over = pb_token_over(&full_at, now, cost, burst);
	claim(left <= burst);
	/* Who is let go has paid, out of what there was. */
	claim(over || full_at == (ahead > 0 ? before : now) + cost);
	claim(over || pb_token_after(full_at, now) <= (__s64)burst);
	claim(over || burst - left + cost == (__u64)pb_token_after(full_at, now));
	/* Who is over has paid nothing, and nothing is given back but what nobody can have taken. */
	claim(!over || full_at == before || ahead > (__s64)(burst + PB_TOKEN_SLACK));
	claim(!over || full_at == before || full_at == now + burst);
	/* It is over where, and only where, there is too little. */
	claim(over == (cost > left || ahead > (__s64)(burst + PB_TOKEN_SLACK)));
	/* Whatever was there, in so much time there is room again. */
	claim(pb_token_after(full_at, now) <= (__s64)(burst + PB_TOKEN_SLACK));
}
