/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * D. Who may read and not lock (lib/maps/readers.h) copies the maps, one after the other, while a rule is added to the
 * slot in force (lib/maps/adding.c), taken back, added again; or the writer is killed. When what tells versions apart
 * is the same before and after (read_whole() in lib/maps/ruleset.c), he lists the rule whole, and if packets get it,
 * at any moment from when he began.
 */
#define GENERATION 0
#define ADDING 1
#define RECORD 2 /* its id */
#define PORTS 3	 /* and the rest of it */
#define HOLDS 4	 /* what packets get: the entries, and the decision they lead to */
#define WORDS 5
#define NUMBERS 7 /* generations */
#include "memory.pml"

#define read(word) all[word]

inline number_anew()
{
	store(GENERATION, own[GENERATION] + 1)
}

inline begin_adding()
{
	store(ADDING, 1);
	number_anew();
	store(RECORD, 1);
	store(PORTS, 1)
}

inline end_adding()
{
	store(ADDING, 0)
}

inline take_back()
{
	store(RECORD, 0);
	store(ADDING, 0)
}

proctype writer()
{
	{
		do
		:: own[GENERATION] < NUMBERS - 2 ->
			begin_adding();
			if
			:: store(HOLDS, 1); end_adding(); break
			:: take_back(); store(PORTS, 0)
			fi
		:: else -> break
		od
	} unless { kill?true }
}

/* pb_adding_holds() asks the maps themselves: first what packets get, then for the record once more. */
inline is_there()
{
	there = record;
	if
	:: record && adding ->
		there = read(HOLDS);
		ports = read(PORTS)
	:: else
	fi
}

proctype reader()
{
	byte generation, before;
	bool held, adding, record, ports, there, same;

	do
	:: d_step { generation = 0; before = 0; adding = 0; record = 0; ports = 0; there = 0; same = 0; held = read(HOLDS) }
		if
		:: generation = read(GENERATION); before = read(ADDING)
		:: before = read(ADDING); generation = read(GENERATION)
		fi;
		adding = read(ADDING);
		record = read(RECORD);
		ports = read(PORTS);
		is_there();
		if
		:: same = generation == read(GENERATION); same = same && before == read(ADDING)
		:: same = before == read(ADDING); same = same && generation == read(GENERATION)
		fi;
		assert(!same || there || !held);
		assert(!same || !there || (read(HOLDS) && ports))
	od
}

init {
	atomic { own[GENERATION] = 1; all[GENERATION] = 1; run leave(); run writer(); run reader(); run killer() }
}
