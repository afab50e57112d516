// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* How full token buckets are, and what is counted of rates: read while packets change them. */
#include <string.h>
#include <portblock/sources.h>
#include <portblock/tokens.h>
#include "maps/rates.h"
#include "maps/rights.h"
#include "maps/ruleset.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/options.h"

/* What a rule asks for, in the generation in force. */
struct asked {
	const struct pb_maps *maps;
	const struct pb_rule_limits *limits;
	const struct pb_over *over;
	__u32 id;
	__u64 now; /* ticks */
};

static int find_rule(const struct pb_ruleset *ruleset, __u32 id, struct asked *asked,
		     struct pb_error *error)
{
	const struct pb_maps *maps = &ruleset->maps;
	size_t at = (size_t)id * PB_SLOTS + pb_config_slot(maps->config);

	if (id > maps->config->max_rules || !maps->rules[at].id)
		return pb_fail(error, ENOENT, "there is no rule %u in the ruleset '%s'", id,
			       ruleset->name);
	if (!maps->rules[at].over.rate.amount)
		return pb_fail(error, ENOENT, "rule %u has no rate: `over` gives it one", id);
	*asked = (struct asked){ .maps = maps,
				 .limits = &maps->limits[at],
				 .over = &maps->rules[at].over,
				 .id = id,
				 .now = pb_clock_monotonic() << PB_TICKS_SHIFT };
	return 0;
}

static __u64 load(const __u64 *at)
{
	return __atomic_load_n(at, __ATOMIC_RELAXED);
}

/* As the program finds it; 0, which is full, where there is none. */
static __u64 source_full_at(const struct asked *asked, const struct pb_prefix *source)
{
	const struct pb_rule_limits *limits = asked->limits;
	const __u64 *seed = asked->maps->rates->seed;
	bool is4 = source->family == 4;
	struct pb_token_row *row;
	struct pb_address address = {};
	__u64 hash;
	__u32 place;

	for (int i = 0; i < 8; i++) {
		address.high = address.high << 8 | source->addr[i];
		address.low = address.low << 8 | source->addr[i + 8];
	}
	if (is4)
		address = (struct pb_address){ .high = address.high >> 32 << 32 };
	address = pb_source_first6(address, is4 ? limits->len4 : limits->len6);
	hash = is4 ? pb_token_hash4(limits->secret4, address.high, seed) :
		     pb_token_hash6(limits->secret6, address, seed);
	row = &asked->maps->tokens_each[pb_token_row(
		hash, pb_token_rows(asked->maps->config->max_buckets))];
	place = pb_token_find(row, pb_token_tag(hash));
	return place == PB_TOKEN_NONE ? 0 : load(&row->bucket[place].full_at);
}

/* Of ticks, as many packets or bits as these are. */
static __u64 amount_of(const struct pb_rate *rate, const struct pb_limit *limit, __u64 ticks)
{
	__u64 amount = rate->unit == PB_RATE_BITS ?
			       (__u64)((long double)rate->burst * ticks / limit->burst) :
			       ticks / pb_token_cost(limit, 1);

	return amount < rate->burst ? amount : rate->burst;
}

/* Fills in what there is of a bucket. Is there too little for a packet of that length? */
static bool look(const struct asked *asked, const struct pb_rate *rate,
		 const struct pb_limit *limit, __u64 full_at, size_t length,
		 struct pb_bucket *bucket)
{
	__u64 left = pb_token_left(full_at, asked->now, limit->burst);
	__u64 weight = limit->flags & PB_LIMIT_BITS ? length : 1;

	bucket->burst = rate->burst;
	bucket->left = left == limit->burst ? rate->burst : amount_of(rate, limit, left);
	bucket->full_in = (limit->burst - left) >> PB_TICKS_SHIFT;
	return pb_token_cost(limit, weight) > left;
}

/* As is_over() of lib/bpf/rates.h. */
static void look_at_all(const struct asked *asked, const struct pb_prefix *source, size_t length,
			struct pb_buckets *buckets)
{
	const struct pb_rule_limits *limits = asked->limits;
	__u64 own = load(&asked->maps->tokens[asked->id]);

	if (!limits->each)
		buckets->over =
			look(asked, &asked->over->rate, &limits->rate, own, length, &buckets->rate);
	else if (source)
		buckets->over = look(asked, &asked->over->rate, &limits->rate,
				     source_full_at(asked, source), length, &buckets->rate);
	if (limits->each && limits->total.mult)
		buckets->over |= look(asked, &asked->over->total, &limits->total, own, length,
				      &buckets->total);
}

static int map_buckets(struct pb_ruleset *ruleset, struct pb_error *error)
{
	int ret = pb_maps_map_buckets(&ruleset->maps);

	return ret ? pb_fail_permission(error, -ret, "map the buckets into memory") : 0;
}

int pb_rule_buckets(struct pb_ruleset *ruleset, __u32 id, const struct pb_prefix *source,
		    size_t length, struct pb_buckets *buckets, struct pb_error *error)
{
	struct pb_buckets seen = {};
	struct asked asked = {};
	int ret = map_buckets(ruleset, error);

	if (!ret)
		ret = find_rule(ruleset, id, &asked, error);
	if (ret)
		return ret;
	look_at_all(&asked, source, length, &seen);
	return pb_options_give(buckets, &seen, sizeof(seen), error);
}

static __u32 buckets_in_use(const struct pb_maps *maps)
{
	__u32 rows = pb_token_rows(maps->config->max_buckets), used = 0;
	__u64 now = pb_clock_monotonic() << PB_TICKS_SHIFT;

	for (__u32 row = 0; row < rows; row++)
		for (int i = 0; i < PB_TOKEN_ROW; i++)
			used += load(&maps->tokens_each[row].bucket[i].tag) &&
				pb_token_after(load(&maps->tokens_each[row].bucket[i].full_at),
					       now) > 0;
	return used;
}

struct pb_rate_counts pb_rates_add_up(const struct pb_maps *maps)
{
	struct pb_rate_counts counts = { .max_buckets = maps->config->max_buckets };

	for (int i = 0; i < PB_CPU_ROWS; i++) {
		const struct pb_rate_meter *meter = &maps->rates->row[i];

		counts.evicted += load(&meter->evicted);
		counts.answered += load(&meter->answered);
		counts.held_back += load(&meter->held_back);
	}
	return counts;
}

int pb_ruleset_rates(struct pb_ruleset *ruleset, struct pb_rate_counts *counts,
		     struct pb_error *error)
{
	int ret = map_buckets(ruleset, error);

	if (ret)
		return ret;
	*counts = pb_rates_add_up(&ruleset->maps);
	counts->buckets = buckets_in_use(&ruleset->maps);
	return 0;
}
