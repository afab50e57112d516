// SPDX-License-Identifier: GPL-2.0-only
/*
 * The XDP program, exactly as it is, less one part of the way of a plain frame whose port's entry decides; built once a part,
 * LESS_WHOLE being all of it, to be compared with the product's object: tests/bench/parts.
 *
 * Its headers are the product's, and so is portblock.bpf.c, but for the line in which the entry is loaded, which the
 * Makefile has call entry_at(). What is taken out is a macro in the place of a function.
 */
#define PB_NATIVE false
#include "filter.h"

/* A number that the compiler does not know, without a load or a call. */
__attribute__((unused)) PB_INLINE __u64 unknown_zero(void)
{
	__u64 zero;

	asm volatile("%0 = 0" : "=r"(zero));
	return zero;
}

#ifdef LESS_TABLE
/*
 * An entry that is made of the port instead, in registers alone. From 1,000 ports on a rule has the number of its port
 * (rules.c): the counters are the same.
 */
#define entry_at(table, port) entry_of_number(table, port)
PB_INLINE __u32 entry_of_number(const __u32 *table, __be16 port)
{
	__u32 entry;

	/* In assembly that has the table, too, so that clang places all else as before. */
	asm volatile("%0 = %1\n%0 = be16 %0\n%0 <<= 8\n%0 |= %3"
		     : "=&r"(entry)
		     : "r"(port), "r"(table), "i"(PB_ENTRY(0, PB_OUTCOME_DROP_RULE, XDP_DROP)));
	return entry;
}
#else
#define entry_at(table, port) (table)[port]
#endif

#if defined(LESS_RULE) || defined(LESS_OUTCOME) || defined(LESS_COUNTERS)
#define count(cpu, entry, bytes) count_less(cpu, entry, bytes)
PB_INLINE void count_less(__u64 cpu, __u32 entry, __u64 bytes)
{
	__u32 rule = PB_ENTRY_NUMBER(entry);

#ifdef LESS_COUNTERS
	return;
#endif
	PB_GOTO_IF(cpu, PB_PATCH_MANY_CPUS, many);
#ifdef LESS_RULE
	add(count_of_outcome(cpu, entry), bytes);
	return;
#endif
	if (rule)
		count_rule(cpu, rule, bytes);
	return;
many:
	count_of_many(cpu, entry, bytes);
}
#endif

/* Which CPU it is, is asked for the counters alone. */
#ifdef LESS_COUNTERS
#define this_cpu() unknown_zero()
#endif

#ifdef LESS_HELPER
#define frame_length(ctx) ((ctx)->data_end - (ctx)->data)
#endif
#ifdef LESS_LENGTH
#define frame_length(ctx) unknown_zero()
#endif

#ifdef LESS_STATE
#define read_state() unknown_zero()
#endif

#include "portblock.less.h"
