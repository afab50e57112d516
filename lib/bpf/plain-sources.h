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
	__u64 address = (__u64)bpf_ntohl(plain_source4(ctx)) << 32;
	int answer = NO_ANSWER;

	if (mix->levels & PB_LEVEL4(24))
		answer = answer_at_level4(mix, address, 24, key);
	if (answer < 0 && (mix->levels & (PB_LEVEL4(16) | PB_LEVEL4(8)) || mix->lengths4))
		answer = answer_of_rest4(address, key);
	return answer < 0 ? 0 : answer;
}

__noinline int answer_of_address6(__u64 high, __u64 low, __u32 key)
{
	const struct pb_source_decision *mix = source_decision_at(key);
	int answer = mix ? answer_of_ipv6(mix, key, high, low) : NO_ANSWER;

	return answer < 0 ? 0 : answer;
}

PB_INLINE __u32 answer_of_plain6(struct xdp_md *ctx, __u32 key)
{
	struct pb_address source;

	return plain_source6(ctx, &source) ? answer_of_address6(source.high, source.low, key) : 0;
}

/*
 * What becomes of the packet, as an entry: still an indirect one where no rule decides and the policy takes more.
 * `key`: of the class in pb_decisions.
 */
PB_INLINE __u32 judge_plain_by_sources(struct xdp_md *ctx, __u32 key)
{
	const struct pb_source_decision *mix = source_decision_at(key);
	const struct pb_decision *winner;
	__u32 answer;

	if (!mix)
		return PB_ENTRY_INDIRECT;
	answer = is_plain_ipv4(ctx) ? answer_of_plain4(ctx, mix, key) : answer_of_plain6(ctx, key);
	winner = decision_at(mix->next + answer, key % PB_SLOTS);
	if (!winner)
		return PB_ENTRY_INDIRECT;
	if (winner->entry)
		return winner->entry;
	if (pb_config.slots[key % PB_SLOTS].flags & PB_SLOT_DENY)
		return PB_ENTRY_INDIRECT;
	return PB_ENTRY(0, PB_OUTCOME_PASS, XDP_PASS);
}

#endif
