/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the XDP program and user space share: map keys and values, limits, enums.
 * A change of any layout here raises PB_ABI_VERSION. There is no padding but what is a member, so
 * that programs of 32 bits have the same; layout.h holds the compiler to it.
 *
 * A ruleset lives in two slots. The program reads pb_config.active once a packet and then only
 * that slot's entries; a change is compiled into the idle slot and published by one store of
 * `active`. Maps with an entry a slot are indexed [i * PB_SLOTS + slot], so that no capacity
 * has to be known to compute an index.
 *
 * Ports are in host order in every map. Times are CLOCK_BOOTTIME nanoseconds (time spent in
 * suspend counts), 0 meaning never.
 */
#ifndef PORTBLOCK_ABI_H
#define PORTBLOCK_ABI_H

#include <linux/types.h>

#define PB_ABI_VERSION 11

#define PB_SLOTS 2
#define PB_PORTS 65536		 /* port numbers in a class table */
#define PB_NAME_LEN 32		 /* ruleset name with its NUL */
#define PB_COMMENT_LEN 64	 /* comment with its NUL, bytes of UTF-8 */
#define PB_RECORD_PORTS 6	 /* port ranges kept in the rule's own record */
#define PB_RULES_DEFAULT 4096	 /* --max-rules unless said */
#define PB_RULES_LIMIT 65535	 /* highest rule id: ids are 16 bits wide on the data path */
#define PB_SOURCES_DEFAULT 16384 /* --max-sources unless said: prefixes of all rules together */
#define PB_SOURCES_LIMIT 1048576
#define PB_CHAIN_MAX 16	 /* candidates looked at for one packet, both sides together */
#define PB_CHAIN_RULES 8 /* candidates over one port of one side, the unconditional one included */
#define PB_SNAPLEN_MAX 2048
#define PB_TAGS_MAX 4		    /* 802.1Q and 802.1ad tags */
#define PB_EXTENSIONS_MAX 8	    /* IPv6 extension headers */
#define PB_EVENTS_SIZE (256 * 1024) /* bytes of pb_events */
#define PB_CONFIG_MAPS 24	    /* room in pb_config.maps */
#define PB_SETS_MAX 64		    /* sets of a ruleset: a bit each in a __u64 */
#define PB_SET_DEFAULT 65536	    /* --max of a set unless said: elements */
#define PB_SET_LIMIT 4194304
#define PB_SET_FILE_LEN 256	 /* path of the file of a set's elements, with its NUL */
#define PB_SET_CONDITIONS 256	 /* different combinations of sets in the rules of a slot */
#define PB_BUCKETS_DEFAULT 65536 /* --max-buckets unless said: token buckets of sources */
#define PB_BUCKETS_LIMIT 4194304
#define PB_ANSWERS_DEFAULT 1000	 /* answers of `reject` a second and CPU, unless said */
#define PB_ANSWERS_LIMIT 1000000 /* and the most that can be said */

/* Transport protocols whose first four bytes are source and destination port. */
enum pb_proto {
	PB_PROTO_TCP,
	PB_PROTO_UDP,
	PB_PROTO_SCTP,
	PB_PROTO_DCCP,
	PB_PROTO_UDPLITE,
	PB_PROTO_MAX
};

/* Which port a rule looks at. */
enum pb_side { PB_SIDE_DPORT, PB_SIDE_SPORT, PB_SIDE_MAX };

/*
 * What the frames of an interface are like: with an Ethernet header or without any, and, on kernels
 * and drivers that have it (5.18), in several buffers (frags). One number, for the program to load
 * once.
 */
enum pb_frames {
	PB_FRAMES_ETHERNET,
	PB_FRAMES_ETHERNET_FRAGS,
	PB_FRAMES_IP,
	PB_FRAMES_IP_FRAGS,
	PB_FRAMES_MAX
};
#define PB_FRAMES(ethernet, frags) ((enum pb_frames)(!(ethernet) << 1 | !!(frags)))
/* By comparisons, since the verifier takes out those that a constant decides, but no arithmetic. */
#define PB_FRAMES_HAVE_ETHERNET(frames) ((frames) <= PB_FRAMES_ETHERNET_FRAGS)
#define PB_FRAMES_MAY_HAVE_FRAGS(frames) \
	((frames) == PB_FRAMES_ETHERNET_FRAGS || (frames) == PB_FRAMES_IP_FRAGS)

/* The first one wins when all else is equal: xdp-portblock(8) "Which rule decides". */
enum pb_action {
	PB_ACTION_DROP,
	PB_ACTION_REJECT, /* dropped, and the sender is told */
	PB_ACTION_AUDIT,
	PB_ACTION_ALLOW,
	PB_ACTION_MAX
};

enum pb_policy { PB_POLICY_ALLOW, PB_POLICY_DENY, PB_POLICY_REJECT, PB_POLICY_MAX };

/* What became of a packet, for counting. */
enum pb_outcome {
	PB_OUTCOME_PASS,
	PB_OUTCOME_DROP_RULE,
	PB_OUTCOME_DROP_POLICY,
	PB_OUTCOME_AUDIT,
	PB_OUTCOME_NOPORT,
	PB_OUTCOME_FRAGMENT,
	PB_OUTCOME_MALFORMED,
	PB_OUTCOME_UNPARSABLE,
	PB_OUTCOME_REJECT, /* by a rule or the policy; whether the sender was told or not */
	PB_OUTCOME_MAX
};

/* pb_slot.flags */
#define PB_SLOT_DENY (1U << 0)		  /* policy deny or reject */
#define PB_SLOT_NO_REPLIES (1U << 1)	  /* policy deny drops replies to own connections, too */
#define PB_SLOT_DROP_FRAGMENTS (1U << 2)  /* later fragments are dropped */
#define PB_SLOT_PASS_UNPARSABLE (1U << 3) /* unparsable packets are passed */
#define PB_SLOT_REJECT (1U << 4)	  /* with PB_SLOT_DENY: policy reject */
#define PB_SLOT_SPORTS (1U << 5)	  /* rules look at source ports: no entry says all */

/* One compiled generation of a ruleset. */
struct pb_slot {
	__u64 generation; /* its number, which no other has; 0: never written */
	__u32 flags;	  /* PB_SLOT_* */
	__u32 rules;	  /* rules in this generation */
	__u32 next_id;	  /* where the search for a free rule id goes on */
	__u32 prefixes;	  /* prefixes of those rules, from and except together */
	__u32 ranges;	  /* pb_ranges entries in use */
	/* The decision with which the chain of packets without ports begins, those of IP alone; 0: no rule
	 * is about them. */
	__u32 portless;
	__u32 answers; /* of `reject`, at most so many a second and CPU; 0: none is told */
	__u32 unmatched; /* PB_ENTRY() of what no rule decides, unless it is a reply that is let through */
	/*
	 * The id of a rule that is being added to the slot while it is in force, else 0: the rule is there as soon as
	 * packets are judged by it, and its record before. Who is killed leaves it, and the next change writes the other
	 * slot.
	 */
	__u32 adding;
	__u32 turns; /* by which the next spare decision is chosen, of PB_SPARE_DECISIONS */
};

/*
 * The last decisions of a slot, to which no rules are compiled. The entries of a rule that is being added lead to one of
 * them, until the rule holds: lib/maps/adding.c.
 */
#define PB_SPARE_DECISIONS 2

/* pb_config.active */
#define PB_ACTIVE_SLOT (1U << 0)
#define PB_ACTIVE_PENDING (1U << 1)  /* the generation waits to be confirmed */
#define PB_ACTIVE_EXCHANGE (1U << 2) /* a program is exchanged for another: struct pb_exchange */

/* pb_config[0]: the first thing a packet reads. */
struct pb_config {
	__u32 abi_version; /* PB_ABI_VERSION of whoever made the maps */
	/* Do the pins stay when no interface uses them? */
	__u32 keep;
	/*
	 * Both in one load, `active` as the lower half: no more than a slot, for most packets.
	 * active: the slot in force, and PB_ACTIVE_*: its store publishes a generation
	 * listening: not 0 only while somebody listens to packets
	 */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	__u32 active;
	__u32 listening;
#else
	__u32 listening;
	__u32 active;
#endif
	__u64 revert_at; /* with PB_ACTIVE_PENDING: from then on the other slot is in force */
	/* Who listens, and to which packets: struct pb_event. */
	__u64 listen_until;
	__u32 listen_outcomes; /* bit 1 << enum pb_outcome */
	__u32 listen_rate;     /* packets for a CPU until the listener sets pb_meter.sent to 0 */
	__u32 listen_rule;     /* id; 0: any */
	__u16 listen_port;     /* destination or source; 0: any, and packets without ports */
	__u16 listen_snaplen;  /* bytes of the packet, at most PB_SNAPLEN_MAX */
	__u32 max_rules;
	__u32 max_sources;
	__u32 max_decisions;	/* a slot */
	__u32 max_port_classes; /* a slot */
	__u32 max_ranges;	/* a slot */
	__u32 cpus;		/* rows of pb_counts, beside those of baselines */
	__u32 max_buckets;	/* of sources, in pb_tokens_each */
	__u32 reserved;
	__u64 resets;	   /* of pb_counts: by it the row of baselines is chosen */
	__u64 generations; /* so many numbers of generations were given out */
	char ruleset[PB_NAME_LEN];
	struct pb_slot slots[PB_SLOTS];
	/* The kernel's ids of the maps of this ruleset, itself included: what is pinned beside it and
	 * is none of these is no part of it. */
	__u32 maps[PB_CONFIG_MAPS];
};

/*
 * What a destination port of TCP or UDP comes to, in one load: the rule that decides (0: none), the
 * outcome and the verdict (XDP_DROP, XDP_PASS; what is rejected is never said by the port alone). Where that
 * takes more than the port, the verdict is PB_ENTRY_INDIRECT and the number that of the port's class (0: no rule covers it).
 */
#define PB_ENTRY(number, outcome, verdict) \
	((__u32)(number) << 8 | (__u32)(outcome) << 4 | (__u32)(verdict))
#define PB_ENTRY_NUMBER(entry) ((entry) >> 8)
#define PB_ENTRY_OUTCOME_BITS (15U << 4) /* sizeof(struct pb_count) times the outcome */
#define PB_ENTRY_OUTCOME(entry) (((entry)&PB_ENTRY_OUTCOME_BITS) >> 4)
#define PB_ENTRY_VERDICT(entry) ((entry)&3)
#define PB_ENTRY_INDIRECT 0 /* as a verdict it would be XDP_ABORTED */
/* Is the sender to be told? That is done in one place, to which no quick way leads. */
#define PB_ENTRY_REJECTS(entry) (PB_ENTRY_VERDICT(entry) == XDP_TX)
/* Of an indirect one: nothing decides but the sets that the class's only decision names. */
#define PB_ENTRY_SETS (1U << 2)
/* Of an indirect one: nothing decides but the source, of which a struct pb_source_decision asks for. */
#define PB_ENTRY_SOURCES (1U << 3)
/* Of an indirect one: nothing decides but the rate of one rule, whose id is the number; pb_limits has the class. */
#define PB_ENTRY_RATE (PB_ENTRY_SETS | PB_ENTRY_SOURCES)
#define PB_ENTRY_PROTOS 2 /* PB_PROTO_TCP, PB_PROTO_UDP */

/* Where few rules look, one table serves all protocols: an index of pb_port_classes, 0: no rule. */
enum pb_class_tables { PB_CLASSES_DPORT, PB_CLASSES_SPORT, PB_CLASSES_MAX };

/* pb_ports[0]. A port is where its number in network byte order says: as the packet has it. */
struct pb_ports {
	__u32 entry[PB_SLOTS][PB_ENTRY_PROTOS][PB_PORTS];
	__u16 classes[PB_SLOTS][PB_CLASSES_MAX][PB_PORTS];
};

/* pb_port_classes[i * PB_SLOTS + slot]: the class of a port for each protocol. 0: no rule. */
struct pb_port_classes {
	__u16 of[PB_PROTO_MAX];
	__u16 reserved[3];
};

/* pb_decision.flags; those of rates are the highest */
#define PB_DECISION_NEW (1U << 0)     /* counts only if the packet is of no connection of ours */
#define PB_DECISION_EXPIRES (1U << 1) /* counts only before `expires` */
#define PB_DECISION_SOURCES (1U << 2) /* no candidate, but struct pb_source_decision */
#define PB_DECISION_SETS (1U << 3)    /* counts only as pb_sets.conditions[slot][mix] says */
#define PB_DECISION_ASKS \
	(1U << 4) /* here or further on in the chain is one with PB_DECISION_SETS */
#define PB_DECISION_OVER \
	(1U << 5) /* counts only for packets beyond a rate: pb_limits, of the rule */
#define PB_DECISION_EACH (1U << 6) /* with PB_DECISION_OVER: of each source */

/*
 * pb_decisions[i * PB_SLOTS + slot]: a candidate, the best one of its chain; `next` is taken when
 * its conditions do not hold. Entry 0 is the end of each chain: no rule matches.
 */
struct pb_decision {
	__u64 expires; /* CLOCK_BOOTTIME, ns */
	__u32 rank;    /* PB_RANK(): the higher one wins, then the lower rule id */
	__u32 next;    /* decision */
	__u32 entry;   /* PB_ENTRY() of the rule, its id, and what it says; 0: no rule */
	__u8 reserved;
	__u8 flags; /* PB_DECISION_* */
	/* PB_DECISION_SETS: which condition. (Of PB_DECISION_SOURCES, before it is struct
	 * pb_source_decision: which mix of source lists.) */
	__u16 mix;
};

/*
 * Longest source prefix first (0 to 128; IPv4 counts as its length + 96, a set as 128), then the
 * narrowest port range (width 1 to 65536; PB_WIDTH_ALL: the rule is about sources alone), then the
 * action. At least 1 for any rule.
 */
#define PB_WIDTH_ALL 65537
#define PB_RANK_LEN_SHIFT 20
#define PB_RANK(len, width, action)                                                     \
	(((__u32)(len) << PB_RANK_LEN_SHIFT) | ((PB_WIDTH_ALL - (__u32)(width)) << 3) | \
	 (4U - (__u32)(action)))

/*
 * In the place of a decision, with PB_DECISION_SOURCES in its flags: a mix of source lists. The head of the chain
 * is decision `next` + the answer of the longest prefix of the mix that holds the source; 0 where none does.
 *
 * Prefixes are looked up by level. Those of IPv4 of 24 to 32 bits lie at a place that their first 24 bits say,
 * those of 16 to 23 and of 8 to 15 bits at one by their first 16 and 8; of IPv6, those of 64 to 128 bits by their
 * first 64, of 32 to 63 by their first 32. If one prefix of the mix begins with these bits, it lies there itself;
 * if several do, their lengths do, and each lies at a place of its own, by its length and all of its bits. So do those
 * that are shorter, whose lengths are here.
 */
struct pb_source_decision {
	__u32 lengths6;	 /* of IPv6, shorter than 32: bit 31 - length */
	__u8 lengths4;	 /* of IPv4, shorter than 8: bit 7 - length */
	__u8 levels;	 /* PB_LEVEL: those at which the mix has any */
	__u16 segments4; /* of the slot's tables; 0: there is none */
	__u32 first;	 /* of the answers of all mixes, that of this one which is 0 */
	__u32 next;	 /* decision */
	__u32 answers;	 /* so many the mix has */
	__u8 reserved;
	__u8 flags; /* PB_DECISION_SOURCES */
	__u16 segments6;
};
#define PB_LEVEL4(len) (1U << ((len) / 8 - 1))	/* of 8, 16 and 24 bits */
#define PB_LEVEL6(len) (8U << ((len) / 32 - 1)) /* of 32 and 64 bits */

/*
 * What lies at a place, 0: nothing. Bits 11 to 31: the answer, counted over all mixes of the slot; that of a mix
 * is this less `first`, and whether it is below `answers` says whose it is. Bits 9 and 10: 0 of a prefix, which
 * whose length is 63 (of IPv6 128) less bits 0 to 8; of several prefixes their level, in units of 8 (of IPv6 32)
 * bits, and below, of IPv4, their lengths: bit i is that of the level + 8 - i.
 */
#define PB_SOURCE_LOW 0x7ffU
#define PB_SOURCE_LENGTHS 0x1ffU
#define PB_SOURCE_ANSWER(word) ((__u32)((word) >> 11) & 0x1fffff)
#define PB_SOURCE_WORD(answer, low) ((__u64)(answer) << 11 | (low))
#define PB_SOURCE_SEVERAL(unit) ((unit) << 9)
#define PB_MIXES_MAX 32768
#define PB_SOURCE_PLACES 4096 /* of a segment */
#define PB_SOURCE_STEPS 1024  /* that make places differ: doc/sets.md */

/* pb_sources4[segment * PB_SLOTS + slot][0]: address in host order << 32, and what is said above */
struct pb_source_segment4 {
	__u64 word[PB_SOURCE_PLACES];
	__u16 step[PB_SOURCE_STEPS];
};

/* pb_sources6 likewise. The address is two numbers; of several prefixes `low` has the lengths: bit i is 128 (of level
 * 32: 63) - i. */
struct pb_source_entry6 {
	__u64 high;
	__u64 low;
	__u64 word; /* of several, bit 0: 64 is one of them */
};
struct pb_source_segment6 {
	struct pb_source_entry6 entry[PB_SOURCE_PLACES];
	__u16 step[PB_SOURCE_STEPS];
};

struct pb_range {
	__u16 first;
	__u16 last;
};

/* pb_rule_record.flags */
#define PB_RULE_NEW (1U << 0)

/* A rate, as it is written. */
enum pb_rate_unit { PB_RATE_PACKETS, PB_RATE_BITS, PB_RATE_UNIT_MAX };
enum pb_rate_per { PB_RATE_SECOND, PB_RATE_MINUTE, PB_RATE_HOUR, PB_RATE_PER_MAX };
struct pb_rate {
	__u64 amount; /* packets or bits; 0: no rate */
	__u64 burst;  /* so many at once, packets or bits: what a bucket holds */
	__u8 unit;    /* enum pb_rate_unit */
	__u8 per;     /* enum pb_rate_per; bits: PB_RATE_SECOND */
	__u8 reserved[6];
};

/* `over RATE [burst N] [each source[/LEN4[,LEN6]] [total RATE]]`: the rule is about the packets beyond. */
struct pb_over {
	struct pb_rate rate;  /* of the rule, or of each source */
	struct pb_rate total; /* with `each`: of all its sources together; amount 0: none */
	__u8 each;	      /* a bucket a prefix of sources, of these lengths: */
	__u8 len4;	      /* 1 to 32; without `each` 0 */
	__u8 len6;	      /* 1 to 128 */
	__u8 reserved[5];
};

/* pb_rules[id * PB_SLOTS + slot]: a rule as it was written; id 0: the entry is free. */
struct pb_rule_record {
	__u32 id;
	enum pb_action action;
	enum pb_side side;
	__u8 protocols; /* bit 1 << enum pb_proto; 0: the rule is about sources alone */
	__u8 flags;	/* PB_RULE_* */
	__u16 reserved;
	__u64 expires;	    /* CLOCK_BOOTTIME, ns */
	__u32 nr_ports;	    /* ranges in all; as they may overlap, more than there are ports */
	__u32 more_ports;   /* ranges from the PB_RECORD_PORTS+1st on: where in pb_ranges */
	__u32 first_prefix; /* where in pb_prefixes; `nr_from`, then `nr_except` of them */
	__u32 nr_from;
	__u32 nr_except;
	struct pb_range ports[PB_RECORD_PORTS];
	char comment[PB_COMMENT_LEN];
	__u32 padding;	 /* to a multiple of 8, where a __u64 needs no more than 4, too */
	__u64 from_sets; /* bit 1 << number of the set */
	__u64 except_sets;
	struct pb_over over; /* rate.amount 0: there is no such condition */
};

/*
 * pb_prefixes, a hash: the prefixes of all rules of a slot, numbered from 0, in blocks, since a
 * hash has memory for each entry that it could have.
 */
struct pb_prefix_key {
	__u32 slot;
	__u32 block; /* number / PB_PREFIX_BLOCK */
};
struct pb_prefix_record {
	__u8 addr[16]; /* network order; IPv4 in the first four bytes */
	__u8 family;   /* 4 or 6 */
	__u8 len;
	__u16 reserved;
};
#define PB_PREFIX_BLOCK 32
struct pb_prefix_block {
	struct pb_prefix_record prefix[PB_PREFIX_BLOCK];
};

/* ---- Sets: sources by name ----------------------------------------------------------------- */

/* A decision with PB_DECISION_SETS: the source is in one of `from` (0: any source), in none of `except`. */
struct pb_set_condition {
	__u64 from; /* bit 1 << number of the set */
	__u64 except;
};

/* A set. Its number is its place in pb_sets.record. */
struct pb_set_record {
	char name[PB_NAME_LEN]; /* "": there is none */
	__u64 timeout;		/* ns, of an element that is added without its own; 0: none */
	__u32 max;		/* elements */
	__u32 nr;		/* elements there, at least: counted before one is added */
	__u32 flags;		/* PB_SET_* */
	__u32 reserved;
};

/*
 * pb_set_record.flags. PB_SET_FILE: its elements are those of pb_sets.file, and it belongs to the generations
 * whose slots have its bit in pb_sets.files, so that two generations may have a set of one name each. Where
 * no slot has it, it is nobody's: the next change of rules takes its number and its elements away.
 */
#define PB_SET_FILE (1U << 0)

/*
 * Elements of all sets lie in one table a family, which consists of segments: entries of the maps of
 * maps pb_elements4 and pb_elements6. There are two generations of a table, of which `tables` says which
 * one is in force, and in how many segments: one store publishes it, so a whole set is exchanged by making
 * the other one aside. An element is added, renewed and deleted in the one in force, each by a single store.
 */
#define PB_TABLE_GENERATIONS 2
#define PB_SEGMENTS_MAX 256 /* of a generation of a table */
#define PB_TABLES(generation, nr4, nr6) \
	((__u64)(generation) | (__u64)(nr4) << 16 | (__u64)(nr6) << 32)
#define PB_TABLES_GENERATION(tables) ((__u32)(tables)&1)
#define PB_TABLES_SEGMENTS4(tables) ((__u32)((tables) >> 16) & 0x1ff)
#define PB_TABLES_SEGMENTS6(tables) ((__u32)((tables) >> 32) & 0x1ff)

/*
 * A bit for each number of the first 16 bits: an element of at most 16 bits, of IPv6 32, may hold the address, so
 * pb_lengths is worth a look. These are few bytes, which stay near the processor; pb_lengths is not.
 */
struct pb_shorter {
	__u32 of4[2048];
	__u32 of6[2048];
};

/* pb_sets[0] */
struct pb_sets {
	__u64 tables;  /* PB_TABLES() */
	__u64 seed[2]; /* secret: where elements lie is not for others to choose */
	__u32 nr4; /* words in use in the tables in force, at least: also of elements that have expired */
	__u32 nr6;
	struct pb_shorter shorter[PB_TABLE_GENERATIONS];
	struct pb_set_condition conditions[PB_SLOTS][PB_SET_CONDITIONS];
	struct pb_set_record record[PB_SETS_MAX];
	__u64 files[PB_SLOTS];			 /* the slot's own sets: bit 1 << number */
	char file[PB_SETS_MAX][PB_SET_FILE_LEN]; /* of those with PB_SET_FILE */
};

/*
 * A bucket is a cache line of elements. Where it is full an element lies in the next one of its row:
 * whoever looks goes on while the last word says that it has overflown.
 */
#define PB_BUCKET_ELEMENTS 8
#define PB_BUCKETS 4096 /* of a segment */
#define PB_BUCKET_ROW 8 /* buckets in which an element may lie */

/*
 * An element in a word, 0: none. IPv4: the address in host order << 32 | length + 1 << 24; IPv6: a part of
 * the hash in its place, and the address beside. Then the flags, and the number of the set.
 */
#define PB_ELEMENT_SET 0xffU
#define PB_ELEMENT_EXPIRES (1U << 8)   /* counts until `ends` */
#define PB_ELEMENT_OVERFLOWN (1U << 9) /* of the last word of a bucket, be it free or not */
#define PB_ELEMENT_KEY 0xffffffffff000000ULL
#define PB_ELEMENT_WORD(high, len) ((__u64)(high) << 32 | (__u64)((len) + 1) << 24)
#define PB_ELEMENT_LEN(word) ((__u32)((word) >> 24 & 0xff) - 1)
#define PB_ELEMENT_OF_SET(word) ((__u32)(word)&PB_ELEMENT_SET)

/*
 * Which lengths of prefixes are worth a look: a bit that is set means that there may be an element of that
 * length. It stays when the element goes, until the table is made anew. The shorter ones are in pb_lengths,
 * by the first 16 bits of the address, where an element shorter than that has set all bits that it is about.
 * The longer ones are in the segments, by more of the address and hashed, so there are as many as the table
 * is large. Of IPv4, the cells of an address lie in one segment.
 */
#define PB_CELLS4_BY_20 16384		 /* of a segment, by the first 20 bits */
#define PB_CELLS4_BY_24 65536		 /* by the first 24 bits */
#define PB_CELLS6_BY_32 8192		 /* by the first 32 bits */
#define PB_CELLS6_BY_64 16384		 /* by the first 64 bits */
#define PB_CELL4_25_26 (1U << 0)	 /* length 25 or 26 */
#define PB_CELL4(len) (1U << ((len)-26)) /* 27 to 32 */
#define PB_CELL4_24 (1U << 7)

/* pb_elements4[generation * PB_SEGMENTS_MAX + segment][0] */
struct pb_segment4 {
	__u64 word[PB_BUCKETS][PB_BUCKET_ELEMENTS];
	__u64 ends[PB_BUCKETS][PB_BUCKET_ELEMENTS]; /* CLOCK_BOOTTIME, ns */
	__u8 by24[PB_CELLS4_BY_24];		    /* PB_CELL4_... */
	__u8 by20[PB_CELLS4_BY_20];		    /* bit 0: length 17, up to 23 */
};

/* pb_elements6 likewise */
struct pb_segment6 {
	__u64 word[PB_BUCKETS][PB_BUCKET_ELEMENTS];
	__u64 ends[PB_BUCKETS][PB_BUCKET_ELEMENTS];
	__u8 addr[PB_BUCKETS][PB_BUCKET_ELEMENTS][16]; /* network order, host bits 0 */
	__u64 by64[PB_CELLS6_BY_64];		       /* bit 0: length 65 */
	__u32 by32[PB_CELLS6_BY_32];		       /* bit 0: length 33 */
};

/* pb_lengths[generation][0] */
struct pb_lengths {
	__u32 of4[65536]; /* bit 0: length 0, up to 16 */
	__u32 of6[65536]; /* bit 0: length 1, up to 32 */
	__u32 all6;	  /* there may be ::/0 */
	__u32 reserved;
};

/* Maps of one entry have so many rows; the last one is for all CPUs beyond, which take turns. */
#define PB_CPU_ROWS 256

/* Counters in a row: whole cache lines, of 64 bytes, so that no two CPUs write to one. */
#define PB_WHOLE_LINES(counters) (((counters) + 3U) & ~3U)
#define PB_OUTCOME_ROW PB_WHOLE_LINES(PB_OUTCOME_MAX)
#define PB_COUNT_ROW(max_rules) \
	PB_WHOLE_LINES((max_rules) + 1U) /* by id, from 0 on, which is no rule's */

/* ---- Rates: token buckets ------------------------------------------------------------------- */

/*
 * A token bucket is one number, the time at which it will be full (the "theoretical arrival time" of the generic
 * cell rate algorithm, ITU-T I.371): a packet puts it off by what it costs, and is over the rate where that would be
 * more than `burst` from now. Times are of the kernel's monotonic clock in 1/16 ns, and compared by their difference.
 */
#define PB_TICKS_SHIFT 4 /* ticks in a nanosecond: 1 << so many */
struct pb_limit {
	__u64 burst; /* ticks */
	__u64 mult;  /* a packet costs its weight * mult >> shift ticks */
	__u32 shift;
	__u32 flags; /* PB_LIMIT_* */
};
#define PB_LIMIT_BITS (1U << 0) /* a packet weighs its bytes, else 1 */
#define PB_LIMIT_COARSE \
	(1U             \
	 << 1) /* the coarse clock is as right, and costs less: a tick of it is little of `burst` */

/* pb_limits[id * PB_SLOTS + slot]: what a decision with PB_DECISION_OVER asks for. */
struct pb_rule_limits {
	struct pb_limit rate;
	__u32 entry; /* PB_ENTRY() of the rule, as its decisions have it; 0: no port's entry has PB_ENTRY_RATE */
	__u32 port_class; /* of those ports: its only decision is the rule's */
	/* What sources are mixed with, of each family, from the rule, its epoch and pb_rates.seed. */
	__u64 secret4;
	__u64 secret6;
	__u32 epoch; /* another one for each rule that has had the id: buckets of sources are not inherited */
	__u8 each; /* 1: a bucket a source, in pb_tokens_each */
	__u8 len4;
	__u8 len6;
	__u8 reserved;
	struct pb_limit total; /* mult 0: there is none */
};

/* pb_tokens[id]: the rule's own bucket, with `each` that of `total`. 0: full. */
/*
 * pb_tokens_each[row]: buckets of sources, which lie in the row that a seeded hash of rule and prefix says: tokens.h.
 * The fullest one goes for a new one; where it was not full, that is counted in pb_rates.evicted.
 */
#define PB_TOKEN_ROW 8
struct pb_token_bucket {
	__u64 tag; /* the hash, | 1; 0: free */
	__u64 full_at;
};
struct pb_token_row {
	struct pb_token_bucket bucket[PB_TOKEN_ROW];
};

/* pb_rates[0]: what is kept of rates and answers, a row a CPU, each with cache lines of its own. */
struct pb_rate_meter {
	__u64 evicted;	     /* buckets of sources that were not full when they went */
	__u64 answers_until; /* of `reject`, a token bucket as above */
	__u64 answered;
	__u64 held_back; /* answers that were over the rate */
	__u64 reserved[4];
};
struct pb_rates {
	__u64 seed[2]; /* secret: which buckets share a row is not for others to choose */
	__u64 reserved[6];
	struct pb_rate_meter row[PB_CPU_ROWS];
};

/*
 * pb_counts[cpu * (max_rules + 1) + rule id]: a plain array with a row a CPU, since a per-CPU array
 * costs a helper call before Linux 6.10 and cannot be mapped into memory. Only its own CPU writes a
 * row, and adds without looking: so counters only grow. What is shown is the sum of the CPUs' rows
 * less the baseline, which is in the row `cpus` + `resets` % PB_BASE_ROWS. A reset writes the other
 * row of baselines, and then the one store that counts it in `resets`.
 */
struct pb_count {
	__u64 packets;
	__u64 bytes; /* from the link-layer header on, without the frame check sequence */
};

#define PB_BASE_ROWS 2

/* pb_outcomes[0], of one interface: a row a CPU, and baselines, as above. */
struct pb_outcomes {
	struct pb_count row[PB_CPU_ROWS + PB_BASE_ROWS][PB_OUTCOME_ROW];
	__u64 resets;
};

/*
 * pb_exchange[0], of one interface: whose turn it is while two programs of ours are in its chain,
 * the old one and the one that takes its place. Both read `turn` for each packet and exactly one
 * acts on it, though the word may change in between: XDP runs to the end on one CPU, so what the
 * first of the chain decides it tells the second by the CPU's latch. Between two changes of the
 * phase all packets under way are waited for, so the views of the two differ by one phase at most.
 *
 *             the first reads   and latches   the second reads   and takes
 *   OLD       OLD               old           OLD                old
 *   LATCH     LATCH             new           LATCH              what is latched
 *   NEW       NEW               new           NEW                new
 */
enum pb_phase { PB_PHASE_NONE, PB_PHASE_OLD, PB_PHASE_LATCH, PB_PHASE_NEW };
#define PB_TURN_PHASE 3U
#define PB_TURN_OLD (1U << 2)	/* the number of the old program, or of the only one: 0 or 1 */
#define PB_TURN_FIRST (1U << 3) /* the number of the one that runs first */
/* The numbers of the old one, of the first, and of the one that acts but for the latch. */
#define PB_TURN_OLD_OF(turn) (!!((turn)&PB_TURN_OLD))
#define PB_TURN_FIRST_OF(turn) (!!((turn)&PB_TURN_FIRST))
#define PB_TURN_ACTING(turn) (PB_TURN_OLD_OF(turn) ^ (((turn)&PB_TURN_PHASE) > PB_PHASE_OLD))
#define PB_LATCHES 8192 /* the most CPUs that a kernel is built for */
struct pb_exchange {
	__u32 turn;
	__u32 programs[2]; /* ids, by number; 0: not known */
	__u32 reserved;
	__u8 latch[PB_LATCHES]; /* a CPU's: the number whose packet it is */
};

/* Of one interface: what a CPU has read of CLOCK_BOOTTIME, and in which jiffy; a cache line each. */
struct pb_clock_row {
	__u64 jiffy;
	__u64 boot; /* ns */
	__u64 reserved[6];
};
struct pb_clock {
	struct pb_clock_row row[PB_CPU_ROWS];
};

/* pb_events, a ring buffer: a packet that somebody listens for; `captured` bytes of it follow. */
struct pb_event {
	__u64 time;    /* CLOCK_BOOTTIME, ns */
	__u32 ifindex; /* in the namespace of the device */
	__u32 length;  /* of the frame */
	__u32 rule;    /* id; 0: none decided */
	__u16 captured;
	__u8 outcome;  /* enum pb_outcome */
	__u8 ethernet; /* the frame begins with an Ethernet header */
};

/* pb_meters[0]: what keeps listening cheap, a row a CPU, each with a cache line of its own. */
struct pb_meter {
	__u64 sent;	  /* in this second, lost ones too; the listener sets it to 0 */
	__u64 suppressed; /* over the rate */
	__u64 lost;	  /* the ring buffer was full */
	__u64 ignored;	  /* not listened for */
	__u64 reserved[4];
};
struct pb_meters {
	struct pb_meter row[PB_CPU_ROWS];
};

#endif
