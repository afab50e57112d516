// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes the sets of a loaded ruleset at random, and asks the loaded program about packets in between; a list
 * that is compared bit by bit says what it should answer. See sets-judge.sh for the rules.
 *
 *	judge_sets RULESET PAIRS SEED [plain]
 *
 * plain: by those rules of which each port has one and no other.
 */
#include "judge.h"

enum { A, B, C, D, E, SETS };
#define ELEMENTS_MAX 200000
#define SOON (40 * 1000000ULL)

struct element {
	int set;
	struct pb_element is;
};

static struct element *elements;
static size_t nr_elements;
static bool plain;
static const char *const names[SETS] = { "a", "b", "c", "d", "e" };

/* ---- The list ------------------------------------------------------------------------------ */

static bool same(const struct pb_prefix *a, const struct pb_prefix *b)
{
	return a->len == b->len && holds(a, b);
}

/* In the set at `now`? */
static bool is_in(int set, const struct pb_prefix *host, __u64 now)
{
	for (size_t i = 0; i < nr_elements; i++) {
		const struct pb_element *is = &elements[i].is;

		if (elements[i].set == set && (!is->expires || now < is->expires) &&
		    holds(&is->prefix, host))
			return true;
	}
	return false;
}

static void list_del(int set, const struct pb_prefix *prefix)
{
	for (size_t i = 0; i < nr_elements; i++)
		if (elements[i].set == set && same(&elements[i].is.prefix, prefix)) {
			elements[i] = elements[--nr_elements];
			return;
		}
}

static void list_add(int set, const struct pb_element *element)
{
	list_del(set, &element->prefix);
	if (nr_elements == ELEMENTS_MAX)
		die("too many elements");
	elements[nr_elements++] = (struct element){ set, *element };
}

static void list_flush(int set)
{
	for (size_t i = nr_elements; i-- > 0;)
		if (elements[i].set == set)
			elements[i] = elements[--nr_elements];
}

static void list_swap(int a, int b)
{
	for (size_t i = 0; i < nr_elements; i++) {
		int *set = &elements[i].set;

		*set = *set == a ? b : *set == b ? a : *set;
	}
}

/* ---- What the rules say -------------------------------------------------------------------- */

struct packet {
	struct pb_prefix source;
	int port; /* of TCP; 0: ICMP; -1: a later fragment of IPv4 */
};

static bool in_10(const struct pb_prefix *host, int second)
{
	return host->family == 4 && host->addr[0] == 10 && (second < 0 || host->addr[1] == second);
}

static bool drops_plainly(const struct packet *packet, __u64 now)
{
	const struct pb_prefix *source = &packet->source;

	if (packet->port == 1)
		return is_in(A, source, now) && !is_in(E, source, now);
	return packet->port == 2 && (is_in(B, source, now) || is_in(D, source, now));
}

/* Dropped? As the rules in sets-judge.sh, from the one that wins over all others down. */
static bool drops(const struct packet *packet, __u64 now)
{
	const struct pb_prefix *source = &packet->source;

	if (packet->port == 1) {
		if (is_in(A, source, now))
			return true;
		if (is_in(E, source, now))
			return false;
	}
	if (packet->port == 2 && is_in(B, source, now) && !is_in(C, source, now))
		return true;
	if (is_in(D, source, now) && !is_in(E, source, now))
		return true;
	if (packet->port == 2 && in_10(source, 1) && !is_in(C, source, now))
		return true;
	if (packet->port == 2 && in_10(source, -1))
		return false;
	return packet->port == 2 && source->family == 4;
}

/* ---- Packets ------------------------------------------------------------------------------- */

static size_t build(const struct packet *packet, unsigned char *frame)
{
	bool ipv4 = packet->source.family == 4;
	__u8 portless = ipv4 ? packet->port ? 17 : 1 : 58;
	unsigned char *next = build_ip(&packet->source, packet->port > 0 ? 6 : portless, frame);

	if (ipv4 && packet->port < 0)
		frame[14 + 7] = 3; /* the offset of a fragment */
	if (packet->port > 0)
		build_tcp(next, packet->port);
	else
		next[0] = 8;
	return next + 20 - frame;
}

/* Few bits differ, so that many prefixes hold others; now and then any address. */
static struct pb_prefix draw_host(void)
{
	struct pb_prefix host = { .family = draw(2) ? 4 : 6 };
	int bytes = host.family == 4 ? 4 : 16;

	host.len = 8 * bytes;
	host.addr[0] = host.family == 4 ? 10 : 0x20;
	if (!draw(8)) {
		for (int i = 0; i < bytes; i++)
			host.addr[i] = draw(256);
		return host;
	}
	for (int i = 1; i < bytes; i++)
		host.addr[i] = draw(3) ? 0 : 1 << draw(2);
	return host;
}

static struct pb_prefix draw_prefix(void)
{
	struct pb_prefix prefix = draw_host();
	int bits = prefix.len;

	if (nr_elements && !draw(3))
		prefix = elements[draw(nr_elements)].is.prefix;
	else if (draw(3))
		prefix.len = draw(4) ? bits - draw(bits / 2) : draw(bits + 1);
	clear_host_bits(&prefix);
	return prefix;
}

static struct pb_element draw_element(void)
{
	struct pb_element element = { .prefix = draw_prefix() };

	/* /0 to /2 would hold nearly everything, nearly always. */
	if (element.prefix.len < 3 && draw(20))
		element.prefix = draw_host();
	if (!draw(4))
		element.expires = pb_clock() + (draw(2) ? SOON + draw(SOON) : 3600 * 1000000000ULL);
	return element;
}

/* ---- Operations ---------------------------------------------------------------------------- */

static void add(int set, size_t nr)
{
	struct pb_element *drawn = calloc(nr, sizeof(*drawn));

	for (size_t i = 0; i < nr; i++)
		drawn[i] = draw_element();
	if (pb_set_add(ruleset, names[set], drawn, nr, &error))
		die("pb_set_add");
	for (size_t i = 0; i < nr; i++)
		list_add(set, &drawn[i]);
	free(drawn);
}

static void del(int set)
{
	struct pb_prefix prefix = draw_prefix();

	if (pb_set_del(ruleset, names[set], &prefix, 1, &error))
		die("pb_set_del");
	list_del(set, &prefix);
}

/* The same prefix twice: the last one's time counts. */
static void replace(int set, size_t nr)
{
	struct pb_element *drawn = calloc(nr + 1, sizeof(*drawn));

	for (size_t i = 0; i < nr; i++)
		drawn[i] = draw_element();
	if (pb_set_replace(ruleset, names[set], drawn, nr, &error))
		die("pb_set_replace");
	list_flush(set);
	for (size_t i = 0; i < nr; i++)
		list_add(set, &drawn[i]);
	free(drawn);
}

static void swap(int a, int b)
{
	if (pb_set_swap(ruleset, names[a], names[b], &error))
		die("pb_set_swap");
	list_swap(a, b);
}

static void change(void)
{
	int set = draw(SETS), what = draw(1000);

	if (what < 600)
		add(set, 1 + draw(3));
	else if (what < 970)
		del(set);
	else if (what < 985)
		replace(set, draw(20));
	else if (what < 998)
		swap(set, what % SETS);
	else
		add(set, 300); /* until the tables grow */
	if (nr_elements > 3000)
		replace(draw(SETS), 0);
}

/* ---- Looks --------------------------------------------------------------------------------- */

static bool is_at_its_end(const struct pb_prefix *source, __u64 before, __u64 after)
{
	for (size_t i = 0; i < nr_elements; i++)
		if (elements[i].is.expires && elements[i].is.expires >= before &&
		    elements[i].is.expires <= after && holds(&elements[i].is.prefix, source))
			return true;
	return false;
}

/* 1: right; 0: wrong; -1: some element ended just then. */
static int look(bool *dropped)
{
	struct packet packet = { .source = draw_host(), .port = (int)draw(5) - 1 };
	unsigned char frame[128];
	__u64 before = pb_clock();
	size_t length;

	if (packet.source.family == 6 && packet.port < 0)
		packet.port = 0;
	length = build(&packet, frame);
	*dropped = ask(frame, length);
	if (*dropped == (plain ? drops_plainly : drops)(&packet, before))
		return 1;
	return is_at_its_end(&packet.source, before, pb_clock()) ? -1 : 0;
}

int main(int argc, char **argv)
{
	size_t pairs = argc >= 4 ? strtoul(argv[2], NULL, 10) : 0, wrong = 0, drop = 0, skipped = 0;

	seed = argc >= 4 ? strtoull(argv[3], NULL, 10) | 1 : 1;
	plain = argc == 5 && !strcmp(argv[4], "plain");
	elements = calloc(ELEMENTS_MAX, sizeof(*elements));
	if (!elements || !pairs)
		die("begin");
	judge_open(argv[1]);
	for (size_t i = 0; i < pairs; i++) {
		bool dropped;
		int ret;

		change();
		ret = look(&dropped);
		wrong += !ret;
		skipped += ret < 0;
		drop += dropped;
		if (!ret && wrong < 5)
			printf("# pair %zu: %s\n", i, dropped ? "dropped" : "passed");
	}
	printf("pairs %zu wrong %zu dropped %zu skipped %zu elements %zu\n", pairs, wrong, drop,
	       skipped, nr_elements);
	pb_test_run_close(run);
	pb_ruleset_close(ruleset);
	return wrong != 0;
}
