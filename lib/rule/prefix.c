// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <arpa/inet.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include "rule/prefix.h"
#include "rule/set-names.h"
#include "util/array.h"
#include "util/error.h"
#include "util/escape.h"
#include "util/text.h"

struct list {
	const char *from; /* the file that the words stand in; NULL: in none */
	bool may_name_sets;
	struct pb_set_names sets;
	struct pb_prefix *prefixes;
	size_t nr;
	size_t room;
	struct pb_masked masked;
};

static const struct family {
	int af;
	const char *name;
	__u8 family;
	__u8 bits;
} families[] = { { AF_INET, "IPv4", 4, 32 }, { AF_INET6, "IPv6", 6, 128 } };

/* memcmp() is a call, which takes a third longer where lists of a million are sorted. */
static int compare_half(const __u8 *a, const __u8 *b)
{
	__u64 left, right;

	memcpy(&left, a, sizeof(left));
	memcpy(&right, b, sizeof(right));
	left = be64toh(left);
	right = be64toh(right);
	return (left > right) - (left < right);
}

int pb_prefix_order(const struct pb_prefix *a, const struct pb_prefix *b)
{
	int order = (int)a->family - b->family;

	order = order ?: compare_half(a->addr, b->addr);
	order = order ?: compare_half(a->addr + 8, b->addr + 8);
	return order ?: (int)a->len - b->len;
}

bool pb_prefix_holds(const struct pb_prefix *outer, const struct pb_prefix *inner)
{
	unsigned int bytes = outer->len / 8, bits = outer->len % 8;

	if (outer->family != inner->family || outer->len > inner->len ||
	    memcmp(outer->addr, inner->addr, bytes))
		return false;
	return !bits || !((outer->addr[bytes] ^ inner->addr[bytes]) >> (8 - bits));
}

/* ---- Text ---------------------------------------------------------------------------------- */

/* Zeroes what is behind the length; tells whether anything was there. */
static bool mask(struct pb_prefix *prefix)
{
	bool masked = false;

	for (unsigned int i = prefix->len / 8; i < sizeof(prefix->addr); i++) {
		unsigned int keep = prefix->len > i * 8 ? prefix->len - i * 8 : 0;
		__u8 bits = keep < 8 ? 0xff >> keep : 0;

		masked = masked || prefix->addr[i] & bits;
		prefix->addr[i] &= ~bits;
	}
	return masked;
}

static int parse_address(const char *word, const struct family *family, __u8 *addr,
			 struct pb_error *error)
{
	size_t len = strcspn(word, "/");
	char address[INET6_ADDRSTRLEN] = "";

	if (len < sizeof(address))
		memcpy(address, word, len);
	if (inet_pton(family->af, address, addr) != 1)
		return pb_fail(error, EINVAL,
			       "%s is not an address or prefix: write as in 192.0.2.1, 10.0.0.0/8, "
			       "fd00::1 or 2001:db8::/32",
			       PB_Q(word));
	return 0;
}

static int parse_len(const char *word, const struct family *family, __u8 *len,
		     struct pb_error *error)
{
	const char *slash = strchr(word, '/');
	unsigned long number = family->bits;

	if (slash && pb_number_parse(slash + 1, strlen(slash + 1), family->bits, &number))
		return pb_fail(error, EINVAL,
			       "%s has no valid length: %s prefixes go from /0 to /%u", PB_Q(word),
			       family->name, family->bits);
	*len = number;
	return 0;
}

int pb_prefix_parse(const char *word, struct pb_prefix *prefix, bool *masked,
		    struct pb_error *error)
{
	const struct family *family = &families[!!strchr(word, ':')];
	struct pb_prefix made = { .family = family->family };
	int err = parse_address(word, family, made.addr, error);
	bool had_bits;

	if (!err)
		err = parse_len(word, family, &made.len, error);
	if (err)
		return err;
	had_bits = mask(&made);
	if (masked)
		*masked = had_bits;
	*prefix = made;
	return 0;
}

int pb_prefix_read(const char *word, struct pb_prefix *prefix, struct pb_masked *masked,
		   struct pb_error *error)
{
	bool had_bits;
	int err = pb_prefix_parse(word, prefix, &had_bits, error);

	if (!err && had_bits && !masked->nr++) {
		masked->first = pb_quote(word);
		masked->taken = *prefix;
	}
	return err;
}

static int parse_item(const char *word, void *ctx, struct pb_error *error)
{
	struct list *list = ctx;
	struct pb_prefix prefix, *grown;
	int err = pb_prefix_read(word, &prefix, &list->masked, error);

	if (err)
		return err;
	if (list->nr == PB_SOURCES_LIMIT)
		return pb_fail(error, EINVAL, "more than %u prefixes in one list",
			       PB_SOURCES_LIMIT);
	grown = pb_grow(list->prefixes, list->nr, &list->room, sizeof(*grown));
	if (!grown)
		return pb_fail_memory(error);
	list->prefixes = grown;
	grown[list->nr++] = prefix;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return pb_prefix_order(a, b);
}

static void sort(struct list *list)
{
	size_t nr = 0;

	if (list->nr)
		qsort(list->prefixes, list->nr, sizeof(*list->prefixes), compare);
	for (size_t i = 0; i < list->nr; i++)
		if (!nr || compare(&list->prefixes[nr - 1], &list->prefixes[i]))
			list->prefixes[nr++] = list->prefixes[i];
	list->nr = nr;
}

int pb_masked_note(const struct pb_masked *masked, struct pb_error *note, struct pb_error *error)
{
	char *taken, more[48] = "";
	size_t len;

	if (!note || !masked->nr)
		return 0;
	taken = pb_prefixes_text(&masked->taken, 1);
	if (!taken)
		return pb_fail_memory(error);
	if (masked->nr > 1)
		snprintf(more, sizeof(more), ", and %zu more like it", masked->nr - 1);
	len = strlen(note->text);
	snprintf(note->text + len, sizeof(note->text) - len,
		 "%s%s is taken as %s (bits behind the length do not count)%s", len ? "; " : "",
		 masked->first.text, taken, more);
	free(taken);
	return 0;
}

static int read_file(struct list *list, const char *name, struct pb_error *error)
{
	size_t before = list->nr;
	int err = pb_prefix_file_each(name, list->from, parse_item, list, error);

	if (!err && list->nr == before)
		err = pb_fail(error, EINVAL, "the file %s holds no prefixes", PB_Q(name));
	return err;
}

/* `@bans`: whoever means a file is told how one is written. */
static int name_set(struct list *list, const char *word, struct pb_error *error)
{
	if (!list->may_name_sets)
		return pb_fail(error, EINVAL,
			       "%s is the name of a set, and prefixes are wanted here: a file is "
			       "written with a slash in it, as in @./hosts",
			       PB_Q(word));
	if (pb_set_name_check(word + 1, NULL))
		return pb_fail(
			error, EINVAL,
			"%s is no name of a set (letters, digits, - and _, at most %d): a file "
			"is written with a slash in it, as in @./hosts",
			PB_Q(word), PB_NAME_LEN - 1);
	return pb_set_names_add(&list->sets, word + 1, error);
}

static int parse_word(const char *word, void *ctx, struct pb_error *error)
{
	if (word[0] != '@')
		return parse_item(word, ctx, error);
	if (!word[1])
		return pb_fail(error, EINVAL,
			       "\"@\" lacks a name: write @NAME for a set, @./FILE for a file");
	if (strchr(word, '/'))
		return read_file(ctx, word + 1, error);
	return name_set(ctx, word, error);
}

static int parse_list(const char *text, struct list *list, struct pb_error *note,
		      struct pb_error *error)
{
	int err = pb_list_each(text, "prefixes", parse_word, list, error);

	if (!err)
		err = pb_masked_note(&list->masked, note, error);
	if (!err) {
		sort(list);
		return 0;
	}
	free(list->prefixes);
	pb_set_names_free(list->sets.names, list->sets.nr);
	return err;
}

int pb_source_list_parse(const char *text, const char *from, struct pb_source_list *sources,
			 struct pb_error *note, struct pb_error *error)
{
	struct list list = { .from = from, .may_name_sets = true };
	int err = parse_list(text, &list, note, error);

	if (!err)
		*sources = (struct pb_source_list){ list.prefixes, list.nr, list.sets.names,
						    list.sets.nr };
	return err;
}

int pb_prefixes_parse(const char *text, const char *from, struct pb_prefix **prefixes, size_t *nr,
		      struct pb_error *note, struct pb_error *error)
{
	struct list list = { .from = from };
	int err = parse_list(text, &list, note, error);

	if (!err) {
		*prefixes = list.prefixes;
		*nr = list.nr;
	}
	return err;
}

void pb_prefixes_print(FILE *out, const struct pb_prefix *prefixes, size_t nr)
{
	char address[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < nr; i++) {
		const struct family *family = &families[prefixes[i].family == 6];

		inet_ntop(family->af, prefixes[i].addr, address, sizeof(address));
		fprintf(out, "%s%s", i ? "," : "", address);
		if (prefixes[i].len < family->bits)
			fprintf(out, "/%u", prefixes[i].len);
	}
}

char *pb_sources_text(const struct pb_prefix *prefixes, size_t nr, char *const *sets,
		      size_t nr_sets)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	pb_prefixes_print(out, prefixes, nr);
	pb_set_names_print(out, sets, nr_sets, "@", nr);
	return pb_stream_take(out, &text);
}

char *pb_prefixes_text(const struct pb_prefix *prefixes, size_t nr)
{
	return pb_sources_text(prefixes, nr, NULL, 0);
}

/* ---- Does one list cover another? Both are sorted, see struct pb_rule ----------------------- */

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
