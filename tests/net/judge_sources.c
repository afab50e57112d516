// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gives a loaded ruleset other rules with random sources, again and again, and asks the loaded program about
 * packets in between; the rules, read word by word and bit by bit, say what it should answer.
 *
 *	judge_sources RULESET CHANGES PACKETS SEED
 */
#include <arpa/inet.h>
#include "judge.h"

#define RULES 12
#define PORTS 3 /* 1 to 3, of TCP */
#define CROWD 6000
#define ADDRESS_MAX 48

static struct pb_rules *rules; /* those in force */

/* ---- What the rules say -------------------------------------------------------------------- */

/* The length by which the longest of the prefixes holds it; -1: none does. */
static int longest(const struct pb_prefix *prefixes, size_t nr, const struct pb_prefix *host)
{
	int best = -1;

	for (size_t i = 0; i < nr; i++) {
		int len = prefixes[i].len + (prefixes[i].family == 4 ? 96 : 0);

		if (len > best && holds(&prefixes[i], host))
			best = len;
	}
	return best;
}

/* By which the rule matches; -1: it does not. */
static int matches(const struct pb_rule *rule, int port, const struct pb_prefix *host)
{
	if (rule->ports[0].first > port || rule->ports[0].last < port ||
	    longest(rule->except, rule->nr_except, host) >= 0)
		return -1;
	return rule->nr_from ? longest(rule->from, rule->nr_from, host) : 0;
}

/* Dropped? The longest source, then the narrowest range, then the action. */
static bool drops(int port, const struct pb_prefix *host)
{
	long best = -1;
	bool drop = pb_rules_settings(rules)->policy == PB_POLICY_DENY;

	for (size_t i = 0; i < pb_rules_nr(rules); i++) {
		const struct pb_rule *rule = pb_rules_at(rules, i);
		int len = matches(rule, port, host);
		bool dropping = rule->action == PB_ACTION_DROP;
		long rank = len * 100L + 2 * (10 - rule->ports[0].last + rule->ports[0].first) +
			    dropping;

		if (len >= 0 && rank > best) {
			best = rank;
			drop = dropping;
		}
	}
	return drop;
}

/* ---- Rules --------------------------------------------------------------------------------- */

/* Few bits differ, so that many prefixes hold others; now and then any address. */
static struct pb_prefix draw_host(void)
{
	struct pb_prefix host = { .family = draw(2) ? 4 : 6 };
	bool any = !draw(8);

	host.len = host.family == 4 ? 32 : 128;
	for (int i = 0; i < host.len / 8; i++) {
		if (any)
			host.addr[i] = draw(256);
		else if (i % 7 < 2 || host.family == 4) /* of IPv6, around the first 64 bits */
			host.addr[i] = draw(3) ? 0 : 1U << draw(8);
	}
	return host;
}

static struct pb_prefix draw_prefix(bool crowd)
{
	struct pb_prefix prefix = draw_host();
	int bits = prefix.len;

	if (crowd)
		for (int i = 1; i < bits / 8; i++)
			prefix.addr[i] = draw(256);
	else if (draw(3))
		prefix.len = draw(bits + 1);
	clear_host_bits(&prefix);
	return prefix;
}

static void set_sources(struct pb_rule *rule, const char *word, size_t nr, bool crowd)
{
	char *text = malloc(nr * (ADDRESS_MAX + 6) + 1), *end = text;
	char address[ADDRESS_MAX];

	for (size_t i = 0; i < nr; i++) {
		struct pb_prefix prefix = draw_prefix(crowd);

		inet_ntop(prefix.family == 4 ? AF_INET : AF_INET6, prefix.addr, address,
			  sizeof(address));
		end += sprintf(end, "%s%s/%d", i ? "," : "", address, prefix.len);
	}
	if (nr && pb_rule_set(rule, word, text, 0, NULL, &error))
		die(word);
	free(text);
}

static void add_rule(struct pb_rules *to)
{
	struct pb_rule *rule = pb_rule_new();
	char ports[16];
	__u32 first = 1 + draw(PORTS);
	bool crowd = !draw(20);

	/* Most ports ask for the source alone; where a rule ends some day, a port of it for more. */
	snprintf(ports, sizeof(ports), "%u-%u", first, first + draw(PORTS + 1 - first));
	if (!draw(30) && pb_rule_set(rule, "expires", "1d", pb_clock(), NULL, &error))
		die("expires");
	if (pb_rule_set(rule, "action", draw(2) ? "drop" : "allow", 0, NULL, &error) ||
	    pb_rule_set(rule, "protocols", "tcp", 0, NULL, &error) ||
	    pb_rule_set(rule, "dport", ports, 0, NULL, &error))
		die("pb_rule_set");
	set_sources(rule, "from", crowd ? CROWD : draw(4) ? draw(20) : 0, crowd);
	set_sources(rule, "except", draw(3) ? 0 : draw(12), false);
	/* One that excepts all of its sources is none. */
	if (!pb_rule_check(rule, &error) && pb_rules_add(to, rule, NULL, NULL, &error))
		die("pb_rules_add");
	pb_rule_free(rule);
}

static bool some(const struct pb_rule *rule, void *context)
{
	(void)rule;
	(void)context;
	return draw(2);
}

static void change(void)
{
	struct pb_rules *next;

	if (pb_ruleset_begin(ruleset, &next, &error))
		die("pb_ruleset_begin");
	pb_rules_del_if(next, some, NULL);
	pb_rules_settings(next)->policy = draw(3) ? PB_POLICY_ALLOW : PB_POLICY_DENY;
	pb_rules_settings(next)->no_replies = draw(2);
	while (pb_rules_nr(next) < RULES / 2 || (pb_rules_nr(next) < RULES && draw(6)))
		add_rule(next);
	if (pb_ruleset_commit(ruleset, next, 0, &error))
		die("pb_ruleset_commit");
	pb_rules_free(rules);
	if (pb_ruleset_read(ruleset, &rules, &error))
		die("pb_ruleset_read");
}

/* ---- Packets ------------------------------------------------------------------------------- */

/* Mostly one that a rule names, or one bit beside it. */
static struct pb_prefix draw_source(void)
{
	const struct pb_rule *rule = pb_rules_at(rules, draw(pb_rules_nr(rules)));
	struct pb_prefix host;

	if (!draw(5) || !rule->nr_from)
		return draw_host();
	host = rule->from[draw(rule->nr_from)];
	for (int i = host.len, bits = host.family == 4 ? 32 : 128; i < bits; i++)
		if (draw(2))
			host.addr[i / 8] |= 0x80 >> i % 8;
	if (host.len && draw(2))
		host.addr[(host.len - 1) / 8] ^= 0x80 >> (host.len - 1) % 8;
	return host;
}

static bool look(bool *dropped)
{
	struct pb_prefix source = draw_source();
	int port = 1 + draw(PORTS);
	unsigned char frame[128], *tcp = build_ip(&source, 6, frame);

	build_tcp(tcp, port);
	*dropped = ask(frame, tcp + 20 - frame);
	return *dropped == drops(port, &source);
}

int main(int argc, char **argv)
{
	size_t changes = argc == 5 ? strtoul(argv[2], NULL, 10) : 0, wrong = 0, drop = 0;
	size_t packets = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;

	seed = argc == 5 ? strtoull(argv[4], NULL, 10) | 1 : 1;
	if (!changes)
		die("begin");
	judge_open(argv[1]);
	for (size_t i = 0; i < changes; i++) {
		change();
		for (size_t j = 0; j < packets; j++) {
			bool dropped, right = look(&dropped);

			wrong += !right;
			drop += dropped;
			if (!right && wrong < 5)
				printf("# change %zu, packet %zu: %s\n", i, j,
				       dropped ? "dropped" : "passed");
		}
	}
	printf("packets %zu wrong %zu dropped %zu\n", changes * packets, wrong, drop);
	pb_rules_free(rules);
	pb_test_run_close(run);
	pb_ruleset_close(ruleset);
	return wrong != 0;
}
