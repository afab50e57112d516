/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory as x86 has it (TSO), for one writer and packets on two CPUs: what is stored waits in the buffer of the
 * writer's CPU, in its order; that CPU sees it at once (`own`), others when it has left (`all`). CPU 0 is the writer's,
 * or the writer is on a third one. Loads are in order; where each store leaves at once, all see one memory (SC).
 * Whoever includes this says how many WORDS there are.
 */
#ifndef BUFFER
#define BUFFER 2
#endif

byte own[WORDS], all[WORDS];
chan buffer = [BUFFER] of { byte, byte };
bool writer_on_0;
bool judging[2]; /* a CPU has its bottom halves disabled, for a packet */
chan kill = [0] of { bool };

#define LOAD(cpu, word) ((cpu) == 0 && writer_on_0 -> own[word] : all[word])

inline store(word, value)
{
	d_step { nfull(buffer) -> own[word] = value; buffer!word,own[word] }
}

inline fence()
{
	empty(buffer)
}

/* lib/maps/grace.c, of which tour.pml is the proof */
inline tour()
{
	fence();
	!judging[0];
	!judging[1];
}

/* The next writer has the lock: whoever had it before has ended, and all that was stored is seen. */
inline begin()
{
	atomic {
		fence();
		if
		:: writer_on_0 = true
		:: writer_on_0 = false
		fi
	}
}

proctype leave()
{
	byte word, value;

end:	do
	:: d_step { buffer?word,value -> all[word] = value; word = 0; value = 0 }
	od
}

/* SIGKILL, before any of the writer's instructions */
proctype killer()
{
	do
	:: kill!true
	od
}
