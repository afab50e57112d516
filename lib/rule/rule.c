// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* A rule as a whole: its memory, its sense, its likeness to another. */
#include <stdlib.h>
#include <string.h>
#include "rule/fields.h"
#include "rule/prefix.h"
#include "rule/rate.h"
#include "rule/set-names.h"
#include "util/error.h"
#include "util/escape.h"

void pb_rule_clear(struct pb_rule *rule)
{
	free(rule->ports);
	free(rule->from);
	free(rule->except);
	pb_set_names_free(rule->from_sets, rule->nr_from_sets);
	pb_set_names_free(rule->except_sets, rule->nr_except_sets);
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
	copy.from_sets = pb_set_names_copy(from->from_sets, from->nr_from_sets, &failed);
	copy.except_sets = pb_set_names_copy(from->except_sets, from->nr_except_sets, &failed);
	if (failed) {
		copy.nr_from_sets = copy.from_sets ? copy.nr_from_sets : 0;
		copy.nr_except_sets = copy.except_sets ? copy.nr_except_sets : 0;
		pb_rule_clear(&copy);
		return -ENOMEM;
	}
	pb_rule_clear(to);
	*to = copy;
	return 0;
}

bool pb_rule_is_alone(const struct pb_rule *rule)
{
	return !rule->protocols && !rule->nr_ports;
}

static bool has_from(const struct pb_rule *rule)
{
	return rule->nr_from || rule->nr_from_sets;
}

static int lacks_ports(const struct pb_rule *rule, struct pb_error *error)
{
	return pb_fail(
		error, EINVAL,
		"the rule lacks ports: give \"dport\" (or \"sport\") with ports, as in dport "
		"22,80-90; %s",
		rule->protocols && has_from(rule) ?
			"or, for all that these sources send, leave the protocols out, too" :
			"or, for all that some sources send, \"from\" and neither ports nor "
			"protocols, as in drop from 192.0.2.1");
}

/* All that its sources send. */
static int check_alone(const struct pb_rule *rule, struct pb_error *error)
{
	if (rule->side != PB_SIDE_DPORT)
		return pb_fail(
			error, EINVAL,
			"the side \"sport\" needs ports: a rule about sources alone has none");
	if (rule->only_new)
		return pb_fail(
			error, EINVAL,
			"\"new\" needs ports: it is about connections to ports of this host; "
			"say which, as in tcp,udp dport 1-65535");
	return 0;
}

static int check_ports(const struct pb_rule *rule, struct pb_error *error)
{
	if (pb_rule_is_alone(rule) && has_from(rule))
		return check_alone(rule, error);
	if (!rule->protocols || rule->protocols >> PB_PROTO_MAX)
		return pb_fail(error, EINVAL,
			       "the rule lacks protocols: give some of tcp,udp,sctp,dccp,udplite");
	if (!rule->nr_ports)
		return lacks_ports(rule, error);
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

/* Are all sets of `from` among those of `except`? */
static bool sets_cover(const struct pb_rule *rule)
{
	for (size_t i = 0; i < rule->nr_from_sets; i++)
		if (!pb_set_names_hold(rule->except_sets, rule->nr_except_sets, rule->from_sets[i]))
			return false;
	return true;
}

static bool leaves_no_source(const struct pb_rule *rule)
{
	if (pb_prefixes_cover(rule->except, rule->nr_except, NULL, 0))
		return true;
	if (!has_from(rule) || !sets_cover(rule))
		return false;
	return !rule->nr_from ||
	       pb_prefixes_cover(rule->except, rule->nr_except, rule->from, rule->nr_from);
}

static int check_sources(const struct pb_rule *rule, struct pb_error *error)
{
	char *except;

	if (!leaves_no_source(rule))
		return 0;
	except = pb_sources_text(rule->except, rule->nr_except, rule->except_sets,
				 rule->nr_except_sets);
	if (!except)
		return pb_fail_memory(error);
	pb_fail(error, EINVAL,
		"except %s leaves no source: it takes out all that %s; make \"except\" smaller",
		PB_Q(except),
		has_from(rule) ? "\"from\" names" : "there are, since \"from\" is not given");
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
	if (!err)
		err = pb_over_check(&rule->over, error);
	return err ? err : check_sources(rule, error);
}

/* ---- Likeness: what is compared of a part, a string at a time, or all at once ---------------- */

static size_t pieces(const struct pb_rule *rule, const struct pb_part *part)
{
	return part->strings ? *(const size_t *)((const char *)rule + part->count) : 1;
}

static const void *piece(const struct pb_rule *rule, const struct pb_part *part, size_t i,
			 size_t *len)
{
	const char *at = (const char *)rule + part->at;

	if (part->strings) {
		const char *string = (*(char *const *const *)at)[i];

		*len = strlen(string);
		return string;
	}
	*len = part->size;
	if (!part->count)
		return at;
	*len *= *(const size_t *)((const char *)rule + part->count);
	return *(const void *const *)at;
}

static bool same_part(const struct pb_rule *a, const struct pb_rule *b, const struct pb_part *part)
{
	size_t nr = pieces(a, part);

	if (nr != pieces(b, part))
		return false;
	for (size_t i = 0; i < nr; i++) {
		size_t len_a, len_b;
		const void *in_a = piece(a, part, i, &len_a), *in_b = piece(b, part, i, &len_b);

		if (len_a != len_b || (len_a && memcmp(in_a, in_b, len_a)))
			return false;
	}
	return true;
}

bool pb_rule_same(const struct pb_rule *a, const struct pb_rule *b)
{
	for (size_t i = 0; i < pb_nr_fields; i++)
		if (!same_part(a, b, &pb_fields[i].identity))
			return false;
	return true;
}

/* Fibonacci hashing, eight bytes at a time. */
static __u64 mixed(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

/* With the length of each piece in it. */
static __u64 hash_part(const struct pb_rule *rule, const struct pb_part *part, __u64 hash)
{
	for (size_t i = 0; i < pieces(rule, part); i++) {
		size_t len;
		const __u8 *bytes = piece(rule, part, i, &len);

		hash = mixed(hash, len);
		for (size_t j = 0; j < len; j += sizeof(__u64)) {
			__u64 word = 0;

			memcpy(&word, bytes + j, len - j < sizeof(word) ? len - j : sizeof(word));
			hash = mixed(hash, word);
		}
	}
	return hash;
}

__u32 pb_rule_hash(const struct pb_rule *rule)
{
	__u64 hash = 0;

	for (size_t i = 0; i < pb_nr_fields; i++)
		hash = hash_part(rule, &pb_fields[i].identity, hash);
	return hash;
}
