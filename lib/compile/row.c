// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Why a reader, which takes no lock, sees an element whole or not at all; and why a writer that is killed,
 * after whichever instruction, leaves each element in or out.
 *
 * An element is in while its word says so: the key and the set. All that is beside the word is written while
 * no word is there that speaks of it, and a word is stored by one instruction (it is aligned to its eight
 * bytes). So the writer has three orders to keep; x86 keeps them by itself, others need to be told:
 *
 *  1. Adding: time and address, the bits in pb_lengths and the flags of full buckets come before the word.
 *     The word is stored with release, so who sees it sees these, too. Killed before: nothing speaks of what
 *     is written; bits and flags have readers look in vain, no more.
 *  2. Giving the place of an expired element to another: the word is cleared before time and address are
 *     written, else the old element would have the new one's time. Between them is a release fence. It
 *     stands there where the place was free before, too: the word may have been cleared a moment ago.
 *     Killed between: the old element was out, and so is the new one.
 *  3. Renewing: one store of the time, if there is one. That the element does not expire any more is such
 *     a time, too, so it is never between two words. If there was none: the time, which the word does not
 *     speak of, then the word with its flag, by release.
 * Removing is one store of the word. An element is never moved.
 *
 * A reader loads the word with acquire, then what is beside it, and where it has relied on that it loads
 * the word again, behind an acquire fence. If it has seen a byte that was written after the word was cleared
 * (2.), the release fence has it see the word cleared, or one that came later: other key or other set, so this
 * is not the element that it looked for. If they are the same, the element is in at that moment. Flags may
 * be others: an element that is renewed (3.), or whose bucket overflows, has been in all the while. The XDP
 * program cannot say acquire. It has the later address depend on what was loaded before (behind() in
 * lib/bpf/verifier.h), which orders loads as well: LKMM, "addr". A branch does not. tests/proof/litmus has 2. and 3.
 *
 * No element that stays is overlooked. A reader stops behind a bucket without PB_ELEMENT_OVERFLOWN, and
 * the flags on the way to an element are set before its word (1.) and never taken back. Nor is a bit of pb_lengths.
 */
#include <string.h>
#include "compile/row.h"

#define NEVER (~0ULL) /* an end of what had one and has none any more */
#define SAME (PB_ELEMENT_KEY | PB_ELEMENT_SET)

static __u64 load(const __u64 *at)
{
	return __atomic_load_n(at, __ATOMIC_RELAXED);
}

static void store_word(const struct pb_spot *spot, __u64 word)
{
	__atomic_store_n(spot->word, word, __ATOMIC_RELEASE);
}

void pb_row_segment(struct pb_row *row, __u8 family, void *segment)
{
	if (family == 4) {
		struct pb_segment4 *segment4 = segment;

		row->word = segment4->word;
		row->ends = segment4->ends;
		row->addr = NULL;
	} else {
		struct pb_segment6 *segment6 = segment;

		row->word = segment6->word;
		row->ends = segment6->ends;
		row->addr = segment6->addr;
	}
}

/* ---- Reading ------------------------------------------------------------------------------- */

bool pb_spot_read(const struct pb_spot *spot, __u64 now, struct pb_seen *seen)
{
	__u64 word = __atomic_load_n(spot->word, __ATOMIC_ACQUIRE);
	__u64 ends = word & PB_ELEMENT_EXPIRES ? load(spot->ends) : NEVER;

	if (!(word & PB_ELEMENT_KEY) || ends <= now)
		return false;
	for (int i = 0; i < 2; i++)
		seen->half[i] = spot->addr ? __atomic_load_n(&spot->addr[i], __ATOMIC_RELAXED) : 0;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	seen->word = word;
	seen->expires = ends == NEVER ? 0 : ends;
	return !((load(spot->word) ^ word) & SAME);
}

static bool is_prefix(const struct pb_row *row, const struct pb_seen *seen)
{
	return (seen->word & PB_ELEMENT_KEY) == row->key && seen->half[0] == row->half[0] &&
	       seen->half[1] == row->half[1];
}

static void read_bucket(const struct pb_row *row, __u32 bucket, __u64 sets, __u64 now,
			struct pb_in_sets *in)
{
	for (__u32 i = 0; i < PB_BUCKET_ELEMENTS; i++) {
		struct pb_spot spot = pb_row_spot(row, bucket, i);
		struct pb_seen seen;
		__u32 set;

		if ((load(spot.word) & PB_ELEMENT_KEY) != row->key ||
		    !pb_spot_read(&spot, now, &seen) || !is_prefix(row, &seen))
			continue;
		set = PB_ELEMENT_OF_SET(seen.word);
		if (set >= PB_SETS_MAX || !(sets & 1ULL << set))
			continue;
		if (!in->sets || set < in->first) {
			in->first = set;
			in->expires = seen.expires;
		}
		in->sets |= 1ULL << set;
	}
}

/* May elements of the row lie behind this bucket? */
static bool goes_on(const struct pb_row *row, __u32 bucket)
{
	__u64 last = __atomic_load_n(&row->word[bucket][PB_BUCKET_ELEMENTS - 1], __ATOMIC_ACQUIRE);

	return last & PB_ELEMENT_OVERFLOWN;
}

void pb_row_read(const struct pb_row *row, __u64 sets, __u64 now, struct pb_in_sets *in)
{
	memset(in, 0, sizeof(*in));
	for (__u32 place = 0; place < PB_BUCKET_ROW; place++) {
		__u32 bucket = pb_hash_bucket(row->hash, place);

		read_bucket(row, bucket, sets, now, in);
		if (!goes_on(row, bucket))
			return;
	}
}

/* ---- Writing ------------------------------------------------------------------------------- */

/* Nobody else writes. An element that does not count is found, too: there is one of each at most. */
static bool is_element(const struct pb_row *row, __u8 set, const struct pb_spot *spot)
{
	__u64 word = load(spot->word);

	return !((word ^ (row->key | set)) & SAME) &&
	       (!spot->addr || !memcmp(spot->addr, row->half, sizeof(row->half)));
}

bool pb_row_find(const struct pb_row *row, __u8 set, struct pb_spot *spot)
{
	for (__u32 place = 0; place < PB_BUCKET_ROW; place++) {
		__u32 bucket = pb_hash_bucket(row->hash, place);

		for (__u32 i = 0; i < PB_BUCKET_ELEMENTS; i++) {
			*spot = pb_row_spot(row, bucket, i);
			if (is_element(row, set, spot))
				return true;
		}
		if (!goes_on(row, bucket))
			return false;
	}
	return false;
}

static bool is_free(const struct pb_spot *spot, __u64 now)
{
	__u64 word = load(spot->word);

	return !(word & PB_ELEMENT_KEY) || (word & PB_ELEMENT_EXPIRES && load(spot->ends) <= now);
}

bool pb_row_find_free(const struct pb_row *row, __u64 now, struct pb_spot *spot, __u32 *place)
{
	for (*place = 0; *place < PB_BUCKET_ROW; ++*place) {
		__u32 bucket = pb_hash_bucket(row->hash, *place);

		for (__u32 i = 0; i < PB_BUCKET_ELEMENTS; i++) {
			*spot = pb_row_spot(row, bucket, i);
			if (is_free(spot, now))
				return true;
		}
	}
	return false;
}

void pb_row_overflow(const struct pb_row *row, __u32 place)
{
	while (place-- > 0) {
		__u32 bucket = pb_hash_bucket(row->hash, place);
		struct pb_spot last = pb_row_spot(row, bucket, PB_BUCKET_ELEMENTS - 1);

		if (!goes_on(row, bucket))
			store_word(&last, load(last.word) | PB_ELEMENT_OVERFLOWN);
	}
}

void pb_spot_clear(const struct pb_spot *spot)
{
	store_word(spot, load(spot->word) & PB_ELEMENT_OVERFLOWN);
}

void pb_spot_publish(const struct pb_spot *spot, const struct pb_row *row, __u8 set, __u64 expires)
{
	__u64 flags = load(spot->word) & PB_ELEMENT_OVERFLOWN;

	if (load(spot->word) & PB_ELEMENT_KEY)
		pb_spot_clear(spot);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	if (expires) {
		__atomic_store_n(spot->ends, expires, __ATOMIC_RELAXED);
		flags |= PB_ELEMENT_EXPIRES;
	}
	for (int i = 0; spot->addr && i < 2; i++)
		__atomic_store_n(&spot->addr[i], row->half[i], __ATOMIC_RELAXED);
	store_word(spot, row->key | flags | set);
}

void pb_spot_renew(const struct pb_spot *spot, __u64 expires)
{
	__u64 word = load(spot->word);

	if (!(word & PB_ELEMENT_EXPIRES) && !expires)
		return;
	__atomic_store_n(spot->ends, expires ? expires : NEVER, __ATOMIC_RELEASE);
	if (!(word & PB_ELEMENT_EXPIRES))
		store_word(spot, word | PB_ELEMENT_EXPIRES);
}
