/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the verifier has to be told. */
#ifndef PB_BPF_VERIFIER_H
#define PB_BPF_VERIFIER_H

/*
 * An index that the verifier is to know the bound of. In assembly, since clang knows it already, and
 * removes the mask or compares other bits of the same value: of a copy that was compared before, and
 * of a byte-swapped value on 6.1 and older, the verifier learns nothing.
 */
PB_INLINE __u64 masked(__u64 index, __u64 mask)
{
	asm volatile("%0 &= %1" : "+r"(index) : "i"(mask));
	return index;
}

/*
 * The same index, of which the verifier is to know nothing: else it goes each way that follows once for each value that
 * it knows. `any`: a number from memory.
 */
PB_INLINE __u64 forgotten(__u64 index, __u64 any)
{
	__u64 same = any;

	barrier_var(same);
	return index + (same ^ any);
}

/*
 * An addition that no other CPU's is lost by. Relaxed: of any other order clang 21 makes the instruction that
 * returns what was there, too, which kernels before 5.12 refuse.
 */
PB_INLINE void add_shared(__u64 *to, __u64 number)
{
	__atomic_fetch_add(to, number, __ATOMIC_RELAXED);
}

/*
 * 0, computed from what was loaded: a load from an address to which this is added comes after that one. A branch
 * between two loads does not order them on arm64: in the kernel's memory model (LKMM) a control dependency orders
 * stores alone, and an address dependency loads, too. Processors go by the registers, whatever the number. In
 * assembly, since clang would know it; the verifier does, and leaves the instruction, and so do JITs. (Loads with
 * acquire came to BPF in 2025.) x86 keeps loads in order by itself, and waiting would cost 10 ns a hit of IPv6.
 */
PB_INLINE __u64 behind(__u64 loaded)
{
#ifdef __TARGET_ARCH_x86
	return loaded * 0;
#else
	return masked(loaded, 0);
#endif
}

#endif
