// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Does one list of prefixes cover another? Both are sorted, see struct pb_rule. */
#include <string.h>
#include "util/text.h"

static size_t width(const struct pb_prefix *prefix)
{
	return prefix->family == 4 ? 4 : 16;
}

static void last_address(const struct pb_prefix *prefix, __u8 *last)
{
	for (size_t i = 0; i < width(prefix); i++) {
		size_t keep = prefix->len > i * 8 ? prefix->len - i * 8 : 0;

		last[i] = prefix->addr[i] | (keep < 8 ? 0xff >> keep : 0);
	}
}

static void increment(__u8 *address, size_t bytes)
{
	while (bytes-- && !++address[bytes])
		;
}

/* All addresses of `prefix` come before `next`? */
static bool ends_before(const struct pb_prefix *prefix, const struct pb_prefix *next)
{
	__u8 last[16];

	if (prefix->family != next->family)
		return prefix->family < next->family;
	last_address(prefix, last);
	return memcmp(last, next->addr, width(next)) < 0;
}

/* Walks over `outer`, moving `next`, the first address of `inner` not seen to be covered. */
static bool covers_one(const struct pb_prefix *outer, size_t nr, const struct pb_prefix *inner)
{
	__u8 next[16], end[16], last[16];
	size_t bytes = width(inner);

	memcpy(next, inner->addr, sizeof(next));
	last_address(inner, end);
	for (; nr && outer->family == inner->family; outer++, nr--) {
		if (memcmp(outer->addr, next, bytes) > 0)
			return false;
		last_address(outer, last);
		if (memcmp(last, end, bytes) >= 0)
			return true;
		if (memcmp(last, next, bytes) < 0)
			continue; /* inside one that was before it */
		memcpy(next, last, bytes);
		increment(next, bytes);
	}
	return false;
}

bool pb_prefixes_cover(const struct pb_prefix *outer, size_t nr_outer,
		       const struct pb_prefix *inner, size_t nr_inner)
{
	static const struct pb_prefix any[] = { { .family = 4 }, { .family = 6 } };

	if (!nr_inner)
		return pb_prefixes_cover(outer, nr_outer, any, 2);
	for (; nr_inner; inner++, nr_inner--) {
		while (nr_outer && ends_before(outer, inner))
			outer++, nr_outer--;
		if (!covers_one(outer, nr_outer, inner))
			return false;
	}
	return true;
}
