/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Both readers of frames in one program: parse.h, and the native engine's, which is the object that
 * goes into the kernel module (build/native/kernel.o). What the one answers the other answers. The
 * frame begins behind a page without access, or ends before one; so does the table of ports.
 */
#ifndef NATIVE_H
#define NATIVE_H

#include "harness.h"
#include <portblock/native.h>

/* In Rust: native/glue/kernel.rs. */
__u32 pb_native_entry(const void *frame, size_t length, const struct pb_ports *ports, __u32 slot);
__u32 pb_native_find(const void *frame, size_t length, const struct pb_ports *ports,
		     struct pb_native_found *found, __u32 flags);

/* In the kernel, by which it returns. */
__asm__(".text\n"
	".globl __x86_return_thunk\n"
	".type __x86_return_thunk, @function\n"
	"__x86_return_thunk: ret\n"
	".size __x86_return_thunk, . - __x86_return_thunk\n");

/* As in lib/bpf/frame.h, which no other program can include. */
#define FOUND(proto, family, network, transport) \
	((proto) | (family) << 8 | (__u64)(network) << 16 | (__u64)(transport) << 32)
#define PORTS(source, destination) ((__u32)(source) << 16 | (destination))

/* `size` bytes, a multiple of a page's, between two pages without access. */
static inline void *map_guarded(size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);
	unsigned char *start =
		mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (start == MAP_FAILED || mprotect(start + page, size, PROT_READ | PROT_WRITE))
		abort();
	return start + page;
}

/*
 * A table in which each number is there once, and is none that a frame without ports comes to. A
 * quarter of the entries is indirect. The numbers of classes have 16 bits: of four rows of ports, each
 * has a sequence of its own.
 */
static inline const struct pb_ports *numbered_ports(void)
{
	static struct pb_ports *ports;
	static const __u16 multipliers[] = { 40503, 25173, 30011, 51749 }; /* odd, likewise */
	__u32 *entry;
	__u16 *class;

	if (ports)
		return ports;
	ports = map_guarded(sizeof(*ports));
	entry = &ports->entry[0][0][0];
	for (__u32 i = 0; i < sizeof(ports->entry) / sizeof(*entry); i++)
		entry[i] = (i + PB_PORTS) * 2654435761U; /* odd: no two are the same */
	class = &ports->classes[0][0][0];
	for (__u32 i = 0; i < sizeof(ports->classes) / sizeof(*class); i++)
		class[i] = i * multipliers[i / PB_PORTS];
	return ports;
}

/* As guarded(), but the page without access is before the frame. */
static inline struct frame guarded_start(const void *data, size_t length)
{
	static unsigned char *start;
	struct frame frame = { .length = length };

	if (!start)
		start = map_guarded(GUARD_ROOM);
	if (length > GUARD_ROOM)
		abort();
	if (length)
		memmove(start, data, length);
	frame.data = start;
	return frame;
}

/* What a reader says of a frame. */
struct answer {
	__u32 outcome;		      /* enum pb_outcome */
	__u32 entry;		      /* of a frame with a link-layer header */
	struct pb_native_found found; /* with PB_OUTCOME_PASS */
};

static inline __u32 entry_of(const struct parsed *parsed, unsigned int slot)
{
	const struct pb_packet *packet = &parsed->packet;

	if (parsed->outcome != PB_OUTCOME_PASS)
		return PB_ENTRY(0, parsed->outcome, PB_ENTRY_INDIRECT);
	if (packet->proto >= PB_ENTRY_PROTOS)
		return PB_ENTRY(0, PB_OUTCOME_PASS, PB_ENTRY_INDIRECT);
	return numbered_ports()->entry[slot][packet->proto][packet->dport];
}

static inline void set_classes(struct pb_native_found *found, const struct pb_packet *packet,
			       unsigned int slot)
{
	const __u16(*classes)[PB_PORTS] = numbered_ports()->classes[slot];

	if (packet->proto >= PB_ENTRY_PROTOS)
		found->classes[PB_CLASSES_DPORT] = classes[PB_CLASSES_DPORT][packet->dport];
	found->classes[PB_CLASSES_SPORT] = classes[PB_CLASSES_SPORT][packet->sport];
}

static inline struct answer ask_parse_h(struct frame frame, bool ethernet, unsigned int slot)
{
	struct parsed parsed = parse_linear(frame, frame.length, ethernet);
	const struct pb_packet *packet = &parsed.packet;
	struct answer answer = { .outcome = parsed.outcome };

	if (ethernet)
		answer.entry = entry_of(&parsed, slot);
	if (parsed.outcome != PB_OUTCOME_PASS)
		return answer;
	answer.found.found =
		FOUND(packet->proto, packet->family, packet->network, packet->transport);
	answer.found.ports = PORTS(packet->sport, packet->dport);
	answer.found.entry = entry_of(&parsed, slot);
	if (PB_ENTRY_VERDICT(answer.found.entry) == PB_ENTRY_INDIRECT)
		set_classes(&answer.found, packet, slot);
	return answer;
}

static inline struct answer ask_native(struct frame frame, bool ethernet, unsigned int slot)
{
	const struct pb_ports *ports = numbered_ports();
	__u32 flags = (slot ? PB_NATIVE_SLOT : 0) | (ethernet ? PB_NATIVE_ETHERNET : 0);
	struct answer answer = { 0 };

	answer.outcome = pb_native_find(frame.data, frame.length, ports, &answer.found, flags);
	if (ethernet)
		answer.entry = pb_native_entry(frame.data, frame.length, ports, slot);
	return answer;
}

static inline bool same_answer(const struct answer *a, const struct answer *b)
{
	return a->outcome == b->outcome && a->entry == b->entry &&
	       a->found.found == b->found.found && a->found.ports == b->found.ports &&
	       a->found.entry == b->found.entry &&
	       !memcmp(a->found.classes, b->found.classes, sizeof(a->found.classes));
}

static inline void print_answer(const char *who, const struct answer *answer)
{
	const struct pb_native_found *found = &answer->found;

	fprintf(stderr,
		"%s: outcome %u, entry %08x, found %016llx, ports %08x, entry %08x, classes %u %u\n",
		who, answer->outcome, answer->entry, (unsigned long long)found->found, found->ports,
		found->entry, found->classes[PB_CLASSES_DPORT], found->classes[PB_CLASSES_SPORT]);
}

static inline void print_difference(struct frame frame, bool ethernet, unsigned int slot,
				    const struct answer *parse_h, const struct answer *native)
{
	fprintf(stderr, "not the same of %zu bytes, %s, slot %u: ", frame.length,
		ethernet ? "with Ethernet header" : "without link-layer header", slot);
	for (size_t i = 0; i < frame.length; i++)
		fprintf(stderr, "%02x", frame.data[i]);
	fputc('\n', stderr);
	print_answer("parse.h", parse_h);
	print_answer("native ", native);
}

/* Asks both readers, wherever the frame is, by either slot; false, and said why: they differ. */
static inline bool readers_agree(const void *data, size_t length, bool ethernet)
{
	const struct frame places[] = { guarded(data, length), guarded_start(data, length) };

	for (unsigned int i = 0; i < 4; i++) {
		struct frame frame = places[i / 2];
		struct answer parse_h = ask_parse_h(frame, ethernet, i % 2);
		struct answer native = ask_native(frame, ethernet, i % 2);

		if (!same_answer(&parse_h, &native)) {
			print_difference(frame, ethernet, i % 2, &parse_h, &native);
			return false;
		}
	}
	return true;
}

#endif
