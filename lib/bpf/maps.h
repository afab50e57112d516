/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the program is told before it is loaded, and its maps. */
#ifndef PB_BPF_MAPS_H
#define PB_BPF_MAPS_H

#include <portblock/patched.h>

/* Constants of the interface, set before load: the verifier removes what they rule out. */
const volatile enum pb_frames pb_frames = PB_FRAMES_ETHERNET;
const volatile bool pb_connections = true; /* the kernel can look sockets up from XDP */
const volatile bool pb_cmpxchg = true;	   /* the kernel has that instruction: rates.h */
const volatile bool pb_coarse = true;	   /* the kernel has bpf_ktime_get_coarse_ns() */
const volatile bool pb_quiet = false;	   /* tells no listener */
const volatile bool pb_native = PB_NATIVE; /* frames are read by the kernel module */
const volatile __u32 pb_token_rows = 1;	   /* in pb_tokens_each, a power of two */
const volatile __u32 pb_number;		   /* of the two that take turns in an exchange: 0 or 1 */

/*
 * What each kernel has that takes the program of PB_KERN_CTX (frame.h; the library sees to it) is no question there:
 * the verifier need not go around what never runs, and take it out.
 */
#ifdef PB_KERN_CTX
#define PB_GIVEN(constant) true
#else
#define PB_GIVEN(constant) (constant)
#endif

/*
 * Some of them once more, in instructions: a constant that is looked at costs two on each packet's way, a branch that
 * is decided none. `any` is a number: pb_elf_patch() has it compared with 0, to which the verifier knows the answer.
 */
#define PB_GOTO_IF(any, flag, label) \
	asm goto("if %0 == %1 goto %l2" : : "r"(any), "i"(flag) : : label)

/* And one that is a number: the entries of a CPU in pb_counts; where those of this CPU begin. */
PB_INLINE __u64 counts_of(__u64 cpu)
{
	asm("%0 *= %1" : "+r"(cpu) : "i"(PB_PATCH_COUNT_ROW));
	return cpu;
}

/*
 * Maps of one entry, as variables: the program holds their address, where a look-up in a map takes
 * 11 instructions on 6.1. The library makes the first five under these names, and pins them; the
 * last ones are of this interface alone, and gone with the program. (pb_ports is in .bss, since that
 * takes no room in the object; Debian 12's bpftool knows no .bss.NAME.)
 */
struct pb_config pb_config SEC(".data.config");
struct pb_ports pb_ports;
struct pb_meters pb_meters SEC(".data.meters");
struct pb_sets pb_sets SEC(".data.sets");
struct pb_rates pb_rates SEC(".data.rates");
struct pb_outcomes pb_outcomes SEC(".data.outcomes");
struct pb_exchange pb_exchange SEC(".data.exchange");

/* Sizes of maps are set at load; the ones here are for the verifier alone. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PB_SLOTS);
	__type(key, __u32);
	__type(value, struct pb_port_classes);
} pb_port_classes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PB_SLOTS);
	__type(key, __u32);
	__type(value, struct pb_decision);
} pb_decisions SEC(".maps");

/* The sources of rules: maps of maps, of one entry each, so that a ruleset without any has none. */
struct source_segment4 {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct pb_source_segment4));
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, PB_SLOTS);
	__type(key, __u32);
	__array(values, struct source_segment4);
} pb_sources4 SEC(".maps");

struct source_segment6 {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct pb_source_segment6));
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, PB_SLOTS);
	__type(key, __u32);
	__array(values, struct source_segment6);
} pb_sources6 SEC(".maps");

/*
 * Elements of sets: maps of maps, of one entry each, so that tables grow and whole sets are exchanged while
 * the program runs, and a ruleset without sets has none. Such look-ups are no calls.
 */
struct segment4 {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct pb_segment4));
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, PB_TABLE_GENERATIONS *PB_SEGMENTS_MAX);
	__type(key, __u32);
	__array(values, struct segment4);
} pb_elements4 SEC(".maps");

struct segment6 {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct pb_segment6));
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, PB_TABLE_GENERATIONS *PB_SEGMENTS_MAX);
	__type(key, __u32);
	__array(values, struct segment6);
} pb_elements6 SEC(".maps");

struct lengths {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct pb_lengths));
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, PB_TABLE_GENERATIONS);
	__type(key, __u32);
	__array(values, struct lengths);
} pb_lengths SEC(".maps");

/* Rates of rules, and their token buckets. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PB_SLOTS);
	__type(key, __u32);
	__type(value, struct pb_rule_limits);
} pb_limits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} pb_tokens SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pb_token_row);
} pb_tokens_each SEC(".maps");

/* Without compare-and-swap: rates.h. Of this program alone, and made only where it is needed. */
#define TOKEN_LOCKS 256
struct token_lock {
	struct bpf_spin_lock lock;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TOKEN_LOCKS);
	__type(key, __u32);
	__type(value, struct token_lock);
} pb_token_locks SEC(".maps");

/* The next three are not read here: they hold the rules as written, for `rule list` and bpftool. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PB_SLOTS);
	__type(key, __u32);
	__type(value, struct pb_rule_record);
} pb_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PB_SLOTS);
	__type(key, __u32);
	__type(value, struct pb_range);
} pb_ranges SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct pb_prefix_key);
	__type(value, struct pb_prefix_block);
} pb_prefixes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pb_count);
} pb_counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PB_EVENTS_SIZE);
} pb_events SEC(".maps");

/* What was found in the packet that is rejected. XDP runs to the end on its CPU. */
struct rejected {
	__u64 found; /* FOUND() */
	__u32 ports; /* PORTS() */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct rejected);
} pb_rejected SEC(".maps");

/* Where a report is put together. */
struct report {
	struct pb_event event;
	__u8 data[PB_SNAPLEN_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct report);
} pb_reports SEC(".maps");

/* The only entry of the map that a map of maps has under this key. Such look-ups are no calls. */
PB_INLINE void *inner_entry(void *maps, __u32 key)
{
	__u32 zero = 0;
	void *map = bpf_map_lookup_elem(maps, &key);

	return map ? bpf_map_lookup_elem(map, &zero) : NULL;
}

#endif
