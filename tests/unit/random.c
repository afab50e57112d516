// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "random.h"

#define BORDERS 14
#define PREFIXES 16
#define TIMES 12
#define SETS 5

/* What random rules choose from, so that they meet often. */
struct world {
	__u16 borders[BORDERS];		     /* sorted */
	struct pb_prefix prefixes[PREFIXES]; /* sorted */
	size_t nr_prefixes;
	__u64 times[TIMES];
	unsigned int protocols;
	__u32 expiring; /* so many of 100 rules end */
	__u32 sourced;	/* so many of 100 rules have `from` or `except` */
	__u32 in_sets;	/* so many of 100 rules name sets */
	__u32 alone;	/* so many of 100 rules are about sources alone */
	__u32 rated;	/* so many of 100 rules have a rate */
};

/* ---- Numbers ------------------------------------------------------------------------------- */

__u64 random_seed(void)
{
	const char *text = getenv("PB_SEED");
	struct timespec now;

	if (text)
		return strtoull(text, NULL, 0);
	clock_gettime(CLOCK_REALTIME, &now);
	return (now.tv_sec * 1000000000ULL + now.tv_nsec) % 1000000000;
}

void random_init(struct random *random, __u64 seed)
{
	random->state = seed * 0x9e3779b97f4a7c15ULL;
}

__u64 random_begin(struct random *random)
{
	__u64 seed = random_seed();

	printf("# PB_SEED=%llu\n", (unsigned long long)seed);
	random_init(random, seed);
	return seed;
}

/* splitmix64 */
__u32 random_below(struct random *random, __u32 limit)
{
	__u64 z = random->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (z ^ z >> 31) % limit;
}

static bool chance(struct random *random, __u32 percent)
{
	return random_below(random, 100) < percent;
}

static void *array(size_t nr, size_t size)
{
	void *memory = calloc(nr ? nr : 1, size);

	if (!memory)
		abort();
	return memory;
}

/* ---- World --------------------------------------------------------------------------------- */

static int compare_ports(const void *left, const void *right)
{
	const __u16 *a = left, *b = right;

	return *a - *b;
}

static void random_borders(struct random *random, struct world *world)
{
	for (int i = 0; i < BORDERS; i++)
		world->borders[i] = 1 + random_below(random, 60);
	for (int i = 0; i < BORDERS / 2; i++)
		world->borders[i] = random_below(random, 65536);
	world->borders[0] = random_below(random, 2);
	world->borders[BORDERS - 1] = 65535 - random_below(random, 2);
	qsort(world->borders, BORDERS, sizeof(*world->borders), compare_ports);
}

static int compare_prefixes(const void *left, const void *right)
{
	const struct pb_prefix *a = left, *b = right;
	int ret = memcmp(a->addr, b->addr, sizeof(a->addr));

	if (a->family != b->family)
		return a->family - b->family;
	return ret ? ret : a->len - b->len;
}

static void mask(struct pb_prefix *prefix)
{
	for (int bit = prefix->len; bit < 128; bit++)
		prefix->addr[bit / 8] &= ~(0x80 >> bit % 8);
}

/* Both families from the same few bytes, so that one mistaken for the other would match. */
static void random_prefix(struct random *random, struct pb_prefix *prefix)
{
	static const __u8 bytes[] = { 0x00, 0x0a, 0x0b, 0x80, 0xff };
	static const __u8 lens[][12] = {
		{ 0, 1, 7, 8, 9, 16, 17, 24, 30, 31, 32, 32 },
		{ 0, 1, 8, 9, 24, 32, 33, 64, 96, 126, 127, 128 },
	};

	memset(prefix, 0, sizeof(*prefix));
	prefix->family = chance(random, 50) ? 4 : 6;
	prefix->len = lens[prefix->family == 6][random_below(random, 12)];
	prefix->addr[0] = chance(random, 70) ? 0x0a : bytes[random_below(random, 5)];
	for (int i = 1; i < 16; i++)
		prefix->addr[i] = chance(random, 80) ? 0 : bytes[random_below(random, 5)];
	mask(prefix);
}

static void random_prefixes(struct random *random, struct world *world)
{
	struct pb_prefix *p = world->prefixes;
	size_t nr = 1;

	for (int i = 0; i < PREFIXES; i++)
		random_prefix(random, &p[i]);
	qsort(p, PREFIXES, sizeof(*p), compare_prefixes);
	for (size_t i = 1; i < PREFIXES; i++) {
		if (compare_prefixes(&p[nr - 1], &p[i]))
			p[nr++] = p[i];
	}
	world->nr_prefixes = nr;
}

static void random_world(struct random *random, struct world *world)
{
	random_borders(random, world);
	random_prefixes(random, world);
	for (int i = 0; i < TIMES; i++)
		world->times[i] = 2 + random_below(random, 20);
	world->protocols = 1 + random_below(random, (1 << PB_PROTO_MAX) - 1);
	world->expiring = random_below(random, 4) * 30;
	world->sourced = random_below(random, 4) * 30;
	world->in_sets = random_below(random, 3) * 15;
	world->alone = random_below(random, 3) * 15;
	world->rated = random_below(random, 3) * 20;
}

/* ---- Rates ---------------------------------------------------------------------------------- */

/* 1 to `limit`, of any length: most are small. */
static __u64 random_number(struct random *random, __u64 limit)
{
	__u64 bits = (__u64)random_below(random, 1U << 31) << 31 | random_below(random, 1U << 31);

	return 1 + (bits >> random_below(random, 62)) % limit;
}

/* What a bucket may hold: it is full again within a year. */
static void random_burst(struct random *random, struct pb_rate *rate)
{
	static const __u64 times[PB_RATE_PER_MAX] = { 365 * 86400, 365 * 1440, 365 * 24 };
	__u64 most = rate->amount * times[rate->per] - 1, least = 1;

	if (rate->unit == PB_RATE_BITS)
		least = 1518 * 8;
	rate->burst = least + random_number(random, most - least) - 1;
}

static void random_rate(struct random *random, struct pb_rate *rate)
{
	static const __u64 most[PB_RATE_PER_MAX] = { 100000000, 6000000000, 360000000000 };

	memset(rate, 0, sizeof(*rate));
	rate->unit = chance(random, 30) ? PB_RATE_BITS : PB_RATE_PACKETS;
	if (rate->unit == PB_RATE_PACKETS)
		rate->per = random_below(random, PB_RATE_PER_MAX);
	rate->amount =
		random_number(random, rate->unit == PB_RATE_BITS ? 100000000000 : most[rate->per]);
	rate->burst = rate->amount;
	if (rate->unit == PB_RATE_BITS && rate->amount < 65536 * 8)
		rate->burst = 65536 * 8;
}

void random_over(struct random *random, struct pb_over *over)
{
	memset(over, 0, sizeof(*over));
	random_rate(random, &over->rate);
	if (chance(random, 50))
		random_burst(random, &over->rate);
	over->each = chance(random, 50);
	if (!over->each)
		return;
	over->len4 = chance(random, 50) ? 32 : 1 + random_below(random, 32);
	over->len6 = chance(random, 50) ? 64 : 1 + random_below(random, 128);
	if (chance(random, 50))
		random_rate(random, &over->total);
}

/* ---- Rules --------------------------------------------------------------------------------- */

static bool random_range(struct random *random, const struct world *world, size_t *from,
			 struct pb_range *range)
{
	size_t first = *from + random_below(random, BORDERS / 2);
	size_t last = first + (chance(random, 50) ? 0 : random_below(random, BORDERS / 2));

	if (last >= BORDERS)
		return false;
	range->first = world->borders[first];
	range->last = world->borders[last];
	*from = last + 1;
	return true;
}

static int compare_ranges(const void *left, const void *right)
{
	const struct pb_range *a = left, *b = right;

	return a->first != b->first ? a->first - b->first : a->last - b->last;
}

static void sort_ports(struct pb_rule *rule)
{
	size_t nr = 0;

	qsort(rule->ports, rule->nr_ports, sizeof(*rule->ports), compare_ranges);
	for (size_t i = 0; i < rule->nr_ports; i++)
		if (!nr || compare_ranges(&rule->ports[nr - 1], &rule->ports[i]))
			rule->ports[nr++] = rule->ports[i];
	rule->nr_ports = nr;
}

static void random_ports(struct random *random, const struct world *world, struct pb_rule *rule)
{
	struct pb_range range;
	size_t from = 0;

	rule->ports = array(BORDERS, sizeof(*rule->ports));
	while (rule->nr_ports < BORDERS && random_range(random, world, &from, &range)) {
		if (range.first)
			rule->ports[rule->nr_ports++] = range;
		if (chance(random, 50))
			break;
		/* Again from further up, so that ranges of one rule overlap, touch and nest. */
		from = from > 3 ? from - random_below(random, 4) : 0;
	}
	sort_ports(rule);
	if (!rule->nr_ports)
		rule->ports[rule->nr_ports++] =
			(struct pb_range){ world->borders[0], world->borders[BORDERS - 1] };
}

static void random_sources(struct random *random, const struct world *world,
			   struct pb_prefix **prefixes, size_t *nr)
{
	*prefixes = array(PREFIXES, sizeof(**prefixes));
	for (size_t i = 0; i < world->nr_prefixes; i++) {
		if (chance(random, 20))
			(*prefixes)[(*nr)++] = world->prefixes[i];
	}
}

static void random_sets(struct random *random, char ***names, size_t *nr)
{
	*names = array(SETS, sizeof(**names));
	for (char set = 'a'; set < 'a' + SETS; set++) {
		if (!chance(random, 25))
			continue;
		(*names)[*nr] = array(2, 1);
		(*names)[(*nr)++][0] = set;
	}
}

/* All that is left is the sources. */
static void make_alone(struct pb_rule *rule)
{
	if (!rule->nr_from && !rule->nr_from_sets)
		return;
	free(rule->ports);
	rule->ports = NULL;
	rule->nr_ports = 0;
	rule->protocols = 0;
	rule->side = PB_SIDE_DPORT;
	rule->only_new = false;
}

static void copy_sources(struct pb_rule *to, const struct pb_rule *from)
{
	to->nr_from = from->nr_from;
	to->nr_except = from->nr_except;
	to->from = array(to->nr_from, sizeof(*to->from));
	to->except = array(to->nr_except, sizeof(*to->except));
	if (to->nr_from)
		memcpy(to->from, from->from, to->nr_from * sizeof(*to->from));
	if (to->nr_except)
		memcpy(to->except, from->except, to->nr_except * sizeof(*to->except));
}

static void random_match(struct random *random, const struct world *world,
			 const struct pb_rules *rules, struct pb_rule *rule)
{
	rule->action = random_below(random, PB_ACTION_MAX);
	rule->side = chance(random, 70) ? PB_SIDE_DPORT : PB_SIDE_SPORT;
	rule->protocols = world->protocols & (1 + random_below(random, (1 << PB_PROTO_MAX) - 1));
	if (!rule->protocols)
		rule->protocols = world->protocols;
	rule->only_new = chance(random, 20);
	if (chance(random, world->expiring))
		rule->expires = world->times[random_below(random, TIMES)];
	random_ports(random, world, rule);
	if (!chance(random, world->sourced))
		return;
	if (rules->nr && chance(random, 30)) {
		copy_sources(rule, &rules->rule[random_below(random, rules->nr)]);
		return;
	}
	if (chance(random, 70))
		random_sources(random, world, &rule->from, &rule->nr_from);
	if (chance(random, 60))
		random_sources(random, world, &rule->except, &rule->nr_except);
}

static void random_rule(struct random *random, const struct world *world,
			const struct pb_rules *rules, struct pb_rule *rule)
{
	random_match(random, world, rules, rule);
	if (chance(random, world->in_sets) && chance(random, 70))
		random_sets(random, &rule->from_sets, &rule->nr_from_sets);
	if (chance(random, world->in_sets) && chance(random, 50))
		random_sets(random, &rule->except_sets, &rule->nr_except_sets);
	if (chance(random, world->alone))
		make_alone(rule);
	if (chance(random, world->rated))
		random_over(random, &rule->over);
}

void random_set(struct random *random, size_t nr, struct pb_rules *rules)
{
	struct world world;
	__u32 id = 0;

	random_world(random, &world);
	memset(rules, 0, sizeof(*rules));
	rules->settings.policy = random_below(random, PB_POLICY_MAX);
	rules->settings.no_replies = chance(random, 30);
	rules->room = random_below(random, nr + 1);
	rules->rule = array(rules->room, sizeof(*rules->rule));
	while (rules->nr < rules->room) {
		struct pb_rule *rule = &rules->rule[rules->nr];

		random_rule(random, &world, rules, rule);
		rule->id = id += 1 + random_below(random, 3);
		rules->nr++;
	}
}

void random_set_free(struct pb_rules *rules)
{
	for (size_t i = 0; i < rules->nr; i++)
		pb_rule_clear(&rules->rule[i]);
	free(rules->rule);
	memset(rules, 0, sizeof(*rules));
}

/* ---- Packets ------------------------------------------------------------------------------- */

static __u16 near_port(struct random *random, const struct pb_rule *rule)
{
	const struct pb_range *range;
	__u16 port;

	if (!rule->nr_ports)
		return random_below(random, 65536);
	range = &rule->ports[random_below(random, rule->nr_ports)];
	port = chance(random, 50) ? range->first : range->last;
	return port + random_below(random, 3) - 1;
}

/* An address in the prefix: its first, its last, or any; sometimes one bit off. */
static void near_prefix(struct random *random, const struct pb_prefix *prefix,
			struct packet *packet)
{
	__u32 what = random_below(random, 3);
	int bits = prefix->family == 4 ? 32 : 128, flip;

	packet->family = prefix->family;
	memcpy(packet->addr, prefix->addr, sizeof(packet->addr));
	for (int bit = prefix->len; bit < bits; bit++) {
		if (what == 1 || (what == 2 && chance(random, 50)))
			packet->addr[bit / 8] |= 0x80 >> bit % 8;
	}
	if (!chance(random, 30))
		return;
	flip = prefix->len && chance(random, 70) ? prefix->len - 1 :
						   (int)random_below(random, bits);
	packet->addr[flip / 8] ^= 0x80 >> flip % 8;
}

static void near_source(struct random *random, const struct pb_rule *rule, struct packet *packet)
{
	size_t nr = rule->nr_from + rule->nr_except, i;
	struct pb_prefix prefix;

	if (nr) {
		i = random_below(random, nr);
		prefix = i < rule->nr_from ? rule->from[i] : rule->except[i - rule->nr_from];
	} else {
		random_prefix(random, &prefix);
	}
	near_prefix(random, &prefix, packet);
}

static const struct pb_rule *any_rule(struct random *random, const struct pb_rules *rules)
{
	return &rules->rule[random_below(random, rules->nr)];
}

void random_packet(struct random *random, const struct pb_rules *rules, struct packet *packet)
{
	const struct pb_rule *rule;

	memset(packet, 0, sizeof(*packet));
	packet->family = chance(random, 50) ? 4 : 6;
	packet->connection = chance(random, 40);
	for (int set = 0; set < SETS; set++)
		packet->sets |= (__u64)chance(random, 30) << set;
	for (int rate = 0; rate < 64; rate++)
		packet->beyond |= (__u64)chance(random, 50) << rate;
	packet->now = random_below(random, 24);
	packet->proto = random_below(random, PB_PROTO_MAX);
	packet->sport = random_below(random, 65536);
	packet->dport = random_below(random, 65536);
	if (!rules->nr)
		return;
	for (int i = 0; i < 20; i++) {
		packet->proto = random_below(random, PB_PROTO_MAX);
		if (any_rule(random, rules)->protocols & 1U << packet->proto)
			break;
	}
	packet->sport = near_port(random, any_rule(random, rules));
	packet->dport = near_port(random, any_rule(random, rules));
	near_source(random, any_rule(random, rules), packet);
	rule = any_rule(random, rules);
	if (chance(random, 10)) {
		packet->proto = PB_PROTO_MAX;
		packet->sport = packet->dport = 0;
	}
	if (rule->expires)
		packet->now = rule->expires + random_below(random, 3) - 1;
}
