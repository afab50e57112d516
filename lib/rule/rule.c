// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* A rule as a whole: its memory, its sense, its likeness to another. */
#include <stdlib.h>
#include <string.h>
#include "rule/fields.h"
#include "rule/prefix.h"
#include "util/error.h"
#include "util/escape.h"

void pb_rule_clear(struct pb_rule *rule)
{
	free(rule->ports);
	free(rule->from);
	free(rule->except);
	memset(rule, 0, sizeof(*rule));
}

struct pb_rule *pb_rule_new(void)
{
	return calloc(1, sizeof(struct pb_rule));
}

void pb_rule_free(struct pb_rule *rule)
{
	if (rule)
		pb_rule_clear(rule);
	free(rule);
}

/* A copy of an array, NULL for an empty one; `failed` is set when memory runs out. */
static void *copy_array(const void *from, size_t nr, size_t size, bool *failed)
{
	void *to = nr ? malloc(nr * size) : NULL;

	if (to)
		memcpy(to, from, nr * size);
	*failed = *failed || (nr && !to);
	return to;
}

int pb_rule_copy(struct pb_rule *to, const struct pb_rule *from)
{
	struct pb_rule copy = *from;
	bool failed = false;

	copy.ports = copy_array(from->ports, from->nr_ports, sizeof(*from->ports), &failed);
	copy.from = copy_array(from->from, from->nr_from, sizeof(*from->from), &failed);
	copy.except = copy_array(from->except, from->nr_except, sizeof(*from->except), &failed);
	if (failed) {
		pb_rule_clear(&copy);
		return -ENOMEM;
	}
	pb_rule_clear(to);
	*to = copy;
	return 0;
}

static int check_ports(const struct pb_rule *rule, struct pb_error *error)
{
	if (!rule->protocols || rule->protocols >> PB_PROTO_MAX)
		return pb_fail(error, EINVAL,
			       "the rule lacks protocols: give some of tcp,udp,sctp,dccp,udplite");
	if (!rule->nr_ports)
		return pb_fail(error, EINVAL,
			       "the rule lacks ports: give \"dport\" (or \"sport\") with ports, as "
			       "in dport 22,80-90");
	for (size_t i = 0; i < rule->nr_ports; i++) {
		const struct pb_range *range = &rule->ports[i];
		bool in_order = !i || range[-1].first < range->first ||
				(range[-1].first == range->first && range[-1].last < range->last);

		if (!range->first || range->last < range->first || !in_order)
			return pb_fail(error, EINVAL, "ports %u-%u are out of range or order",
				       range->first, range->last);
	}
	return 0;
}

static int check_sources(const struct pb_rule *rule, struct pb_error *error)
{
	char *except;

	if (!pb_prefixes_cover(rule->except, rule->nr_except, rule->from, rule->nr_from))
		return 0;
	except = pb_prefixes_text(rule->except, rule->nr_except);
	if (!except)
		return pb_fail_memory(error);
	pb_fail(error, EINVAL,
		"except %s leaves no source: it takes out all that %s; make \"except\" smaller",
		PB_Q(except),
		rule->nr_from ? "\"from\" names" : "there are, since \"from\" is not given");
	free(except);
	return -EINVAL;
}

static int check_new(const struct pb_rule *rule, struct pb_error *error)
{
	const unsigned int known = 1U << PB_PROTO_TCP | 1U << PB_PROTO_UDP;

	if (!rule->only_new)
		return 0;
	if (rule->side == PB_SIDE_SPORT)
		return pb_fail(
			error, EINVAL,
			"\"new\" cannot go with \"sport\": it is about connections to a port "
			"of this host, and \"sport\" is the port of the other end; use "
			"\"dport\", or leave \"new\" out");
	if (rule->protocols & ~known)
		return pb_fail(
			error, EINVAL,
			"\"new\" can go with tcp and udp only: the kernel lets XDP look up no "
			"sockets of the other protocols; make a rule without \"new\" for them");
	return 0;
}

int pb_rule_check(const struct pb_rule *rule, struct pb_error *error)
{
	int err = check_ports(rule, error);

	if (!err)
		err = check_new(rule, error);
	return err ? err : check_sources(rule, error);
}

/* The bytes of a part that are compared. */
static const void *part_bytes(const struct pb_rule *rule, const struct pb_part *part, size_t *len)
{
	const char *at = (const char *)rule + part->at;

	*len = part->size;
	if (!part->count)
		return at;
	*len *= *(const size_t *)((const char *)rule + part->count);
	return *(const void *const *)at;
}

bool pb_rule_same(const struct pb_rule *a, const struct pb_rule *b)
{
	for (size_t i = 0; i < pb_nr_fields; i++) {
		size_t len_a, len_b;
		const void *in_a = part_bytes(a, &pb_fields[i].identity, &len_a);
		const void *in_b = part_bytes(b, &pb_fields[i].identity, &len_b);

		if (len_a != len_b || (len_a && memcmp(in_a, in_b, len_a)))
			return false;
	}
	return true;
}

/* FNV-1a, with the length of each part in it. */
__u32 pb_rule_hash(const struct pb_rule *rule)
{
	__u32 hash = 2166136261U;

	for (size_t i = 0; i < pb_nr_fields; i++) {
		size_t len;
		const __u8 *bytes = part_bytes(rule, &pb_fields[i].identity, &len);

		hash = (hash ^ (__u32)len) * 16777619U;
		for (size_t j = 0; j < len; j++)
			hash = (hash ^ bytes[j]) * 16777619U;
	}
	return hash ^ hash >> 15;
}
