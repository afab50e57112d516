// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The names of all enums, looking names up, and what to say when there is none. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "rule/names.h"
#include "util/error.h"
#include "util/escape.h"
#include "util/text.h"

/* ---- Looking up ---------------------------------------------------------------------------- */

#define LONGEST 15

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Letters to add, drop, change or swap with their neighbour, to make one word the other. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int d[LONGEST + 1][LONGEST + 1];
	size_t la = strlen(a), lb = strlen(b);

	for (size_t i = 0; i <= la; i++) {
		for (size_t j = 0; j <= lb; j++) {
			d[i][j] = i ? i : j;
			if (!i || !j)
				continue;
			d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
					d[i - 1][j - 1] + !same(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[la][lb];
}

const char *pb_names_near(const struct pb_names *names, const char *word)
{
	unsigned int best = strlen(word) > 4 ? 3 : 2;
	const char *near = NULL;

	if (strlen(word) > LONGEST)
		return NULL;
	for (size_t i = 0; i < names->nr; i++) {
		unsigned int d =
			strlen(names->words[i]) > LONGEST ? best : distance(word, names->words[i]);

		if (d < best && d < strlen(names->words[i]) - 1) {
			best = d;
			near = names->words[i];
		}
	}
	return near;
}

void pb_names_print(FILE *out, const struct pb_names *names)
{
	for (size_t i = 0; i < names->nr; i++)
		fprintf(out, "%s%s", i ? ", " : "", names->words[i]);
}

static int not_found(const struct pb_names *names, const char *word, struct pb_error *error)
{
	const char *near = pb_names_near(names, word);
	char *known = NULL;
	size_t len;
	FILE *out = open_memstream(&known, &len);

	if (!out)
		return pb_fail_memory(error);
	pb_names_print(out, names);
	if (!pb_stream_take(out, &known))
		return pb_fail_memory(error);
	pb_fail(error, EINVAL, "%s is not %s (%s)%s%s%s", PB_Q(word), names->what, known,
		near ? ": did you mean " : "", near ? near : "", near ? "?" : "");
	free(known);
	return -EINVAL;
}

int pb_names_find(const struct pb_names *names, const char *word, struct pb_error *error)
{
	for (size_t i = 0; i < names->nr; i++)
		if (!strcmp(names->words[i], word))
			return i;
	return error ? not_found(names, word, error) : -EINVAL;
}

/* ---- Tables; a static assert ties each to its enum ----------------------------------------- */

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define NAMES_MATCH(table, max) _Static_assert(ARRAY_SIZE(table) == (max), #table " and its enum")

static const char *const actions[] = {
	[PB_ACTION_DROP] = "drop",
	[PB_ACTION_REJECT] = "reject",
	[PB_ACTION_AUDIT] = "audit",
	[PB_ACTION_ALLOW] = "allow",
};
NAMES_MATCH(actions, PB_ACTION_MAX);

static const char *const sides[] = {
	[PB_SIDE_DPORT] = "dport",
	[PB_SIDE_SPORT] = "sport",
};
NAMES_MATCH(sides, PB_SIDE_MAX);

static const char *const protos[] = {
	[PB_PROTO_TCP] = "tcp",	  [PB_PROTO_UDP] = "udp",	  [PB_PROTO_SCTP] = "sctp",
	[PB_PROTO_DCCP] = "dccp", [PB_PROTO_UDPLITE] = "udplite",
};
NAMES_MATCH(protos, PB_PROTO_MAX);

static const char *const policies[] = {
	[PB_POLICY_ALLOW] = "allow",
	[PB_POLICY_DENY] = "deny",
	[PB_POLICY_REJECT] = "reject",
};
NAMES_MATCH(policies, PB_POLICY_MAX);

static const char *const outcomes[] = {
	[PB_OUTCOME_PASS] = "pass",
	[PB_OUTCOME_DROP_RULE] = "drop-rule",
	[PB_OUTCOME_DROP_POLICY] = "drop-policy",
	[PB_OUTCOME_AUDIT] = "audit",
	[PB_OUTCOME_NOPORT] = "noport",
	[PB_OUTCOME_FRAGMENT] = "fragment",
	[PB_OUTCOME_MALFORMED] = "malformed",
	[PB_OUTCOME_UNPARSABLE] = "unparsable",
	[PB_OUTCOME_REJECT] = "reject",
};
NAMES_MATCH(outcomes, PB_OUTCOME_MAX);

static const char *const modes[] = {
	[PB_MODE_AUTO] = "auto",
	[PB_MODE_NATIVE] = "native",
	[PB_MODE_SKB] = "skb",
	[PB_MODE_HW] = "hw",
};
NAMES_MATCH(modes, PB_MODE_MAX);

static const char *const engines[] = {
	[PB_ENGINE_AUTO] = "auto",
	[PB_ENGINE_BPF] = "bpf",
	[PB_ENGINE_NATIVE] = "native",
};
NAMES_MATCH(engines, PB_ENGINE_MAX);

const struct pb_names pb_action_names = { "an action", actions, PB_ACTION_MAX };
const struct pb_names pb_side_names = { "a side", sides, PB_SIDE_MAX };
const struct pb_names pb_proto_names = { "a protocol", protos, PB_PROTO_MAX };
static const struct pb_names policy_names = { "a policy", policies, PB_POLICY_MAX };
static const struct pb_names mode_names = { "a mode", modes, PB_MODE_MAX };
static const struct pb_names engine_names = { "an engine", engines, PB_ENGINE_MAX };

/* A number out of range can come from a map that somebody else wrote. */
static const char *name(const char *const *words, size_t nr, size_t index)
{
	return index < nr ? words[index] : "unknown";
}

const char *pb_action_name(enum pb_action action)
{
	return name(actions, PB_ACTION_MAX, action);
}

const char *pb_side_name(enum pb_side side)
{
	return name(sides, PB_SIDE_MAX, side);
}

const char *pb_proto_name(enum pb_proto proto)
{
	return name(protos, PB_PROTO_MAX, proto);
}

const char *pb_policy_name(enum pb_policy policy)
{
	return name(policies, PB_POLICY_MAX, policy);
}

const char *pb_outcome_name(enum pb_outcome outcome)
{
	return name(outcomes, PB_OUTCOME_MAX, outcome);
}

const char *pb_mode_name(enum pb_mode mode)
{
	return name(modes, PB_MODE_MAX, mode);
}

const char *pb_engine_name(enum pb_engine engine)
{
	return name(engines, PB_ENGINE_MAX, engine);
}

int pb_policy_parse(const char *text, enum pb_policy *policy, struct pb_error *error)
{
	int found = pb_names_find(&policy_names, text, error);

	if (found < 0)
		return found;
	*policy = found;
	return 0;
}

int pb_mode_parse(const char *text, enum pb_mode *mode, struct pb_error *error)
{
	int found = pb_names_find(&mode_names, text, error);

	if (found < 0)
		return found;
	*mode = found;
	return 0;
}

int pb_engine_parse(const char *text, enum pb_engine *engine, struct pb_error *error)
{
	int found = pb_names_find(&engine_names, text, error);

	if (found < 0)
		return found;
	*engine = found;
	return 0;
}
