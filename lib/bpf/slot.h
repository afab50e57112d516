/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whose packet it is, and the slot that judges it. */
#ifndef PB_BPF_SLOT_H
#define PB_BPF_SLOT_H

#include "clock.h"
#include "maps.h"
#include "verifier.h"

/*
 * Is the packet one for the other program of ours in the chain? What is loaded here needs no order: each value of
 * `turn` is waited for by a grace period before the next is stored, and the latch is of this CPU alone.
 */
static __noinline int is_of_other(__u32 cpu)
{
	volatile struct pb_exchange *exchange = &pb_exchange;
	__u32 turn = exchange->turn, phase = turn & PB_TURN_PHASE, whose = PB_TURN_ACTING(turn);
	volatile __u8 *latch = &exchange->latch[masked(cpu, PB_LATCHES - 1)];

	if (phase == PB_PHASE_NONE)
		return false;
	if (pb_number == PB_TURN_FIRST_OF(turn))
		*latch = whose;
	else if (phase == PB_PHASE_LATCH)
		whose = *latch;
	return whose != pb_number;
}

/* pb_config.active and .listening, in one number: more than a slot where anything is unusual. */
#define PB_STATE_AT 1
#define PB_STATE_ACTIVE(state) ((__u32)(state))
_Static_assert(offsetof(struct pb_config, active) / sizeof(__u64) == PB_STATE_AT &&
		       offsetof(struct pb_config, listening) / sizeof(__u64) == PB_STATE_AT,
	       "one load");

/*
 * What is in force, to be read once a packet: all else of it comes from the slot that this names. It is
 * published with release. Each load of what a slot has is from an address that is computed from this number
 * (LKMM: "addr"), or from one that was loaded so, hence comes after it where the processor loads in another
 * order, too. What is not of a slot, pb_sets.tables above all, is stored before a grace period that the publisher
 * waits for (lib/maps/tables.c): who sees the number has begun after that period did, and sees it.
 */
PB_INLINE __u64 read_state(void)
{
	const volatile __u64 *state = (const volatile __u64 *)&pb_config + PB_STATE_AT;

	return *state;
}

/*
 * The slot that judges the packet: the published one, or the other one when no confirm came in time;
 * SLOT_OF_OTHER: the packet is for the other program. To be asked once a packet.
 * `revert_at` may be loaded before `active` was; an older one is that of a change long ago, whose slot was in force
 * a moment ago, as the other is now.
 */
#define SLOT_OF_OTHER PB_SLOTS
PB_INLINE __u32 slot_of_packet(__u32 cpu, __u32 active)
{
	const volatile struct pb_config *config = &pb_config;

	if (!unlikely(active > PB_ACTIVE_SLOT))
		return active;
	if (active & PB_ACTIVE_EXCHANGE && is_of_other(cpu))
		return SLOT_OF_OTHER;
	if (active & PB_ACTIVE_PENDING && is_past(config->revert_at))
		active = !(active & PB_ACTIVE_SLOT);
	return active & PB_ACTIVE_SLOT;
}

#endif
