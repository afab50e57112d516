// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Each thing to be looked up has a place of its own. Those of a segment whose hashes say the same step are one
 * bunch. The largest bunches come first: for each a step is sought that gives all of it places that are free. As
 * tables are filled to five eighths, and a step has 16 bits, there is one; where not, the table gets one segment more.
 */
#include <linux/bpf.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "compile/lookup.h"

#define FILL (PB_SOURCE_PLACES * 5 / 8) /* things of a segment, on average */
#define FULL (PB_SOURCE_PLACES * 7 / 8) /* and at most */
#define SPARE 8 /* segments more: for BROAD_MIXES, and where chance is against it */
#define STEP_MAX 0xffff
#define LEVELS 3 /* of a family */
#define BROAD_MIXES 16
#define BLOCKS 256U /* prefixes of IPv4 of 8 bits */

_Static_assert(PB_SOURCES_LIMIT + PB_MIXES_MAX < PB_SOURCE_ANSWER(~0ULL),
	       "answers of all mixes are numbered");

/* What lies at a place. IPv4: all of it is in `high` and `word`. */
struct thing {
	__u64 hash;
	struct pb_source_entry6 entry;
};

/* Of one family. */
struct things {
	__u8 family;
	struct thing *at;
	size_t nr;
	/* By level: the last prefixes that begin with the same bits, and what is said of them. */
	struct group {
		bool open;
		__u16 mix;
		struct pb_address bits;
		size_t thing;
		bool several;
	} group[LEVELS];
};

struct maker {
	const struct pb_tables *tables;
	struct pb_source *sources; /* of the tables, and what is put in the place of short ones */
	size_t nr_sources;
	const __u64 *seed;
	struct pb_source_decision *mixes;
	size_t nr_mixes;
	struct things ipv4;
	struct things ipv6;
};

/* ---- Addresses ----------------------------------------------------------------------------- */

/* Of IPv4 in the upper half of `high`. */
static struct pb_address address_of(const struct pb_prefix *prefix)
{
	struct pb_address address = { 0, 0 };

	memcpy(&address.high, prefix->addr, prefix->family == 4 ? 4 : 8);
	if (prefix->family == 6)
		memcpy(&address.low, prefix->addr + 8, 8);
	return (struct pb_address){ be64toh(address.high), be64toh(address.low) };
}

/* The bits of its level, 0: it is short. */
static __u32 level_of(const struct pb_prefix *prefix)
{
	if (prefix->family == 4)
		return prefix->len < 24 ? prefix->len / 8 * 8 : 24;
	return prefix->len < 64 ? prefix->len / 32 * 32 : 64;
}

static __u32 unit_of(__u8 family)
{
	return family == 4 ? 8 : 32;
}

static __u64 hash_of(const struct maker *maker, __u8 family, struct pb_address bits, __u32 by,
		     __u32 first)
{
	return family == 4 ? pb_source_hash4(bits.high, by, first, maker->seed) :
			     pb_source_hash6(bits, by, first, maker->seed);
}

/* ---- What is to be looked up --------------------------------------------------------------- */

static struct thing *add_thing(const struct maker *maker, struct things *things,
			       struct pb_address bits, __u32 by, __u32 first)
{
	struct thing *thing = &things->at[things->nr++];

	thing->hash = hash_of(maker, things->family, bits, by, first);
	return thing;
}

static struct pb_source_entry6 entry_of(const struct maker *maker, const struct pb_source *source)
{
	const struct pb_prefix *prefix = &source->prefix;
	struct pb_address address = address_of(prefix);
	__u32 less = (prefix->family == 4 ? 63 : 128) - prefix->len;
	__u32 answer = maker->mixes[source->mix].first + source->offset;

	return (struct pb_source_entry6){ address.high, address.low, PB_SOURCE_WORD(answer, less) };
}

static __u32 len_of(__u8 family, const struct pb_source_entry6 *entry)
{
	return (family == 4 ? 63 : 128) - (entry->word & PB_SOURCE_LOW);
}

/* A prefix by its length and all of its bits. */
static void add_prefix(const struct maker *maker, struct things *things, __u32 mix,
		       const struct pb_source_entry6 *entry)
{
	const struct pb_address address = { entry->high, entry->low };
	__u32 len = len_of(things->family, entry);

	add_thing(maker, things, address, PB_SOURCE_BY_PREFIX(len), maker->mixes[mix].first)->entry =
		*entry;
}

/* Among the lengths of several. */
static void note_length(__u8 family, __u32 level, struct pb_source_entry6 *several, __u32 len)
{
	if (family == 4)
		several->word |= 1ULL << (level + 8 - len);
	else if (len == 64)
		several->word |= 1;
	else
		several->low |= 1ULL << (level == 64 ? 128 - len : 63 - len);
}

/* The prefix that lay there alone gets a place of its own. */
static void make_several(const struct maker *maker, struct things *things, struct group *group,
			 __u32 level)
{
	struct pb_source_entry6 *entry = &things->at[group->thing].entry, alone = *entry;
	__u32 first = maker->mixes[group->mix].first;
	__u32 low = PB_SOURCE_SEVERAL(level / unit_of(things->family));

	*entry = (struct pb_source_entry6){ group->bits.high, 0, PB_SOURCE_WORD(first, low) };
	note_length(things->family, level, entry, len_of(things->family, &alone));
	add_prefix(maker, things, group->mix, &alone);
	group->several = true;
}

static void add_at_level(const struct maker *maker, struct things *things, __u32 level,
			 const struct pb_source *source)
{
	struct group *group = &things->group[level / unit_of(things->family) - 1];
	struct pb_source_entry6 entry = entry_of(maker, source);
	struct pb_address bits = { pb_first_bits(entry.high, level), 0 };

	if (group->open && group->mix == source->mix && group->bits.high == bits.high) {
		if (!group->several)
			make_several(maker, things, group, level);
		note_length(things->family, level, &things->at[group->thing].entry,
			    source->prefix.len);
		add_prefix(maker, things, source->mix, &entry);
		return;
	}
	*group = (struct group){ true, source->mix, bits, things->nr, false };
	add_thing(maker, things, bits, PB_SOURCE_BY_BITS(level), maker->mixes[source->mix].first)
		->entry = entry;
}

static void add_short(const struct maker *maker, struct things *things,
		      const struct pb_source *source)
{
	struct pb_source_decision *mix = &maker->mixes[source->mix];
	struct pb_source_entry6 entry = entry_of(maker, source);

	if (things->family == 4)
		mix->lengths4 |= 1U << (7 - source->prefix.len);
	else
		mix->lengths6 |= 1U << (31 - source->prefix.len);
	add_prefix(maker, things, source->mix, &entry);
}

static void add_sources(struct maker *maker)
{
	const struct pb_source *source = maker->sources;

	for (size_t i = 0; i < maker->nr_sources; i++, source++) {
		bool is_ipv4 = source->prefix.family == 4;
		struct things *things = is_ipv4 ? &maker->ipv4 : &maker->ipv6;
		__u32 level = level_of(&source->prefix);

		if (level) {
			maker->mixes[source->mix].levels |= is_ipv4 ? PB_LEVEL4(level) :
								      PB_LEVEL6(level);
			add_at_level(maker, things, level, source);
		} else {
			add_short(maker, things, source);
		}
	}
}

/* ---- Mixes --------------------------------------------------------------------------------- */

static size_t count_mixes(const struct pb_tables *tables)
{
	size_t nr = 0;

	for (size_t i = 0; i < tables->nr_decisions; i++)
		if (tables->decisions[i].flags & PB_DECISION_SOURCES &&
		    tables->decisions[i].mix >= nr)
			nr = tables->decisions[i].mix + 1U;
	for (size_t i = 0; i < tables->nr_sources; i++)
		if (tables->sources[i].mix >= nr)
			nr = tables->sources[i].mix + 1U;
	return nr;
}

/* Answer 0 of all is that of no mix, so that a place with nothing has none. */
static int number_answers(struct maker *maker)
{
	const struct pb_tables *tables = maker->tables;
	__u64 first = 1;

	for (size_t i = 0; i < tables->nr_sources; i++) {
		struct pb_source_decision *mix = &maker->mixes[tables->sources[i].mix];

		if (tables->sources[i].offset >= mix->answers)
			mix->answers = tables->sources[i].offset + 1;
	}
	for (size_t i = 0; i < maker->nr_mixes; i++) {
		if (first + maker->mixes[i].answers > PB_SOURCE_ANSWER(~0ULL))
			return -ENOSPC;
		maker->mixes[i].first = first;
		first += maker->mixes[i].answers;
	}
	return 0;
}

/* Is a rule without conditions, that tells nobody, all that it comes to, or none, whatever the answer? */
static bool is_plain(const struct maker *maker, const struct pb_decision *decision)
{
	const struct pb_decision *decisions = maker->tables->decisions;

	if (!(decision->flags & PB_DECISION_SOURCES) || !maker->mixes[decision->mix].answers)
		return false;
	for (__u32 i = 0; i < maker->mixes[decision->mix].answers; i++) {
		const struct pb_decision *answer = &decisions[decision->next + i];

		if (answer->flags || PB_ENTRY_REJECTS(answer->entry))
			return false;
	}
	return true;
}

/* Where rules look at the source port, too, the source never says all. */
static void set_entries(const struct maker *maker, const struct pb_tables *tables)
{
	__u32 last = 0;
	bool plain = false;

	for (int proto = 0; tables->ports && proto < PB_ENTRY_PROTOS; proto++) {
		__u32 *entry = tables->ports->entry[proto];

		if (tables->sides[proto] & 1U << PB_SIDE_SPORT)
			continue;
		for (__u32 port = 0; port < PB_PORTS; port++) {
			__u32 class = PB_ENTRY_NUMBER(entry[port]);

			if (PB_ENTRY_VERDICT(entry[port]) != PB_ENTRY_INDIRECT || !class ||
			    entry[port] & PB_ENTRY_SETS) /* PB_ENTRY_RATE, too: of no class */
				continue;
			if (class != last)
				plain = is_plain(maker, &tables->decisions[class]);
			last = class;
			if (plain)
				entry[port] |= PB_ENTRY_SOURCES;
		}
	}
}

static void set_decisions(const struct maker *maker, const struct pb_lookup *lookup,
			  struct pb_decision *decisions)
{
	for (size_t i = 0; i < maker->tables->nr_decisions; i++) {
		struct pb_source_decision decision;

		if (!(decisions[i].flags & PB_DECISION_SOURCES))
			continue;
		decision = maker->mixes[decisions[i].mix];
		decision.segments4 = lookup->nr4;
		decision.segments6 = lookup->nr6;
		decision.next = decisions[i].next;
		decision.flags = decisions[i].flags;
		memcpy(&decisions[i], &decision, sizeof(decision));
	}
}

/* ---- Broad mixes --------------------------------------------------------------------------- */

/*
 * Short prefixes of IPv4 are looked up a length at a time. Where a mix has some lengths of them, those of 8 bits that they
 * consist of take their place: then one look is for all. As that is up to 256, it is done for some mixes only.
 */
struct broad {
	__u64 answer[BLOCKS]; /* NO_ANSWER: no short prefix holds it, or it lies there itself */
};
#define NO_ANSWER (~0ULL)

static bool is_short4(const struct pb_prefix *prefix)
{
	return prefix->family == 4 && prefix->len < 8;
}

/* The sources come in order: what is within another comes later. */
static bool is_broad(const struct pb_source *source, size_t nr, struct broad *broad)
{
	__u32 lengths = 0;

	for (__u32 i = 0; i < BLOCKS; i++)
		broad->answer[i] = NO_ANSWER;
	for (size_t i = 0; i < nr && source[i].prefix.family == 4; i++) {
		const struct pb_prefix *prefix = &source[i].prefix;

		if (prefix->len == 8)
			broad->answer[prefix->addr[0]] = NO_ANSWER;
		if (prefix->len >= 8)
			continue;
		lengths |= 1U << prefix->len;
		for (__u32 j = 0; j < BLOCKS >> prefix->len; j++)
			broad->answer[prefix->addr[0] + j] = source[i].offset;
	}
	return lengths & (lengths - 1);
}

static void add_source(struct maker *maker, const struct pb_source *source)
{
	maker->sources[maker->nr_sources++] = *source;
}

/* Those of 8 bits, from `block` to before `end`. */
static void add_blocks(struct maker *maker, const struct broad *broad, __u16 mix, __u32 block,
		       __u32 end)
{
	for (; block < end; block++) {
		struct pb_source source = { .mix = mix, .offset = broad->answer[block] };

		source.prefix.family = 4;
		source.prefix.len = 8;
		source.prefix.addr[0] = block;
		if (broad->answer[block] != NO_ANSWER)
			add_source(maker, &source);
	}
}

static void copy_broad(struct maker *maker, const struct broad *broad,
		       const struct pb_source *source, size_t nr)
{
	__u32 block = 0;

	for (size_t i = 0; i < nr; i++) {
		__u32 end = source[i].prefix.family == 4 ? source[i].prefix.addr[0] + 1U : BLOCKS;

		if (is_short4(&source[i].prefix))
			continue;
		add_blocks(maker, broad, source->mix, block, end);
		block = block < end ? end : block;
		add_source(maker, &source[i]);
	}
	add_blocks(maker, broad, source->mix, block, BLOCKS);
}

static int copy_sources(struct maker *maker)
{
	const struct pb_source *source = maker->tables->sources;
	size_t nr = maker->tables->nr_sources, broad_mixes = 0, end;
	struct broad broad;

	maker->sources = calloc(nr + BROAD_MIXES * BLOCKS, sizeof(*maker->sources));
	if (!maker->sources)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i = end) {
		for (end = i + 1; end < nr && source[end].mix == source[i].mix; end++)
			;
		if (broad_mixes < BROAD_MIXES && is_broad(source + i, end - i, &broad)) {
			copy_broad(maker, &broad, source + i, end - i);
			broad_mixes++;
		} else {
			memcpy(maker->sources + maker->nr_sources, source + i,
			       (end - i) * sizeof(*source));
			maker->nr_sources += end - i;
		}
	}
	return 0;
}

/* ---- Places -------------------------------------------------------------------------------- */

/* Things in order of segment and step; those of bunch `i` end at ends[i]. */
struct bunches {
	__u32 nr_segments;
	struct thing *thing;
	__u32 *ends;
	__u16 *place; /* of each thing */
	__u16 *step;  /* of each bunch */
};

static size_t bunch_of(const struct bunches *bunches, __u64 hash)
{
	return (size_t)pb_hash_segment(hash, bunches->nr_segments) * PB_SOURCE_STEPS +
	       pb_source_step(hash);
}

static __u32 start_of(const struct bunches *bunches, size_t bunch)
{
	return bunch ? bunches->ends[bunch - 1] : 0;
}

static void bunches_free(struct bunches *bunches)
{
	free(bunches->thing);
	free(bunches->ends);
	free(bunches->place);
	free(bunches->step);
	memset(bunches, 0, sizeof(*bunches));
}

static int bunches_make(struct bunches *bunches, const struct things *things, __u32 nr_segments)
{
	size_t nr = (size_t)nr_segments * PB_SOURCE_STEPS;

	bunches->nr_segments = nr_segments;
	bunches->thing = calloc(things->nr, sizeof(*bunches->thing));
	bunches->ends = calloc(nr + 1, sizeof(*bunches->ends));
	bunches->place = calloc(things->nr, sizeof(*bunches->place));
	bunches->step = calloc(nr, sizeof(*bunches->step));
	if (!bunches->thing || !bunches->ends || !bunches->place || !bunches->step)
		return -ENOMEM;
	for (size_t i = 0; i < things->nr; i++)
		bunches->ends[bunch_of(bunches, things->at[i].hash) + 1]++;
	for (size_t i = 0; i < nr; i++)
		bunches->ends[i + 1] += bunches->ends[i];
	/* Here each number is where its bunch begins, and then, where it ends. */
	for (size_t i = 0; i < things->nr; i++)
		bunches->thing[bunches->ends[bunch_of(bunches, things->at[i].hash)]++] =
			things->at[i];
	return 0;
}

/* Does the step give all of them free places? Then they are taken. */
static bool take_places(struct bunches *bunches, __u32 start, __u32 end, __u32 step, bool *taken)
{
	for (__u32 i = start; i < end; i++) {
		__u32 place = pb_source_place(bunches->thing[i].hash, step);

		if (taken[place]) {
			while (i-- > start)
				taken[bunches->place[i]] = false;
			return false;
		}
		taken[place] = true;
		bunches->place[i] = place;
	}
	return true;
}

static bool seat_bunch(struct bunches *bunches, size_t bunch, bool *taken)
{
	__u32 start = start_of(bunches, bunch), end = bunches->ends[bunch];

	for (__u32 step = 0; step <= STEP_MAX; step++) {
		if (take_places(bunches, start, end, step, taken)) {
			bunches->step[bunch] = step;
			return true;
		}
	}
	return false;
}

static bool seat_segment(struct bunches *bunches, size_t first)
{
	size_t last = first + PB_SOURCE_STEPS - 1;
	__u32 nr = bunches->ends[last] - start_of(bunches, first), most = 0;
	bool taken[PB_SOURCE_PLACES] = { false };

	if (nr > FULL)
		return false;
	for (size_t i = first; i <= last; i++)
		if (bunches->ends[i] - start_of(bunches, i) > most)
			most = bunches->ends[i] - start_of(bunches, i);
	for (__u32 size = most; size > 0; size--)
		for (size_t i = first; i <= last; i++)
			if (bunches->ends[i] - start_of(bunches, i) == size &&
			    !seat_bunch(bunches, i, taken))
				return false;
	return true;
}

static bool seat_all(struct bunches *bunches)
{
	for (__u32 i = 0; i < bunches->nr_segments; i++)
		if (!seat_segment(bunches, (size_t)i * PB_SOURCE_STEPS))
			return false;
	return true;
}

static __u64 segments_for(__u64 things)
{
	return (things + FILL - 1) / FILL;
}

__u32 pb_lookup_segments_max(__u32 max_sources)
{
	/* Two prefixes and more that begin alike are as many things, and one. */
	return segments_for((__u64)max_sources * 3 / 2) + SPARE;
}

/* Seats all in as few segments as it takes. Without things there are none. */
static int seat(const struct things *things, __u32 max, struct bunches *bunches)
{
	for (__u64 nr = segments_for(things->nr); things->nr && nr <= max; nr++) {
		int ret = bunches_make(bunches, things, nr);

		if (ret || seat_all(bunches))
			return ret;
		bunches_free(bunches);
	}
	return things->nr ? -ENOSPC : 0;
}

/* ---- Segments ------------------------------------------------------------------------------ */

static int fill4(const struct bunches *bunches, struct pb_lookup *lookup)
{
	size_t nr = (size_t)bunches->nr_segments * PB_SOURCE_STEPS;

	if (!nr)
		return 0;
	lookup->segment4 = calloc(bunches->nr_segments, sizeof(*lookup->segment4));
	if (!lookup->segment4)
		return -ENOMEM;
	lookup->nr4 = bunches->nr_segments;
	for (size_t i = 0; i < nr; i++) {
		struct pb_source_segment4 *segment = &lookup->segment4[i / PB_SOURCE_STEPS];

		segment->step[i % PB_SOURCE_STEPS] = bunches->step[i];
		for (__u32 j = start_of(bunches, i); j < bunches->ends[i]; j++)
			segment->word[bunches->place[j]] = bunches->thing[j].entry.high |
							   bunches->thing[j].entry.word;
	}
	return 0;
}

static int fill6(const struct bunches *bunches, struct pb_lookup *lookup)
{
	size_t nr = (size_t)bunches->nr_segments * PB_SOURCE_STEPS;

	if (!nr)
		return 0;
	lookup->segment6 = calloc(bunches->nr_segments, sizeof(*lookup->segment6));
	if (!lookup->segment6)
		return -ENOMEM;
	lookup->nr6 = bunches->nr_segments;
	for (size_t i = 0; i < nr; i++) {
		struct pb_source_segment6 *segment = &lookup->segment6[i / PB_SOURCE_STEPS];

		segment->step[i % PB_SOURCE_STEPS] = bunches->step[i];
		for (__u32 j = start_of(bunches, i); j < bunches->ends[i]; j++)
			segment->entry[bunches->place[j]] = bunches->thing[j].entry;
	}
	return 0;
}

static int make_segments(const struct things *things, __u32 max, struct pb_lookup *lookup)
{
	struct bunches bunches = { 0 };
	int ret = seat(things, max, &bunches);

	if (!ret)
		ret = things->family == 4 ? fill4(&bunches, lookup) : fill6(&bunches, lookup);
	bunches_free(&bunches);
	return ret;
}

/* ---- All of it ----------------------------------------------------------------------------- */

static int things_init(struct things *things, __u8 family, const struct maker *maker)
{
	size_t nr = 0;

	for (size_t i = 0; i < maker->nr_sources; i++)
		nr += maker->sources[i].prefix.family == family;
	things->family = family;
	things->at = calloc(nr + nr / 2 + 1, sizeof(*things->at));
	return things->at ? 0 : -ENOMEM;
}

static int init(struct maker *maker)
{
	int ret = copy_sources(maker);

	maker->nr_mixes = count_mixes(maker->tables);
	maker->mixes = calloc(maker->nr_mixes + 1, sizeof(*maker->mixes));
	ret = ret ?: things_init(&maker->ipv4, 4, maker) ?: things_init(&maker->ipv6, 6, maker);
	return maker->mixes ? ret : -ENOMEM;
}

int pb_lookup_make(struct pb_tables *tables, __u32 max, const __u64 seed[2],
		   struct pb_lookup *lookup)
{
	struct maker maker = { .tables = tables, .seed = seed };
	struct pb_lookup made = { 0 };
	int ret = init(&maker);

	if (!ret)
		ret = number_answers(&maker);
	if (!ret)
		add_sources(&maker);
	if (!ret)
		ret = make_segments(&maker.ipv4, max, &made);
	if (!ret)
		ret = make_segments(&maker.ipv6, max, &made);
	if (!ret) {
		set_entries(&maker, tables);
		set_decisions(&maker, &made, tables->decisions);
		*lookup = made;
	} else {
		pb_lookup_free(&made);
	}
	free(maker.ipv4.at);
	free(maker.ipv6.at);
	free(maker.mixes);
	free(maker.sources);
	return ret;
}

void pb_lookup_free(struct pb_lookup *lookup)
{
	free(lookup->segment4);
	free(lookup->segment6);
	memset(lookup, 0, sizeof(*lookup));
}
