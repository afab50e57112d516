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
 *   bare, pass, ports, parse, any_port, sender   of bench.bpf.c
 *   ours, ours-linear               as `load` loads it on a new kernel; without frags, as on an old one
 *   less-PART                       as ours, less a part of it; see less.bpf.c
 *   xdpfilt_*                       xdp-filter's, as the distribution ships it
 * `rules` names a ruleset, see rules.c. xdp-filter's blocks the same ports. "@NAME", of ours: the one
 * that the tool has loaded by that name.
 * `device`: if not 0, under libxdp's dispatcher on that interface.
 */
struct program *program_open(const char *name, const char *rules, int device);
void program_close(struct program *program);

/* Like pb_object_open(), of less-PART.bpf.o or less-PART_kern_ctx.bpf.o in a folder. `name` is less-PART. */
struct pb_maps;
struct pb_constants;
struct pb_error;
struct portblock_bpf;
int part_open(const char *folder, const char *name, const struct pb_maps *maps,
	      const struct pb_constants *constants, struct portblock_bpf **object,
	      struct pb_error *error);

/* Of sender_timed: packets between two looks at the clock. */
#define CHUNK 4096
#define CHUNKS_MAX 1024
/* Before it sends; and then nanoseconds a chunk, the median of all from the one on that `skip` packets are in. */
void stamps_clear(const struct program *sender);
__u64 stamps_median(const struct program *sender, __u32 skip);

/* One of bench.bpf.c's, with its constants. */
struct sender {
	__u32 port_offset;
	__u32 first_port;
	__u32 nr_ports;
	__u32 target;
	__u32 gap;
};
struct program *sender_open(const char *name, const struct sender *constants, bool frags);

/*
 * A program of an object that lies beside the one that runs. `set_up` gets the object with `context` before it
 * is loaded, and set_constants() gives it all that it has of these.
 */
struct program *helper_open(const char *file, const char *name, bool frags,
			    void (*set_up)(struct bpf_object *, const void *), const void *context);
void set_constants(struct bpf_object *object, const void *constants, size_t size);
/* The map whose name has that part. */
struct bpf_map *find_map(struct bpf_object *object, const char *name);

/* --- sources --------------------------------------------------------------------------------- */

struct pb_element;
struct source;

/* The elements of a list of one family, and those of them that lie in no other. */
struct elements {
	int family;
	struct pb_element *all;
	size_t nr;
	struct pb_element *outer;
	size_t nr_outer;
};
struct elements elements_read(const char *path, int family);

/*
 * Draws sources, always the same: "members", each in an element, all elements being alike; "hosts", the same
 * of elements of full length; "others", each in none; "any". Their frame is tcp4 or tcp6. The caller frees.
 */
struct source *sources_draw(const char *kind, const struct elements *elements, __u32 nr);

/* One of sources.bpf.c's. `nr` is a power of two; `target` an ifindex. */
struct program *sources_open(const char *name, int family, const struct source *sources, __u32 nr,
			     __u32 target, bool frags);

/* One of peers.bpf.c's, with the elements. */
struct program *peer_open(const char *name, const struct elements *elements, bool frags);

/* --- rulesets -------------------------------------------------------------------------------- */

struct pb_rules;

/* Fills `rules` with the ruleset of that name. */
void rules_make(const char *name, struct pb_rules *rules);

#endif
