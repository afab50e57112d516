/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the programs that measure: frames, and the programs under test. All of it dies on failure. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include <bpf/libbpf.h>

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

/* --- frames ---------------------------------------------------------------------------------- */

#define FRAME_ROOM 256

struct frame {
	unsigned char data[FRAME_ROOM];
	__u32 length;
	__u32 port_offset; /* the destination port */
};

/*
 * `text` is a protocol and a family, tcp4 or sctp6, and what else there is, as in "tcp4+tag+tag",
 * "tcp4+options", "udp6+hop+routing+destination+atomic", "udp4+later" (a later fragment), or "arp".
 */
struct frame frame_make(const char *text, __u16 sport, __u16 dport);

/* --- programs -------------------------------------------------------------------------------- */

struct program {
	const char *name;
	struct bpf_object *object;
	int fd;
	bool frags; /* loaded for frames in several buffers */
	struct program_private *private;
};

/*
 * Loads a program under test, attached nowhere, with maps of its own:
 *   bare, parse, any_port, sender   of bench.bpf.c
 *   ours, ours-linear               as `load` loads it on a new kernel; without frags, as on an old one
 *   xdpfilt_*                       xdp-filter's, as the distribution ships it
 * `rules` names a ruleset, see rules.c. xdp-filter's blocks the same ports.
 * `device`: if not 0, under libxdp's dispatcher on that interface.
 */
struct program *program_open(const char *name, const char *rules, int device);
void program_close(struct program *program);

/* One of bench.bpf.c's, with its constants. */
struct sender {
	__u32 port_offset;
	__u32 first_port;
	__u32 nr_ports;
	__u32 target;
};
struct program *sender_open(const char *name, const struct sender *constants, bool frags);

/* --- rulesets -------------------------------------------------------------------------------- */

struct pb_rules;

/* Fills `rules` with the ruleset of that name. */
void rules_make(const char *name, struct pb_rules *rules);

#endif
