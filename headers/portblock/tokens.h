/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Token buckets: what the XDP program, the library and the proof of it all compute. Pure C, no map, no helper.
 *
 * A bucket is one number, `full_at`: when it will be full. To take tokens out is to put that off by what they cost in
 * time; who would put it off to more than `burst` from now finds too few of them and is over the rate. So nothing has
 * to be refilled, and one compare-and-swap is the whole of a change: no packet sees half of it.
 *
 * What holds, on however many CPUs (proof:tokens goes all ways of two CPUs through this code):
 *
 *  1. Let through in any time t are at most burst + t, in ticks of what packets cost. For each packet that is let go
 *     has moved full_at by its cost, from no earlier than now to no later than now + burst, by a compare-and-swap,
 *     and nothing else moves it back but 3.
 *  2. A compare-and-swap is lost only to another one that was won, which is a packet that was let go (or 3.). So who
 *     has lost PB_TOKEN_TRIES of them has seen as many packets go, and is over: no CPU turns here without end.
 *  3. A full_at that lies further ahead than any packet can have put it is not believed: the rule had a larger
 *     burst, or the clock another idea of now. It becomes that of an empty bucket, so the rate is back within burst.
 *     "Further" is PB_TOKEN_SLACK beyond burst, for a packet may have read its clock before the one who stored full_at,
 *     and come to it later; it must not give back what the other has taken. Only one that was stopped for longer than
 *     the slack between the two can, once, at most that time.
 *  4. Times are compared by their difference, so the clock may wrap around (after 36 years). A bucket in which nobody
 *     has looked for 18 years is one from ahead (3.).
 */
#ifndef PORTBLOCK_TOKENS_H
#define PORTBLOCK_TOKENS_H

#include <portblock/elements.h>

#define PB_TOKEN_TRIES 16
#define PB_TOKEN_SLACK (1ULL << 34)	/* ticks: 1.07 s */
#define PB_TOKEN_BURST_MAX (1ULL << 61) /* ticks, of a packet, too: four and a half years */

/* Who checks it against another CPU's steps takes these over. */
#ifndef PB_TOKEN_LOAD
#define PB_TOKEN_LOAD(at) (*(volatile __u64 *)(at))
/* What was there before: `old` where it was exchanged. A full barrier. */
#define PB_TOKEN_SWAP(at, old, new) __sync_val_compare_and_swap(at, old, new)
#endif
/*
 * What clang and the verifier are to be told: of loops, of an index that is known to be one (`any`: a number), and of
 * a number that nothing is to be known of.
 */
#ifndef PB_TOKEN_LOOP
#define PB_TOKEN_LOOP
#define PB_TOKEN_UNROLL
#define PB_TOKEN_PLACE(place, any) (place)
#define PB_TOKEN_OPAQUE(number)
#endif

/* How much later `a` is than `b`; negative: earlier. */
PB_INLINE __s64 pb_token_after(__u64 a, __u64 b)
{
	return (__s64)(a - b);
}

/* What a packet of that weight costs, in ticks. */
PB_INLINE __u64 pb_token_cost(const struct pb_limit *limit, __u64 weight)
{
	return weight * limit->mult >> limit->shift;
}

#define PB_TOKEN_LOST 2 /* neither let go nor over: another CPU was faster */

/*
 * Takes what a packet costs out of a bucket, once. 0: it is let go; 1: there is too little in it, the packet is over the
 * rate; PB_TOKEN_LOST. `seen`: what full_at was when it was looked at, and what it is if that was lost.
 */
PB_INLINE int pb_token_try(__u64 *full_at, __u64 *seen, __u64 now, __u64 cost, __u64 burst)
{
	__s64 ahead = pb_token_after(*seen, now);
	__u64 next = (ahead > 0 ? *seen : now) + cost, was;
	int over = 0;

	if (next - now > burst) { /* as it is: 63 bits would not do */
		if (ahead <= (__s64)(burst + PB_TOKEN_SLACK))
			return 1;
		next = now + burst;
		over = 1;
	}
	was = PB_TOKEN_SWAP(full_at, *seen, next);
	if (was == *seen)
		return over;
	*seen = was;
	return PB_TOKEN_LOST;
}

/* The same, until it is known. Not 0: the packet is over the rate. */
PB_INLINE int pb_token_over(__u64 *full_at, __u64 now, __u64 cost, __u64 burst)
{
	__u64 seen = PB_TOKEN_LOAD(full_at);
	int over = PB_TOKEN_LOST;

	PB_TOKEN_LOOP
	for (int i = 0; over == PB_TOKEN_LOST && i < PB_TOKEN_TRIES; i++)
		over = pb_token_try(full_at, &seen, now, cost, burst);
	return over;
}

/* The same, and nothing is taken: how much there is, in ticks, 0 to burst. */
PB_INLINE __u64 pb_token_left(__u64 full_at, __u64 now, __u64 burst)
{
	__s64 ahead = pb_token_after(full_at, now);

	if (ahead <= 0)
		return burst;
	return (__u64)ahead < burst ? burst - ahead : 0;
}

/* ---- Buckets of sources --------------------------------------------------------------------- */

#define PB_TOKEN_IPV4 (1U << 31) /* beside the rule's id */

/*
 * What the sources of a rule are mixed with, of each family. `rule`: id. Rule and family are mixed with a secret before
 * the address comes to them: else another rule or family would have the bucket of an address that can be told.
 */
PB_INLINE __u64 pb_token_secret(__u32 rule, __u32 epoch, const __u64 seed[2])
{
	return pb_mix((__u64)rule << 32 | epoch, seed[1]);
}

/* Of a source, masked; of IPv4 in the upper half of a number. `secret`: pb_token_secret(). */
PB_INLINE __u64 pb_token_hash4(__u64 secret, __u64 source, const __u64 seed[2])
{
	return pb_mix(secret ^ source, seed[0]);
}

PB_INLINE __u64 pb_token_hash6(__u64 secret, struct pb_address source, const __u64 seed[2])
{
	return pb_mix(pb_mix(secret ^ source.high, seed[0]) ^ source.low, seed[1]);
}

/* `rows`: a power of two. */
PB_INLINE __u32 pb_token_row(__u64 hash, __u32 rows)
{
	return (__u32)(hash >> 32) & (rows - 1);
}

PB_INLINE __u64 pb_token_tag(__u64 hash)
{
	return hash | 1;
}

#define PB_TOKEN_NONE PB_TOKEN_ROW /* no place */
#define PB_TOKEN_TAKES 4

/* The place of a bucket in its row, the first one; PB_TOKEN_NONE: it has none. */
PB_INLINE __u32 pb_token_find(struct pb_token_row *row, __u64 tag)
{
	PB_TOKEN_UNROLL
	for (__u32 i = 0; i < PB_TOKEN_ROW; i++)
		if (PB_TOKEN_LOAD(&row->bucket[i].tag) == tag)
			return i;
	return PB_TOKEN_NONE;
}

/*
 * The same without a branch for each place: which one it is no CPU can guess, and a wrong guess costs more than a look at
 * all of them, since it is found out when the row has come from memory.
 */
PB_INLINE __u32 pb_token_find_at_once(struct pb_token_row *row, __u64 tag)
{
	__u64 place = PB_TOKEN_NONE;

	PB_TOKEN_UNROLL
	for (int i = PB_TOKEN_ROW - 1; i >= 0; i--) {
		__u64 keep = PB_TOKEN_LOAD(&row->bucket[i].tag) ^ tag;

		keep |= -keep;
		PB_TOKEN_OPAQUE(keep);
		keep = (__s64)keep >> 63; /* all bits, or none where it is the tag */
		PB_TOKEN_OPAQUE(keep);
		place = (place & keep) | (i & ~keep);
	}
	return place;
}

/*
 * The place that goes for a new bucket: the first free one, else the fullest. `tag`: that it had when it was looked at,
 * by which it is to be taken: it may be another one's by now, and no place to go.
 */
PB_INLINE __u32 pb_token_victim(struct pb_token_row *row, __u64 now, __u64 *tag)
{
	__s64 least = 0x7fffffffffffffffLL;
	__u32 place = 0;

	PB_TOKEN_LOOP
	for (__u32 i = 0; i < PB_TOKEN_ROW; i++) {
		__u64 seen = PB_TOKEN_LOAD(&row->bucket[i].tag);
		__s64 ahead = pb_token_after(PB_TOKEN_LOAD(&row->bucket[i].full_at), now);

		if (seen && ahead >= least)
			continue;
		least = ahead;
		place = i;
		*tag = seen;
		if (!seen)
			break;
	}
	return place;
}

#define PB_TOKEN_AGAIN (PB_TOKEN_ROW + 1) /* another CPU was faster */

/* One attempt of pb_token_take(). */
PB_INLINE __u32 pb_token_take_once(struct pb_token_row *row, __u64 tag, __u64 now, __u64 *evicted)
{
	__u64 was = tag;
	__u32 mine = PB_TOKEN_PLACE(pb_token_victim(row, now, &was), tag), first;
	__u64 full_at = PB_TOKEN_LOAD(&row->bucket[mine].full_at);
	int taken = was != tag && PB_TOKEN_SWAP(&row->bucket[mine].tag, was, tag) == was;

	if (taken && pb_token_after(full_at, now) > 0) {
		PB_TOKEN_SWAP(&row->bucket[mine].full_at, full_at, now);
		*evicted += was != 0;
	}
	first = pb_token_find(row, tag);
	if (taken && first < mine)
		PB_TOKEN_SWAP(&row->bucket[mine].tag, tag, 0);
	if (first != PB_TOKEN_NONE)
		return first;
	return taken ? mine : PB_TOKEN_AGAIN; /* taken, and already given to another one */
}

/*
 * Gives a bucket a place, for one that was not found. One compare-and-swap of the tag does it, and the bucket counts at
 * once, so nobody waits for a place that is being taken. The one before was full mostly, so its full_at is that
 * of a full bucket; else it is made one, unless another has changed it meanwhile. What races there are cost:
 *
 *  1. Who has found the place before the tag changed, and changes full_at after, takes out of another one's bucket: a
 *     packet a CPU at most. So does who sees the tag and the full_at from before: nothing orders the two loads where
 *     the processor does not (arm64), and that is the same race; or it is over as the one before was, a packet, too.
 *  2. Two CPUs may give the same bucket a place each, as they have seen the row otherwise. The first place with the
 *     tag counts, for all who look. So each looks once more when it has taken one, and gives it back if another comes
 *     before. Both tags are there by then (a compare-and-swap is a full barrier), so one of the two sees the other,
 *     unless the second to come has the place that comes before: then it is the one that counts, and what was taken
 *     out of the other in between, a packet or two, is forgotten. The other is not found any more: it gets full,
 *     and goes as such.
 *
 * `evicted`: 1 is added where a bucket went that was not full. PB_TOKEN_NONE: others were faster, each time.
 */
PB_INLINE __u32 pb_token_take(struct pb_token_row *row, __u64 tag, __u64 now, __u64 *evicted)
{
	__u32 place = PB_TOKEN_AGAIN;

	PB_TOKEN_LOOP
	for (int i = 0; place == PB_TOKEN_AGAIN && i < PB_TOKEN_TAKES; i++)
		place = pb_token_take_once(row, tag, now, evicted);
	return place == PB_TOKEN_AGAIN ? PB_TOKEN_NONE : place;
}

#endif
