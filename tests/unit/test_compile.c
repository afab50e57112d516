// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules -> tables: random rulesets against a naive judge, each promise by itself, limits, size.
 * PB_SEED in the environment repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include "compile/compile.h"
#include "eval.h"
#include "judge.h"
#include "random.h"

#define ROUNDS 3000
#define PACKETS 60 /* a round */

static const struct pb_limits roomy = { .decisions = 4000000,
					.sources = 4000000,
					.port_classes = PB_PORTS };

/* ---- Rules by hand ------------------------------------------------------------------------- */

/* One rule in the order of the text form; `from` and `except` are single prefixes or NULL. */
struct line {
	enum pb_action action;
	unsigned int protocols;
	enum pb_side side;
	struct pb_range ports[2];
	const char *from;
	const char *except;
	const char *from_sets; /* a name a letter */
	const char *except_sets;
	bool only_new;
	__u64 expires;
};

#define TCP (1U << PB_PROTO_TCP)
#define UDP (1U << PB_PROTO_UDP)
#define SCTP (1U << PB_PROTO_SCTP)
#define DCCP (1U << PB_PROTO_DCCP)
#define DROP PB_ACTION_DROP
#define AUDIT PB_ACTION_AUDIT
#define ALLOW PB_ACTION_ALLOW
#define DPORT PB_SIDE_DPORT
#define SPORT PB_SIDE_SPORT

static void *array(size_t nr, size_t size)
{
	void *memory = calloc(nr, size);

	assert_non_null(memory);
	return memory;
}

static void read_address(const char *text, __u8 *family, __u8 *addr)
{
	*family = strchr(text, ':') ? 6 : 4;
	assert_int_equal(inet_pton(*family == 6 ? AF_INET6 : AF_INET, text, addr), 1);
}

static size_t read_prefix(const char *text, struct pb_prefix **prefix)
{
	char addr[64];
	int len;

	if (!text)
		return 0;
	assert_int_equal(sscanf(text, "%63[^/]/%d", addr, &len), 2);
	*prefix = array(1, sizeof(**prefix));
	read_address(addr, &(*prefix)->family, (*prefix)->addr);
	(*prefix)->len = len;
	return 1;
}

static size_t read_sets(const char *letters, char ***names)
{
	size_t nr = letters ? strlen(letters) : 0;

	if (!nr)
		return 0;
	*names = array(nr, sizeof(**names));
	for (size_t i = 0; i < nr; i++)
		(*names)[i] = strndup(letters + i, 1);
	return nr;
}

static void add_range(struct pb_rule *rule, struct pb_range range)
{
	rule->ports = realloc(rule->ports, (rule->nr_ports + 1) * sizeof(*rule->ports));
	assert_non_null(rule->ports);
	rule->ports[rule->nr_ports++] = range;
}

static struct pb_rule *add_line(struct pb_rules *rules, struct line line)
{
	struct pb_rule *rule;

	if (rules->nr == rules->room) {
		rules->room = rules->room ? 2 * rules->room : 4;
		rules->rule = realloc(rules->rule, rules->room * sizeof(*rules->rule));
		assert_non_null(rules->rule);
	}
	rule = memset(&rules->rule[rules->nr++], 0, sizeof(*rule));
	rule->id = rules->nr;
	rule->action = line.action;
	rule->protocols = line.protocols;
	rule->side = line.side;
	if (line.protocols)
		add_range(rule, line.ports[0]);
	if (line.ports[1].last)
		add_range(rule, line.ports[1]);
	rule->nr_from = read_prefix(line.from, &rule->from);
	rule->nr_except = read_prefix(line.except, &rule->except);
	rule->nr_from_sets = read_sets(line.from_sets, &rule->from_sets);
	rule->nr_except_sets = read_sets(line.except_sets, &rule->except_sets);
	rule->only_new = line.only_new;
	rule->expires = line.expires;
	return rule;
}

/* add(set, action, protocols, side, ports, .other = ...) */
#define add(rules, a, p, s, ...) \
	add_line(rules,          \
		 (struct line){ .action = a, .protocols = p, .side = s, .ports = __VA_ARGS__ })

/* The n-th of many different /32. */
static struct pb_prefix host(__u32 n)
{
	struct pb_prefix prefix = { .family = 4, .len = 32 };
	__u32 addr = htonl(0x0a000000 + n * 3);

	memcpy(prefix.addr, &addr, sizeof(addr));
	return prefix;
}

/* ---- Packets by hand ----------------------------------------------------------------------- */

static __u64 mask_of(char *const *names, size_t nr)
{
	__u64 mask = 0;

	for (size_t i = 0; i < nr; i++)
		mask |= 1ULL << SET_NUMBER(names[i]);
	return mask;
}

static int compile(const struct pb_rules *rules, const struct pb_limits *limits,
		   struct pb_tables *tables, struct pb_error *error)
{
	struct pb_set_condition *sets = array(rules->nr + 1, sizeof(*sets));
	int ret;

	for (size_t i = 0; i < rules->nr; i++) {
		const struct pb_rule *rule = &rules->rule[i];

		sets[i].from = mask_of(rule->from_sets, rule->nr_from_sets);
		sets[i].except = mask_of(rule->except_sets, rule->nr_except_sets);
	}
	ret = pb_compile(rules, limits, sets, tables, error);
	free(sets);
	return ret;
}

static struct pb_tables compiled(const struct pb_rules *rules)
{
	struct pb_tables tables = { 0 };
	struct pb_error error = { "" };
	int ret = compile(rules, &roomy, &tables, &error);

	if (ret)
		fail_msg("%s", error.text);
	return tables;
}

static struct packet packet(const char *source, __u16 sport, __u16 dport)
{
	struct packet packet = { .proto = PB_PROTO_TCP, .sport = sport, .dport = dport };

	read_address(source, &packet.family, packet.addr);
	return packet;
}

/* Both the judge and the tables say that this rule wins. */
static void expect(const struct pb_rules *rules, const struct packet *packet, __u32 rule)
{
	struct pb_tables tables = compiled(rules);
	struct verdict judged = judge_packet(rules, packet);
	struct verdict found = eval_packet(&tables, &rules->settings, packet);

	pb_tables_free(&tables);
	assert_int_equal(judged.rule, rule);
	assert_int_equal(found.rule, rule);
	assert_int_equal(found.outcome, judged.outcome);
}

static void expect_from(const struct pb_rules *rules, const char *source, __u16 dport, __u32 rule)
{
	struct packet p = packet(source, 40000, dport);

	expect(rules, &p, rule);
}

static void expect_at(const struct pb_rules *rules, __u64 now, bool connection, __u32 rule)
{
	struct packet p = packet("192.0.2.1", 40000, 22);

	p.now = now;
	p.connection = connection;
	expect(rules, &p, rule);
}

/* ---- The promises, one by one -------------------------------------------------------------- */

static void nothing(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_tables tables = compiled(&rules);
	static const __u8 no_sides[8];

	(void)state;
	assert_int_equal(tables.nr_decisions, 1);
	assert_int_equal(tables.nr_sources, 0);
	assert_memory_equal(tables.sides, no_sides, sizeof(no_sides));
	pb_tables_free(&tables);
	pb_tables_free(&tables);
	expect_from(&rules, "192.0.2.1", 22, 0);
}

static void sides_and_protocols(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_tables tables;
	struct packet p = packet("192.0.2.1", 53, 22);

	(void)state;
	add(&rules, DROP, TCP, DPORT, { { 22, 22 } });
	add(&rules, DROP, UDP, SPORT, { { 53, 53 } });
	tables = compiled(&rules);
	assert_int_equal(tables.sides[PB_PROTO_TCP], 1 << DPORT);
	assert_int_equal(tables.sides[PB_PROTO_UDP], 1 << SPORT);
	assert_int_equal(tables.sides[PB_PROTO_SCTP], 0);
	pb_tables_free(&tables);
	expect(&rules, &p, 1);
	p.proto = PB_PROTO_UDP;
	expect(&rules, &p, 2);
	p.proto = PB_PROTO_DCCP;
	expect(&rules, &p, 0);
	random_set_free(&rules);
}

static void range_borders(void **state)
{
	struct pb_rules rules = { 0 };

	(void)state;
	add(&rules, DROP, TCP, DPORT, { { 0, 10 }, { 65000, 65535 } });
	expect_from(&rules, "192.0.2.1", 0, 1);
	expect_from(&rules, "192.0.2.1", 10, 1);
	expect_from(&rules, "192.0.2.1", 11, 0);
	expect_from(&rules, "192.0.2.1", 64999, 0);
	expect_from(&rules, "192.0.2.1", 65000, 1);
	expect_from(&rules, "192.0.2.1", 65535, 1);
	random_set_free(&rules);
}

static void narrowest_range(void **state)
{
	struct pb_rules rules = { 0 };
	struct packet p = packet("192.0.2.1", 5000, 22);

	(void)state;
	add(&rules, DROP, TCP, DPORT, { { 1, 1024 } });
	add(&rules, ALLOW, TCP, DPORT, { { 22, 22 }, { 100, 1100 } });
	add(&rules, ALLOW, TCP, SPORT, { { 5000, 5001 } });
	expect_from(&rules, "192.0.2.1", 21, 1);
	expect_from(&rules, "192.0.2.1", 22, 2);
	expect_from(&rules, "192.0.2.1", 200, 2);
	expect(&rules, &p, 2);
	p.dport = 23;
	expect(&rules, &p, 3);
	random_set_free(&rules);
}

static void action_then_id(void **state)
{
	struct pb_rules rules = { 0 };
	struct packet p = packet("192.0.2.1", 22, 22);

	(void)state;
	add(&rules, ALLOW, TCP, SPORT, { { 22, 22 } });
	add(&rules, ALLOW, TCP, DPORT, { { 22, 22 } });
	expect(&rules, &p, 1);
	add(&rules, AUDIT, TCP, DPORT, { { 22, 22 } });
	expect(&rules, &p, 3);
	add(&rules, DROP, TCP, SPORT, { { 22, 22 } });
	expect(&rules, &p, 4);
	add(&rules, DROP, TCP | UDP, DPORT, { { 22, 22 } });
	add(&rules, DROP, TCP, DPORT, { { 22, 22 } });
	expect(&rules, &p, 4);
	p.sport = 1;
	expect(&rules, &p, 5);
	random_set_free(&rules);
}

static void longest_source(void **state)
{
	struct pb_rules rules = { 0 };

	(void)state;
	add(&rules, DROP, TCP, DPORT, { { 22, 22 } });
	add(&rules, ALLOW, TCP, DPORT, { { 1, 65535 } }, .from = "10.0.0.0/8");
	add(&rules, AUDIT, TCP, DPORT, { { 1, 65535 } }, .from = "10.1.0.0/16");
	add(&rules, DROP, TCP, SPORT, { { 1, 65535 } }, .from = "2001:db8::/32");
	add(&rules, ALLOW, TCP, DPORT, { { 22, 22 } }, .from = "::/0");
	expect_from(&rules, "192.0.2.1", 22, 1);
	expect_from(&rules, "10.2.0.1", 22, 2);
	expect_from(&rules, "10.1.0.1", 22, 3);
	expect_from(&rules, "10.0.255.255", 22, 2);
	expect_from(&rules, "2001:db8::1", 22, 4);
	expect_from(&rules, "2001:db9::1", 22, 1); /* ::/0 is as long as none; drop comes first */
	random_set_free(&rules);
}

static void zero_is_not_none(void **state)
{
	struct pb_rules rules = { 0 };

	(void)state;
	add(&rules, DROP, TCP, DPORT, { { 22, 22 } });
	add(&rules, ALLOW, TCP, DPORT, { { 1, 99 } }, .from = "0.0.0.0/0");
	add(&rules, ALLOW, TCP, DPORT, { { 20, 29 } }, .from = "::/0");
	expect_from(&rules, "192.0.2.1", 22, 2);
	expect_from(&rules, "2001:db8::1", 22, 1);
	expect_from(&rules, "2001:db8::1", 23, 3);
	expect_from(&rules, "192.0.2.1", 23, 2);
	random_set_free(&rules);
}

static void except_takes_out(void **state)
{
	struct pb_rules rules = { 0 };

	(void)state;
	add(&rules, DROP, TCP, DPORT, { { 22, 22 } }, .except = "10.0.0.0/8");
	expect_from(&rules, "192.0.2.1", 22, 1);
	expect_from(&rules, "10.1.2.3", 22, 0);
	expect_from(&rules, "a00::1", 22, 1);
	add(&rules, DROP, TCP, DPORT, { { 23, 23 } }, .from = "10.0.0.0/8",
	    .except = "10.1.0.0/16");
	add(&rules, DROP, TCP, DPORT, { { 24, 24 } }, .from = "10.1.1.0/24",
	    .except = "10.1.0.0/16");
	expect_from(&rules, "10.2.2.3", 23, 2);
	expect_from(&rules, "10.1.1.3", 23, 0);
	expect_from(&rules, "10.1.1.3", 24, 0);
	expect_from(&rules, "192.0.2.1", 23, 0);
	random_set_free(&rules);
}

static void new_packets(void **state)
{
	struct pb_rules rules = { 0 };

	(void)state;
	add(&rules, DROP, TCP, DPORT, { { 1, 65535 } }, .only_new = true);
	expect_at(&rules, 0, false, 1);
	expect_at(&rules, 0, true, 0);
	add(&rules, ALLOW, TCP, DPORT, { { 20, 29 } }, .only_new = true);
	add(&rules, AUDIT, TCP, DPORT, { { 1, 1024 } });
	expect_at(&rules, 0, false, 2);
	expect_at(&rules, 0, true, 3);
	random_set_free(&rules);
}

static void expiry(void **state)
{
	struct pb_rules rules = { 0 };

	(void)state;
	add(&rules, ALLOW, TCP, DPORT, { { 22, 22 } }, .expires = 100);
	add(&rules, AUDIT, TCP, DPORT, { { 20, 29 } }, .expires = 200);
	add(&rules, DROP, TCP, DPORT, { { 1, 1024 } });
	expect_at(&rules, 99, false, 1);
	expect_at(&rules, 100, false, 2);
	expect_at(&rules, 199, false, 2);
	expect_at(&rules, 200, false, 3);
	rules.rule[1].expires = 100;
	expect_at(&rules, 100, false, 3);
	random_set_free(&rules);
}

/* Where one `new` rule fails for a packet all do: only the first takes a place in the chain. */
static void dead_new_rules(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_tables tables;

	(void)state;
	for (int i = 0; i < 20; i++)
		add(&rules, DROP, TCP, DPORT, { { 22, 22 + i } }, .only_new = true,
		    .expires = i % 2 * 100);
	add(&rules, ALLOW, TCP, DPORT, { { 1, 1024 } });
	expect_at(&rules, 0, false, 1);
	expect_at(&rules, 0, true, 21);
	expect_at(&rules, 100, true, 21);
	tables = compiled(&rules);
	/* One for each range that does not expire and one for each that does, but the first. */
	assert_int_equal(tables.nr_decisions, 1 + 20 + 1);
	pb_tables_free(&tables);
	random_set_free(&rules);
}

/* A `new` rule that ends before a plain one ahead of it, or behind one that is as `new`. */
static void dead_behind_others(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_tables tables;

	(void)state;
	add(&rules, DROP, TCP, DPORT, { { 22, 22 } }, .expires = 100);
	add(&rules, DROP, TCP, DPORT, { { 22, 22 } }, .only_new = true, .expires = 100);
	add(&rules, DROP, TCP, DPORT, { { 22, 22 } }, .only_new = true);
	add(&rules, DROP, TCP, DPORT, { { 22, 22 } }, .expires = 200);
	add(&rules, DROP, TCP, DPORT, { { 22, 22 } }, .only_new = true, .expires = 300);
	tables = compiled(&rules);
	assert_int_equal(tables.nr_decisions, 1 + 3);
	pb_tables_free(&tables);
	random_set_free(&rules);
}

/* A rule that ends gives way to one that is not `new`, and the other way round. */
static void expiry_and_new(void **state)
{
	struct pb_rules rules = { 0 };

	(void)state;
	add(&rules, ALLOW, TCP, DPORT, { { 22, 22 } }, .only_new = true);
	add(&rules, DROP, TCP, DPORT, { { 20, 29 } }, .expires = 100);
	add(&rules, AUDIT, TCP, DPORT, { { 10, 29 } }, .only_new = true);
	add(&rules, DROP, TCP, DPORT, { { 1, 29 } }, .expires = 200);
	expect_at(&rules, 0, false, 1);
	expect_at(&rules, 0, true, 2);
	expect_at(&rules, 100, true, 4);
	expect_at(&rules, 200, true, 0);
	rules.rule[0].expires = 50;
	expect_at(&rules, 50, false, 2);
	expect_at(&rules, 100, false, 3);
	random_set_free(&rules);
}

/* ---- Sets, and sources alone --------------------------------------------------------------- */

static void expect_in(const struct pb_rules *rules, __u64 sets, const char *source, __u16 dport,
		      __u32 rule)
{
	struct packet p = packet(source, 40000, dport);

	p.sets = sets;
	expect(rules, &p, rule);
}

#define SET_A 1
#define SET_B 2
#define SET_C 4

static void sets_are_hosts(void **state)
{
	struct pb_rules rules = { 0 };

	(void)state;
	add(&rules, DROP, TCP, DPORT, { { 1, 1024 } }, .from_sets = "a");
	add(&rules, ALLOW, TCP, DPORT, { { 22, 22 } }, .from = "10.0.0.0/8");
	expect_in(&rules, 0, "10.0.0.1", 22, 2);
	expect_in(&rules, SET_A, "10.0.0.1", 22, 1);
	expect_in(&rules, SET_B, "10.0.0.1", 23, 0);
	expect_in(&rules, SET_A, "2001:db8::1", 23, 1);
	add(&rules, ALLOW, TCP, DPORT, { { 22, 22 } }, .from = "10.0.0.1/32");
	expect_in(&rules, SET_A, "10.0.0.1", 22, 3); /* as long, and narrower */
	expect_in(&rules, SET_A, "10.0.0.1", 23, 1);
	random_set_free(&rules);
}

/* By a prefix and by a set: in two places among the others. */
static void prefixes_and_sets(void **state)
{
	struct pb_rules rules = { 0 };

	(void)state;
	add(&rules, DROP, TCP, DPORT, { { 22, 22 } }, .from = "10.0.0.0/8", .from_sets = "ab",
	    .except = "10.1.0.0/16", .except_sets = "c");
	add(&rules, ALLOW, TCP, DPORT, { { 22, 22 } }, .from = "10.0.0.0/16");
	expect_in(&rules, 0, "10.0.0.1", 22, 2);
	expect_in(&rules, 0, "10.2.0.1", 22, 1);
	expect_in(&rules, SET_B, "10.0.0.1", 22, 1);
	expect_in(&rules, SET_A | SET_C, "10.0.0.1", 22, 2);
	expect_in(&rules, SET_C, "10.2.0.1", 22, 0);
	expect_in(&rules, SET_A, "10.1.0.1", 22, 0);
	expect_in(&rules, SET_A, "192.0.2.1", 22, 1);
	expect_in(&rules, 0, "192.0.2.1", 22, 0);
	random_set_free(&rules);
}

/* What asks for sets covers nothing, and is covered. */
static void sets_cover_nothing(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_tables tables;

	(void)state;
	add(&rules, DROP, TCP, DPORT, { { 22, 22 } }, .except_sets = "a");
	add(&rules, AUDIT, TCP, DPORT, { { 22, 22 } }, .except_sets = "b");
	add(&rules, ALLOW, TCP, DPORT, { { 22, 23 } });
	add(&rules, DROP, TCP, DPORT, { { 22, 24 } }, .except_sets = "c");
	expect_in(&rules, 0, "192.0.2.1", 22, 1);
	expect_in(&rules, SET_A, "192.0.2.1", 22, 2);
	expect_in(&rules, SET_A | SET_B, "192.0.2.1", 22, 3);
	expect_in(&rules, SET_C, "192.0.2.1", 24, 0);
	tables = compiled(&rules);
	/* The end, three over 22, of which 23 has the last, and the one over 24. */
	assert_int_equal(tables.nr_decisions, 1 + 3 + 1);
	assert_int_equal(tables.nr_conditions, 3);
	pb_tables_free(&tables);
	random_set_free(&rules);
}

static void conditions_once(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_tables tables;

	(void)state;
	for (int i = 1; i <= 100; i++)
		add(&rules, DROP, TCP, DPORT, { { i, i } }, .from_sets = i % 2 ? "a" : "ab");
	tables = compiled(&rules);
	assert_int_equal(tables.nr_conditions, 2);
	assert_int_equal(tables.conditions[0].from, SET_A);
	assert_int_equal(tables.conditions[1].from, SET_A | SET_B);
	assert_int_equal(tables.nr_sources, 0);
	pb_tables_free(&tables);
	random_set_free(&rules);
}

static void expect_portless(const struct pb_rules *rules, __u64 sets, const char *source,
			    __u32 rule)
{
	struct packet p = packet(source, 0, 0);

	p.proto = PB_PROTO_MAX;
	p.sets = sets;
	expect(rules, &p, rule);
}

static void sources_alone(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_tables tables;
	struct packet p = packet("10.0.0.1", 53, 53);

	(void)state;
	add(&rules, DROP, 0, DPORT, { { 0 } }, .from = "10.0.0.0/8");
	tables = compiled(&rules);
	assert_true(tables.portless);
	for (int proto = 0; proto < PB_PROTO_MAX; proto++)
		assert_int_equal(tables.sides[proto], 1 << DPORT);
	pb_tables_free(&tables);
	add(&rules, ALLOW, TCP, DPORT, { { 1, 65535 } }, .from = "10.0.0.0/8");
	add(&rules, ALLOW, UDP, SPORT, { { 53, 53 } });
	expect_from(&rules, "10.0.0.1", 22, 2); /* narrower */
	expect_from(&rules, "192.0.2.1", 22, 0);
	expect_from(&rules, "10.0.0.1", 0, 1);
	p.proto = PB_PROTO_UDP;
	expect(&rules, &p, 1); /* longer */
	p.proto = PB_PROTO_DCCP;
	expect(&rules, &p, 1);
	expect_portless(&rules, 0, "10.0.0.1", 1);
	expect_portless(&rules, 0, "192.0.2.1", 0);
	random_set_free(&rules);
}

static void sets_alone(void **state)
{
	struct pb_rules rules = { .settings.policy = PB_POLICY_DENY };

	(void)state;
	add(&rules, DROP, 0, DPORT, { { 0 } }, .from_sets = "a");
	add(&rules, ALLOW, TCP, DPORT, { { 22, 22 } }, .from = "10.0.0.1/32");
	add(&rules, DROP, TCP, DPORT, { { 22, 22 } });
	expect_in(&rules, SET_A, "10.0.0.1", 22, 2);
	expect_in(&rules, SET_A, "10.0.0.2", 22, 1);
	expect_in(&rules, 0, "10.0.0.2", 22, 3);
	expect_portless(&rules, SET_A, "10.0.0.2", 1);
	expect_portless(&rules, SET_B, "10.0.0.2", 0); /* and the policy is none of its */
	add(&rules, ALLOW, 0, DPORT, { { 0 } }, .from = "10.0.0.2/32", .expires = 10);
	add(&rules, DROP, 0, DPORT, { { 0 } }, .from_sets = "b", .except_sets = "a");
	expect_portless(&rules, SET_A, "10.0.0.2", 1);
	expect_portless(&rules, SET_B, "10.0.0.2", 5);
	expect_portless(&rules, 0, "10.0.0.2", 4);
	random_set_free(&rules);
}

/* A ruleset without rules about sources alone looks at no source for their sake. */
static void no_portless(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_tables tables;

	(void)state;
	add(&rules, DROP, TCP, DPORT, { { 1, 65535 } }, .from_sets = "a");
	tables = compiled(&rules);
	assert_int_equal(tables.portless, 0);
	assert_int_equal(tables.sides[PB_PROTO_UDP], 0);
	pb_tables_free(&tables);
	random_set_free(&rules);
}

/* No rule becomes one about all sources since its sets were left out. */
static void sets_not_known(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_tables tables = { 0 };
	struct pb_set_condition sets = { 0 };

	(void)state;
	add(&rules, DROP, TCP, DPORT, { { 22, 22 } }, .from_sets = "a");
	assert_int_equal(pb_compile(&rules, &roomy, NULL, &tables, NULL), -EINVAL);
	assert_int_equal(pb_compile(&rules, &roomy, &sets, &tables, NULL), -EINVAL);
	random_set_free(&rules);
}

static void policy(void **state)
{
	struct pb_rules rules = { .settings.policy = PB_POLICY_DENY };
	struct pb_tables tables;
	struct packet p = packet("192.0.2.1", 40000, 22);

	(void)state;
	add(&rules, ALLOW, TCP, DPORT, { { 443, 443 } });
	tables = compiled(&rules);
	assert_int_equal(eval_packet(&tables, &rules.settings, &p).outcome, PB_OUTCOME_DROP_POLICY);
	p.connection = true;
	assert_int_equal(eval_packet(&tables, &rules.settings, &p).outcome, PB_OUTCOME_PASS);
	pb_tables_free(&tables);
	rules.settings.no_replies = true;
	tables = compiled(&rules);
	assert_int_equal(eval_packet(&tables, &rules.settings, &p).outcome, PB_OUTCOME_DROP_POLICY);
	pb_tables_free(&tables);
	expect(&rules, &p, 0);
	random_set_free(&rules);
}

/* ---- Random rulesets ----------------------------------------------------------------------- */

static bool set_holds(const char *name, const struct pb_prefix *source, void *packet)
{
	(void)source;
	return ((const struct packet *)packet)->sets >> SET_NUMBER(name) & 1;
}

/* Without the rules whose rate the packet is not over, of which the library leaves it to the caller to ask. */
static struct pb_rules rules_for(const struct pb_rules *rules, const struct packet *p)
{
	struct pb_rules some = { .settings = rules->settings,
				 .rule = array(rules->nr + 1, sizeof(*some.rule)) };

	for (size_t i = 0; i < rules->nr; i++)
		if (!rules->rule[i].over.rate.amount || p->beyond & BEYOND(rules->rule[i].id))
			some.rule[some.nr++] = rules->rule[i];
	return some;
}

/* What the library itself says, by no table. */
static struct verdict judged_in_memory(const struct pb_rules *all, const struct packet *p)
{
	struct pb_rules some = rules_for(all, p), *rules = &some;
	struct pb_flow flow = { .proto = p->proto,
				.sport = p->sport,
				.dport = p->dport,
				.source = { .family = p->family },
				.connected = p->connection };
	const struct pb_rule *rule;
	struct verdict verdict;
	struct pb_match *matches;
	size_t nr;

	flow.source.len = p->family == 4 ? 32 : 128;
	memcpy(flow.source.addr, p->addr, sizeof(p->addr));
	verdict.outcome = pb_rules_judge_in(rules, &flow, p->now, set_holds, (void *)p, &rule);
	verdict.rule = rule ? rule->id : 0;
	assert_int_equal(
		pb_rules_matches_in(rules, &flow, p->now, set_holds, (void *)p, &matches, &nr), 0);
	assert_int_equal(nr ? matches[0].rule->id : 0, verdict.rule);
	free(matches);
	free(some.rule);
	return verdict;
}

static void check_packet(const struct pb_rules *rules, const struct pb_tables *tables,
			 const struct packet *p, __u64 seed, int round)
{
	struct verdict judged = judge_packet(rules, p);
	struct verdict in_memory = judged_in_memory(rules, p);
	struct verdict found = eval_packet(tables, &rules->settings, p);

	assert_int_equal(in_memory.rule, judged.rule);
	assert_int_equal(in_memory.outcome, judged.outcome);
	if (judged.rule == found.rule && judged.outcome == found.outcome)
		return;
	fail_msg("PB_SEED=%llu round %d: proto %d sport %u dport %u family %u sets %llx connection "
		 "%d now %llu: rule %u outcome %d instead of rule %u outcome %d",
		 seed, round, p->proto, p->sport, p->dport, p->family, p->sets, p->connection,
		 p->now, found.rule, found.outcome, judged.rule, judged.outcome);
}

/* Too many expiring rules over one port are an error, and so are those that name sets. */
static void compile_random(struct pb_rules *rules, struct pb_tables *tables, size_t *refused)
{
	struct pb_error error;
	int ret = compile(rules, &roomy, tables, &error);

	*refused += ret == -ENOSPC;
	for (size_t i = 0; ret == -ENOSPC && i < rules->nr; i++)
		rules->rule[i].expires = 0;
	while (ret == -ENOSPC && rules->nr) {
		assert_non_null(strstr(error.text, "as they expire"));
		ret = compile(rules, &roomy, tables, &error);
		if (ret)
			pb_rule_clear(&rules->rule[--rules->nr]);
	}
	assert_int_equal(ret, 0);
}

/* Is it another rule if no set holds the source? */
static bool changed_by_sets(const struct pb_rules *rules, struct packet p)
{
	__u32 rule = judge_packet(rules, &p).rule;

	p.sets = 0;
	return judge_packet(rules, &p).rule != rule;
}

/* Is it another rule if the packet is over no rate? */
static bool changed_by_rates(const struct pb_rules *rules, struct packet p)
{
	__u32 rule = judge_packet(rules, &p).rule;

	p.beyond = 0;
	return judge_packet(rules, &p).rule != rule;
}

static void random_rulesets(void **state)
{
	size_t refused = 0, matched = 0, by_sets = 0, by_rates = 0, portless = 0;
	__u64 seed;
	struct random random;

	(void)state;
	seed = random_begin(&random);
	for (int round = 0; round < ROUNDS; round++) {
		struct pb_rules rules;
		struct pb_tables tables;
		struct packet p;

		random_set(&random, round % 50 ? 24 : 200, &rules);
		compile_random(&rules, &tables, &refused);
		for (int i = 0; i < PACKETS; i++) {
			random_packet(&random, &rules, &p);
			check_packet(&rules, &tables, &p, seed, round);
			matched += judge_packet(&rules, &p).rule != 0;
			portless += p.proto == PB_PROTO_MAX && judge_packet(&rules, &p).rule;
			by_sets += changed_by_sets(&rules, p);
			by_rates += changed_by_rates(&rules, p);
		}
		pb_tables_free(&tables);
		random_set_free(&rules);
	}
	print_message("# %d packets, %zu matched a rule, %zu of them without ports, of %zu a set "
		      "decides, of %zu a rate; %zu of %d rulesets refused at first\n",
		      ROUNDS * PACKETS, matched, portless, by_sets, by_rates, refused, ROUNDS);
	assert_true(matched > ROUNDS * PACKETS / 2);
	assert_true(portless > ROUNDS / 3);
	assert_true(by_sets > ROUNDS);
	assert_true(by_rates > ROUNDS);
	assert_true(refused < ROUNDS / 10);
}

/* ---- Limits -------------------------------------------------------------------------------- */

static void refused(const struct pb_rules *rules, const struct pb_limits *limits, const char *word,
		    const char *number)
{
	struct pb_tables tables = { .nr_decisions = 77 }, before = tables;
	struct pb_error error = { "" };

	assert_int_equal(compile(rules, limits, &tables, &error), -ENOSPC);
	assert_memory_equal(&tables, &before, sizeof(tables));
	if (!strstr(error.text, word) || !strstr(error.text, number))
		fail_msg("no %s or %s in: %s", word, number, error.text);
	assert_int_equal(compile(rules, limits, &tables, NULL), -ENOSPC);
}

/* The wider, the longer: the most candidates that fit are one less than the limit and a last. */
static void expiring_rules(void **state)
{
	struct pb_rules rules = { 0 };
	struct packet p = packet("192.0.2.1", 40000, 100);

	(void)state;
	for (int i = 0; i < PB_CHAIN_RULES; i++)
		add(&rules, DROP, UDP | TCP, DPORT, { { 100 - i, 100 } }, .expires = 10 + i);
	for (int i = 0; i < PB_CHAIN_RULES; i++)
		add(&rules, DROP, TCP, SPORT, { { 40000 - i, 40000 } }, .expires = 10 + i);
	expect(&rules, &p, 1);
	p.now = 8 + PB_CHAIN_RULES;
	expect(&rules, &p, PB_CHAIN_RULES);
	p.now++;
	expect(&rules, &p, 0);
	add(&rules, DROP, TCP, DPORT, { { 80, 120 } }, .expires = 5);
	expect(&rules, &p, 0); /* ends before those ahead of it */
	add(&rules, DROP, TCP, DPORT, { { 80, 120 } });
	refused(&rules, &roomy, "tcp dport 100:", " 9 rules");
	random_set_free(&rules);
}

static bool says_sets(const struct pb_rules *rules, __u16 dport)
{
	struct pb_tables tables = compiled(rules);
	__u32 entry = tables.ports->entry[PB_PROTO_TCP][dport];

	pb_tables_free(&tables);
	return (entry & PB_ENTRY_RATE) == PB_ENTRY_SETS;
}

/* The entry says that sets alone decide: never where anything else might. */
static void entries_of_sets(void **state)
{
	struct pb_rules rules = { 0 };

	(void)state;
	add(&rules, DROP, TCP, DPORT, { { 22, 23 } }, .from_sets = "a", .except_sets = "b");
	assert_true(says_sets(&rules, 22));
	assert_false(says_sets(&rules, 24));
	rules.settings.policy = PB_POLICY_DENY; /* it may be a reply */
	assert_false(says_sets(&rules, 22));
	rules.settings.no_replies = true;
	assert_true(says_sets(&rules, 22));
	rules.settings.policy = PB_POLICY_ALLOW;
	add(&rules, ALLOW, TCP, DPORT, { { 23, 23 } });
	assert_false(says_sets(&rules, 23)); /* a second candidate */
	add(&rules, DROP, UDP, SPORT, { { 53, 53 } });
	assert_true(says_sets(&rules, 22));
	add(&rules, DROP, TCP, SPORT, { { 53, 53 } });
	assert_false(says_sets(&rules, 22)); /* the source port counts, too */
	random_set_free(&rules);

	add(&rules, DROP, TCP, DPORT, { { 22, 22 } }, .from_sets = "a", .expires = 1);
	assert_false(says_sets(&rules, 22));
	random_set_free(&rules);
}

/* The rate of a rule alone decides: the entry has its id, whatever its class is. */
static void entries_of_rates(void **state)
{
	const struct pb_over over = { .rate = { 6, 6, PB_RATE_PACKETS, PB_RATE_MINUTE, { 0 } } };
	struct pb_rules rules = { 0 };
	struct pb_tables tables;
	const __u32 *entry;

	(void)state;
	add(&rules, DROP, TCP, DPORT, { { 1, 9 } });
	add(&rules, DROP, TCP, DPORT, { { 30, 39 } }, .expires = 5);
	add(&rules, DROP, TCP, DPORT, { { 80, 80 } });
	add_range(&rules.rule[2], (struct pb_range){ 90, 99 });
	rules.rule[2].over = over;
	add(&rules, DROP, TCP, DPORT, { { 81, 81 } })->over = over;
	rules.rule[3].action = PB_ACTION_REJECT;
	add(&rules, DROP, TCP, DPORT, { { 95, 95 } }, .expires = 5);
	tables = compiled(&rules);
	entry = tables.ports->entry[PB_PROTO_TCP];
	assert_int_equal(entry[80],
			 PB_ENTRY(rules.rule[2].id, 0, PB_ENTRY_INDIRECT) | PB_ENTRY_RATE);
	assert_int_equal(entry[90], entry[80]); /* of another width, and class */
	assert_int_equal(entry[81] & PB_ENTRY_RATE, 0);
	assert_int_equal(entry[95] & PB_ENTRY_RATE, 0);
	pb_tables_free(&tables);
	random_set_free(&rules);
}

static void too_many_sets_over_a_port(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i" };
	struct pb_rules rules = { 0 };

	(void)state;
	for (int i = 0; i < PB_CHAIN_RULES; i++)
		add(&rules, DROP, 0, DPORT, { { 0 } }, .from_sets = names[i]);
	expect_portless(&rules, 1 << (PB_CHAIN_RULES - 1), "192.0.2.1", PB_CHAIN_RULES);
	add(&rules, DROP, 0, DPORT, { { 0 } }, .from_sets = names[PB_CHAIN_RULES]);
	refused(&rules, &roomy, "from @a,@b", " 9 rules");
	random_set_free(&rules);
}

static void too_many_conditions(void **state)
{
	struct pb_rules rules = { 0 };

	(void)state;
	for (int i = 0; i <= PB_SET_CONDITIONS; i++) {
		char letters[27] = "";

		for (int bit = 0; bit < 9; bit++)
			if ((i + 1) & 1 << bit)
				letters[strlen(letters)] = 'a' + bit;
		add(&rules, DROP, TCP, DPORT, { { i + 1, i + 1 } }, .from_sets = letters);
		if (i == PB_SET_CONDITIONS - 1)
			expect_in(&rules, 1 << 8, "192.0.2.1", i + 1, i + 1);
	}
	refused(&rules, &roomy, "combinations", "256");
	random_set_free(&rules);
}

static void all_steps(void **state)
{
	struct pb_rules rules = { 0 };
	struct packet p = packet("192.0.2.1", 40000, 100);

	(void)state;
	for (int i = 0; i < PB_CHAIN_RULES - 1; i++)
		add(&rules, DROP, TCP, DPORT, { { 100 - i, 100 } }, .expires = 10 + i);
	for (int i = 0; i < PB_CHAIN_RULES - 1; i++)
		add(&rules, DROP, TCP, SPORT, { { 40000 - i, 40000 } }, .expires = 10 + i);
	add(&rules, DROP, TCP, DPORT, { { 80, 120 } });
	add(&rules, ALLOW, TCP, SPORT, { { 1, 65535 } });
	p.now = 1000;
	expect(&rules, &p, rules.nr - 1);
	assert_int_equal(eval_steps, 2 * (PB_CHAIN_RULES - 1));
	random_set_free(&rules);
}

static void too_many_decisions(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_tables tables = { 0 };

	(void)state;
	for (int i = 1; i <= 10; i++)
		add(&rules, DROP, TCP, DPORT, { { i, i } });
	assert_int_equal(pb_compile(&rules, &(struct pb_limits){ 11, 0, 1 }, NULL, &tables, NULL),
			 0);
	pb_tables_free(&tables);
	refused(&rules, &(struct pb_limits){ 10, 0, 1 }, "--max-rules", "11 decisions");
	rules.rule[0].nr_from = read_prefix("10.0.0.0/8", &rules.rule[0].from);
	refused(&rules, &(struct pb_limits){ 1, 1, 1 }, "--max-rules", "2 decisions");
	/* No rule, a class for each port, and two regions of one. */
	refused(&rules, &(struct pb_limits){ 12, 1, 1 }, "--max-rules", "13 decisions");
	random_set_free(&rules);
}

static void too_many_sources(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_tables tables = { 0 };

	(void)state;
	add(&rules, DROP, TCP, DPORT, { { 1, 9 } }, .from = "10.0.0.0/8");
	add(&rules, DROP, TCP, DPORT, { { 5, 20 } }, .from = "10.1.0.0/16");
	assert_int_equal(pb_compile(&rules, &(struct pb_limits){ 100, 4, 1 }, NULL, &tables, NULL),
			 0);
	assert_int_equal(tables.nr_sources, 4);
	pb_tables_free(&tables);
	refused(&rules, &(struct pb_limits){ 100, 3, 1 }, "--max-sources", "4 prefixes");
	random_set_free(&rules);
}

static void too_many_sets(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_rule *rule;

	(void)state;
	for (__u32 i = 0; i < 32767; i++) {
		rule = add(&rules, DROP, TCP, DPORT, { { i, i } });
		rule->from = array(1, sizeof(*rule->from));
		rule->from[rule->nr_from++] = host(i);
	}
	expect_from(&rules, "10.0.0.3", 1, 2);
	add(&rules, DROP, TCP, DPORT, { { 65000, 65000 } }, .from = "11.0.0.0/8");
	refused(&rules, &roomy, "source lists", "32768");
	random_set_free(&rules);
}

/* Where protocols share a table, ports count by what they have there together. */
static void too_many_port_classes(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_tables tables = { 0 };

	(void)state;
	add(&rules, DROP, TCP | SCTP, DPORT, { { 1, 9 } });
	add(&rules, DROP, UDP | SCTP, SPORT, { { 5, 20 } });
	add(&rules, DROP, DCCP, SPORT, { { 20, 30 } });
	/* None; sctp dport 1-9; sport 5-19 of two, 20 of three, 21-30 of one. */
	assert_int_equal(pb_compile(&rules, &(struct pb_limits){ 100, 0, 5 }, NULL, &tables, NULL),
			 0);
	assert_int_equal(tables.nr_port_classes, 5);
	pb_tables_free(&tables);
	refused(&rules, &(struct pb_limits){ 100, 0, 4 }, "--max-rules", "5 or more classes");
	random_set_free(&rules);
}

/* Each port of tcp, and a few of udp, with a chain of its own. */
static void too_many_classes(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_rule *rule = NULL;

	(void)state;
	for (__u32 i = 0; i < 65535; i++)
		add(&rules, DROP, TCP, DPORT, { { i, i } });
	expect_from(&rules, "10.0.0.3", 65534, 65535);
	rule = &rules.rule[0];
	rule->protocols = TCP | UDP;
	add_range(rule, (struct pb_range){ 65000, 65001 });
	refused(&rules, &roomy, "classes", "65536");
	random_set_free(&rules);
}

/* ---- Size ---------------------------------------------------------------------------------- */

static struct pb_tables timed(const struct pb_rules *rules, const char *what)
{
	struct timespec a, b;
	struct pb_tables tables;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	tables = compiled(rules);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	print_message("# %s: %.1f ms of CPU, %zu decisions, %zu sources\n", what,
		      (b.tv_sec - a.tv_sec) * 1e3 + (b.tv_nsec - a.tv_nsec) / 1e6,
		      tables.nr_decisions, tables.nr_sources);
	return tables;
}

static void check_some(const struct pb_rules *rules, const struct pb_tables *tables)
{
	struct random random;
	struct packet p;

	random_init(&random, 1);
	for (int i = 0; i < 200; i++) {
		random_packet(&random, rules, &p);
		check_packet(rules, tables, &p, 1, i);
	}
}

static void single_ports(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_tables tables;

	(void)state;
	for (__u32 i = 1; i <= 60000; i++)
		add(&rules, DROP, TCP | UDP, DPORT, { { i, i } }, .only_new = i % 2);
	tables = timed(&rules, "60000 single ports of tcp,udp");
	assert_true(tables.nr_decisions <= 60001);
	check_some(&rules, &tables);
	pb_tables_free(&tables);
	random_set_free(&rules);
}

static void wide_rules(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_tables tables;

	(void)state;
	for (int i = 1; i <= 1000; i++)
		add(&rules, i % 3, TCP, i % 2, { { 1, 65535 } }, .only_new = i % 5);
	tables = timed(&rules, "1000 rules over all ports");
	assert_true(tables.nr_decisions <= 1001);
	check_some(&rules, &tables);
	pb_tables_free(&tables);
	random_set_free(&rules);
}

/* Each range within the last, all with the same end: the narrowest decides. */
static void nested_rules(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_tables tables;

	(void)state;
	for (__u32 i = 0; i < 30000; i++)
		add(&rules, DROP, TCP, DPORT, { { i, 65535 - i } }, .expires = 9);
	tables = timed(&rules, "30000 nested ranges that expire");
	assert_true(tables.nr_decisions <= 30001);
	check_some(&rules, &tables);
	pb_tables_free(&tables);
	random_set_free(&rules);
}

static void add_hosts(struct pb_prefix **prefixes, size_t *nr, __u32 hosts)
{
	*prefixes = array(hosts, sizeof(**prefixes));
	for (__u32 i = 0; i < hosts; i++)
		(*prefixes)[(*nr)++] = host(i);
}

static void many_prefixes(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_tables tables;
	struct pb_rule *rule;

	(void)state;
	rule = add(&rules, DROP, TCP, DPORT, { { 22, 22 }, { 80, 90 } });
	add_hosts(&rule->from, &rule->nr_from, 10000);
	add(&rules, ALLOW, TCP, DPORT, { { 1, 85 } });
	tables = timed(&rules, "10000 prefixes in one rule");
	assert_int_equal(tables.nr_sources, 10000);
	assert_true(tables.nr_decisions < 20);
	check_some(&rules, &tables);
	pb_tables_free(&tables);
	random_set_free(&rules);
}

/* Rules with the same list share its prefixes, whatever their ports, side and protocols. */
static void shared_list(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_tables tables;
	struct pb_rule *rule;

	(void)state;
	for (__u32 i = 0; i < 100; i++) {
		rule = add(&rules, DROP, TCP << i % 2, i % 3 == 0, { { i, 9 * i } });
		add_hosts(&rule->except, &rule->nr_except, 2000);
	}
	tables = timed(&rules, "the same 2000 exceptions in 100 rules");
	assert_int_equal(tables.nr_sources, 2000);
	check_some(&rules, &tables);
	pb_tables_free(&tables);
	random_set_free(&rules);
}

/* What bans one address after the other adds. */
static void many_bans(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_tables tables;
	struct pb_rule *rule;

	(void)state;
	for (__u32 i = 0; i < 60000; i++) {
		rule = add(&rules, DROP, TCP, DPORT, { { 22, 22 } }, .expires = i + 1);
		rule->from = array(1, sizeof(*rule->from));
		rule->from[rule->nr_from++] = host(i);
	}
	tables = timed(&rules, "60000 banned hosts on one port");
	assert_int_equal(tables.nr_sources, 60000);
	assert_int_equal(tables.nr_decisions, 60003);
	check_some(&rules, &tables);
	pb_tables_free(&tables);
	random_set_free(&rules);
}

/* Without a prefix no rule looks a source up, however many name sets. */
static void many_rules_of_sets(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_tables tables;

	(void)state;
	for (__u32 i = 1; i <= 30000; i++)
		add(&rules, DROP, TCP, DPORT, { { i, i } }, .from_sets = i % 2 ? "a" : "ab",
		    .except_sets = "c");
	add(&rules, DROP, 0, DPORT, { { 0 } }, .from_sets = "b");
	tables = timed(&rules, "30000 rules that name sets");
	assert_int_equal(tables.nr_decisions, 1 + 30000 + 1);
	assert_int_equal(tables.nr_conditions, 3);
	assert_int_equal(tables.nr_sources, 0);
	check_some(&rules, &tables);
	pb_tables_free(&tables);
	random_set_free(&rules);
}

/* The same sources over all ports, beside rules for some. */
static void many_sources_alone(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_tables tables;
	struct pb_rule *rule;

	(void)state;
	rule = add(&rules, DROP, 0, DPORT, { { 0 } });
	add_hosts(&rule->from, &rule->nr_from, 10000);
	for (__u32 i = 1; i <= 1000; i++)
		add(&rules, i % 3, TCP | UDP, DPORT, { { i, i } });
	tables = timed(&rules, "10000 hosts alone beside 1000 ports");
	assert_int_equal(tables.nr_sources, 10000);
	assert_true(tables.nr_decisions < 4 * 1000);
	check_some(&rules, &tables);
	pb_tables_free(&tables);
	random_set_free(&rules);
}

/* Prefixes in which nothing else holds than around them are not stored. */
static void no_needless_prefix(void **state)
{
	static const struct pb_decision none;
	struct pb_rules rules = { 0 };
	struct pb_tables tables;
	const struct pb_decision *head;

	(void)state;
	add(&rules, DROP, TCP, DPORT, { { 1, 9 } }, .from = "10.1.0.0/16", .except = "10.0.0.0/8");
	tables = compiled(&rules);
	assert_int_equal(tables.nr_sources, 0);
	head = &tables.decisions[tables.classes[0].class[1]];
	if (head->flags & PB_DECISION_SOURCES)
		head = &tables.decisions[head->next];
	assert_memory_equal(head, &none, sizeof(none));
	pb_tables_free(&tables);
	random_set_free(&rules);
}

/* Ports where a plain rule wins everywhere do not ask for the source. */
static void no_needless_lookup(void **state)
{
	struct pb_rules rules = { 0 };
	struct pb_tables tables;
	const struct pb_class_table *table;

	(void)state;
	add(&rules, DROP, TCP, DPORT, { { 1, 1024 } }, .except = "10.0.0.0/8");
	add(&rules, ALLOW, TCP, DPORT, { { 80, 80 } });
	add(&rules, DROP, TCP, DPORT, { { 90, 90 } }, .from = "10.0.0.0/8", .except = "10.0.0.0/8");
	tables = compiled(&rules);
	table = &tables.classes[PB_PROTO_TCP * PB_SIDE_MAX + PB_SIDE_DPORT];
	assert_true(tables.decisions[table->class[79]].flags & PB_DECISION_SOURCES);
	assert_false(tables.decisions[table->class[80]].flags & PB_DECISION_SOURCES);
	assert_int_equal(table->class[79], table -> class[81]);
	assert_int_equal(table->class[1025], 0);
	pb_tables_free(&tables);
	random_set_free(&rules);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),
		cmocka_unit_test(sides_and_protocols),
		cmocka_unit_test(range_borders),
		cmocka_unit_test(narrowest_range),
		cmocka_unit_test(action_then_id),
		cmocka_unit_test(longest_source),
		cmocka_unit_test(zero_is_not_none),
		cmocka_unit_test(except_takes_out),
		cmocka_unit_test(new_packets),
		cmocka_unit_test(expiry),
		cmocka_unit_test(dead_new_rules),
		cmocka_unit_test(dead_behind_others),
		cmocka_unit_test(expiry_and_new),
		cmocka_unit_test(policy),
		cmocka_unit_test(sets_are_hosts),
		cmocka_unit_test(prefixes_and_sets),
		cmocka_unit_test(sets_cover_nothing),
		cmocka_unit_test(conditions_once),
		cmocka_unit_test(sources_alone),
		cmocka_unit_test(sets_alone),
		cmocka_unit_test(no_portless),
		cmocka_unit_test(sets_not_known),
		cmocka_unit_test(entries_of_sets),
		cmocka_unit_test(entries_of_rates),
		cmocka_unit_test(too_many_sets_over_a_port),
		cmocka_unit_test(too_many_conditions),
		cmocka_unit_test(no_needless_lookup),
		cmocka_unit_test(no_needless_prefix),
		cmocka_unit_test(random_rulesets),
		cmocka_unit_test(expiring_rules),
		cmocka_unit_test(all_steps),
		cmocka_unit_test(too_many_decisions),
		cmocka_unit_test(too_many_sources),
		cmocka_unit_test(too_many_sets),
		cmocka_unit_test(too_many_port_classes),
		cmocka_unit_test(too_many_classes),
		cmocka_unit_test(single_ports),
		cmocka_unit_test(wide_rules),
		cmocka_unit_test(nested_rules),
		cmocka_unit_test(many_prefixes),
		cmocka_unit_test(shared_list),
		cmocka_unit_test(many_bans),
		cmocka_unit_test(many_rules_of_sets),
		cmocka_unit_test(many_sources_alone),
	};

	return cmocka_run_group_tests_name("compile", tests, NULL, NULL);
}
