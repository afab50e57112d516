/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * C. Rules that are added to the slot in force (lib/maps/adding.c), or by the long way. Each is for one entry, or for two. A
 * packet is judged with its port's rule or without any; when one has been judged with it, so is each that begins later
 * ("one step"); and what the next writer reads, which lists the rules there are, is what packets get from then on:
 * wherever the one before was killed, and where it cannot wait for packets and takes the rule back.
 */
#ifndef RULES
#define RULES 3 /* from 1 on, each added once */
#endif
#define ACTIVE 0
#define ENTRY(slot, rule, which) (1 + (slot) * 2 * RULES + ((rule) - 1) * 2 + (which))
#define SPARE(slot, turn) (1 + 4 * RULES + (slot) * 2 + (turn) % 2)
#define SEEN (5 + 4 * RULES) /* no word of ours: what packets tell each other, by stores, too */
#define WORDS (6 + 4 * RULES)
#include "memory.pml"

#define LEADS(turn) (RULES + 1 + (turn) % 2) /* an entry: 0, a rule, or this */

typedef header {
	byte adding, turns;
	bool record[RULES + 1]
};
header slots[2];
bool one[RULES + 1]; /* the rule is for one entry */
bool pending;

byte watched; /* any rule: packets are looked at that are for its ports */
bool gone;    /* it was not there when rules were read */
bool added;   /* the tool has said that it is there */

inline judge(cpu)
{
	assert(says == 0 || says == watched); /* by its own rule, or without */
	assert(says || !must);		      /* in one step */
	assert(!says || !gone);		      /* as was read */
	if
	:: says && !LOAD(cpu, SEEN) ->
		if
		:: cpu == 0 && writer_on_0 -> store(SEEN, 1)
		:: else -> own[SEEN] = 1; all[SEEN] = 1
		fi
	:: else
	fi;
	judging[cpu] = false; must = false; slot = 0; says = 0
}

proctype packets(byte cpu)
{
	byte slot, says;
	bool must;

	do
	:: atomic { judging[cpu] = true; must = LOAD(cpu, SEEN); slot = LOAD(cpu, ACTIVE) }
		atomic {
			if
			:: says = LOAD(cpu, ENTRY(slot, watched, 0))
			:: !one[watched] -> says = LOAD(cpu, ENTRY(slot, watched, 1))
			fi;
			if
			:: says <= RULES -> judge(cpu)
			:: else
			fi
		}
		if
		:: !judging[cpu]
		:: else -> atomic { says = LOAD(cpu, SPARE(slot, says - LEADS(0))); judge(cpu) }
		fi
	od
}

/* ---- The writer ----------------------------------------------------------------------------------- */

byte new;	       /* the rule that is to be added, RULES + 1 at the end */

#define in_force own[ACTIVE]
#define idle (1 - own[ACTIVE])
#define slot_now slots[own[ACTIVE]]
#define first_entry(rule) own[ENTRY(in_force, rule, 0)]

/* pb_adding_holds() */
#define holds(rule) \
	(first_entry(rule) == (rule) || \
	 (first_entry(rule) > RULES && own[SPARE(in_force, first_entry(rule) - LEADS(0))] == (rule)))

#define is_there(rule) (slot_now.record[rule] && (slot_now.adding != (rule) || holds(rule)))

/* pb_slot_read(), with the lock, when all of a writer's stores have left: what it lists packets get. */
inline read_rules()
{
	d_step {
		assert(is_there(watched) || !own[SEEN]);
		assert(is_there(watched) || !added);
		if
		:: new <= watched
		:: new > watched && is_there(watched) -> own[SEEN] = 1; all[SEEN] = 1
		:: else -> gone = true
		fi
	}
}

#define put(word, value) own[word] = value; all[word] = value

/* slots.pml says that nobody reads it: no need to do it by and by, but who is killed leaves anything. */
inline write_idle()
{
	tour();
	d_step {
		slots[idle].adding = 0;
		slots[idle].turns = 0;
		rule = 1;
		do
		:: rule <= RULES ->
			slots[idle].record[rule] = rule == new || is_there(rule);
			put(ENTRY(idle, rule, 0), slots[idle].record[rule] * rule);
			put(ENTRY(idle, rule, 1), slots[idle].record[rule] * rule * !one[rule]);
			rule++
		:: else -> break
		od;
		rule = 0
	}
	atomic {
		if
		:: pending = new != watched /* that it is taken back then is no fault */
		:: true
		fi;
		store(ACTIVE, idle)
	}
}

/* A change that waits to be confirmed is, or is rolled back: slots.pml has the clock, too. */
inline end_pending()
{
	if
	:: pending -> store(ACTIVE, idle); fence()
	:: true
	fi;
	pending = false
}

inline begin_adding()
{
	slot_now.adding = new;
	slot_now.record[new] = true
}

inline set_entries(value)
{
	store(ENTRY(in_force, new, 0), value);
	if
	:: !one[new] -> store(ENTRY(in_force, new, 1), value)
	:: else
	fi
}

inline take_back()
{
	set_entries(0);
	slot_now.record[new] = false
}

inline put_one_entry()
{
	set_entries(new)
}

inline put_entries()
{
	turn = slot_now.turns;
	store(SPARE(in_force, turn), 0);
	set_entries(LEADS(turn));
	if
	:: tour();
		slot_now.turns = 1 - turn;
		store(SPARE(in_force, turn), new);
		if
		:: tour()
		:: added = added || new == watched; goto left /* nobody could wait: as if killed */
		fi;
		set_entries(new)
	:: take_back(); goto done
	fi
}

proctype writer()
{
	byte rule, turn;

	do
	:: new < RULES ->
		new++;
		{
			begin();
			end_pending();
			read_rules();
			if
			:: one[new] = true
			:: true
			fi;
			if
			:: slot_now.adding -> write_idle()
			:: write_idle()
			:: !slot_now.adding ->
				begin_adding();
				if
				:: one[new] -> put_one_entry()
				:: else -> put_entries()
				fi;
				added = added || new == watched;
			done:
				slot_now.adding = 0;
			left:
				skip
			fi;
		} unless { kill?true };
		atomic { rule = 0; turn = 0 }
	:: else -> break
	od;
	new = RULES + 1;
	begin();
	read_rules()
}

init {
	atomic {
		select (watched : 1 .. RULES);
		run leave(); run packets(0); run packets(1); run writer(); run killer()
	}
}
