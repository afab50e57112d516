/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A. Two slots (lib/maps/ruleset.c, lib/bpf/slot.h): each packet is judged wholly by one generation, which was written
 * to its end; whatever is changed, confirmed, rolled back by hand or by the clock, and wherever a writer is killed.
 * A slot is two words, which say whose they are; a generation is a number.
 */
#define WORDS 6
#define ACTIVE 0
#define REVERT_AT 1
#define ENTRY(slot) (2 + (slot))
#define DECISION(slot) (4 + (slot))
#define PENDING 2
#include "memory.pml"

/* The last that were given out. Two in a row differ, and two in the same slot. */
byte generation = 1, time = 1;
bool to_come; /* `time`, which all that were given out before are not */

#define is_past(at) ((at) != time || !to_come)

proctype packets(byte cpu)
{
	byte state, slot, entry, at;

	do
	:: atomic { judging[cpu] = true; state = LOAD(cpu, ACTIVE); slot = state % 2 }
		if
		:: state >= PENDING ->
			at = LOAD(cpu, REVERT_AT);
			if
			:: is_past(at) -> slot = 1 - slot
			:: at == time /* the clock is read once a jiffy, so it may be late */
			fi
		:: else
		fi;
		entry = LOAD(cpu, ENTRY(slot));
		atomic {
			assert(entry && LOAD(cpu, DECISION(slot)) == entry);
			judging[cpu] = false; state = 0; slot = 0; entry = 0; at = 0
		}
	od
}

#define in_force own[ACTIVE]
#define idle (1 - in_force % 2)

inline write_idle()
{
	tour();
	generation = generation % 3 + 1;
	store(ENTRY(idle), generation);
	store(DECISION(idle), generation);
}

inline change()
{
	write_idle();
	if
	:: store(ACTIVE, idle)
	:: atomic { time = 3 - time; to_come = true }; store(REVERT_AT, time); store(ACTIVE, idle + PENDING)
	fi
}

/* pb_ruleset_confirm(), pb_ruleset_rollback(); or nobody does anything, and the clock goes on */
inline end_pending()
{
	if
	:: !is_past(own[REVERT_AT]) -> store(ACTIVE, in_force % 2)
	:: store(ACTIVE, idle)
	:: is_past(own[REVERT_AT])
	fi
}

inline settle()
{
	if
	:: in_force >= PENDING && is_past(own[REVERT_AT]) -> store(ACTIVE, idle)
	:: else
	fi
}

proctype writer()
{
	do
	:: {
		begin();
		settle();
		if
		:: in_force >= PENDING -> end_pending()
		:: else -> change()
		fi
	} unless { kill?true }
	od
}

proctype clock()
{
	do
	:: atomic { to_come -> to_come = false }
	od
}

init {
	atomic {
		own[ENTRY(0)] = 1; all[ENTRY(0)] = 1;
		own[DECISION(0)] = 1; all[DECISION(0)] = 1;
		run leave(); run packets(0); run packets(1); run writer(); run killer(); run clock()
	}
}
