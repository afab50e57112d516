/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A plain frame to a port of which the source says all (PB_ENTRY_SOURCES). It is judged where it was read, for a call
 * costs more than a look where returns are guarded.
 */
#ifndef PB_BPF_PLAIN_SOURCES_H
#define PB_BPF_PLAIN_SOURCES_H

#include "judge.h"

/* A call for what is rarer. */
__noinline int answer_of_rest4(__u64 address, __u32 key)
{
	const struct pb_source_decision *mix = source_decision_at(key);

	return mix ? answer_of_networks4(mix, key, address) : NO_ANSWER;
}

PB_INLINE __u32 answer_of_plain4(struct xdp_md *ctx, const struct pb_source_decision *mix,
				 __u32 key)
{
	const struct pb_plain_ipv4 *v4 = (void *)(long)ctx->data;
	int answer = NO_ANSWER;
	__be32 source;
	__u64 address;

	if ((void *)(v4 + 1) > (void *)(long)ctx->data_end)
		return 0; /* never: it was plain a moment ago */
	__builtin_memcpy(&source, v4->ip.source, sizeof(source));
	address = (__u64)bpf_ntohl(source) << 32;
	if (mix->levels & PB_LEVEL4(24))
		answer = answer_at_level4(mix, address, 24, key);
	if (answer < 0 && (mix->levels & (PB_LEVEL4(16) | PB_LEVEL4(8)) || mix->lengths4))
		answer = answer_of_rest4(address, key);
	return answer < 0 ? 0 : answer;
}

/*
 * What becomes of the packet, as an entry: still an indirect one where no rule decides and the policy takes more.
 * `key`: of the class in pb_decisions.
 */
PB_INLINE __u32 judge_plain_by_sources(struct xdp_md *ctx, __u64 key)
{
	const struct pb_source_decision *mix = source_decision_at(key);
	const struct pb_decision *winner;
	enum pb_outcome outcome;
	__u32 index;

	if (!mix)
		return PB_ENTRY_INDIRECT;
	if (is_plain_ipv4(ctx))
		index = mix->next + answer_of_plain4(ctx, mix, key);
	else
		index = decision_by_source(ctx, FOUND(0, 6, sizeof(struct pb_eth_header), 0), key);
	winner = decision_at(index, key % PB_SLOTS);
	if (!winner)
		return PB_ENTRY_INDIRECT;
	if (winner->rule)
		outcome = outcome_of_action(winner->action);
	else if (pb_config.slots[key % PB_SLOTS].flags & PB_SLOT_DENY)
		return PB_ENTRY_INDIRECT;
	else
		outcome = PB_OUTCOME_PASS;
	return PB_ENTRY(winner->rule, outcome, verdict_on(outcome, 0));
}

#endif
