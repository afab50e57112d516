/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * B. A tour of the processors (lib/maps/grace.c): when a thread has been on each of them, each section with bottom halves
 * disabled that had begun when it set out has ended, and those that are under way see what was stored before.
 * Whoever stores is on any of the CPUs, whose buffer lets it out later (TSO); to change tasks is a full barrier of that CPU.
 */
#define CPUS 3
#define NOTHING_YET 2

bool own, all;		/* what is stored, as the CPU sees it that has stored it, and as the others do */
byte writer, wanted = CPUS; /* CPUs: the writer's, and that on which the thread is allowed */
bool there;		/* it is */

bool judging[CPUS], since_before[CPUS];
byte saw[CPUS];

/* A processor changes to our thread. */
inline change_task()
{
	atomic {
		wanted == cpu && !there ->
			if
			:: writer == cpu -> all = own
			:: else
			fi;
			there = true
	}
}

proctype processor(byte cpu)
{
	do
	:: atomic { judging[cpu] = true; saw[cpu] = NOTHING_YET }
		saw[cpu] = (writer == cpu -> own : all);
		atomic { judging[cpu] = false; since_before[cpu] = false; saw[cpu] = NOTHING_YET }
	:: change_task()
	od
}

inline be_on(cpu)
{
	atomic { wanted = cpu; there = false }
	there
}

#define is_over(cpu) (!since_before[cpu] && (saw[cpu] == NOTHING_YET || saw[cpu] == own))

proctype changer()
{
	do
	:: atomic { own == all -> select (writer : 0 .. CPUS - 1); own = !own }
		own == all; /* a fence */
		d_step { since_before[0] = judging[0]; since_before[1] = judging[1]; since_before[2] = judging[2] }
		be_on(0);
		be_on(1);
		be_on(2);
		assert(is_over(0) && is_over(1) && is_over(2))
	od
}

proctype leave()
{
	do
	:: own != all -> all = own
	od
}

init {
	atomic {
		saw[0] = NOTHING_YET; saw[1] = NOTHING_YET; saw[2] = NOTHING_YET;
		run processor(0); run processor(1); run processor(2); run changer(); run leave()
	}
}
