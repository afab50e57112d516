// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Would rules that are to come drop the packets of a connection? The program itself is asked: it
 * is loaded over those rules in maps that nobody else sees, and run on packets of the connection,
 * for each interface on which they may come in. Rules end by the clock: what a rule lets pass is
 * asked again without it.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include "attach/interface.h"
#include "inspect/adjacent.h"
#include "inspect/conntrack.h"
#include "inspect/explain.h"
#include "maps/instance.h"
#include "maps/pins.h"
#include "maps/restored.h"
#include "maps/rights.h"
#include "maps/ruleset.h"
#include "maps/tried.h"
#include "rules/rules.h"
#include "util/array.h"
#include "util/error.h"
#include "util/log.h"
#include "util/options.h"

#define LOOPBACK 1     /* the kernel's own index of lo, in every network namespace */
#define RULE_SHOWN 300 /* bytes of a rule's text in a message */
#define ELEMENT_SHOWN 128
#define OUT_OF_SIGHT "an interface out of sight, perhaps of another network namespace"
#define TCP_LENGTH 20
#define TCP_ACK 0x10

/* Where the rules are, or will be, in force. */
struct place {
	int ifindex; /* 0: of another network namespace, or by pins that are not seen */
	char name[IF_NAMESIZE];
	bool sockets; /* the connection's socket is found from there */
};

struct packet {
	unsigned char frame[ETH_HLEN + 40 + TCP_LENGTH];
	size_t length;
};

struct guard {
	struct pb_prospect prospect;
	struct pb_ruleset_options limits;
	struct pb_connection seen; /* by the server */
	struct pb_connection wire; /* before this host translates it */
	struct packet packets[2];  /* of each */
	struct place *places;
	size_t nr_places, room;
	struct pb_rules rules;	     /* the rules to come, without those that have ended */
	struct pb_ruleset *ruleset;  /* the same in maps, with the sets there are */
	int sets_lock;		     /* -1: there are none */
	struct pb_test_run *runs[2]; /* [sockets] */
};

/* ---- Packets ------------------------------------------------------------------------------ */

static size_t put_ipv4(unsigned char *ip, const struct pb_connection *connection)
{
	static const unsigned char begin[12] = { 0x45, 0, 0,  20 + TCP_LENGTH, 0, 0,
						 0x40, 0, 64, IPPROTO_TCP };

	memcpy(ip, begin, sizeof(begin));
	memcpy(ip + 12, connection->client.addr, 4);
	memcpy(ip + 16, connection->server.addr, 4);
	return 20;
}

static size_t put_ipv6(unsigned char *ip, const struct pb_connection *connection)
{
	static const unsigned char begin[8] = { 0x60, 0, 0, 0, 0, TCP_LENGTH, IPPROTO_TCP, 64 };

	memcpy(ip, begin, sizeof(begin));
	memcpy(ip + 8, connection->client.addr, 16);
	memcpy(ip + 24, connection->server.addr, 16);
	return 40;
}

/*
 * A segment in the middle of the connection. With or without a link-layer header, tagged or not,
 * the program finds the same ports, so one form serves for all interfaces. TCP is not fragmented.
 */
static void build(const struct pb_connection *connection, struct packet *packet)
{
	bool ipv4 = connection->client.family == 4;
	unsigned char *at = packet->frame;
	__be16 type = htons(ipv4 ? ETH_P_IP : ETH_P_IPV6);
	__be16 ports[2] = { htons(connection->client_port), htons(connection->server_port) };

	memset(packet, 0, sizeof(*packet));
	memcpy(at + 12, &type, sizeof(type));
	at += ETH_HLEN;
	at += ipv4 ? put_ipv4(at, connection) : put_ipv6(at, connection);
	memcpy(at, ports, sizeof(ports));
	at[12] = TCP_LENGTH / 4 << 4;
	at[13] = TCP_ACK;
	packet->length = at + TCP_LENGTH - packet->frame;
}

static int find_wire(const struct pb_connection *seen, struct pb_connection *wire,
		     struct pb_error *error)
{
	int ret = pb_conntrack_wire(seen, wire);

	if (ret)
		return pb_fail(error, -ret,
			       "the kernel does not say how it translates the connection's "
			       "addresses (ctnetlink): %s",
			       strerror(-ret));
	return 0;
}

static int build_packets(struct guard *guard, struct pb_error *error)
{
	int ret = find_wire(&guard->seen, &guard->wire, error);

	if (ret)
		return ret;
	build(&guard->seen, &guard->packets[0]);
	build(&guard->wire, &guard->packets[1]);
	return 0;
}

int pb_connection_sources(const struct pb_connection *connection, struct pb_prefix sources[2],
			  struct pb_error *error)
{
	PB_LOG_HERE();
	struct pb_connection wire;
	int ret = find_wire(connection, &wire, error);

	if (ret)
		return ret;
	sources[0] = connection->client;
	sources[1] = wire.client;
	return 0;
}

/* ---- Places ------------------------------------------------------------------------------- */

static int add_place(struct guard *guard, int ifindex, bool sockets, struct pb_error *error)
{
	struct place *grown;

	for (size_t i = 0; ifindex && i < guard->nr_places; i++)
		if (guard->places[i].ifindex == ifindex)
			return 0;
	grown = pb_grow(guard->places, guard->nr_places, &guard->room, sizeof(*grown));
	if (!grown)
		return pb_fail_memory(error);
	guard->places = grown;
	grown += guard->nr_places++;
	*grown = (struct place){ .ifindex = ifindex, .sockets = sockets };
	if (ifindex && !if_indextoname(ifindex, grown->name))
		snprintf(grown->name, sizeof(grown->name), "%d", ifindex);
	return 0;
}

/* Programs of the ruleset that are on none of these interfaces: whose socket they find is unknown. */
static int add_elsewhere(struct guard *guard, const __u32 *programs, size_t nr,
			 struct pb_error *error)
{
	__u32 id;
	int ret = pb_pins_id(guard->prospect.ruleset, &id);

	if (!ret)
		ret = pb_instances_count(id, programs, nr);
	if (!ret || ret == -ENOENT)
		return 0; /* nobody does, or it is yet to be made */
	if (ret < 0)
		return pb_fail_permission(error, -ret, "see who uses the ruleset");
	ret = add_place(guard, 0, true, error);
	return ret ?: add_place(guard, 0, false, error);
}

static int add_bound(struct guard *guard, struct pb_interface *const *interfaces, size_t nr,
		     struct pb_error *error)
{
	__u32 *programs = calloc(nr + 1, sizeof(*programs));
	int ret = programs ? 0 : pb_fail_memory(error);

	for (size_t i = 0; !ret && i < nr; i++) {
		programs[i] = interfaces[i]->program_id;
		if (!strcmp(interfaces[i]->ruleset, guard->prospect.ruleset))
			ret = add_place(guard, interfaces[i]->ifindex, true, error);
	}
	if (!ret)
		ret = add_elsewhere(guard, programs, nr, error);
	free(programs);
	return ret;
}

static int find_places(struct guard *guard, struct pb_error *error)
{
	const struct pb_prospect *prospect = &guard->prospect;
	struct pb_interface **interfaces = NULL;
	size_t nr = 0;
	int ret = 0;

	for (size_t i = 0; !ret && i < prospect->nr; i++)
		ret = add_place(guard, prospect->ifindexes[i], true, error);
	if (!ret)
		ret = pb_interface_list(&interfaces, &nr, error);
	if (!ret)
		ret = add_bound(guard, interfaces, nr, error);
	pb_interfaces_free(interfaces, nr);
	return ret;
}

/* ---- Places where the packets certainly do not come in -------------------------------------- */

static socklen_t to_sockaddr(const struct pb_prefix *host, int scope, struct sockaddr_in6 *address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;

	memset(address, 0, sizeof(*address));
	address->sin6_family = host->family == 4 ? AF_INET : AF_INET6;
	address->sin6_port = htons(9); /* nothing is sent */
	if (host->family == 4) {
		memcpy(&v4->sin_addr, host->addr, 4);
		return sizeof(*v4);
	}
	memcpy(&address->sin6_addr, host->addr, 16);
	address->sin6_scope_id = scope;
	return sizeof(*address);
}

/* Is the address one of this host? To reach such a one the kernel takes it as the source, too. */
static bool is_local(const struct pb_prefix *host, int scope)
{
	struct sockaddr_in6 to, from;
	socklen_t length = to_sockaddr(host, scope, &to), got = sizeof(from);
	int fd = socket(to.sin6_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool local = fd >= 0 && !connect(fd, (struct sockaddr *)&to, length) &&
		     !getsockname(fd, (struct sockaddr *)&from, &got);

	if (local && host->family == 4)
		local = !memcmp(&((struct sockaddr_in *)&from)->sin_addr, host->addr, 4);
	else if (local)
		local = !memcmp(&from.sin6_addr, host->addr, 16);
	if (fd >= 0)
		close(fd);
	return local;
}

static void keep_if(struct guard *guard,
		    bool (*keep)(const struct place *place, const void *context),
		    const void *context)
{
	size_t kept = 0;

	for (size_t i = 0; i < guard->nr_places; i++)
		if (keep(&guard->places[i], context))
			guard->places[kept++] = guard->places[i];
	guard->nr_places = kept;
}

static bool is_loopback(const struct place *place, const void *context)
{
	(void)context;
	return place->ifindex == LOOPBACK;
}

struct below {
	struct pb_adjacent *pairs;
	size_t nr;
	int scope;
};

static bool leads_to_scope(const struct place *place, const void *context)
{
	const struct below *below = context;

	return !place->ifindex ||
	       pb_adjacent_reach(below->pairs, below->nr, place->ifindex, below->scope);
}

/*
 * The host's packets to itself come in on lo. What is sent to a link-local address reaches the host
 * by the interface whose address it is, and so by that or one below it. Of no other packet is it
 * known, for it may come in by another interface than the one that has the address, or that the
 * answers leave by.
 */
static int leave_out_places(struct guard *guard, struct pb_error *error)
{
	struct below below = { .scope = guard->seen.scope };
	int ret;

	if (is_local(&guard->wire.client, guard->wire.scope)) {
		keep_if(guard, is_loopback, NULL);
		return 0;
	}
	if (!below.scope)
		return 0;
	ret = pb_adjacent_list(&below.pairs, &below.nr);
	if (ret)
		return pb_fail(error, -ret, "cannot list interfaces: %s", strerror(-ret));
	keep_if(guard, leads_to_scope, &below);
	free(below.pairs);
	return 0;
}

/* ---- The question --------------------------------------------------------------------------- */

/* A rule's text for a message, cut where it is long, between characters. */
static void show_rule(const struct pb_rule *rule, char shown[RULE_SHOWN + 4])
{
	char *text = NULL;
	size_t end = RULE_SHOWN;

	if (pb_rule_format(rule, pb_clock(), &text))
		text = NULL;
	snprintf(shown, RULE_SHOWN + 1, "%s", text ?: "?");
	if (text && strlen(text) > RULE_SHOWN) {
		while ((text[end] & 0xc0) == 0x80)
			end--;
		strcpy(shown + end, "...");
	}
	free(text);
}

/* " (10.0.0.0/8 in @bans)": of the sets that the rule names, the element by which it is about the source. */
static void show_element(struct pb_ruleset *ruleset, const struct pb_rule *rule,
			 const struct pb_prefix *source, char shown[ELEMENT_SHOWN])
{
	struct pb_element element;
	char *text;

	*shown = '\0';
	for (size_t i = 0; rule && !*shown && i < rule->nr_from_sets; i++) {
		if (pb_set_test(ruleset, rule->from_sets[i], source, &element, NULL) <= 0)
			continue;
		text = pb_prefixes_text(&element.prefix, 1);
		snprintf(shown, ELEMENT_SHOWN, " (%s in @%s)", text ?: "?", rule->from_sets[i]);
		free(text);
	}
}

static int fail_drop(const struct guard *guard, const struct place *place,
		     const struct pb_explanation *how, __u64 when, struct pb_error *error)
{
	const struct pb_rule *rule = pb_rules_find(&guard->rules, how->rule);
	enum pb_policy policy = guard->rules.settings.policy;
	char shown[RULE_SHOWN + 4] = "", element[ELEMENT_SHOWN];
	__u64 now = pb_clock();
	char *after = when > now ? pb_duration_text(when - now) : NULL;

	if (rule)
		show_rule(rule, shown);
	show_element(guard->ruleset, rule, &how->flow.source, element);
	pb_fail(error, ECONNABORTED, "on %s%s%s%s, by %s%s%s%s",
		place->ifindex ? place->name : OUT_OF_SIGHT, after ? ", in " : "", after ?: "",
		after ? " when the rule that lets it in has ended" : "",
		rule ? "the rule `" : "policy ", rule ? shown : pb_policy_name(policy),
		rule ? "`" : "", element);
	free(after);
	return -ECONNABORTED;
}

static int make_run(struct guard *guard, bool sockets, struct pb_error *error)
{
	if (guard->runs[sockets])
		return 0;
	return pb_test_run_make(&guard->ruleset->maps, true, false, sockets, &guard->runs[sockets],
				error);
}

/* One packet at one place; `next` gets when the rule that lets it pass ends, if that is sooner. */
static int judge(struct guard *guard, const struct place *place, const struct packet *packet,
		 __u64 when, __u64 *next, struct pb_error *error)
{
	struct pb_explanation how;
	const struct pb_rule *rule;
	int ret = make_run(guard, place->sockets, error);

	if (!ret)
		ret = pb_test_run_frame_on(guard->runs[place->sockets], place->ifindex,
					   packet->frame, packet->length, &how, error);
	if (ret)
		return ret;
	if (how.drop)
		return fail_drop(guard, place, &how, when, error);
	rule = pb_rules_find(&guard->rules, how.rule);
	if (rule && rule->expires && (!*next || rule->expires < *next))
		*next = rule->expires;
	return 0;
}

static int judge_all(struct guard *guard, __u64 when, __u64 *next, struct pb_error *error)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < guard->nr_places; i++) {
		ret = judge(guard, &guard->places[i], &guard->packets[0], when, next, error);
		if (!ret)
			ret = judge(guard, &guard->places[i], &guard->packets[1], when, next,
				    error);
	}
	return ret;
}

/* Now, and again each time that a rule which lets them pass ends: there is one less each time. */
static int judge_ever(struct guard *guard, struct pb_error *error)
{
	__u64 when = pb_clock(), next;
	int ret;

	do {
		next = 0;
		pb_rules_expire(&guard->rules, when);
		ret = pb_ruleset_fill(guard->ruleset, &guard->rules, error);
		if (!ret)
			ret = judge_all(guard, when, &next, error);
		when = next;
	} while (!ret && next);
	return ret;
}

/* A ruleset of its own: the rules' sets, with what comes with them. */
static int fill_new(struct guard *guard, const struct pb_saved *saved, struct pb_error *error)
{
	int ret = saved ? pb_ruleset_fill(guard->ruleset, &guard->rules, error) : 0;

	if (!ret && saved)
		ret = pb_sets_merge_unseen(guard->ruleset, saved, error);
	return ret;
}

static int make_rules(struct guard *guard, struct pb_error *error)
{
	const struct pb_prospect *prospect = &guard->prospect;
	const struct pb_prefix hosts[] = { guard->seen.client, guard->wire.client };
	const struct pb_sets_trial trial = { .saved = prospect->rules->saved,
					     .sets = prospect->sets,
					     .nr = prospect->nr_sets,
					     .hosts = hosts,
					     .nr_hosts = 2 };
	int ret = pb_rules_replace(&guard->rules, prospect->rules, error);

	if (!ret)
		ret = pb_ruleset_create(prospect->ruleset, &guard->limits, &guard->ruleset, error);
	if (ret)
		return ret;
	ret = pb_sets_share(&guard->ruleset->maps, prospect->ruleset, &guard->rules, &trial, error);
	if (ret == -ENOENT) /* it will be made */
		return fill_new(guard, prospect->rules->saved, error);
	guard->sets_lock = ret;
	return ret < 0 ? ret : 0;
}

static void let_go(struct guard *guard)
{
	pb_test_run_close(guard->runs[false]);
	pb_test_run_close(guard->runs[true]);
	pb_ruleset_close(guard->ruleset);
	pb_unlock(guard->sets_lock);
	pb_rules_clear(&guard->rules);
	free(guard->places);
}

int pb_connection_check(const struct pb_connection *connection, const struct pb_prospect *prospect,
			struct pb_error *error)
{
	PB_LOG_HERE();
	struct guard guard = { .seen = *connection, .sets_lock = -1 };
	int ret = pb_options_take(&guard.prospect, sizeof(guard.prospect), prospect, error);

	if (!ret)
		ret = pb_options_take(&guard.limits, sizeof(guard.limits), guard.prospect.limits,
				      error);
	if (!ret)
		ret = find_places(&guard, error);
	if (!ret && guard.nr_places)
		ret = build_packets(&guard, error);
	if (!ret && guard.nr_places)
		ret = leave_out_places(&guard, error);
	if (!ret && guard.nr_places)
		ret = make_rules(&guard, error);
	if (!ret && guard.nr_places)
		ret = judge_ever(&guard, error);
	let_go(&guard);
	return ret;
}
