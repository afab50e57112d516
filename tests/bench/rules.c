// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rulesets by name:
 *   none         no rule
 *   N            N rules, `drop tcp,udp dport P`, a port each: 1, 2, ... with 80 among them
 *   range-N      the same ports by one rule
 *   sport        one rule, of source ports (tcp,udp)
 *   both         one rule of source ports and one of destination ports
 *   allow        one rule that allows port 80, under a default deny
 *   deny         no rule, default deny, replies off; deny-replies: with a socket looked up
 *   from-N       one rule for port 80, from N prefixes of each family; one holds the packet's source
 *   others-N     the same, and none holds it
 *   new, expires one rule with that condition
 *   five         one rule for all five protocols
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"
#include "rules/rules.h"

#define TEXT_ROOM 256

static void add(struct pb_rules *rules, const char *text)
{
	struct pb_rule rule = { 0 };
	struct pb_error error = { 0 };
	char **words;
	size_t nr;

	if (pb_words_split(text, &words, &nr, &error) ||
	    pb_rule_parse(words, nr, pb_clock(), &rule, NULL, &error) ||
	    pb_rules_add(rules, &rule, NULL, NULL, &error))
		die("%.60s: %s", text, error.text);
	pb_words_free(words, nr);
}

static void add_many(struct pb_rules *rules, unsigned int nr)
{
	char text[TEXT_ROOM];

	for (unsigned int i = 0; i < nr; i++) {
		snprintf(text, sizeof(text), "drop tcp,udp dport %u", nr < 80 ? 80 + i : 1 + i);
		add(rules, text);
	}
}

static void add_range(struct pb_rules *rules, unsigned int nr)
{
	char text[TEXT_ROOM];

	snprintf(text, sizeof(text), "drop tcp,udp dport %u-%u", nr < 80 ? 80U : 1U,
		 nr < 80 ? 79 + nr : nr);
	add(rules, text);
}

/* /24s of 11.0.0.0 on, and of IPv6 as many /48s. */
static void add_sources(struct pb_rules *rules, unsigned int nr, bool ours)
{
	size_t room = nr * (size_t)48 + TEXT_ROOM, used;
	char *text = malloc(room);

	if (!text)
		die("no memory");
	used = snprintf(text, room, "drop tcp,udp dport 80 from %s",
			ours ? "10.9.0.2/32,fd09::2/128" : "10.8.0.2/32,fd08::2/128");
	for (unsigned int i = 1; i < nr; i++)
		used += snprintf(text + used, room - used, ",%u.%u.%u.0/24,2001:db8:%x::/48",
				 11 + (i >> 16), i >> 8 & 255, i & 255, i);
	add(rules, text);
	free(text);
}

static unsigned int number(const char *text)
{
	char *end;
	unsigned long nr = strtoul(text, &end, 10);

	if (*end || nr > PB_RULES_LIMIT || end == text)
		die("no ruleset '%s'", text);
	return nr;
}

static bool begins(const char *text, const char *word)
{
	return !strncmp(text, word, strlen(word));
}

void rules_make(const char *name, struct pb_rules *rules)
{
	rules->settings.policy = begins(name, "deny") || !strcmp(name, "allow") ? PB_POLICY_DENY :
										  PB_POLICY_ALLOW;
	rules->settings.no_replies = !strcmp(name, "deny") || !strcmp(name, "allow");
	rules->max_rules = PB_RULES_DEFAULT;
	if (!strcmp(name, "none") || begins(name, "deny"))
		return;
	if (!strcmp(name, "sport")) {
		add(rules, "drop tcp,udp sport 19");
	} else if (!strcmp(name, "both")) {
		add(rules, "drop tcp,udp sport 19");
		add(rules, "drop tcp,udp dport 80");
	} else if (!strcmp(name, "allow")) {
		add(rules, "allow tcp,udp dport 80");
	} else if (!strcmp(name, "new")) {
		add(rules, "drop tcp,udp dport 80 new");
	} else if (!strcmp(name, "expires")) {
		add(rules, "drop tcp,udp dport 80 expires 1d");
	} else if (!strcmp(name, "over")) {
		add(rules, "drop tcp,udp dport 80 over 1000000/s");
	} else if (!strcmp(name, "over-each")) {
		add(rules, "drop tcp,udp dport 80 over 1000000/s each source");
	} else if (!strcmp(name, "five")) {
		add(rules, "drop tcp,udp,sctp,dccp,udplite dport 80");
	} else if (begins(name, "range-")) {
		add_range(rules, number(name + strlen("range-")));
	} else if (begins(name, "from-")) {
		add_sources(rules, number(name + strlen("from-")), true);
	} else if (begins(name, "others-")) {
		add_sources(rules, number(name + strlen("others-")), false);
	} else {
		rules->max_rules = PB_RULES_LIMIT;
		add_many(rules, number(name));
	}
}
